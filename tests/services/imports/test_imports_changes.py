"""What a second file may change, what it leaves alone, and that the order of rows never matters."""

import itertools
from datetime import UTC, date, datetime

import pytest
from sqlalchemy import func, select, update

from tests.backends import SQLITE
from tests.services.imports.importing import (
    HOLDERS,
    as_csv,
    bring,
    certify,
    fates,
    passes,
    rows,
    standing,
    standings,
    told,
)
from tracker.domain.credentials.renewals import RenewalVerdict
from tracker.domain.permissions import SYSTEM
from tracker.models import (
    Activity,
    Assessment,
    Certification,
    Cycle,
    Decision,
    HistoryEntry,
    Holder,
    ReminderCursor,
    Renewal,
)
from tracker.services.credentials import renewals

ACTIVITY = (
    "activity_ref,holder_ref,scheme,category,type,title,quantity,completed_on,status,"
    "submitted_on,decided_on\n"
)
COURSE = "x,A,cpt,CE,third_party,Welding,40,2024-01-01,"
RENEWAL = "renewal_ref,holder_ref,scheme,submitted_on,decided_on,decision\n"
CHANGE = "change_ref,holder_ref,scheme,kind,effective_on,reason\n"


@pytest.fixture
def registered(container):
    """A and B are on record, and A is certified since 15 January 2022."""
    bring(container, "holders", HOLDERS)
    certify(container, "A", "2022-01-15")
    return container


def history(container, subject):
    with container.reading(SYSTEM) as reading:
        found = select(HistoryEntry.detail).where(
            HistoryEntry.subject == subject, HistoryEntry.action == "import"
        )
        return [row.detail for row in reading.rows(found.order_by(HistoryEntry.id))]


# Holders.
def test_a_column_that_is_absent_leaves_what_is_on_record_and_an_empty_cell_empties_it(container):
    full = "holder_ref,given_name,family_name,email,second_email,language,time_zone\n"
    bring(container, "holders", full + "A,Ana,Ek,a@x.org,b@x.org,es,America/Denver\n")
    wanted = ("given_name", "second_email", "language", "time_zone", "version")

    without = bring(container, "holders", HOLDERS.replace("Gómez", "Ek"))
    assert without.changed == 1  # the address
    assert ("Ana", "b@x.org", "es", "America/Denver", 2) in rows(container, Holder, *wanted)

    bring(container, "holders", full + "A,Ana,Ek,a@x.org,,,\n")
    assert ("Ana", None, "es", "America/Denver", 3) in rows(container, Holder, *wanted)
    assert ("Bo", None, "en", "America/New_York", 1) in rows(container, Holder, *wanted)


def test_history_names_the_changed_fields_of_a_person_but_not_their_values(container):
    bring(container, "holders", HOLDERS)
    report = bring(container, "holders", HOLDERS.replace("Ana", "Anna"))

    assert history(container, "holder") == [{"run": report.id, "fields": ["given_name"]}]
    (*_, last) = history(container, "import_run")
    assert last == {"kind": "holders", "rows": 2, "created": 0, "changed": 1}


def test_a_new_time_zone_has_the_planner_look_again(registered):
    with registered.engine.begin() as connection:
        later = datetime(2030, 1, 1, tzinfo=UTC)
        connection.execute(update(ReminderCursor).values(next_due_at=later))

    moved = "holder_ref,given_name,family_name,email,time_zone\nA,Ana,Gómez,ana@example.org,UTC\n"
    bring(registered, "holders", moved)

    assert rows(registered, ReminderCursor, "next_due_at") == [(datetime(1970, 1, 1, tzinfo=UTC),)]


# Assessments.
def test_the_award_follows_a_corrected_date_and_history_says_what_stood_there(registered):
    corrected = passes("A", "2022-01-15")
    corrected[3]["taken_on"] = date(2022, 1, 20)

    report = bring(registered, "assessments", as_csv(corrected))

    assert fates(report) == (0, 1, 3)
    assert rows(registered, Certification, "awarded_on") == [(date(2022, 1, 20),)]
    assert standing(registered, "A")["expires_on"] == "2027-01-20"
    assert history(registered, "assessment") == [
        {
            "run": report.id,
            "fields": ["taken_on"],
            "taken_on_before": "2022-01-15",
            "taken_on_after": "2022-01-20",
        }
    ]


@SQLITE
def test_a_pass_corrected_to_a_failure_takes_the_award_back(registered):
    failed = [{**line, "result": "fail"} for line in passes("A", "2022-01-15")[:1]]
    bring(registered, "assessments", as_csv(failed))

    assert standing(registered, "A")["status"] == "in_progress"


