"""The lifecycle of an activity, and what a claim must say to be recorded."""

from dataclasses import replace
from datetime import date
from decimal import Decimal
from itertools import product
from typing import get_args

import pytest

from tests.domain.examples import CPT, POLICY, claim, job, nouns, policy, renewed, scheme_of
from tracker.domain.errors import EvidenceMissing, IllegalTransition, Invalid, OutsideCycle
from tracker.domain.periods import Period
from tracker.domain.points.activities import (
    ActivityState,
    ActivityStep,
    check_answer,
    check_claim,
    check_dates,
    check_evidence,
    check_step,
)
from tracker.domain.schemes.activity_types import Noun

LAWFUL = {
    ("edit", "draft"),
    ("edit", "more_information"),
    ("edit", "rejected"),
    ("edit", "withdrawn"),
    ("delete", "draft"),
    ("submit", "draft"),
    ("submit", "more_information"),
    ("submit", "rejected"),
    ("submit", "withdrawn"),
    ("withdraw", "submitted"),
    ("withdraw", "more_information"),
    ("decide", "submitted"),
    ("decide", "approved"),
    ("decide", "rejected"),
    ("decide", "more_information"),
    ("undo", "approved"),
    ("undo", "rejected"),
    ("undo", "more_information"),
    ("add_evidence", "submitted"),
    ("add_evidence", "draft"),
    ("add_evidence", "more_information"),
    ("add_evidence", "rejected"),
    ("add_evidence", "withdrawn"),
}
COURSE, JOB = POLICY.types["third_party"], POLICY.types["employment_full_time"]
CYCLES = renewed(CPT, date(2024, 3, 15), date(2029, 1, 10))
ON = date(2029, 6, 1)


@pytest.mark.parametrize(("step", "state"), list(product(get_args(ActivityStep), ActivityState)))
def test_only_the_steps_of_the_table_are_lawful(step, state):
    if (step, state) in LAWFUL:
        check_step(step, state)
    else:
        with pytest.raises(IllegalTransition) as refused:
            check_step(step, state)
        assert refused.value.facts == {"state": state}


@pytest.mark.parametrize(
    ("step", "state", "told"),
    [
        ("edit", "submitted", "draft, more_information, rejected, withdrawn"),
        ("decide", "draft", "approved, more_information, rejected, submitted"),
    ],
)
def test_an_unlawful_step_is_answered_with_the_states_that_allow_it(step, state, told):
    with pytest.raises(IllegalTransition) as refused:
        check_step(step, state)

    assert refused.value.detail == (
        f"Cannot {step} an activity that is {state}; it must be {told}."
    )


def answer(verdict, superseding=None, **given):
    values = {
        "points_limit": None,
        "provider_approved": False,
        "reason_code": None,
        "reason": None,
        **given,
    }
    check_answer(verdict, superseding=superseding, **values)


def test_an_approval_needs_no_reason_unless_it_changes_an_answer():
    answer("approved", points_limit=Decimal(4), provider_approved=True)
    answer("approved", superseding="rejected", reason="It was shown.")
    with pytest.raises(Invalid) as refused:
        answer("approved", superseding="rejected")
    assert refused.value.fields == {
        "reason": "is required, because the activity is already rejected and this changes the "
        "decision"
    }


@pytest.mark.parametrize("verdict", ["rejected", "more_information"])
def test_a_refusal_needs_its_reason_and_says_nothing_of_points(verdict):
    answer(verdict, reason_code="other", reason="Not shown.")
    with pytest.raises(Invalid) as refused:
        answer(verdict, points_limit=Decimal(4), provider_approved=True)
    assert refused.value.fields == {
        "reason_code": "is required unless the answer is approved",
        "reason": "is required unless the answer is approved",
        "points_limit": "is allowed only when the answer is approved",
        "provider_approved": "is allowed only when the answer is approved",
    }


def test_a_date_that_lies_ahead_names_the_clock_by_which_it_does():
    ahead = claim("third_party", "3", date(2029, 6, 2))
    with pytest.raises(OutsideCycle) as refused:
        check_dates(COURSE, ahead, CYCLES, on=ON, zone="Pacific/Honolulu")
    assert "today (2029-06-01, Hawaii time)" in refused.value.detail


@pytest.mark.parametrize("quantity", ["0.01", "3", "10000"])
def test_a_course_with_hours_and_a_completion_date_is_a_claim(quantity):
    check_claim(COURSE, claim("third_party", quantity, date(2026, 1, 1)))


@pytest.mark.parametrize("quantity", [None, "0", "-1", "10000.01"])
def test_a_course_needs_a_sensible_quantity(quantity):
    with pytest.raises(Invalid) as refused:
        check_claim(COURSE, claim("third_party", quantity, date(2026, 1, 1)))

    assert refused.value.fields == {
        "quantity": "must be more than 0 and at most 10000 (contact hours)"
    }


