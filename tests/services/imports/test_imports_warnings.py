"""What live use would refuse is imported as it was, said on the report, and never mended."""

from datetime import date

import pytest
from sqlalchemy import text

from tests.backends import SQLITE
from tests.services.imports.importing import HOLDERS, bring, certify, refused, rows, standings, told
from tracker.domain.credentials.assessments import Approval
from tracker.domain.permissions import SYSTEM
from tracker.models import Assessment, Center, FormerRenewalDecision, Renewal
from tracker.services.credentials import centers

ATTEMPT = "attempt_ref,holder_ref,scheme,module,taken_on,result,center,override_reason\n"
RENEWAL = "renewal_ref,holder_ref,scheme,submitted_on,decided_on,decision\n"
ACTIVITY = (
    "activity_ref,holder_ref,scheme,category,type,title,quantity,completed_on,status,"
    "submitted_on,decided_on\n"
)


@pytest.fixture
def registered(container):
    """A and B are on record, and A is certified since 15 January 2022."""
    bring(container, "holders", HOLDERS)
    certify(container, "A", "2022-01-15")
    return container


@SQLITE
def test_a_retake_too_soon_is_warned_of_unless_it_was_overridden(registered):
    file = ATTEMPT + (
        "a,B,cpt,safety,2024-01-01,fail,,\n"
        "b,B,cpt,safety,2024-01-16,fail,,\n"
        "c,B,cpt,safety,2024-01-20,fail,,the fire alarm\n"
        "d,B,cpt,quality,2024-01-01,pass,,\n"
        "e,B,cpt,quality,2024-06-01,pass,,\n"
    )
    report = bring(registered, "assessments", file)

    wait = "Module safety may be attempted again from 2024-01-17, not on 2024-01-16."
    again = "Module quality was passed on 2024-01-01; a module certificate never expires."
    assert told(report) == [(3, "taken_on", wait), (6, "taken_on", again)]
    kept = rows(registered, Assessment, "ref", "warnings")
    stored = {ref: warnings for ref, warnings in kept if len(ref) == 1}
    assert stored == {"a": [], "b": [wait], "c": [], "d": [], "e": [again]}
    assert told(bring(registered, "assessments", file)) == told(report)


def test_a_warning_goes_when_the_file_is_corrected(registered):
    file = ATTEMPT + "a,B,cpt,safety,2024-01-01,fail,,\nb,B,cpt,safety,2024-01-16,fail,,\n"
    bring(registered, "assessments", file)

    report = bring(registered, "assessments", file.replace("01-16", "01-17"))

    assert told(report) == []
    assert ("b", []) in rows(registered, Assessment, "ref", "warnings")


@SQLITE
def test_an_attempt_in_the_future_is_refused_as_over_http(registered):
    file = ATTEMPT + "a,B,cpt,safety,2026-11-22,fail,,\n"

    assert refused(registered, "assessments", file) == [
        (2, "taken_on", "must not be in the future (today is 2026-11-21)")
    ]


@SQLITE
def test_an_attempt_is_of_today_where_its_holder_lives(registered):
    """It is the 22nd in Guam while New York, the scheme's home, has the 21st."""
    with registered.work(SYSTEM) as work:
        work.connection.execute(text("update holder set time_zone = 'Pacific/Guam'"))
    file = ATTEMPT + "a,B,cpt,safety,2026-11-22,fail,,\n"

    assert bring(registered, "assessments", file).created == 1


def test_only_a_center_with_approvals_that_do_not_cover_the_day_is_warned_of(registered):
    with registered.work(SYSTEM) as work:
        approval = [Approval(date(2024, 1, 1), date(2024, 6, 30))]
        centers.add_center(work, name="Ivy Tech", category="community_college", approvals=approval)
    file = ATTEMPT + (
        "a,B,cpt,safety,2024-06-30,pass,Ivy Tech,\n"
        "b,B,cpt,quality,2024-07-01,pass,Ivy Tech,\n"
        "c,B,cpt,processes,2024-07-01,pass,Elsewhere,\n"
    )
    report = bring(registered, "assessments", file, new_centers=True)

    message = "Assessment center Ivy Tech was not approved on 2024-07-01."
    assert told(report) == [(3, "center", message)]
    assert ("b", [message]) in rows(registered, Assessment, "ref", "warnings")
    assert report.effects == {"centers added": 1}
    assert ("Elsewhere", None) in rows(registered, Center, "name", "category")


