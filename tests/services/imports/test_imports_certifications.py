"""services/imports/certifications.py: awards of other systems, as their files give them."""

from __future__ import annotations

from datetime import date

import pytest

from tests.backends import SQLITE
from tests.services.imports.importing import (
    HOLDERS,
    as_csv,
    bring,
    certify,
    counts,
    fates,
    passes,
    refused,
    standing,
    standings,
    told,
)
from tests.services.imports.importing import rows as rows_of
from tracker.domain.credentials.certifications import ChangeKind
from tracker.domain.permissions import SYSTEM
from tracker.models import Certification, Cycle, HistoryEntry, ReminderCursor
from tracker.services.credentials import certifications, verification
from tracker.services.people import holders

COLUMNS = (
    "holder_ref",
    "scheme",
    "certificate_number",
    "awarded_on",
    "cycle_starts_on",
    "expires_on",
    "edition",
    "source",
)


def line(**given):
    """A row of the file, of A's certificate OLD-0017 unless something else is said."""
    usual = {
        "holder_ref": "A",
        "scheme": "cpt",
        "certificate_number": "OLD-0017",
        "awarded_on": "2024-03-15",
        "cycle_starts_on": "",
        "expires_on": "2029-03-15",
        "edition": "",
        "source": "",
    }
    return usual | given


def cycles(*days, **given):
    """Rows of one certificate: an award day, then the last day of each cycle."""
    awarded, *ends = days
    starts = ["", *(str(date.fromordinal(date.fromisoformat(e).toordinal() + 1)) for e in ends)]
    return [
        line(awarded_on=awarded, cycle_starts_on=start, expires_on=end, **given)
        for start, end in zip(starts, ends, strict=False)
    ]


THREE_CYCLES = cycles(
    "2012-03-15", "2017-03-15", "2022-03-15", "2027-03-15", edition="CPT 2.0", source="Registry"
)


def take(container, *lines, **options):
    return bring(container, "certifications", as_csv(lines), **options)


def refusals(container, *lines):
    return refused(container, "certifications", as_csv(lines).decode())


def found(container, number, surname):
    with container.reading(SYSTEM) as reading:
        return verification.by_number(reading, number, surname)


@pytest.fixture(autouse=True)
def people(container):
    bring(container, "holders", HOLDERS)


# Standing on any day.
DAYS_OF_CYCLES = [
    ("2012-03-15", "active", "2012-03-15", "2017-03-15"),
    ("2016-12-20", "renewal_open", "2012-03-15", "2017-03-15"),
    ("2017-03-15", "renewal_open", "2012-03-15", "2017-03-15"),
    ("2017-03-16", "active", "2017-03-16", "2022-03-15"),
    ("2022-03-15", "renewal_open", "2017-03-16", "2022-03-15"),
    ("2026-11-21", "active", "2022-03-16", "2027-03-15"),
    ("2027-03-15", "renewal_open", "2022-03-16", "2027-03-15"),
    ("2027-03-16", "expired", "2022-03-16", "2027-03-15"),
]


@SQLITE
def test_three_cycles_by_file_stand_on_every_day(container):
    report = take(container, *THREE_CYCLES)

    assert fates(report) == (3, 0, 0)
    assert report.effects == {"certifications imported": 1}
    assert told(report) == []
    for on, status, starts, expires in DAYS_OF_CYCLES:
        seen = standing(container, "A", date.fromisoformat(on))
        days = seen["cycle_starts_on"], seen["expires_on"]
        assert (seen["status"], *days) == (status, starts, expires), on
        assert (seen["awarded_on"], seen["modules_missing"]) == ("2012-03-15", ""), on


@SQLITE
def test_before_the_award_nothing_stands(container):
    take(container, *THREE_CYCLES)

    assert standings(container, date(2012, 3, 14)) == []


