"""domain/employers/requirements.py: who is cleared, until when, and what is lacking otherwise."""

from __future__ import annotations

from dataclasses import replace
from datetime import date

import pytest
from hypothesis import given
from hypothesis import strategies as st

from tests.domain.examples import policy, scheme_of
from tracker.domain.employers import requirements
from tracker.domain.employers.requirements import (
    ClearanceState,
    NeededProof,
    ProofKind,
    WorkerProof,
    judge,
)
from tracker.domain.errors import Refusal
from tracker.domain.schemes.credentials import CredentialActivity, CredentialCatalog, CredentialKind
from tracker.domain.schemes.schemes import Schemes

CPT, SAFETY = NeededProof("cpt"), NeededProof("cpt", "safety")
OSHA, CLT = NeededProof(credential="osha_10"), NeededProof("clt")
SOON, LATER = date(2027, 1, 31), date(2027, 6, 30)


def known(*proofs):
    return {proof.needed: proof for proof in proofs}


def held(needed, last_day=None):
    return WorkerProof(needed, is_held=True, status="active", last_day=last_day)


def lacking(needed, status="expired"):
    return WorkerProof(needed, is_held=False, status=status)


def test_of_each_need_the_alternative_that_lasts_longest_counts_and_the_need_that_ends_first():
    needs = ((CPT, CLT), (OSHA,))
    found = judge(needs, known(held(CPT, SOON), held(CLT, LATER), held(OSHA, date(2028, 1, 1))))

    assert found.state == ClearanceState.CLEARED
    assert found.last_day == LATER


def test_a_proof_without_an_end_has_no_last_day():
    assert judge(((CPT, SAFETY),), known(held(CPT, SOON), held(SAFETY))).last_day is None


def test_what_is_lacking_is_told_with_all_its_alternatives():
    expired, missing = lacking(CPT), lacking(SAFETY, "not_passed")
    found = judge(((CPT, SAFETY), (OSHA,)), known(expired, missing, held(OSHA)))

    assert found.state == ClearanceState.NOT_CLEARED
    assert found.lacking == ((expired, missing),)


def test_what_is_not_shared_decides_nothing_that_is_decided_without_it():
    hidden = WorkerProof(SAFETY, None)

    assert judge(((CPT, SAFETY),), known(held(CPT), hidden)).state == ClearanceState.CLEARED
    assert judge(((CPT, SAFETY),), known(lacking(CPT), hidden)).state == ClearanceState.NOT_SHARED
    assert (
        judge(((CPT,), (SAFETY,)), known(lacking(CPT), hidden)).state == ClearanceState.NOT_CLEARED
    )


PROOFS = st.sampled_from([CPT, SAFETY, OSHA, CLT])
NEEDS = st.lists(
    st.lists(PROOFS, min_size=1, max_size=3, unique=True).map(tuple), min_size=1, max_size=3
).map(tuple)


@given(NEEDS, st.fixed_dictionaries(dict.fromkeys([CPT, SAFETY, OSHA, CLT], st.booleans())))
def test_somebody_is_cleared_exactly_if_every_need_has_an_alternative_that_holds(needs, holds):
    proofs = {one: WorkerProof(one, is_held, "active") for one, is_held in holds.items()}
    is_cleared = all(any(holds[one] for one in need) for need in needs)

    assert (judge(needs, proofs).state == ClearanceState.CLEARED) == is_cleared


def test_a_proof_knows_what_it_is():
    assert [one.kind for one in (CPT, SAFETY, OSHA)] == [
        ProofKind.CERTIFICATION,
        ProofKind.MODULE,
        ProofKind.CREDENTIAL,
    ]
    assert list(requirements.proofs_of(((CPT, SAFETY), (OSHA,)))) == [CPT, SAFETY, OSHA]


SCHEME = replace(scheme_of(policy()), code="cpt")
SCHEMES = Schemes({"cpt": SCHEME})
PROVENANCE = SCHEME.policies[0].provenance
CATALOG = CredentialCatalog(
    {"osha_10": CredentialKind("osha_10", "OSHA 10", "OSHA", PROVENANCE)},
    CredentialActivity("IC", "certification"),
    (30,),
)


def test_what_there_is_may_be_needed():
    module = SCHEME.modules[0].code
    needs = ((CPT, OSHA), (NeededProof("cpt", module),))

    requirements.check_needs(needs, SCHEMES, CATALOG)


@pytest.mark.parametrize(
    "needs",
    [
        ((CLT,),),
        ((NeededProof("cpt", "nope"),),),
        ((NeededProof(credential="nope"),),),
        ((CPT, CPT),),
        ((CPT,), (CPT,)),
    ],
)
def test_what_there_is_not_or_what_is_named_twice_is_refused(needs):
    with pytest.raises(Refusal):
        requirements.check_needs(needs, SCHEMES, CATALOG)