@SQLITE
def test_an_application_is_judged_as_of_the_day_it_was_made(registered):
    points = ACTIVITY + "p,A,cpt,CE,third_party,T,100,2023-01-01,approved,2023-02-01,2023-02-01\n"
    bring(registered, "activities", points + points.splitlines()[1].replace("p,A", "q,B") + "\n")
    certify(registered, "B", "2020-01-15")
    file = RENEWAL + (
        "early,A,cpt,2026-10-16,2026-10-17,denied\n"
        "good,A,cpt,2026-10-17,2026-10-18,denied\n"
        "late,B,cpt,2025-01-16,2025-01-17,denied\n"
    )

    assert told(bring(registered, "renewals", file)) == [
        (2, "submitted_on", "The renewal window opens on 2026-10-17."),
        (4, "submitted_on", "It expired on 2025-01-15."),
    ]


@SQLITE
def test_points_missing_and_an_application_before_the_award_are_warned_of(registered):
    file = RENEWAL + (
        "poor,A,cpt,2026-10-17,2026-10-18,approved\nnever,A,cpt,2021-12-31,2022-01-01,denied\n"
    )

    assert told(bring(registered, "renewals", file)) == [
        (2, "submitted_on", "0.00 of 100.00 points are counted; 100.00 are missing."),
        (3, "submitted_on", "2021-12-31 is before the certification (2022-01-15)."),
    ]


@SQLITE
def test_an_unlawful_change_of_standing_is_warned_of(registered):
    file = (
        "change_ref,holder_ref,scheme,kind,effective_on,reason\n"
        "b,A,cpt,revoke,2026-02-01,x\na,A,cpt,revoke,2026-01-01,x\n"
    )

    assert told(bring(registered, "standing-changes", file)) == [
        (2, "kind", "Cannot revoke a certification that is revoked on 2026-02-01.")
    ]


@SQLITE
def test_what_takes_away_before_the_award_is_warned_of(registered):
    file = (
        "change_ref,holder_ref,scheme,kind,effective_on,reason\n"
        "a,A,cpt,suspend,2020-02-01,x\nb,A,cpt,reinstate,2020-03-01,x\nc,A,cpt,revoke,2022-01-15,x\n"
    )

    assert told(bring(registered, "standing-changes", file)) == [
        (
            2,
            "effective_on",
            "The certification did not exist on that day. It was awarded on 2022-01-15.",
        )
    ]


@SQLITE
def test_an_activity_before_the_certification_or_after_its_submission_is_warned_of(registered):
    file = ACTIVITY + (
        "a,A,cpt,CE,third_party,T,5,2022-01-14,draft,,\n"
        "b,A,cpt,CE,third_party,T,5,2023-01-02,submitted,2023-01-01,\n"
        "c,B,cpt,CE,third_party,T,5,2022-01-14,draft,,\n"
    )

    assert told(bring(registered, "activities", file)) == [
        (2, "completed_on", "2022-01-14 is before the certification (2022-01-15)."),
        (3, "completed_on", "2023-01-02 is after it was submitted (2023-01-01)."),
    ]


@SQLITE
def test_beyond_a_thousand_warnings_only_their_number_is_told(registered):
    lines = [f"{n},B,cpt,safety,2024-01-{n % 28 + 1:02},fail,,\n" for n in range(1200)]
    report = bring(registered, "assessments", ATTEMPT + "".join(lines))

    assert (len(report.warnings), report.total_warnings) == (1000, 1199)


# Approvals that contradict the state they act on.
NINETEEN = "2019-03-01"  # valid through 1 March 2024, and renewed through 1 March 2029
IDLE = "It is approved but opens no cycle: "


@pytest.fixture
def renewed(container):
    """A was certified in 2019 and renewed in February 2024."""
    bring(container, "holders", HOLDERS)
    certify(container, "A", NINETEEN)
    points = ACTIVITY + "p,A,cpt,CE,third_party,T,100,2023-01-01,approved,2023-02-01,2023-02-01\n"
    bring(container, "activities", points)
    assert (
        told(bring(container, "renewals", RENEWAL + "m,A,cpt,2024-02-10,2024-02-20,approved\n"))
        == []
    )
    return container


def expiry(container):
    (now,) = standings(container)
    return now["expires_on"]


