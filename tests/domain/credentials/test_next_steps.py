"""What a holder should do now: nothing too late, nothing twice."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from datetime import date, timedelta
from decimal import Decimal
from typing import Any

import pytest

from tests.domain.examples import (
    CLA,
    CYCLE,
    claim,
    days,
    evaluate,
    grace,
    needing,
    policy,
    renewed,
    scheme_of,
    standing,
)
from tests.domain.points.terms_cases import rung
from tracker.domain.credentials.certifications import Application, ChangeOfStanding
from tracker.domain.credentials.next_steps import (
    ACTIONS,
    NextStep,
    Situation,
    next_step,
    urgency,
)
from tracker.domain.points.claims import Claim
from tracker.domain.schemes.policies import ApplicationWindow, LateStep, Policy
from tracker.language import next_steps
from tracker.language.catalogues import LANGUAGES
from tracker.language.voice import clock

D = Decimal
AWARDED = CYCLE.starts_on
LAST = CYCLE.ends_on  # March 15, 2029
OPENS = date(2028, 12, 15)
EARLIER, IN_WINDOW, AFTER = date(2027, 1, 1), date(2029, 1, 15), LAST + timedelta(days=1)
NOT_ADMITTED = policy(pending_points_admit=False)


def course(points: str, **values: Any) -> Claim:
    """A course that brings so many points."""
    return claim("third_party", points, date(2025, 1, 5), **values)


def step(
    on: date,
    approved: str = "0",
    waiting: str = "0",
    *,
    under: Policy | None = None,
    applied_on: date | None = None,
    changes: Sequence[ChangeOfStanding] = (),
    **values: Any,
) -> NextStep:
    """The step of a holder on a day with points approved, and others that wait."""
    version = under or policy()
    scheme = scheme_of(version)
    applications = [Application(applied_on, None)] if applied_on else []
    held = standing(
        scheme, renewed(scheme, AWARDED), on, applications=applications, changes=changes
    )
    late = version.late_step(LAST, applied_on or on)
    extra = late.extra_points if late else D(0)
    known = [course(approved)] if approved != "0" else []
    also = [course(waiting)] if waiting != "0" else []
    judge: dict[str, Any] = {"policy": version, "on": on, "extra_points": extra}
    given: dict[str, Any] = {
        "policy": version,
        "evaluation": evaluate(*known, **judge),
        "pending": evaluate(*known, *also, **judge),
    }
    return next_step(Situation(held, **given | values))


@pytest.mark.parametrize(
    ("approved", "waiting", "missing"),
    [("0", "0", "100"), ("30", "0", "70"), ("30", "29", "41"), ("0", "99.99", "0.01")],
)
@pytest.mark.parametrize("on", [EARLIER, OPENS, IN_WINDOW, LAST])
def test_what_waits_is_not_asked_for_again(on, approved, waiting, missing):
    found = step(on, approved, waiting)
    assert found == NextStep("log_activities", LAST, missing=D(missing), waiting=D(waiting))


@pytest.mark.parametrize("under", [policy(), NOT_ADMITTED])
@pytest.mark.parametrize(("approved", "waiting"), [("0", "100"), ("99.99", "0.01"), ("50", "70")])
def test_where_enough_waits_before_the_window_the_review_is_waited_for(under, approved, waiting):
    found = step(EARLIER, approved, waiting, under=under)
    assert (found.action, found.on) == ("wait_for_review", OPENS)
    assert (found.missing, found.if_approved) == (None, True)


@pytest.mark.parametrize("on", [OPENS, IN_WINDOW, LAST])
@pytest.mark.parametrize(("approved", "waiting"), [("0", "100"), ("99.99", "0.01"), ("50", "70")])
def test_in_the_window_enough_points_that_wait_are_applied_with(on, approved, waiting):
    found = step(on, approved, waiting)
    assert found == NextStep("apply_now", LAST, waiting=D(waiting), if_approved=True)


@pytest.mark.parametrize(
    ("on", "under", "applied_on", "day"),
    [
        (EARLIER, policy(), None, OPENS),
        (IN_WINDOW, NOT_ADMITTED, None, None),
        (AFTER, policy(), IN_WINDOW, None),
    ],
)
def test_where_a_reviewer_asks_the_holder_answers_before_anything_is_waited_for(
    on, under, applied_on, day
):
    found = step(on, "0", "100", under=under, applied_on=applied_on, questions=2)
    assert (found.action, found.on, found.questions) == ("answer_questions", day, 2)
    said = next_steps.sentence(found, "en", issuer="MSSC", zone="America/Chicago")
    assert said.startswith("A reviewer has a question about 2 of your activities. ")
    assert ("You can apply for renewal from" in said) is (day is not None)
    assert next_steps.sentence(found, "es", issuer="MSSC", zone="America/Chicago").startswith(
        "Hay una pregunta sobre 2 de sus actividades. "
    )


def test_a_question_keeps_nobody_from_applying_and_is_named_first():
    found = step(LAST, "0", "100", questions=1)
    assert (found.action, found.on) == ("apply_now", LAST)
    said = next_steps.sentence(found, "en", issuer="MSSC", zone="America/Chicago")
    assert said.startswith("A reviewer has a question about 1 of your activities. ")
    assert "Apply for renewal now" in said
    assert step(AFTER, "0", "100", questions=1).questions == 0  # too late for an answer to help


@pytest.mark.parametrize("on", [OPENS, IN_WINDOW, LAST])
def test_where_pending_points_do_not_admit_they_are_waited_for(on):
    found = step(on, "0", "100", under=NOT_ADMITTED)
    assert found == NextStep("wait_for_review", waiting=D(100), if_approved=True)


def test_what_cannot_be_decided_in_time_is_not_asked_for():
    """Submitted on the last day it would be decided too late, where pending points do not admit."""
    day_before = LAST - timedelta(days=1)
    assert step(day_before, "40", "29", under=NOT_ADMITTED).action == "log_activities"
    found = step(LAST, "40", "29", under=NOT_ADMITTED)
    assert found == NextStep("too_late", LAST, missing=D(31), waiting=D(29))


def test_a_late_step_that_takes_points_gives_time_for_the_decision():
    under = policy(pending_points_admit=False, late=(rung(30, extra_points=D(20)),))
    found = step(LAST, "40", "29", under=under)
    assert (found.action, found.on) == ("log_activities", LAST + timedelta(days=30))
    assert found.missing == D(51)  # 20 more are asked for on the late step


def test_a_late_step_that_raises_a_minimum_asks_for_that_too():
    raising = rung(30, extra_minima={"volunteer": D(5)})
    under = policy(pending_points_admit=False, late=(raising,))
    found = step(LAST, "60", "40", under=under)
    assert (found.action, found.on) == ("wait_for_review", None)
    lacking = step(LAST, "40", "40", under=under)
    assert (lacking.missing, lacking.minima_met) == (D(20), False)
    in_time = step(IN_WINDOW, "40", "40", under=under)
    assert (in_time.missing, in_time.minima_met) == (D(20), True)


@pytest.mark.parametrize(
    ("on", "action", "day"),
    [(EARLIER, "apply_from", OPENS), (OPENS, "apply_now", LAST), (LAST, "apply_now", LAST)],
)
def test_whoever_has_the_points_applies_in_the_window(on, action, day):
    assert step(on, "100") == NextStep(action, day)
    assert step(on, "100", "50") == NextStep(action, day)


@pytest.mark.parametrize(
    ("on", "last"),
    [
        (date(2029, 3, 16), date(2029, 4, 14)),
        (date(2029, 4, 14), date(2029, 4, 14)),
        (date(2029, 4, 15), date(2029, 6, 13)),
    ],
)
def test_on_a_late_step_the_last_day_is_the_end_of_that_step(on, last):
    under = policy(late=(rung(30), rung(90, extra_points=D(20))))
    assert step(on, "120", under=under) == NextStep("apply_now", last)
    lacking = step(on, "20", "50", under=under)
    assert (lacking.action, lacking.on, lacking.waiting) == ("log_activities", last, D(50))
    assert lacking.missing == (D(50) if last.month == 6 else D(30))
    assert lacking.earned_by == LAST


def test_a_late_step_that_still_earns_asks_for_new_activities():
    under = policy(late=(rung(30, earns=True),))
    found = step(AFTER, "20", under=under, earns_until=LAST + timedelta(days=30))
    assert (found.action, found.earned_by) == ("log_activities", None)


def test_a_late_step_that_takes_no_points_asks_for_none():
    under = policy(late=(rung(30, by="reexamination"),))
    found = step(AFTER, "20", "50", under=under)
    assert found == NextStep("pass_again", LAST + timedelta(days=30))
    passed = evaluate(policy=under, reexamined_on=AFTER)
    assert step(AFTER, under=under, evaluation=passed) == NextStep(
        "apply_now", LAST + timedelta(days=30)
    )


def test_points_are_asked_for_in_time_only_up_to_the_step_that_takes_none():
    under = policy(pending_points_admit=False, late=(rung(30, by="reexamination"), rung(60)))
    assert step(LAST, "40", under=under).action == "too_late"


def test_a_late_step_of_new_applications_starts_again():
    new = LateStep(until=days(10), name={"en": "x", "es": "x"}, by="new_application")
    under = policy(late=(new, rung(60)))
    assert step(AFTER, "100", under=under) == NextStep("start_again")


@pytest.mark.parametrize("late", [(), grace(days(10))])
def test_past_the_last_step_it_starts_again(late):
    assert step(LAST + timedelta(days=11), "100", under=policy(late=late)).action == "start_again"


@pytest.mark.parametrize("on", [IN_WINDOW, LAST, AFTER, date(2030, 1, 1)])
@pytest.mark.parametrize(("approved", "waiting"), [("100", "0"), ("0", "100")])
def test_under_review_the_decision_is_waited_for(on, approved, waiting):
    found = step(on, approved, waiting, applied_on=IN_WINDOW)
    assert (found.action, found.applied_on) == ("wait_for_decision", IN_WINDOW)


def test_an_application_that_falls_short_can_be_completed_up_to_the_last_day():
    found = step(LAST, "60", "30", applied_on=IN_WINDOW)
    assert (found.action, found.on) == ("log_activities", LAST)
    assert (found.missing, found.applied_on) == (D(10), IN_WINDOW)
    assert step(AFTER, "60", "30", applied_on=IN_WINDOW).action == "wait_for_decision"


def test_an_application_made_on_a_late_step_is_completed_on_that_step():
    under = policy(late=(rung(30, extra_points=D(10)), rung(60)))
    found = step(LAST + timedelta(days=20), "60", "30", under=under, applied_on=AFTER)
    assert (found.on, found.missing) == (LAST + timedelta(days=30), D(20))
    late = step(LAST + timedelta(days=31), "60", "30", under=under, applied_on=AFTER)
    assert late.action == "wait_for_decision"


def test_an_application_for_a_reexamination_is_waited_for():
    under = policy(late=(rung(30, by="reexamination"),))
    passed = evaluate(policy=under, reexamined_on=AFTER)
    found = step(AFTER, under=under, applied_on=AFTER, evaluation=passed, pending=passed)
    assert found.action == "wait_for_decision"


@pytest.mark.parametrize("kind", ["suspend", "revoke", "surrender"])
@pytest.mark.parametrize("on", [EARLIER, IN_WINDOW, AFTER])
def test_what_is_not_in_force_is_a_question_for_the_issuer(on, kind):
    changes = [ChangeOfStanding(kind, date(2026, 1, 1))]
    assert step(on, "100", changes=changes) == NextStep("contact_issuer")


def test_an_award_recorded_in_error_is_a_question_for_the_issuer():
    held = standing(scheme_of(policy()), renewed(scheme_of(policy()), AWARDED), IN_WINDOW)
    withdrawn: dict[str, Any] = {"status": "withdrawn"}
    assert next_step(Situation(replace(held, **withdrawn))) == NextStep("contact_issuer")


def test_what_never_expires_needs_nothing():
    held = standing(CLA, renewed(CLA, AWARDED), IN_WINDOW)
    assert next_step(Situation(held)) == NextStep("none")


def test_what_was_renewed_early_needs_nothing_until_the_next_cycle_begins():
    """The points counted are still those of the cycle that was renewed."""
    scheme = scheme_of(policy())
    cycles = renewed(scheme, AWARDED, IN_WINDOW)
    counted = evaluate(course("100"), on=IN_WINDOW)
    held = standing(scheme, cycles, IN_WINDOW)
    assert next_step(Situation(held, policy(), counted)) == NextStep("none")


def test_minima_that_what_waits_reaches_are_not_asked_for():
    under = needing(IC="20")
    known = [course("100")]
    badge = claim("industry_certification", "1", date(2025, 1, 5))
    judge: dict[str, Any] = {"policy": under, "on": IN_WINDOW}
    reached = step(
        IN_WINDOW,
        under=under,
        evaluation=evaluate(*known, **judge),
        pending=evaluate(*known, badge, **judge),
    )
    assert (reached.action, reached.if_approved) == ("apply_now", True)
    lacking = step(IN_WINDOW, "100", under=under)
    assert lacking == NextStep("log_activities", LAST, missing=D("0.00"), minima_met=False)


@pytest.mark.parametrize("language", LANGUAGES)
def test_every_step_has_its_sentence(language):
    for action in ACTIONS:
        said = next_steps.sentence(
            NextStep(action, LAST, D(1), D(2)), language, issuer="MSSC", zone="America/Chicago"
        )
        assert said.endswith(".")
        assert "{" not in said


def test_a_last_day_says_by_whose_clock_it_ends():
    told = step(IN_WINDOW, "30", "29")
    assert next_steps.sentence(told, "en", issuer="MSSC", zone="Pacific/Honolulu") == (
        "You need 41 more points. Log your activities as you complete them. In addition, 29 points"
        " are awaiting review. Your last day is March 15, 2029: you have until midnight Hawaii"
        " time."
    )
    assert next_steps.sentence(told, "es", issuer="MSSC", zone="Pacific/Honolulu") == (
        "Le faltan 41 puntos. Registre sus actividades conforme las termine. Además, 29 puntos"
        " están en revisión. Su último día es el 15 de marzo de 2029: tiene hasta la medianoche"
        " (hora de Hawái)."
    )


@pytest.mark.parametrize(
    ("found", "said"),
    [
        (
            step(IN_WINDOW, "0", "100"),
            (
                "With the activities awaiting review, you have all the points you need. Apply for"
                " renewal now; you don't have to wait for the review. Your last day is"
                " March 15, 2029: you have until midnight Central time."
            ),
        ),
        (
            step(EARLIER, "0", "100"),
            (
                "With the activities awaiting review, you have all the points you need. You can"
                " apply for renewal from December 15, 2028."
            ),
        ),
        (
            step(LAST, "0", "100", under=NOT_ADMITTED),
            (
                "With the activities awaiting review (100 points), you have all the points you"
                " need. You can apply for renewal as soon as they are approved."
            ),
        ),
        (
            step(LAST, "0", "10", under=NOT_ADMITTED),
            (
                "MSSC can no longer review what you still need by March 15, 2029. Ask for an"
                " extension. In addition, 10 points are awaiting review."
            ),
        ),
        (
            step(AFTER, "99", under=policy(late=(rung(30),))),
            (
                "You need 1 more point. Log your activities as you complete them. Only activities"
                " you completed by March 15, 2029 count. Your last day is April 14, 2029: you have"
                " until midnight Central time."
            ),
        ),
        (
            step(LAST, "100", under=needing(IC="20")),
            (
                "At least one category or period is still below its minimum. Log activities for it."
                " Your last day is March 15, 2029: you have until midnight Central time."
            ),
        ),
        (
            step(EARLIER, "100"),
            "You have everything you need. You can apply for renewal from December 15, 2028.",
        ),
    ],
)
def test_the_sentence_says_what_there_is(found, said):
    assert next_steps.sentence(found, "en", issuer="MSSC", zone="America/Chicago") == said


@pytest.mark.parametrize(
    ("zone", "english", "spanish"),
    [
        ("America/New_York", "Eastern time", "hora del Este"),
        ("America/Indiana/Knox", "Knox time", "hora de Knox"),
        ("UTC", "UTC", "hora UTC"),
        ("America/Lima", "Lima time", "hora de Lima"),
        ("Etc/GMT+5", "Etc/GMT+5 time", "hora de Etc/GMT+5"),
    ],
)
def test_a_clock_is_named_as_people_call_it_else_for_its_city(zone, english, spanish):
    assert [clock(zone, language) for language in LANGUAGES] == [english, spanish]


# Windows that close before the expiry.

EARLY = policy(window=ApplicationWindow(days(90), closes_before=days(30)))
CLOSING = date(2029, 2, 13)


def test_the_last_day_is_that_of_the_window():
    assert step(OPENS, "100", under=EARLY) == NextStep("apply_now", CLOSING)
    assert step(OPENS, "40", under=EARLY).on == CLOSING
    assert step(OPENS, "40", "60", under=EARLY).on == CLOSING


@pytest.mark.parametrize(("approved", "waiting"), [("100", "0"), ("40", "60"), ("40", "0")])
def test_after_the_window_only_an_extension_helps(approved, waiting):
    found = step(date(2029, 2, 14), approved, waiting, under=EARLY)

    assert found == NextStep("too_late", CLOSING)
    assert next_steps.sentence(found, "en", issuer="MSSC", zone="Etc/UTC") == (
        "Applications closed on February 13, 2029. Ask MSSC for an extension."
    )
    assert next_steps.sentence(found, "es", issuer="MSSC", zone="Etc/UTC") == (
        "El plazo de solicitud terminó el 13 de febrero de 2029. Pida una prórroga a MSSC."
    )


def test_where_late_steps_follow_one_applies_on_them():
    under = replace(EARLY, late=(rung(30),))
    between, after = date(2029, 2, 14), LAST + timedelta(days=1)

    assert step(between, "100", under=under) == NextStep("apply_from", after)
    waiting = step(between, "40", "60", under=under)
    assert (waiting.action, waiting.on) == ("wait_for_review", after)
    lacking = step(between, "40", under=under)
    assert (lacking.action, lacking.on) == ("log_activities", LAST + timedelta(days=30))
    assert step(after, "100", under=under).action == "apply_now"


def test_what_was_applied_for_in_time_is_made_up_for_until_the_window_closes():
    lacking = step(CLOSING, "40", under=EARLY, applied_on=date(2029, 2, 1))
    decided = step(date(2029, 2, 14), "40", under=EARLY, applied_on=date(2029, 2, 1))

    assert (lacking.action, lacking.on) == ("log_activities", CLOSING)
    assert decided.action == "wait_for_decision"


@pytest.mark.parametrize(
    ("found", "qualifies"),
    [
        (NextStep("apply_now", LAST), True),
        (NextStep("apply_now", LAST, if_approved=True), False),
        (NextStep("apply_from", OPENS), False),
    ],
)
def test_who_qualifies_has_only_to_confirm(found, qualifies):
    assert found.qualifies is qualifies


def test_what_asks_for_an_act_comes_first_by_its_last_day_and_what_waits_after_it():
    soon, later = date(2027, 1, 1), date(2028, 1, 1)
    in_order = [
        (NextStep("apply_now", soon), later),
        (NextStep("contact_issuer"), later),
        (NextStep("log_activities", date(2028, 2, 1)), soon),
        (NextStep("pass_again"), None),
        (NextStep("wait_for_decision"), soon),
        (NextStep("none"), None),
    ]

    mixed = in_order[3:] + in_order[:3]
    assert sorted(mixed, key=lambda one: urgency(*one)) == in_order