@SQLITE
def test_a_prerequisite_awarded_by_the_same_file_counts(container):
    bring(container, "holders", HOLDERS)
    file = (
        "attempt_ref,holder_ref,scheme,module,taken_on,result\n"
        "t,A,clt,technician,2024-01-01,pass\na,A,cla,associate,2024-02-01,pass\n"
    )
    bring(container, "assessments", file)

    lines = {line["scheme"]: line for line in standings(container)}
    assert lines["clt"]["awarded_on"] == lines["cla"]["awarded_on"] == "2024-02-01"
    assert (lines["cla"]["status"], lines["cla"]["expires_on"]) == ("active", "")


# Activities.
@pytest.fixture
def points(registered):
    """A's points and status of the export on a day."""

    def ask(on):
        line = standing(registered, "A", date.fromisoformat(on))
        return line["points_counted"]

    return ask


def test_a_later_file_may_submit_and_then_decide_an_activity(registered, points):
    stages = ["draft,,", "submitted,2024-02-01,", "approved,2024-02-01,2024-03-01"]
    for number, stage in enumerate(stages):
        report = bring(registered, "activities", f"{ACTIVITY}{COURSE}{stage}\n")
        assert fates(report) == ((1, 0, 0) if number == 0 else (0, 1, 0))
        assert bring(registered, "activities", f"{ACTIVITY}{COURSE}{stage}\n").unchanged == 1

    assert (points("2024-02-29"), points("2024-03-01")) == ("0.00", "40.00")
    assert rows(registered, Decision, "verdict") == [("approved",)]


@SQLITE
def test_an_old_file_does_not_undo_what_was_decided_since(registered, points):
    bring(registered, "activities", f"{ACTIVITY}{COURSE}approved,2024-02-01,2024-03-01\n")

    report = bring(registered, "activities", f"{ACTIVITY}{COURSE}submitted,2024-02-01,\n")

    assert report.unchanged == 1
    assert told(report) == [(2, "status", "is approved on record and was left as it is.")]
    assert points("2024-03-01") == "40.00"


@SQLITE
def test_a_decision_that_the_file_corrects_is_replaced_and_both_stay_on_record(
    registered, points, clock
):
    bring(registered, "activities", f"{ACTIVITY}{COURSE}approved,2024-02-01,2024-03-01\n")
    clock.advance(days=1)
    for stage in ("rejected,2024-02-01,2024-03-05", "approved,2024-02-01,2024-04-01"):
        clock.advance(days=1)
        assert bring(registered, "activities", f"{ACTIVITY}{COURSE}{stage}\n").changed == 1
        assert bring(registered, "activities", f"{ACTIVITY}{COURSE}{stage}\n").unchanged == 1

    assert (points("2024-03-31"), points("2024-04-01")) == ("0.00", "40.00")
    assert len(rows(registered, Decision, "id")) == 3


def test_what_an_activity_claims_may_be_corrected_without_deciding_it_again(registered, points):
    stage = "approved,2024-02-01,2024-03-01\n"
    bring(registered, "activities", f"{ACTIVITY}{COURSE}{stage}")
    report = bring(registered, "activities", (ACTIVITY + COURSE + stage).replace(",40,", ",30.5,"))

    assert fates(report) == (0, 1, 0)
    assert points("2024-03-01") == "30.50"
    assert len(rows(registered, Decision, "id")) == 1
    assert rows(registered, Activity, "version") == [(2,)]


# Renewals.
def certified_since_2008(container):
    bring(container, "holders", HOLDERS)
    certify(container, "A", "2008-05-10")
    approved = ["2013-04-01,2013-04-20", "2018-03-01,2018-03-09", "2023-05-01,2023-05-02"]
    return [f"r{n},A,cpt,{days},approved\n" for n, days in enumerate(approved)]


def test_repeated_renewals_open_their_cycles_in_whatever_order_they_stand(container):
    lines = certified_since_2008(container)
    report = bring(container, "renewals", RENEWAL + "".join(reversed(lines)))

    assert report.effects == {"cycles opened": 3}
    wanted = [
        (1, date(2013, 5, 10)),
        (2, date(2018, 5, 10)),
        (3, date(2023, 5, 10)),
        (4, date(2028, 5, 10)),
    ]
    assert rows(container, Cycle, "ordinal", "expires_on") == wanted
    assert rows(container, Renewal, "ref", "cycle") == [("r0", 1), ("r1", 2), ("r2", 3)]