def test_rows_of_one_certificate_may_stand_in_any_order(container):
    take(container, *reversed(THREE_CYCLES))

    assert standing(container, "A")["cycle_starts_on"] == "2022-03-16"


def test_without_an_expiry_the_schemes_validity_gives_it(container):
    report = take(container, line(expires_on=""), line(cycle_starts_on="2029-03-16", expires_on=""))

    assert told(report) == []
    assert [r[1] for r in rows_of(container, Cycle, "ordinal", "expires_on")] == [
        date(2029, 3, 15),
        date(2034, 3, 15),
    ]


@SQLITE
def test_a_cycle_that_starts_later_was_opened_before_the_file_told_of_it(container):
    take(container, *cycles("2022-01-10", "2027-01-10", "2032-01-10"))

    assert standing(container, "A")["expires_on"] == "2032-01-10"
    assert standing(container, "A")["status"] == "active"


@SQLITE
def test_an_expiry_of_its_own_is_kept_and_told(container):
    report = take(container, line(expires_on="2029-06-30"))

    assert told(report) == [
        (
            2,
            "expires_on",
            "By the scheme's validity it is 2029-03-15; the date in the file is kept.",
        )
    ]
    assert standing(container, "A")["expires_on"] == "2029-06-30"


@SQLITE
def test_an_expiry_that_counts_several_cycles_asks_for_these(container):
    report = take(container, line(awarded_on="2014-03-15"))

    assert "It is the end of cycle number 3 counted from the award" in told(report)[0][2]
    assert standing(container, "A")["cycle_starts_on"] == "2014-03-15"


@SQLITE
def test_days_between_cycles_are_told(container):
    report = take(
        container,
        *cycles("2012-03-15", "2017-03-15"),
        line(awarded_on="2012-03-15", cycle_starts_on="2018-01-01", expires_on="2023-01-01"),
    )

    assert told(report) == [
        (3, "cycle_starts_on", "It had lapsed: no cycle covers 2017-03-16 through 2017-12-31.")
    ]
    assert standing(container, "A", date(2017, 8, 1))["status"] == "expired"


def test_an_award_after_another_one_ended_follows_it(container):
    take(
        container,
        *cycles("2008-05-01", "2013-05-01", certificate_number="OLD-1"),
        line(certificate_number="NEW-2"),
    )

    before, now = rows_of(container, Certification, "sequence", "number", "replaced_on")
    assert before == (1, "OLD-1", date(2024, 3, 15))
    assert now == (2, "NEW-2", None)
    assert standing(container, "A", date(2012, 1, 1))["expires_on"] == "2013-05-01"


def test_an_award_that_ended_before_its_expiry_keeps_that(container):
    take(
        container,
        line(replaced_on="2026-01-01"),
        line(certificate_number="NEW-2", awarded_on="2026-01-01", expires_on="", replaced_on=""),
    )

    before, _ = rows_of(container, Certification, "sequence", "number", "replaced_on")
    assert before == (1, "OLD-0017", date(2026, 1, 1))
    assert standing(container, "A", date(2025, 12, 31))["expires_on"] == "2029-03-15"
    assert standing(container, "A", date(2026, 1, 1))["expires_on"] == "2031-01-01"


def test_an_earlier_award_may_come_with_a_later_file(container):
    take(container, line(certificate_number="NEW-2"))
    take(container, *cycles("2008-05-01", "2013-05-01", certificate_number="OLD-1"))

    assert [r[:2] for r in rows_of(container, Certification, "sequence", "number")] == [
        (1, "OLD-1"),
        (2, "NEW-2"),
    ]


# Numbers.
@pytest.mark.parametrize(
    "number", ["OLD-0017", "0017", "2014/00123", "mssc.77", "A1 B2", "X_9", "9", "CPT-ABCDE-FGHJK"]
)
def test_a_number_of_any_form_is_kept_and_found(container, number):
    take(container, line(certificate_number=number))

    plain = "".join(letter for letter in number if letter.isalnum())
    for asked in (number, number.lower(), plain, " ".join(plain), plain.upper()):
        assert found(container, asked, "gomez").number == number
    with container.reading(SYSTEM) as reading:
        filters = {"q": plain.lower()}
        (person,) = holders.search(reading, after=None, limit=5, filters=filters)
        assert person.ref == "A"


