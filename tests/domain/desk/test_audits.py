"""Which activities an audit draws, and how each is settled (domain/desk/audits.py)."""

from __future__ import annotations

from datetime import UTC, date, datetime
from decimal import Decimal

import pytest
from hypothesis import given
from hypothesis import strategies as st

from tracker.domain.desk.audits import (
    LARGEST,
    REMINDERS,
    AuditOutcome,
    AuditState,
    AuditVerdict,
    NoAnswer,
    answer_due_on,
    check_another,
    check_answerable,
    check_appealable,
    check_size,
    check_verdict,
    draw,
    is_appealed,
    is_reminded,
    population_digest,
    size,
)
from tracker.domain.errors import IllegalTransition, Invalid, NotAllowed

IDS = st.lists(st.text("0123456789abcdef", min_size=1, max_size=8), unique=True, max_size=40)


@given(st.text(max_size=20), IDS, st.randoms(use_true_random=False), st.integers(0, 40))
def test_a_seed_draws_the_same_whatever_the_order_and_more_of_them_for_a_larger_share(
    seed, ids, random, count
):
    shuffled = list(ids)
    random.shuffle(shuffled)
    drawn = draw(seed, ids, count)

    assert draw(seed, shuffled, count) == drawn
    assert population_digest(shuffled) == population_digest(ids)
    assert len(drawn) == len(set(drawn)) == min(count, len(ids))
    assert set(drawn) <= set(ids)
    assert draw(seed, ids, count + 1)[:count] == drawn


@given(IDS.filter(lambda ids: len(ids) > 1), st.data())
def test_whoever_leaves_the_population_changes_nobody_elses_turn(ids, data):
    gone = data.draw(st.sampled_from(ids))
    rest = [one for one in ids if one != gone]

    assert draw("s", rest, len(rest)) == [one for one in draw("s", ids, len(ids)) if one != gone]
    assert population_digest(rest) != population_digest(ids)


def test_seeds_draw_different_ones_about_equally_often():
    ids = [str(n) for n in range(20)]
    first = [draw(f"seed {n}", ids, 1)[0] for n in range(2000)]

    assert all(60 < first.count(one) < 140 for one in ids)


@given(st.integers(0, 5000), st.integers(0, 10_000))
def test_a_share_is_rounded_up_and_never_more_than_all(population, hundredths):
    percent = Decimal(hundredths) / 100
    drawn = size(population, percent)

    assert drawn * 100 >= percent * population
    assert (drawn - 1) * 100 < percent * population or drawn == 0
    assert drawn <= population


def test_an_audit_is_of_something_and_of_no_more_than_can_be_read():
    check_size(1)
    check_size(LARGEST)
    for count in (0, LARGEST + 1):
        with pytest.raises(Invalid):
            check_size(count)


def test_an_answer_is_awaited_through_the_last_day_and_not_after_an_outcome():
    assert answer_due_on(date(2026, 11, 21), 14) == date(2026, 12, 5)
    check_answerable(AuditState.ASKED)
    check_answerable(AuditState.ANSWERED)
    with pytest.raises(IllegalTransition):
        check_answerable(AuditState.CONFIRMED)


ASKED, CONFIRMED = AuditState.ASKED, AuditOutcome.CONFIRMED
LESS = AuditVerdict(AuditOutcome.REDUCED, Decimal(4), "fewer_hours_shown", "Four hours.")


@pytest.mark.parametrize(
    ("before", "verdict", "fields"),
    [
        (ASKED, AuditVerdict(CONFIRMED), set()),
        (ASKED, LESS, set()),
        (ASKED, AuditVerdict(AuditOutcome.CALLED_OFF, reason="Twice."), set()),
        (AuditState.REJECTED, AuditVerdict(CONFIRMED, reason="It was right."), set()),
        (AuditState.REJECTED, AuditVerdict(CONFIRMED), {"reason"}),
        (ASKED, AuditVerdict(CONFIRMED, Decimal(4), "other"), {"points", "reason_code"}),
        (ASKED, AuditVerdict(AuditOutcome.REDUCED), {"points", "reason_code", "reason"}),
        (ASKED, AuditVerdict(AuditOutcome.REJECTED), {"reason_code", "reason"}),
        (ASKED, AuditVerdict(AuditOutcome.CALLED_OFF), {"reason"}),
    ],
)
def test_an_outcome_says_what_it_needs(before, verdict, fields):
    if not fields:
        check_verdict(before, verdict)
        return
    with pytest.raises(Invalid) as refused:
        check_verdict(before, verdict)
    assert set(refused.value.fields) == fields


def test_what_is_settled_is_not_called_off_unless_the_activity_is_another_since():
    off = AuditVerdict(AuditOutcome.CALLED_OFF, reason="x")
    with pytest.raises(IllegalTransition):
        check_verdict(AuditState.CONFIRMED, off)
    check_verdict(AuditState.REJECTED, off, is_moot=True)
    for before in (ASKED, AuditState.REJECTED):
        with pytest.raises(IllegalTransition):
            check_verdict(before, AuditVerdict(CONFIRMED, reason="x"), is_moot=True)


def test_points_are_reduced_to_fewer_than_the_activity_may_bring():
    check_verdict(ASKED, LESS, limit=Decimal("4.01"))
    check_verdict(ASKED, AuditVerdict(CONFIRMED), limit=Decimal(4))
    with pytest.raises(Invalid) as refused:
        check_verdict(ASKED, LESS, limit=Decimal(4))
    assert refused.value.fields == {
        "points": "must be less than 4, which the activity may bring now"
    }


def test_somebody_else_than_who_decided_audits():
    check_another([None, "sam"], {"rae"})
    with pytest.raises(NotAllowed):
        check_another([None, "sam"], {"rae", "sam"})


def test_an_appeal_is_against_what_took_points_and_once():
    check_appealable(AuditState.REDUCED, appealed=False)
    for state, appealed in ((AuditState.REDUCED, True), (AuditState.CONFIRMED, False)):
        with pytest.raises(IllegalTransition):
            check_appealable(state, appealed=appealed)


def test_who_does_not_answer_is_reminded_some_times_where_the_policy_does_not_reject():
    assert is_reminded(NoAnswer.REMIND, 0)
    assert not is_reminded(NoAnswer.REMIND, REMINDERS)
    assert not is_reminded(NoAnswer.REJECT, 0)


def test_a_share_of_few_is_one_and_of_nobody_none():
    sizes = [size(population, Decimal("0.01")) for population in (0, 1, 10_000, 10_001)]

    assert sizes == [0, 1, 1, 2]
    assert size(3, Decimal(100)) == 3


def test_a_digest_of_what_could_be_drawn_depends_on_no_order():
    assert population_digest(["a", "b"]) == population_digest(["b", "a"])
    assert population_digest(["a", "b"]) != population_digest(["ab"])


@pytest.mark.parametrize(
    ("appealed_on", "appeal_decided", "decided", "appealed"),
    [
        (None, None, 1, False),
        (date(2026, 5, 1), None, 1, True),
        (date(2026, 5, 1), 2, 2, True),
        (date(2026, 5, 1), 2, 3, False),
    ],
)
def test_an_outcome_given_after_an_appeal_was_settled_is_appealed_anew(
    appealed_on, appeal_decided, decided, appealed
):
    hour = {n: datetime(2026, 5, 2, n, tzinfo=UTC) for n in (1, 2, 3)}
    found = is_appealed(
        appealed_on=appealed_on,
        appeal_decided_at=hour.get(appeal_decided or 0),
        decided_at=hour[decided],
    )
    assert found is appealed
