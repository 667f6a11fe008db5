"""Files of assessments that correct, take or give again what is on record, and what they say."""

from __future__ import annotations

from datetime import date, timedelta

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from sqlalchemy import select

from tests.backends import SQLITE
from tests.conftest import examples
from tests.services.imports.importing import (
    HOLDERS,
    REQUIRED,
    as_csv,
    bring,
    certify,
    passes,
    refused,
    rows,
    standing,
    standings,
    told,
)
from tests.services.imports.test_imports_any_order import emptied
from tracker.domain.errors import AlreadyRecorded
from tracker.domain.permissions import SYSTEM
from tracker.models import Adjustment, Assessment, Center, Certification, Notice
from tracker.services.credentials import centers

RENEWAL = "renewal_ref,holder_ref,scheme,submitted_on,decided_on,decision\n"
CHANGE = "change_ref,holder_ref,scheme,kind,effective_on,reason\n"
BARRED = CHANGE.replace("reason", "reason,barred_until")
AWARDED = "2022-01-15"  # through 15 January 2027; the window opened on 17 October 2026


@pytest.fixture
def registered(container):
    """A and B are on record, and A is certified since 15 January 2022."""
    bring(container, "holders", HOLDERS)
    certify(container, "A", AWARDED)
    return container


def numbers(container):
    return [number for (number,) in rows(container, Certification, "number")]


def again(ref, last):
    return [{**row, "attempt_ref": f"{row['attempt_ref']}-again"} for row in passes(ref, last)]


def changed(report):
    return [(c.holder_ref, c.what, str(c.before), str(c.after)) for c in report.consequences]


def test_earlier_passes_move_the_award_and_the_report_names_it(registered):
    (number,) = numbers(registered)
    report = bring(registered, "assessments", as_csv(passes("A", "2021-06-01")))

    assert report.effects == {"award dates moved": 1}
    assert changed(report) == [("A", "award date moved", "2022-01-15", "2021-06-01")]
    assert (report.consequences[0].number, report.total_consequences) == (number, 1)
    assert numbers(registered) == [number]
    assert standing(registered, "A")["status"] == "expired"
    assert [kind for kind, _ in rows(registered, Notice, "kind", "event")] == ["award_corrected"]


def test_a_pass_turned_fail_withdraws_and_turned_back_restores_the_same_certificate(registered):
    bring(registered, "standing-changes", CHANGE + "c,A,cpt,revoke,2026-01-10,x\n")
    before, held = standing(registered, "A"), numbers(registered)
    failed = as_csv([{**row, "result": "fail"} for row in passes("A", AWARDED)[:1]])

    report = bring(registered, "assessments", failed)
    assert report.effects == {"certifications withdrawn (void: recorded in error)": 1}
    assert changed(report) == [("A", "withdrawn (void: recorded in error)", "2022-01-15", "None")]
    assert standing(registered, "A")["status"] == "in_progress"

    report = bring(registered, "assessments", as_csv(passes("A", AWARDED)))
    assert report.effects == {"certifications restored": 1}
    assert standing(registered, "A") == before
    assert (before["status"], numbers(registered)) == ("revoked", held)
    kinds = {kind for kind, _ in rows(registered, Notice, "kind", "event")}
    assert {"award_withdrawn", "award_corrected"} <= kinds


@SQLITE
def test_a_dry_run_names_the_consequences_and_leaves_all_as_it_was(registered):
    before = standings(registered)
    report = bring(registered, "assessments", as_csv(passes("A", "2021-06-01")), dry_run=True)

    assert changed(report) == [("A", "award date moved", "2022-01-15", "2021-06-01")]
    assert standings(registered) == before
    assert rows(registered, Notice, "kind") == []


def test_an_earlier_pass_of_a_renewed_award_leaves_it_and_says_so(registered):
    bring(registered, "renewals", RENEWAL + "x,A,cpt,2026-10-20,2026-10-21,approved\n")
    before = standing(registered, "A")
    early = as_csv(passes("A", "2020-06-01"))

    report = bring(registered, "assessments", early)
    assert report.effects == {"award dates kept although the passes are earlier": 1}
    ((_, column, message),) = told(report)
    assert column == "taken_on"
    assert "By the passes, " in message
    assert "was awarded on 2020-06-01" in message
    assert standing(registered, "A") == before
    assert bring(registered, "assessments", early).consequences == ()
    report = bring(registered, "assessments", as_csv(passes("A", AWARDED)))
    assert (report.effects, standing(registered, "A")) == ({}, before)