@SQLITE
def test_a_roster_finds_its_worker_by_the_number_of_the_file(container):
    take(container, line(certificate_number="2014/00123"))
    head = "employer,employee_id,certificate_number,consented_on\n"

    report = bring(container, "roster", head + "Acme,E1,2014-00123,2026-01-05\n")

    assert told(report) == []
    assert report.effects["consents recorded"] == 1


# What is refused.
_FIRST = (
    "must be awarded_on (2014-03-15) in the first row of a certificate: add a row for each earlier "
    "cycle (under the scheme, the first is 2014-03-15 through 2019-03-15)"
)
_TWO = "is a second number for one certification: its holder has "


CONTRADICTIONS = [
    ([line(holder_ref="Z")], (2, "holder_ref", "is not a holder on record")),
    ([line(scheme="xyz")], (2, "scheme", "must be one of cla, ")),
    ([line(awarded_on="2026-11-22")], (2, "awarded_on", "must not be in the future")),
    ([line(certificate_number="N/A")], (2, "certificate_number", "means that there is none")),
    ([line(certificate_number="12#7")], (2, "certificate_number", "must be a certificate")),
    ([line(certificate_number="")], (2, "certificate_number", "must not be empty")),
    ([line(expires_on="2024-03-14")], (2, "expires_on", "must not be before awarded_on")),
    ([line(scheme="cla")], (2, "expires_on", "must be empty: a certification under cla")),
    (
        [line(cycle_starts_on="2024-03-14")],
        (2, "cycle_starts_on", "must not be before awarded_on (2024-03-15)"),
    ),
    (
        [line(awarded_on="2014-03-15", cycle_starts_on="2024-03-16")],
        (2, "cycle_starts_on", _FIRST),
    ),
    (
        [line(), line(cycle_starts_on="2029-03-15", expires_on="2034-03-15")],
        (
            3,
            "cycle_starts_on",
            "must be after the expiration of the cycle before it (2029-03-15)",
        ),
    ),
    (
        [line(), line(cycle_starts_on="2029-03-16", expires_on="2029-03-01")],
        (3, "expires_on", "must not be before cycle_starts_on (2029-03-16)"),
    ),
    (
        [line(), line()],
        (
            3,
            "cycle_starts_on",
            (
                "already appears in row 2; a key may appear only once in a file, and here it "
                "appears in holder_ref, scheme, certificate_number and cycle_starts_on"
            ),
        ),
    ),
    (
        [line(), line(certificate_number="old 0017", cycle_starts_on="2024-03-15")],
        (3, "cycle_starts_on", "must be after the start of the cycle before it"),
    ),
    (
        [line(), line(awarded_on="2024-03-16", cycle_starts_on="2029-03-16", expires_on="")],
        (3, "awarded_on", "is 2024-03-15 in row 2, which has the same number"),
    ),
    (
        [line(), line(holder_ref="B", certificate_number="OLD0017")],
        (3, "certificate_number", "appears in row 2 for another holder or scheme"),
    ),
    (
        [line(), line(scheme="cla", expires_on="")],
        (3, "certificate_number", "appears in row 2 for another holder or scheme"),
    ),
    (
        [line(), line(certificate_number="OLD-0018", awarded_on="2025-01-01", expires_on="")],
        (3, "certificate_number", f"{_TWO}OLD-0017 from 2024-03-15 through 2029-03-15"),
    ),
    ([line(replaced_on="2025-01-01")], (2, "replaced_on", "must be the awarded_on of the")),
    ([line(replaced_on="2024-03-15")], (2, "replaced_on", "must be the awarded_on of the")),
]


