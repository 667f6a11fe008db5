"""domain/credentials/appeals.py: until when, by whom, and what the verdict brings."""

from dataclasses import replace
from datetime import date
from decimal import Decimal

import pytest

from tests.domain.examples import CPT
from tracker.domain.credentials.appeals import (
    Appealable,
    AppealSubject,
    AppealVerdict,
    check_appeal,
    check_uninvolved,
    is_fee_refunded,
    reinstated_on,
)
from tracker.domain.errors import AppealTooLate, NotAllowed
from tracker.domain.permissions import Actor


@pytest.mark.parametrize("day", [date(2026, 6, 1), date(2026, 7, 1)])
def test_an_appeal_is_due_within_30_days_of_the_notice(day):
    """worked_cases.md A1."""
    assert CPT.appeals is not None
    check_appeal(CPT.appeals, noticed_on=date(2026, 6, 1), on=day)


def test_an_appeal_on_the_31st_day_is_too_late():
    """worked_cases.md A1."""
    assert CPT.appeals is not None
    with pytest.raises(AppealTooLate) as refused:
        check_appeal(CPT.appeals, noticed_on=date(2026, 6, 1), on=date(2026, 7, 2))

    assert refused.value.facts == {"due_on": date(2026, 7, 1)}
    assert refused.value.detail == "The appeal was due by 2026-07-01."


def test_the_appeal_rule_is_as_published():
    """worked_cases.md A2: 50 USD, refunded on success, decided within 90 days."""
    assert CPT.appeals is not None
    rule = CPT.appeals

    assert (rule.fee, rule.refunded_on_success, rule.decided_within_days) == (
        Decimal("50.00"),
        True,
        90,
    )


REVIEWER = Actor(role="staff", name="Kim", person_id="p1")


@pytest.mark.parametrize("decider", [("p1", "Kim"), ("p1", "Kim Lee"), (None, "Kim")])
def test_nobody_decides_on_an_appeal_against_their_own_decision(decider):
    with pytest.raises(NotAllowed, match="cannot decide the appeal"):
        check_uninvolved(REVIEWER, [("p2", "Sam"), decider])


@pytest.mark.parametrize("decider", [("p2", "Kim"), (None, "Sam")])
def test_somebody_of_the_same_name_is_somebody_else_if_the_ids_are_known(decider):
    check_uninvolved(REVIEWER, [decider])


def test_an_actor_without_an_id_is_known_by_name():
    with pytest.raises(NotAllowed):
        check_uninvolved(Actor(role="staff", name="Kim"), [("p1", "Kim")])


@pytest.mark.parametrize("decider", [("h1", "X"), ("m1", "X"), ("p9", "X")])
def test_a_person_is_all_of_their_ids(decider):
    """The own record, that of a maker of the token, and what is known beside."""
    actor = replace(REVIEWER, holder_id="h1", makers=frozenset({"m1"}))
    with pytest.raises(NotAllowed):
        check_uninvolved(actor, [decider], ids={"p9"})


def test_the_fee_is_refunded_only_where_the_rule_says_so_and_the_appeal_is_upheld():
    rule = CPT.appeals
    assert rule is not None
    assert is_fee_refunded(rule, AppealVerdict.UPHELD)
    assert not is_fee_refunded(rule, AppealVerdict.DISMISSED)
    assert not is_fee_refunded(replace(rule, refunded_on_success=False), AppealVerdict.UPHELD)
    assert not is_fee_refunded(None, AppealVerdict.UPHELD)


@pytest.mark.parametrize(("restores", "day"), [(True, 1), (False, 20)])
def test_an_upheld_appeal_takes_effect_on_the_day_that_the_rule_names(restores, day):
    rule = CPT.appeals
    assert rule is not None
    found = reinstated_on(
        replace(rule, restores_gap=restores),
        changed_on=date(2026, 6, 1),
        decided_on=date(2026, 6, 20),
    )
    assert found == date(2026, 6, day)


@pytest.mark.parametrize(("day", "is_open"), [(date(2026, 7, 1), True), (date(2026, 7, 2), False)])
def test_what_can_be_appealed_stays_open_through_its_last_day(day, is_open):
    noticed_on, due_on = date(2026, 6, 1), date(2026, 7, 1)
    denied = Appealable(None, "r1", AppealSubject.RENEWAL_DENIED, noticed_on, due_on)

    assert denied.is_open(day) is is_open