def test_a_course_needs_a_completion_date():
    with pytest.raises(Invalid) as refused:
        check_claim(COURSE, claim("third_party", "3"))

    assert refused.value.detail == "The activity does not meet the requirements of its type."
    assert refused.value.fields == {"completed_on": "is required for this type of activity"}


@pytest.mark.parametrize("ends_on", [None, date(2026, 1, 1), date(2026, 5, 1)])
def test_a_job_needs_a_start_and_may_go_on(ends_on):
    check_claim(JOB, job("full_time", date(2026, 1, 1), ends_on))


def test_a_job_has_no_quantity_and_needs_its_start():
    with pytest.raises(Invalid) as refused:
        check_claim(JOB, claim("employment_full_time", "12"))

    assert refused.value.fields == {
        "quantity": "must be empty: this type is counted by its dates",
        "starts_on": "is required for this type of activity",
    }


@pytest.mark.parametrize(
    ("kind", "wrong"),
    [
        (JOB, job("full_time", date(2026, 1, 2), date(2026, 1, 1))),
        (COURSE, claim("third_party", "3", date(2026, 1, 1), starts_on=date(2026, 1, 2))),
    ],
)
def test_nothing_ends_before_it_starts(kind, wrong):
    with pytest.raises(Invalid) as refused:
        check_claim(kind, wrong)

    assert refused.value.fields == {"completed_on": "must not be before starts_on (2026-01-02)"}


@pytest.mark.parametrize(
    "claimed",
    [
        claim("third_party", "3", date(2024, 3, 15)),
        claim("third_party", "3", date(2029, 3, 15)),
        claim("third_party", "3", date(2029, 3, 16)),
        claim("third_party", "3", date(2029, 6, 1)),
        claim("third_party", "3", date(2024, 3, 15), starts_on=date(2023, 9, 1)),
        job("full_time", date(2020, 1, 1), date(2024, 3, 15)),
        job("full_time", date(2020, 1, 1)),
        job("part_time", date(2029, 6, 1)),
    ],
    ids=[
        "certification day",
        "expiry day",
        "first day of the next cycle",
        "today",
        "course begun before",
        "job until the certification day",
        "old job that goes on",
        "job from today",
    ],
)
def test_an_activity_that_lies_in_a_cycle_is_taken(claimed):
    """worked_cases.md case 2, case 4: both ends are inside, completion decides."""
    check_dates(POLICY.types[claimed.type], claimed, CYCLES, on=ON)


@pytest.mark.parametrize(
    ("claimed", "field", "why"),
    [
        (
            claim("third_party", "3", date(2024, 3, 14)),
            "completed_on",
            "2024-03-14 is not in any validity cycle",
        ),
        (
            claim("third_party", "3", date(2029, 6, 2)),
            "completed_on",
            "2029-06-02 is in the future",
        ),
        (
            claim("third_party", "3", date(2024, 3, 14), starts_on=date(2024, 1, 1)),
            "completed_on",
            "2024-03-14 is not in any validity cycle",
        ),
        (
            job("full_time", date(2020, 1, 1), date(2024, 3, 14)),
            "completed_on",
            "2024-03-14 is not in any validity cycle",
        ),
        (job("full_time", date(2029, 6, 2)), "starts_on", "2029-06-02 is in the future"),
    ],
    ids=[
        "the day before",
        "tomorrow",
        "whole course before",
        "job ended before",
        "job from tomorrow",
    ],
)
def test_an_activity_outside_every_cycle_is_refused(claimed, field, why):
    """worked_cases.md case 3: before certification."""
    with pytest.raises(OutsideCycle) as refused:
        check_dates(POLICY.types[claimed.type], claimed, CYCLES, on=ON)

    rule = f"{why}; it must be in a cycle, from 2024-03-15 to today (2029-06-01)"
    assert refused.value.fields == {field: rule}
    assert refused.value.detail == f"The activity's date {rule}."


@pytest.mark.parametrize("starts_on", [None, date(2029, 3, 15)])
def test_a_course_completed_after_expiry_is_refused_whenever_it_began(starts_on):
    late = claim("third_party", "3", date(2029, 3, 16), starts_on=starts_on)
    with pytest.raises(OutsideCycle, match=r"to its last day \(2029-03-15\)"):
        check_dates(POLICY.types[late.type], late, CYCLES[:1], on=ON)


def test_an_event_is_no_job_although_it_has_no_quantity_either():
    event = replace(COURSE, basis="event", threshold=None)
    attended = claim("third_party", None, date(2029, 3, 20), starts_on=date(2029, 3, 10))
    with pytest.raises(OutsideCycle, match="not in any validity cycle"):
        check_dates(event, attended, CYCLES[:1], on=ON)


def test_a_job_begun_after_expiry_is_refused_but_one_that_began_before_is_taken():
    check_dates(JOB, job("full_time", date(2029, 3, 15)), CYCLES[:1], on=ON)
    with pytest.raises(OutsideCycle):
        check_dates(JOB, job("full_time", date(2029, 3, 16)), CYCLES[:1], on=ON)


