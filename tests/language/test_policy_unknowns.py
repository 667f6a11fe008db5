"""domain/plain_unknowns: what no one published is told as not known, in both languages."""

from __future__ import annotations

from dataclasses import replace
from decimal import Decimal

import pytest

from tests.domain.examples import CPT, POLICY
from tracker import scheme_files, settings
from tracker.domain.periods import Duration
from tracker.domain.schemes.activity_types import Limits, Provenance
from tracker.domain.schemes.policies import (
    ApplicationWindow,
    Audit,
    CarryOver,
    Duplicates,
    ExtensionRule,
    LateStep,
    PointsSharing,
    Policy,
    Reduction,
    Reexamination,
    Retirement,
)
from tracker.domain.schemes.schemes import Scheme
from tracker.language.policies import in_plain_words
from tracker.language.policy_texts import SENTENCES
from tracker.language.policy_unknowns import UNKNOWN, marked, named, open_keys

EXAMPLES = settings.ROOT / "config" / "schemes" / "examples"
NAME = {"en": "late", "es": "tarde"}
PUBLISHED = Provenance("Handbook, page 2.", verified=True)
# Of which nothing but the policy can be open.
VERIFIED = replace(
    CPT,
    award=replace(CPT.award, provenance=PUBLISHED),
    assessment=None,
    appeals=None,
    retake=replace(CPT.retake, provenance=PUBLISHED),
    revocation=None,
)
BARE = replace(
    POLICY,
    duplicates=None,
    carry_over=None,
    late=(),
    extension=None,
    sharing=None,
    audit=None,
    retention=None,
    window=ApplicationWindow(Duration(0, "days"), "start"),
    unverified=(),
)
# What a bare policy says where nothing is open: a permission, a refusal, or nothing at all.
SAYS = SENTENCES["en"]
OF_NOTHING = {
    "duplicates": SAYS["duplicates.none"],
    "window": SAYS["window.whole"],
    "late": SAYS["late.none"],
    "carry_over": None,
    "extension": None,
    "sharing": None,
    "audit": None,
    "retention": None,
}
MONTH = Duration(1, "months")
EXTENSION = ExtensionRule(
    MONTH,
    moves_cycle=True,
    request_by=MONTH,
    share_earned=Decimal("0.5"),
    reasons=("illness",),
    exempt=("military",),
)
STEP = LateStep(MONTH, NAME, earns=True, title=True, extra_points=Decimal(5), fee=Decimal("20.00"))
# A version with a rule under each key, of which every part is told.
RULED = {
    "duplicates": replace(BARE, duplicates=Duplicates(("title",))),
    "carry_over": replace(BARE, carry_over=CarryOver(Decimal(5), frozenset({"CE"}), MONTH)),
    "extension": replace(BARE, extension=EXTENSION),
    "sharing": replace(BARE, sharing=PointsSharing(frozenset({"clt"}), Decimal(45))),
    "audit": replace(BARE, audit=Audit(Decimal("0.05"), 14, withholds_credit=True)),
    "retention": replace(BARE, retention=MONTH),
    "reexamination": replace(
        BARE, reexamination=Reexamination(("safety",), MONTH, failure_revokes=True)
    ),
    "retirement": replace(BARE, retirement=Retirement(MONTH, MONTH)),
    "late": replace(BARE, late=(STEP,)),
    "window": replace(BARE, window=ApplicationWindow(MONTH)),
    "minimum_per_year": replace(BARE, minimum_per_year=Decimal(5)),
    "stop_at_requirement": replace(BARE, stop_at_requirement=True),
}
PARTS_TOLD = {
    "carry_over": 3,
    "extension": 6,
    "sharing": 2,
    "audit": 3,
    "reexamination": 3,
    "retirement": 2,
}


def _told(policy: Policy, language: str = "en", scheme: Scheme = CPT) -> list[str]:
    return [line for part in in_plain_words(scheme, policy, language) for line in part.sentences]


def _without_sources(policy: Policy) -> list[str]:
    told = in_plain_words(VERIFIED, policy, "en")
    return [line for part in told[:-1] for line in part.sentences]


@pytest.mark.parametrize("key", OF_NOTHING)
def test_a_rule_that_is_missing_because_nobody_knows_it_is_told_as_unknown(key):
    open_ = replace(BARE, unverified=(f"{key}: not published",))
    before, after = _told(BARE), _told(open_)

    assert UNKNOWN["en"][key] in after
    assert UNKNOWN["es"][key] in _told(open_, "es")
    assert UNKNOWN["en"][key] not in before
    assert OF_NOTHING[key] is None or (OF_NOTHING[key] in before and OF_NOTHING[key] not in after)


@pytest.mark.parametrize("key", RULED)
def test_every_part_of_a_rule_that_is_not_verified_says_so(key):
    known = RULED[key]
    told = _without_sources(replace(known, unverified=(f"{key}: read at a third party",)))

    assert not any("not verified" in line for line in _without_sources(known))
    marks = [line for line in told if line.endswith("(not verified).")]
    assert len(marks) == PARTS_TOLD.get(key, 1), marks