@SQLITE
def test_a_later_pass_that_a_renewal_does_not_survive_is_refused_with_the_way_on(registered):
    bring(registered, "renewals", RENEWAL + "x,A,cpt,2026-10-20,2026-10-21,approved\n")
    late = as_csv(passes("A", "2023-06-01")).decode()

    ((_, column, rule),) = refused(registered, "assessments", late)
    assert column == "taken_on"
    assert "/amendment" in rule
    assert "later_cycles" in rule


def test_all_modules_passed_anew_in_a_file_are_another_award(container):
    bring(container, "holders", HOLDERS)
    file = as_csv([*passes("A", "2015-03-15"), *again("A", "2026-10-01")])
    report = bring(container, "assessments", file)

    assert report.effects == {"certifications awarded": 2}
    assert told(report) == []
    found = {
        day: (line["status"], line["awarded_on"])
        for day in (date(2020, 3, 15), date(2026, 9, 30), date(2026, 10, 1))
        for line in [standing(container, "A", day)]
    }
    assert found == {
        date(2020, 3, 15): ("renewal_open", "2015-03-15"),
        date(2026, 9, 30): ("expired", "2015-03-15"),
        date(2026, 10, 1): ("active", "2026-10-01"),
    }
    assert rows(container, Certification, "sequence", "replaced_on") == [
        (1, date(2026, 10, 1)),
        (2, None),
    ]


@SQLITE
def test_a_module_passed_anew_while_it_is_in_force_is_warned_of_with_the_day(registered):
    (row,) = [r for r in again("A", "2026-01-10") if r["module"] == "safety"]
    ((_, _, message),) = told(bring(registered, "assessments", as_csv([row])))

    assert "may be taken again from 2027-01-16" in message


def test_a_renewal_that_comes_in_later_takes_the_bogus_award_away_again(container):
    bring(container, "holders", HOLDERS)
    bring(container, "assessments", as_csv([*passes("A", "2015-03-15"), *again("A", "2021-06-01")]))
    assert standing(container, "A", date(2022, 1, 1))["awarded_on"] == "2021-06-01"
    file = RENEWAL + (
        "a,A,cpt,2020-02-01,2020-02-02,approved\nb,A,cpt,2025-02-01,2025-02-02,approved\n"
    )
    bring(container, "renewals", file)

    line = standing(container, "A")
    assert (line["awarded_on"], line["expires_on"]) == ("2015-03-15", "2030-03-15")
    assert bring(container, "renewals", file).unchanged == 2
    assert standing(container, "A") == line


@SQLITE
def test_each_renewal_and_change_is_about_the_award_of_its_day(container):
    bring(container, "holders", HOLDERS)
    bring(container, "assessments", as_csv([*passes("A", "2010-03-15"), *again("A", "2021-06-01")]))
    bring(
        container,
        "renewals",
        RENEWAL + "b,A,cpt,2026-04-01,2026-04-02,approved\na,A,cpt,2015-02-01,2015-02-02,denied\n",
    )
    bring(
        container,
        "standing-changes",
        CHANGE + "c,A,cpt,suspend,2012-01-01,x\nd,A,cpt,reinstate,2013-01-01,x\n",
    )

    assert standing(container, "A", date(2012, 6, 1))["status"] == "suspended"
    line = standing(container, "A")
    assert (line["status"], line["expires_on"]) == ("active", "2031-06-01")


@SQLITE
@pytest.mark.parametrize(("until", "status"), [("2026-06-30", "active"), ("", "revoked")])
def test_a_bar_in_a_file_says_when_it_may_be_earned_again(registered, until, status):
    bring(registered, "standing-changes", BARRED + f"c,A,cpt,revoke,2026-01-10,x,{until}\n")
    bring(registered, "assessments", as_csv(again("A", "2026-10-01")))

    assert standing(registered, "A")["status"] == status


@SQLITE
def test_a_bar_that_makes_no_sense_is_refused(registered):
    file = BARRED + "c,A,cpt,suspend,2026-01-10,x,2027-01-01\n"
    assert refused(registered, "standing-changes", file) == [
        (2, "barred_until", "is allowed only for a revocation")
    ]


def test_a_suspension_that_a_file_undoes_gives_the_days_back_once(registered, clock):
    bring(registered, "standing-changes", CHANGE + "c,A,cpt,suspend,2026-11-21,x\n")
    clock.set("2027-02-01")
    file = CHANGE + "d,A,cpt,reinstate,2026-11-21,x\n"
    bring(registered, "standing-changes", file)
    bring(registered, "standing-changes", file)

    given_ = rows(registered, Adjustment, "reason_code", "extended_to")
    assert given_ == [("gap_restored", date(2027, 1, 31) + timedelta(56))]
    assert standing(registered, "A", date(2027, 2, 1))["status"] == "renewal_open"