@SQLITE
def test_what_contradicts_itself_is_refused_by_name(container):
    before = counts(container)
    for lines, expected in CONTRADICTIONS:
        ((row, column, rule),) = refusals(container, *lines)

        assert (row, column) == expected[:2], lines
        assert rule.startswith(expected[2]), lines
        assert counts(container) == before, lines


@SQLITE
def test_a_number_that_somebody_else_has_is_refused(container):
    certify(container, "B", "2024-01-04")
    ((number,),) = rows_of(container, Certification, "number")

    ((row, column, rule),) = refusals(container, line(certificate_number=number.replace("-", "")))

    assert (row, column) == (2, "certificate_number")
    assert rule.startswith(f"is the number of B's certification under cpt ({number}) on record")


@SQLITE
def test_a_second_number_beside_one_on_record_is_refused(container):
    take(container, line())

    ((_, column, rule),) = refusals(
        container, line(certificate_number="OLD-0018", awarded_on="2025-01-01", expires_on="")
    )

    assert (column, rule[: len(_TWO)]) == ("certificate_number", _TWO)
    assert "Use the number printed on the certificate" in rule


@SQLITE
def test_all_contradictions_of_a_file_are_told_at_once(container):
    wrong = refusals(
        container,
        line(holder_ref="Z"),
        line(certificate_number="B-1", holder_ref="B", expires_on="2001-01-01"),
        line(certificate_number="-"),
        line(certificate_number="A-9", awarded_on="2027-01-01"),
    )

    assert [(row, column) for row, column, _ in wrong] == [
        (2, "holder_ref"),
        (3, "expires_on"),
        (4, "certificate_number"),
        (5, "awarded_on"),
    ]


# With passes.
@SQLITE
def test_an_award_before_its_passes_complete_is_refused(container):
    certify(container, "A", "2024-03-20")

    ((row, column, rule),) = refusals(container, line())

    assert (row, column) == (2, "awarded_on")
    assert rule.startswith(
        "must not be before the last required pass on record (maintenance, 2024-03-20)"
    )


@pytest.mark.parametrize("day", ["2024-03-15", "2024-03-10"])
def test_an_award_that_passes_carried_takes_the_files_number_and_stays_found_by_ours(
    container, day
):
    certify(container, "A", day)
    ((ours, public),) = rows_of(container, Certification, "number", "public_id")

    report = take(container, line())

    assert fates(report) == (0, 1, 0)
    ((now, address, awarded),) = rows_of(
        container, Certification, "number", "public_id", "awarded_on"
    )
    assert (now, address, awarded) == ("OLD-0017", public, date(2024, 3, 15))
    changes = [one.what for one in report.consequences]
    assert f"number was {ours}" in changes
    assert ("award date moved" in changes) == (day != "2024-03-15")
    assert found(container, ours, "Gómez").number == found(container, "old0017", "Gómez").number


def test_the_order_of_files_does_not_matter(container):
    certify(container, "A", "2024-03-10")
    take(container, line())
    take(container, line(holder_ref="B", certificate_number="OLD-9"))
    certify(container, "B", "2024-03-10")

    one, other = standings(container)
    differ = {"holder_ref"}
    assert {k: v for k, v in one.items() if k not in differ} == {
        k: v for k, v in other.items() if k not in differ
    }


@SQLITE
def test_passes_that_complete_within_an_imported_award_are_refused_by_the_file(container):
    """Accepted, they would make a record that no other installation takes."""
    take(container, line())
    before = counts(container)

    ((row, column, rule),) = refused(
        container, "assessments", as_csv(passes("A", "2025-07-01")).decode()
    )

    assert (row, column) == (2, "taken_on")
    assert rule == (
        "would make 2025-07-01 the day of the last required pass (maintenance), but OLD-0017 was "
        "awarded on 2024-03-15: correct the day of the pass, or first amend or void that award"
    )
    assert counts(container) == before