def test_only_the_part_that_is_open_is_marked():
    told = _without_sources(replace(RULED["extension"], unverified=("extension.moves_cycle: U",)))

    assert "The next cycle then starts after the extended expiration date (not verified)." in told
    assert "A cycle may be extended by at most 1 month." in told


def test_an_extension_of_which_only_the_length_is_known_is_told_so():
    rule = replace(BARE, extension=ExtensionRule(MONTH, moves_cycle=False))
    told = _without_sources(replace(rule, unverified=("extension.moves_cycle: U",)))

    assert told.count("A cycle may be extended by at most 1 month.") == 1
    assert ("The next cycle starts where it would have started without it (not verified).") in told
    assert not any("An extension must be requested" in line for line in told)


def test_a_right_that_lateness_may_not_give_is_not_denied_as_if_it_were_known():
    late = replace(BARE, late=(LateStep(MONTH, NAME),))
    told = (
        "“late”, to 1 month{} after the expiration date: renewal is still possible{}; it is not "
        "known whether activities during this time count; here, they do not; it is not known"
        " whether the title"
        " may be used; here, it may not."
    )

    open_rights = replace(late, unverified=("late.earns, late.title: not published",))
    assert told.format("", "") in _told(open_rights)
    unknown = replace(late, unverified=("late: a third party's text",))
    assert told.format(" (not verified)", " (not verified)") in _told(unknown)


def test_a_category_whose_limits_nobody_published_is_not_without_limit():
    plain = {code: replace(each, limits=Limits()) for code, each in POLICY.categories.items()}
    free = replace(BARE, categories=plain)
    unknown = replace(free, unverified=("categories.CE: its cap is not published",))

    assert "“Continuing education”: no limit." in _told(free)
    assert "“Continuing education”: its limits are not known." in _told(unknown)
    assert "“Employment”: no limit." in _told(unknown)


def test_a_wait_and_a_refund_that_nobody_published_are_not_known():
    retake = replace(CPT.retake, wait_days=0, long_wait_days=0)
    assert CPT.fees is not None
    fees = replace(CPT.fees, provenance=retake.provenance, refundable=False)
    told = _told(BARE, scheme=replace(CPT, retake=retake, fees=fees))

    assert UNKNOWN["en"]["retake"] in told
    assert UNKNOWN["en"]["refund"] in told
    generous = replace(CPT, fees=replace(fees, refundable=True))
    assert "Fees are refundable (not verified)." in _told(BARE, scheme=generous)


def test_what_a_scheme_says_is_marked_where_its_source_is_not_verified():
    retake = (
        "After a failed assessment 15 days must pass in full before the next attempt at the module;"
        " after 3 failures, 60 days"
    )
    assert f"{retake} (not verified)." in _told(BARE)
    assert f"{retake}." in _told(BARE, scheme=VERIFIED)
    assert "A renewal costs $75.00." in _told(BARE)


def test_a_reduction_of_which_nobody_knows_how_much_is_no_leave_to_drop_all():
    rule = replace(BARE, reduction=Reduction(("illness",), Decimal(1)))
    open_ = replace(rule, unverified=("reduction.share: not published",))
    reasons = replace(rule, unverified=("reduction.reasons: a third party",))

    assert "The requirement may be reduced by at most 100% for: illness." in _told(rule)
    unknown = "The requirement may be reduced for: illness; it is not known by how much."
    assert unknown in _told(open_)
    marked_ = "The requirement may be reduced by at most 100% for: illness (not verified)."
    assert marked_ in _told(reasons)


def test_what_is_open_in_all_types_marks_each_and_proof_marks_none():
    points = replace(BARE, unverified=("types.points: not published",))
    proof = replace(BARE, unverified=("types.evidence, types.warn_above: not published",))

    assert open_keys(points) == {"types"}
    assert open_keys(proof) == frozenset()
    assert sum("(not verified)" in line for line in _without_sources(points)) == len(POLICY.types)
    assert not any("(not verified)" in line for line in _without_sources(proof))


def test_a_key_is_open_with_its_parts_and_with_what_it_is_a_part_of():
    assert named(frozenset({"late"}), "late.title")
    assert named(frozenset({"late.title"}), "late")
    assert not named(frozenset({"late.title"}), "late.fee")
    assert not named(frozenset({"windows"}), "window")
    assert marked("with a fee", "es") == "with a fee (sin verificar)"


def test_both_languages_know_the_same_unknowns():
    assert UNKNOWN["en"].keys() == UNKNOWN["es"].keys()


@pytest.mark.parametrize(
    "scheme", list(scheme_files.load(EXAMPLES)), ids=lambda scheme: scheme.code
)
def test_no_example_gives_leave_where_its_file_says_that_it_does_not_know(scheme):
    told = _told(scheme.policies[-1], scheme=scheme)
    keys = open_keys(scheme.policies[-1])

    for key, sentence in OF_NOTHING.items():
        assert sentence not in told or not named(keys, key), (key, sentence)
    assert SAYS["retake.free"] not in told