def test_history_in_one_file_gives_nothing_back(registered):
    bring(
        registered,
        "standing-changes",
        CHANGE + "c,A,cpt,suspend,2026-10-20,x\nd,A,cpt,reinstate,2026-10-20,x\n",
    )

    assert rows(registered, Adjustment, "id") == []


# Values.
ATTEMPT = "attempt_ref,holder_ref,scheme,module,taken_on,result,score,center\n"


@SQLITE
def test_a_score_out_of_bounds_is_refused(registered):
    file = (
        ATTEMPT + "a,B,cpt,safety,2024-01-01,pass,100.01,\nb,B,cpt,quality,2024-01-01,pass,100,\n"
    )
    assert refused(registered, "assessments", file) == [(2, "score", "must be from 0 to 100")]


def test_an_empty_directory_of_centers_is_brought_in_by_a_file(registered):
    file = ATTEMPT + "a,B,cpt,safety,2024-01-01,pass,,Ivy Tech\n"
    assert bring(registered, "assessments", file).effects == {"centers added": 1}


@pytest.mark.parametrize("options", [{}, {"new_centers": True}])
def test_a_center_in_other_letters_is_no_second_center(registered, options):
    file = ATTEMPT + "1,A,cpt,safety,2024-01-01,pass,,Ivy Tech\n"
    second = "2,A,cpt,quality,2024-01-01,pass,,IVY  T\u00e9ch\n"
    [error] = refused(registered, "assessments", file + second, **options)
    assert error == (3, "center", "is spelled differently in row 2; use one spelling")

    bring(registered, "assessments", file)
    [error] = refused(registered, "assessments", ATTEMPT + second, new_centers=True)
    assert error == (2, "center", "is on record as 'Ivy Tech'; spell it that way")
    with registered.work(SYSTEM) as work, pytest.raises(AlreadyRecorded, match="'Ivy Tech'"):
        centers.add_center(work, name="ivy tech", category="employer", approvals=[])


@SQLITE
def test_an_unknown_center_is_refused_with_those_that_may_be_meant(registered):
    with registered.work(SYSTEM) as work:
        for name in ("Ivy Tech Indianapolis", "Palmetto College"):
            centers.add_center(work, name=name, category="employer", approvals=[])
    file = ATTEMPT + (
        "a,B,cpt,safety,2024-01-01,pass,,Ivy-Tech Indianapolis\n"
        "b,B,cpt,quality,2024-01-01,pass,,Zzz\n"
    )
    (first, second) = refused(registered, "assessments", file)

    assert first[:2] == (2, "center")
    assert "did you mean 'Ivy Tech Indianapolis'?" in first[2]
    assert "meant" not in second[2]
    assert "on record. Register it (POST /centers), or allow" in second[2]
    assert "--new-centers" in second[2]
    other = file.replace("Ivy-Tech", "Ivy Tech North")
    assert bring(registered, "assessments", other, new_centers=True).effects == {"centers added": 2}
    assert len(rows(registered, Center, "name")) == 4


# Any order.
DAYS = st.sampled_from([date(2010, 1, 1) + timedelta(days=400 * n) for n in range(15)])
TAKEN = st.tuples(st.sampled_from(REQUIRED), DAYS, st.sampled_from(("pass", "pass", "fail")))


@st.composite
def files(draw):
    """A history of attempts in two files, and the same rows dealt otherwise."""
    attempts = [
        *((module, date(2010, 1, 1), "pass") for module in REQUIRED),
        *draw(st.lists(TAKEN, max_size=12)),
    ]
    lines = [
        {
            "attempt_ref": f"t{n}",
            "holder_ref": "A",
            "scheme": "cpt",
            "module": module,
            "taken_on": day,
            "result": result,
        }
        for n, (module, day, result) in enumerate(attempts)
    ]
    cut = draw(st.integers(0, len(lines)))
    return lines, draw(st.permutations(lines)), cut


def _outcome(container, *batches):
    emptied(container)
    bring(container, "holders", HOLDERS)
    for batch in batches:
        if batch:
            bring(container, "assessments", as_csv(batch))
    with container.engine.connect() as connection:
        stands = select(Certification.sequence, Certification.awarded_on, Certification.replaced_on)
        stands = stands.where(Certification.withdrawn_at.is_(None)).order_by("sequence")
        awards = [tuple(row) for row in connection.execute(stands)]
    warnings = sorted(rows(container, Assessment, "ref", "warnings"))
    return awards, warnings, standings(container), standings(container, date(2018, 1, 1))


@settings(examples(12), suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(given_files=files())
def test_files_in_any_order_give_the_same_awards(container, given_files):
    lines, shuffled, cut = given_files

    assert _outcome(container, shuffled[:cut], shuffled[cut:]) == _outcome(container, lines)