@SQLITE
def test_a_row_that_completes_nothing_contradicts_no_award(container):
    take(container, line())

    report = bring(container, "assessments", as_csv(passes("A", "2025-07-01")[:3]))

    assert fates(report) == (3, 0, 0)


@SQLITE
def test_a_pass_corrected_or_voided_takes_no_imported_award_away(container):
    certify(container, "A", "2024-03-10")
    take(container, line())
    before = standing(container, "A")
    failed = passes("A", "2024-03-10")
    failed[0]["result"] = "fail"

    bring(container, "assessments", as_csv(failed))

    assert standing(container, "A") == before | {"modules_passed": "quality;processes;maintenance"}
    assert counts(container)["certification"] == 1


@pytest.mark.parametrize("changes_first", [True, False])
@pytest.mark.parametrize(("kind", "held"), [("suspend", "suspended"), ("revoke", "revoked")])
def test_an_award_after_the_days_of_one_that_is_held_is_another_one(
    container, kind, held, changes_first
):
    """A file of awards takes nothing away from what passes gave, in whatever order it comes."""
    certify(container, "A", "2014-03-15")
    change = as_csv(
        [
            {
                "change_ref": "c1",
                "holder_ref": "A",
                "scheme": "cpt",
                "kind": kind,
                "effective_on": "2016-05-01",
                "reason": "A complaint.",
            }
        ]
    )
    if changes_first:
        bring(container, "standing-changes", change)
    take(container, line())
    bring(container, "standing-changes", change)

    days = rows_of(container, Certification, "awarded_on", "imported_at", "replaced_on")
    assert [(awarded, bool(at), until) for awarded, at, until in days] == [
        (date(2014, 3, 15), False, date(2024, 3, 15)),
        (date(2024, 3, 15), True, None),
    ]
    assert standing(container, "A", date(2015, 1, 1))["status"] == "active"
    assert standing(container, "A", date(2017, 1, 1))["status"] == held
    assert standing(container, "A")["status"] == "active"


def test_passes_after_it_ended_are_an_award_of_their_own(container):
    take(container, *cycles("2014-03-15", "2019-03-15"))

    certify(container, "A", "2024-01-04")

    before, now = rows_of(container, Certification, "sequence", "awarded_on", "number")
    assert before == (1, date(2014, 3, 15), "OLD-0017")
    assert now[:2] == (2, date(2024, 1, 4))


# With renewals and changes.
RENEWALS = "renewal_ref,holder_ref,scheme,submitted_on,decided_on,decision\n"


@pytest.mark.parametrize("renewals_first", [False, True])
def test_renewals_agree_with_the_cycles_of_the_file(container, renewals_first):
    """One approval is no second cycle beside the one that the file of certifications gives."""
    renewals = RENEWALS + "r1,A,cpt,2017-01-10,2017-01-20,approved\n"
    if renewals_first:
        take(container, THREE_CYCLES[0])
        bring(container, "renewals", renewals)
    take(container, *THREE_CYCLES)
    report = bring(container, "renewals", renewals)

    assert told(report) == [] or "points" in str(told(report))
    assert len(rows_of(container, Cycle, "ordinal")) == 3
    assert standing(container, "A", date(2017, 1, 19))["expires_on"] == "2017-03-15"
    assert standing(container, "A", date(2017, 1, 20))["expires_on"] == "2022-03-15"


@SQLITE
def test_a_renewal_of_the_last_cycle_opens_the_next_one(container):
    take(container, *cycles("2012-02-29", "2017-02-28", "2022-02-28"))
    bring(container, "renewals", RENEWALS + "r1,A,cpt,2022-01-10,2022-01-20,approved\n")

    seen = standing(container, "A")
    assert (seen["cycle_starts_on"], seen["expires_on"]) == ("2022-03-01", "2027-02-28")
    again = take(container, *cycles("2012-02-29", "2017-02-28", "2022-02-28"))
    assert fates(again) == (0, 0, 2)
    assert standing(container, "A") == seen


