"""Reason codes: which are taken for an act, what is said of the others, who needs own words."""

from __future__ import annotations

import doctest
from collections.abc import Collection, Sequence
from dataclasses import replace
from decimal import Decimal

import pytest

from tests.domain.examples import CLA, CPT, POLICY
from tracker import settings
from tracker.domain.periods import Duration
from tracker.domain.schemes import reasons as rules
from tracker.domain.schemes.policies import ExtensionRule, Reduction
from tracker.domain.schemes.reasons import (
    ACTS,
    FAMILIES,
    ReasonCode,
    Reasons,
    UnknownReason,
    near,
    of_policies,
)
from tracker.scheme_files import reasons

LIST = reasons.load(settings.ROOT / "config" / "reasons.toml")
STANDING = ("suspension", "revocation", "reinstatement", "surrender")
NEEDED = {
    "exam_conduct",
    "conduct",
    "misconduct",
    "fee",
    "mistake",
    "other",
    "own_wish",
    "illegible_evidence",
    "insufficient_evidence",
    "fewer_hours_shown",
    "imported",
    "appeal_upheld",
    "gap_restored",
    "illness",
    "military",
    "disaster",
    "unemployment",
    "holidays",
}


def test_every_act_is_of_one_family_and_has_codes():
    assert len(ACTS) == len(set(ACTS)) == sum(map(len, FAMILIES))
    for act in ACTS:
        assert len(LIST.for_act(act)) >= 2, act


def test_the_shipped_list_has_the_codes_that_offices_use():
    assert LIST.by_code.keys() >= NEEDED
    assert all(reason.text.keys() == {"en", "es"} for reason in LIST.by_code.values())


@pytest.mark.parametrize("act", STANDING)
@pytest.mark.parametrize(
    "code",
    [
        "conduct",
        "fee",
        "mistake",
        "exam_conduct",
        "own_wish",
        "imported",
        "appeal_upheld",
        "gap_restored",
        "misconduct",
    ],
)
def test_a_code_of_one_change_of_standing_is_taken_for_every_one(act, code):
    LIST.check(act, code, words="So it was.")


@pytest.mark.parametrize("act", ["extension", "reduction"])
@pytest.mark.parametrize(
    "code", ["illness", "military", "disaster", "unemployment", "holidays", "mass_extension"]
)
def test_a_code_of_one_adjustment_is_taken_for_both(act, code):
    LIST.check(act, code, words="So it was.")


@pytest.mark.parametrize(
    ("act", "code"),
    [
        ("suspension", "illness"),
        ("suspension", "illegible_evidence"),
        ("extension", "conduct"),
        ("activity_rejection", "own_wish"),
        ("renewal_denial", "military"),
        ("surrender", ""),
        ("revocation", "CONDUCT"),
        ("revocation", "x"),
    ],
)
def test_a_code_of_another_family_or_none_is_refused_with_those_there_are(act, code):
    with pytest.raises(UnknownReason) as refused:
        LIST.check(act, code, words="So it was.")
    told = refused.value

    assert told.code == "unknown_reason"
    assert told.facts["choices"] == [reason.code for reason in LIST.for_act(act)]
    assert told.facts["act"] == act
    assert all(choice in told.fields["reason_code"] for choice in told.facts["choices"])
    assert repr(code) in told.detail
    assert f"GET /api/v1/reasons?act={act}" in told.detail


@pytest.mark.parametrize(
    ("act", "code", "meant"),
    [
        ("revocation", "conducts", "conduct"),
        ("revocation", "Exam-Conduct", "exam_conduct"),
        ("revocation", "exam conduct", "exam_conduct"),
        ("extension", "ilness", "illness"),
        ("extension", "militar", "military"),
        ("activity_rejection", "ILLEGIBLE", "illegible_evidence"),
        ("surrender", "own wish", "own_wish"),
        ("extension", "desaster", "disaster"),
    ],
)
def test_what_was_probably_meant_is_named_first(act, code, meant):
    with pytest.raises(UnknownReason) as refused:
        LIST.check(act, code, words="So it was.")

    nearest = refused.value.facts["near"]
    assert isinstance(nearest, Sequence)
    assert nearest[0] == meant
    assert f"did you mean {meant!r}" in refused.value.detail


def test_a_word_that_is_near_to_nothing_gets_no_guess():
    with pytest.raises(UnknownReason) as refused:
        LIST.check("surrender", "zzzzzz", words="So it was.")

    assert refused.value.facts["near"] == []
    assert "did you mean" not in refused.value.detail
    assert near("", ["illness"]) == []


@pytest.mark.parametrize("act", ACTS)
@pytest.mark.parametrize("words", [None, "", " ", "Other", "OTHER.", "otro", "…"])
def test_other_needs_words_of_its_own_for_every_act(act, words):
    with pytest.raises(UnknownReason) as refused:
        LIST.check(act, "other", words=words)

    assert refused.value.fields.keys() == {"reason"}


@pytest.mark.parametrize("words", ["No.", "A mistake.", "Ácido", "另"])
def test_any_words_of_somebodys_own_are_enough(words):
    LIST.check("suspension", "other", words=words)


def test_other_codes_need_no_words_here():
    LIST.check("activity_approval", "meets_requirements", words=None)


def test_codes_that_a_policy_names_are_taken_beside_the_list():
    policy = replace(
        POLICY,
        extension=ExtensionRule(
            Duration(1, "years"),
            moves_cycle=True,
            reasons=("parental_leave", "illness"),
            exempt=("national_guard",),
        ),
        reduction=Reduction(("retired_part_time", "illness"), Decimal("0.50")),
    )
    named = of_policies(replace(CPT, policies=(policy,)))

    assert named == {
        "parental_leave": {"extension"},
        "illness": {"extension", "reduction"},
        "national_guard": {"extension"},
        "retired_part_time": {"reduction"},
    }
    LIST.check("extension", "parental_leave", words="Twins.", also=named)
    with pytest.raises(UnknownReason) as refused:
        LIST.check("extension", "parental_leaf", words="Twins.", also=named)
    assert refused.value.facts["near"] == ["parental_leave"]
    choices = refused.value.facts["choices"]
    assert isinstance(choices, Collection)
    assert "national_guard" in choices


def test_a_scheme_whose_policies_name_none_has_none():
    assert (of_policies(CLA), of_policies(CPT)) == ({}, {})


def test_a_list_keeps_the_order_of_its_file():
    text = {"en": "x", "es": "x"}
    codes = ("b", "a", "c")
    listed = Reasons({c: ReasonCode(c, frozenset({"surrender"}), text) for c in codes})

    assert [reason.code for reason in listed.for_act("suspension")] == ["b", "a", "c"]
    assert listed.for_act("extension") == ()


def test_the_example_of_the_module_holds():
    assert doctest.testmod(rules).failed == 0