def test_a_course_between_two_cycles_is_refused():
    by_decision = scheme_of(policy(next_cycle="decision"))
    cycles = renewed(by_decision, date(2024, 3, 15), date(2029, 3, 20))

    check_dates(COURSE, claim("third_party", "3", date(2029, 3, 21)), cycles, on=ON)
    for day in (date(2029, 3, 16), date(2029, 3, 20)):
        with pytest.raises(OutsideCycle):
            check_dates(COURSE, claim("third_party", "3", day), cycles, on=ON)


@pytest.mark.parametrize(
    ("unit", "told"),
    [
        (
            nouns("continuing education unit/continuing education units", "unidad/unidades"),
            "must be more than 0 and at most 10000 (continuing education units)",
        ),
        ({"es": Noun("unidad", "unidades")}, "must be more than 0 and at most 10000 (units)"),
    ],
    ids=["named", "without an English name"],
)
def test_the_limit_of_a_quantity_names_the_types_unit(unit, told):
    with pytest.raises(Invalid) as refused:
        check_claim(replace(COURSE, unit=unit), claim("third_party", "0", date(2026, 1, 1)))

    assert refused.value.fields == {"quantity": told}


TELLING = replace(
    COURSE, units={"hour": Decimal(1), "day": Decimal(8)}, roles={"taught": Decimal(2)}
)


def test_units_and_roles_of_the_type_and_tags_of_the_policy_may_be_stated():
    stated = claim(
        "third_party", "3", date(2026, 1, 1), unit="hour", role="taught", tags=frozenset({"law"})
    )
    check_claim(TELLING, stated, tags={"law"})


@pytest.mark.parametrize(
    ("values", "fields"),
    [
        ({"unit": "week"}, {"unit": "'week' is not known; must be one of: day, hour"}),
        ({"role": "led"}, {"role": "'led' is not known; must be one of: taught"}),
        (
            {"tags": frozenset({"law", "art"})},
            {"tags": "'art' is not known; must be one of: law"},
        ),
    ],
)
def test_what_is_not_known_is_named_with_the_choices(values, fields):
    stated = claim("third_party", "3", date(2026, 1, 1), **values)
    with pytest.raises(Invalid) as refused:
        check_claim(TELLING, stated, tags=["law"])

    assert refused.value.fields == fields


def test_a_type_without_units_takes_none():
    with pytest.raises(Invalid) as refused:
        check_claim(COURSE, claim("third_party", "3", date(2026, 1, 1), role="led"))

    assert refused.value.fields == {"role": "'led' is not known; must be empty for this type"}


@pytest.mark.parametrize(
    ("values", "lacking"),
    [
        ({}, {"completed_on"}),
        ({"completed_on": date(2026, 1, 1)}, set()),
        ({"completed_on": date(2026, 1, 1), "quantity": Decimal(0)}, {"quantity"}),
        ({"completed_on": date(2026, 1, 1), "threshold": "1500"}, {"quantity"}),
    ],
)
def test_an_event_needs_a_quantity_only_where_that_decides(values, lacking):
    values = dict(values)
    threshold = Decimal(values.pop("threshold")) if "threshold" in values else None
    kind = replace(COURSE, basis="event", threshold=threshold)
    claimed = replace(claim("third_party"), **values)
    if not lacking:
        check_claim(kind, claimed)
        return
    with pytest.raises(Invalid) as refused:
        check_claim(kind, claimed)
    assert refused.value.fields.keys() == lacking


def test_days_that_still_earn_are_inside():
    late = claim("third_party", "3", date(2029, 4, 1))
    check_dates(
        POLICY.types[late.type],
        late,
        CYCLES[:1],
        on=ON,
        earning=Period(date(2024, 3, 15), date(2029, 4, 1)),
    )
    with pytest.raises(OutsideCycle):
        check_dates(
            POLICY.types[late.type],
            late,
            CYCLES[:1],
            on=ON,
            earning=Period(date(2024, 3, 15), date(2029, 3, 31)),
        )


REQUIRED = replace(
    COURSE, evidence="required", evidence_kinds={"en": "a certificate", "es": "un certificado"}
)


@pytest.mark.parametrize(
    ("kind", "files"),
    [(COURSE, 0), (replace(COURSE, evidence="none"), 0), (REQUIRED, 1), (REQUIRED, 5)],
)
def test_what_does_not_require_a_file_or_has_one_may_be_submitted(kind, files):
    check_evidence(kind, files=files, add_at="POST there")


def test_a_claim_without_the_file_that_its_type_requires_is_told_what_is_accepted_and_where():
    with pytest.raises(EvidenceMissing) as refused:
        check_evidence(REQUIRED, files=0, add_at="POST there")

    assert refused.value.detail == (
        "'Third-party training' cannot be submitted without a certificate. Add a file (PDF, JPG "
        "or PNG) by POST there, then submit again."
    )
    assert refused.value.facts == {
        "type": "third_party",
        "add_at": "POST there",
        "evidence_kinds": {"en": "a certificate", "es": "un certificado"},
    }