@SQLITE
def test_after_an_expiry_of_its_own_the_next_cycle_follows_it(container):
    take(container, line(awarded_on="2017-05-01", expires_on="2022-06-30"))
    bring(container, "renewals", RENEWALS + "r1,A,cpt,2022-05-10,2022-05-20,approved\n")

    seen = standing(container, "A")
    assert (seen["cycle_starts_on"], seen["expires_on"]) == ("2022-07-01", "2027-06-30")


def test_suspensions_act_on_it_and_reminders_are_planned_for_it(container):
    take(container, line())
    head = "change_ref,holder_ref,scheme,kind,effective_on,reason\n"
    bring(container, "standing-changes", head + "s1,A,cpt,suspend,2026-10-01,fraud\n")

    assert standing(container, "A")["status"] == "suspended"
    assert len(rows_of(container, ReminderCursor, "certification_id")) == 1


@SQLITE
def test_it_can_be_revoked_over_http_as_any(container):
    take(container, line())
    ((id_,),) = rows_of(container, Certification, "id")
    with container.work(SYSTEM) as work:
        code = work.reasons.for_act("revocation")[0].code
        certifications.change(
            work, id_, kind=ChangeKind.REVOKE, reason_code=code, reason="Found to be forged."
        )

    assert standing(container, "A")["status"] == "revoked"


# Again, and corrected.
@SQLITE
def test_the_same_file_again_changes_nothing(container):
    take(container, *THREE_CYCLES)
    before = counts(container)

    report = take(container, *THREE_CYCLES)

    assert fates(report) == (0, 0, 3)
    assert (report.effects, report.consequences) == ({}, ())
    assert counts(container) == before


def test_a_corrected_file_names_every_award_that_it_moved(container):
    take(container, line(), line(holder_ref="B", certificate_number="B-1"))

    report = take(
        container,
        line(awarded_on="2024-03-18"),
        line(holder_ref="B", certificate_number="B-1", expires_on="2029-04-30"),
    )

    assert fates(report) == (0, 2, 0)
    assert [(c.holder_ref, c.number, c.what, c.before, c.after) for c in report.consequences] == [
        ("A", "OLD-0017", "award date moved", date(2024, 3, 15), date(2024, 3, 18)),
        ("B", "B-1", "expiry moved", date(2029, 3, 15), date(2029, 4, 30)),
    ]
    lines = rows_of(container, HistoryEntry, "action", "subject", "detail")
    (moved,) = [
        d
        for a, s, d in lines
        if (a, s) == ("import", "certification")
        and "cycles" in d["fields"]
        and "awarded_on" in d["fields"]
    ]
    assert moved["cycles_before"] == "2024-03-15 through 2029-03-15"
    assert moved["awarded_on_after"] == "2024-03-18"


@SQLITE
def test_a_row_for_the_next_cycle_alone_adds_it(container):
    take(container, THREE_CYCLES[0])

    report = take(container, THREE_CYCLES[1])

    assert fates(report) == (1, 0, 0)
    assert [(c.what, c.before, c.after) for c in report.consequences] == [
        ("expiry moved", date(2017, 3, 15), date(2022, 3, 15))
    ]
    assert standing(container, "A", date(2018, 1, 1))["expires_on"] == "2022-03-15"


def test_columns_that_the_file_lacks_leave_what_is_on_record(container):
    take(container, *THREE_CYCLES)
    fewer = [
        {k: v for k, v in one.items() if k not in {"edition", "source"}} for one in THREE_CYCLES
    ]

    assert fates(bring(container, "certifications", as_csv(fewer))) == (0, 0, 3)
    assert rows_of(container, Certification, "edition") == [("CPT 2.0",)]
