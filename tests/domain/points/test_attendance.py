"""domain/points/attendance.py: whom a list means, what contradicts it, how that is settled."""

from __future__ import annotations

from datetime import date
from decimal import Decimal

import pytest

from tracker.domain.errors import IllegalTransition, Invalid
from tracker.domain.points import attendance
from tracker.domain.points.activities import ActivityState
from tracker.domain.points.attendance import DiscrepancyKind, DiscrepancyState, Outcome

DAY = date(2026, 10, 12)


def test_spelling_does_not_make_another_claim_and_another_day_does():
    key = attendance.claim_key("Robot  Safety", "IVY TECH", DAY)

    assert key == attendance.claim_key("robot safety", "Ivy Tech", DAY)
    assert key != attendance.claim_key("robot safety", "Ivy Tech", date(2026, 10, 13))


def test_a_key_fits_into_its_column_however_long_its_letters_become():
    assert attendance.text_key(" Ana  PEÑA") == "ana pena"
    assert len(attendance.text_key("\N{ARABIC LIGATURE SALLALLAHOU ALAYHE WASALLAM}" * 200)) == 380


@pytest.mark.parametrize(
    ("given", "agree"),
    [("Peña, Ana", True), ("ANA", True), ("", True), ("Bo Smith", False)],
)
def test_a_name_that_shares_no_word_is_another_one(given, agree):
    assert attendance.names_agree(given, " pena , ana ;") is agree


@pytest.mark.parametrize(
    ("said", "claimed", "state", "differs"),
    [
        (Decimal(16), Decimal("16.00"), ActivityState.DRAFT, False),
        (Decimal(16), Decimal(24), ActivityState.APPROVED, True),
        (None, None, ActivityState.APPROVED, False),
        (Decimal(16), Decimal(16), ActivityState.REJECTED, True),
    ],
)
def test_what_contradicts_a_list(said, claimed, state, differs):
    assert attendance.contradicts(said, claimed, state) is differs


@pytest.mark.parametrize(
    ("kind", "outcome", "given", "fields"),
    [
        ("unmatched", "matched", {"holder_id": "h"}, set()),
        ("unmatched", "matched", {}, {"holder_id"}),
        ("unmatched", "dismissed", {}, {"reason"}),
        ("unmatched", "holder", {"reason": "x"}, {"outcome"}),
        ("refused", "provider", {"reason": "x"}, {"outcome"}),
        ("contradiction", "provider", {"reason": "x"}, set()),
        ("contradiction", "matched", {"holder_id": "h"}, {"outcome"}),
        ("contradiction", "holder", {"reason": "x", "reason_code": "other"}, {"reason_code"}),
        ("contradiction", "listed", {"reason": "x"}, {"outcome"}),
        ("silent", "provider", {"reason": "x"}, {"reason_code"}),
        ("silent", "provider", {"reason": "x", "reason_code": "other"}, set()),
        ("silent", "holder", {"reason": "x", "holder_id": "h"}, {"holder_id"}),
    ],
)
def test_an_outcome_belongs_to_a_kind_and_has_what_it_needs(kind, outcome, given, fields):
    def check():
        blank = {"reason": None, "reason_code": None, "holder_id": None}
        attendance.check_outcome(DiscrepancyKind(kind), Outcome(outcome), **blank | given)

    possible = outcome in attendance.outcomes_of(DiscrepancyKind(kind))
    assert possible is ("outcome" not in fields)
    if not fields:
        check()
        return
    with pytest.raises(Invalid) as raised:
        check()
    assert raised.value.fields.keys() == fields


@pytest.mark.parametrize(
    ("state", "wanted", "way"),
    [("settled", DiscrepancyState.OPEN, "reopen"), ("open", DiscrepancyState.SETTLED, "settle")],
)
def test_what_is_settled_is_reopened_first(state, wanted, way):
    with pytest.raises(IllegalTransition, match=way):
        attendance.check_state(state, wanted)
    attendance.check_state(wanted, wanted)


def test_a_row_that_means_nobody_is_right_only_with_whom_it_means():
    right, wrong = attendance.ProviderAnswer
    unmatched = DiscrepancyKind.UNMATCHED
    with pytest.raises(Invalid) as refused:
        attendance.check_answer(unmatched, right, note=None)

    assert set(refused.value.fields) == {"note"}
    attendance.check_answer(unmatched, right, note="Bo Lee")
    attendance.check_answer(unmatched, wrong, note=None)
    attendance.check_answer(DiscrepancyKind.SILENT, right, note=None)