def test_renewals_of_one_holder_may_come_in_several_files_in_any_order(container):
    lines = certified_since_2008(container)
    for line in (lines[2], lines[0], lines[1]):
        bring(container, "renewals", RENEWAL + line)

    assert rows(container, Renewal, "ref", "cycle") == [("r0", 1), ("r1", 2), ("r2", 3)]
    assert rows(container, Cycle, "ordinal", "opened_on") == [
        (1, date(2008, 5, 10)),
        (2, date(2013, 4, 20)),
        (3, date(2018, 3, 9)),
        (4, date(2023, 5, 2)),
    ]


@SQLITE
def test_an_approval_corrected_to_a_denial_closes_the_cycle_it_opened(registered):
    file = RENEWAL + "x,A,cpt,2026-11-01,2026-11-10,approved\n"
    bring(registered, "renewals", file)
    assert standing(registered, "A")["expires_on"] == "2032-01-15"

    assert bring(registered, "renewals", file.replace("approved", "denied")).changed == 1

    assert standing(registered, "A")["expires_on"] == "2027-01-15"
    assert rows(registered, Cycle, "ordinal") == [(1,)]


@pytest.mark.parametrize("order", [0, 1])
def test_one_file_may_decide_an_application_and_bring_the_next_one(registered, order):
    bring(registered, "renewals", RENEWAL + "x,A,cpt,2026-10-20,,\n")
    both = ["x,A,cpt,2026-10-20,2026-10-25,denied\n", "y,A,cpt,2026-11-01,,\n"]

    report = bring(registered, "renewals", RENEWAL + "".join(both[::-1] if order else both))

    assert fates(report) == (1, 1, 0)
    assert rows(registered, Renewal, "ref", "decision") == [("x", "denied"), ("y", None)]


def test_an_old_file_does_not_reopen_an_application_that_was_decided_here(registered):
    file = RENEWAL + "x,A,cpt,2026-11-01,,\n"
    bring(registered, "renewals", file)
    with registered.work(SYSTEM) as work:
        row = work.row(select(Renewal.id))
        assert row is not None
        renewals.decide(
            work, row.id, decision=RenewalVerdict.DENIED, reason="incomplete", version=1
        )

    report = bring(registered, "renewals", file)

    assert report.unchanged == 1
    assert (2, "decision", "is denied on record and was left as it is.") in told(report)
    assert rows(registered, Renewal, "decision") == [("denied",)]


# Changes of standing.
def test_changes_of_one_day_count_in_the_order_of_their_refs(registered):
    lines = [
        "a,A,cpt,suspend,2026-01-01,x\n",
        "b,A,cpt,reinstate,2026-02-01,x\n",
        "c,A,cpt,suspend,2026-02-01,x\n",
    ]
    bring(registered, "standing-changes", CHANGE + "".join(reversed(lines)))

    assert standing(registered, "A", date(2026, 1, 31))["status"] == "suspended"
    assert standing(registered, "A")["status"] == "suspended"


def test_every_order_of_rows_comes_to_the_same_warnings_and_standings(container):
    """One holder with failures, two renewals and a suspension; all 24 orders of four attempts."""
    bring(container, "holders", HOLDERS)
    head = "attempt_ref,holder_ref,scheme,module,taken_on,result\n"
    attempts = [
        f"s{n},A,cpt,safety,{day},{result}\n"
        for n, (day, result) in enumerate(
            [
                ("2024-01-01", "fail"),
                ("2024-01-16", "fail"),
                ("2024-02-01", "fail"),
                ("2024-03-30", "pass"),
            ]
        )
    ]
    found = set()
    for order in itertools.permutations(attempts):
        with container.engine.begin() as connection:
            connection.execute(Assessment.__table__.delete())  # type: ignore[attr-defined]
        report = bring(container, "assessments", head + "".join(order))
        stored = rows(container, Assessment, "ref", "warnings")
        found.add(repr((sorted(w.message for w in report.warnings), stored, standings(container))))

    (only,) = found
    assert "may be attempted again from 2024-01-17, not on 2024-01-16" in only
    assert "may be attempted again from 2024-04-02, not on 2024-03-30" in only


def test_a_thousand_rows_of_one_chunk_and_their_neighbours_agree(container):
    """Rows of one holder in different chunks are one history."""
    many = [f"P{n:04},Pat,Ek,p{n}@example.org\n" for n in range(1500)]
    bring(container, "holders", "holder_ref,given_name,family_name,email\n" + "".join(many))
    lines = [line for n in range(1500) for line in passes(f"P{n:04}", "2024-01-15")]
    lines.sort(key=lambda line: str(line["module"]))
    report = bring(container, "assessments", as_csv(lines))

    assert report.effects == {"certifications awarded": 1500}
    with container.reading(SYSTEM) as reading:
        row = reading.row(select(func.count()).select_from(Certification))
        assert row is not None
        assert row[0] == 1500