@pytest.mark.parametrize("ref", ["a", "z"], ids=["sorts before", "sorts after"])
def test_one_application_under_two_refs_renews_once_and_is_named(renewed, ref):
    file = RENEWAL + f"{ref},A,cpt,2024-02-10,2024-02-20,approved\n"
    report = bring(renewed, "renewals", file)

    assert [message for _, _, message in told(report)] == [
        f"{IDLE}The renewal window opens on 2028-12-01.",
        "This looks like a duplicate: the same application is on record as m.",
    ]
    assert (report.effects, expiry(renewed)) == ({}, "2029-03-01")
    assert [ref for (ref,) in rows(renewed, Renewal, "ref")] == sorted(["m", ref])
    assert bring(renewed, "renewals", file).unchanged == 1
    assert expiry(renewed) == "2029-03-01"


@SQLITE
def test_two_refs_of_one_application_in_one_file_renew_once(container):
    bring(container, "holders", HOLDERS)
    certify(container, "A", NINETEEN)
    line = "{},A,cpt,2024-02-10,2024-02-20,approved\n"
    report = bring(container, "renewals", RENEWAL + line.format("y") + line.format("x"))

    named = [(row, message) for row, _, message in told(report) if "duplicate" in message]
    assert named == [(2, "This looks like a duplicate: the same application is on record as x.")]
    assert report.effects == {"cycles opened": 1}
    assert expiry(container) == "2029-03-01"


@pytest.mark.parametrize(
    ("submitted_on", "decided_on", "why"),
    [
        ("2024-03-02", "2024-03-10", "It expired on 2024-03-01."),
        ("2023-12-01", "2024-02-20", "The renewal window opens on 2023-12-02."),
        ("2019-02-01", "2019-02-20", "2019-02-01 is before the certification (2019-03-01)."),
    ],
    ids=["after the last day", "before the window", "before the award"],
)
def test_an_approval_that_cannot_be_opens_nothing_and_says_why(
    container, submitted_on, decided_on, why
):
    bring(container, "holders", HOLDERS)
    certify(container, "A", NINETEEN)
    file = RENEWAL + f"x,A,cpt,{submitted_on},{decided_on},approved\n"
    report = bring(container, "renewals", file)

    assert told(report) == [(2, "submitted_on", IDLE + why)]
    assert expiry(container) == "2024-03-01"
    corrected = file.replace(submitted_on, "2024-02-10").replace(decided_on, "2024-02-20")
    assert bring(container, "renewals", corrected).effects == {"cycles opened": 1}
    assert expiry(container) == "2029-03-01"


@SQLITE
def test_an_approval_of_what_was_revoked_opens_nothing(container):
    bring(container, "holders", HOLDERS)
    certify(container, "A", NINETEEN)
    bring(
        container,
        "standing-changes",
        "change_ref,holder_ref,scheme,kind,effective_on,reason\nr,A,cpt,revoke,2023-01-01,x\n",
    )
    report = bring(container, "renewals", RENEWAL + "x,A,cpt,2024-02-10,2024-02-20,approved\n")

    assert told(report) == [(2, "submitted_on", f"{IDLE}The certification is revoked.")]
    assert expiry(container) == "2024-03-01"


def test_a_decision_that_a_file_changes_stays_readable(renewed):
    file = RENEWAL + "m,A,cpt,2024-02-10,2024-02-25,denied\n"
    bring(renewed, "renewals", file)

    assert expiry(renewed) == "2024-03-01"
    assert rows(renewed, FormerRenewalDecision, "decision", "decided_on", "ended_reason") == [
        ("approved", date(2024, 2, 20), "An imported file says denied on 2024-02-25.")
    ]


@SQLITE
def test_claims_of_the_future_are_warned_of_where_they_count_nothing(registered):
    file = ACTIVITY + (
        "a,A,cpt,CE,third_party,T,5,2031-01-14,draft,,\n"
        "b,A,cpt,CE,third_party,T,5,2031-01-14,rejected,2026-01-01,2026-01-02\n"
    )
    ahead = "2031-01-14 is in the future (2026-11-21 today)."

    assert [one for one in told(bring(registered, "activities", file)) if one[2] == ahead] == [
        (2, "completed_on", ahead),
        (3, "completed_on", ahead),
    ]


@SQLITE
def test_claims_submitted_after_a_revocation_are_warned_of(registered):
    bring(
        registered,
        "standing-changes",
        "change_ref,holder_ref,scheme,kind,effective_on,reason\nr,A,cpt,revoke,2025-01-01,x\n",
    )
    file = ACTIVITY + (
        "a,A,cpt,CE,third_party,T,5,2024-01-14,submitted,2024-02-01,\n"
        "b,A,cpt,CE,third_party,T,5,2024-01-14,submitted,2025-02-01,\n"
    )

    assert told(bring(registered, "activities", file)) == [
        (3, "status", "the certification was revoked; its points are frozen.")
    ]
