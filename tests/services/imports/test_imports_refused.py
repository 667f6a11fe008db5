"""Bad rows of every kind: each is named with row, column and rule, and nothing is stored."""

import io

import pytest
from sqlalchemy import select

from tests.backends import SQLITE
from tests.services.imports.importing import (
    HOLDERS,
    as_csv,
    bring,
    certify,
    counts,
    passes,
    refused,
    rows,
)
from tracker.domain.errors import AlreadyRecorded, Invalid
from tracker.domain.permissions import SYSTEM
from tracker.models import Assessment, Holder, ImportRun
from tracker.services import imports
from tracker.services.credentials import assessments
from tracker.services.imports import ImportRefused
from tracker.tabular import Dates

ATTEMPT = "attempt_ref,holder_ref,scheme,module,taken_on,result,score,delivery,funding\n"
ACTIVITY = (
    "activity_ref,holder_ref,scheme,category,type,title,quantity,starts_on,completed_on,"
    "status,submitted_on,decided_on\n"
)
RENEWAL = "renewal_ref,holder_ref,scheme,submitted_on,decided_on,decision\n"
CHANGE = "change_ref,holder_ref,scheme,kind,effective_on,reason\n"
ROSTER = "employer,employee_id,holder_ref,email,certificate_number,consented_on\n"

UNKNOWN = "is not a holder on record; import holders first"
SCHEMES = "must be one of cla, clt, cpt"
MODULES = "must be one of the modules of cpt: safety, quality, processes, maintenance, green"
CE = "must be one of: college_credit, college_noncredit, third_party"

CASES = [
    (
        "holders",
        "holder_ref,given_name,family_name,email,language\nC,Cy,Ek,c@example.org,fr\n",
        2,
        "language",
        "must be one of en, es",
    ),
    (
        "holders",
        "holder_ref,given_name,family_name,email\nC,Cy,Ek,cy at example\n",
        2,
        "email",
        "must be one email address",
    ),
    (
        "holders",
        "holder_ref,given_name,family_name,email\nC,,Ek,c@example.org\n",
        2,
        "given_name",
        "must not be empty",
    ),
    (
        "holders",
        "holder_ref,given_name,family_name,email,time_zone\nC,C,E,c@x.org,EST5\n",
        2,
        "time_zone",
        "must be an IANA time zone",
    ),
    (
        "holders",
        "holder_ref,given_name,family_name\nC,Cy,Ek\n",
        1,
        "email",
        "is required, but missing from the header row",
    ),
    (
        "holders",
        "holder_ref,given_name,family_name,email,shoe\nC,Cy,Ek,c@example.org,42\n",
        1,
        "shoe",
        "is not a column of this table",
    ),
    (
        "holders",
        HOLDERS + "A,Ann,Other,ann@example.org\n",
        4,
        "holder_ref",
        "already appears in row 2; a key may appear only once in a file",
    ),
    ("assessments", ATTEMPT + "x,Nobody,cpt,safety,2024-01-01,pass,,,\n", 2, "holder_ref", UNKNOWN),
    ("assessments", ATTEMPT + "x,A,cpx,safety,2024-01-01,pass,,,\n", 2, "scheme", SCHEMES),
    ("assessments", ATTEMPT + "x,A,cpt,welding,2024-01-01,pass,,,\n", 2, "module", MODULES),
    ("assessments", ATTEMPT + "x,A,cpt,associate,2024-01-01,pass,,,\n", 2, "module", MODULES),
    (
        "assessments",
        ATTEMPT + "x,A,cpt,safety,03/04/2024,pass,,,\n",
        2,
        "taken_on",
        "is ambiguous: write it like 2026-03-15, or say",
    ),
    (
        "assessments",
        ATTEMPT + "x,A,cpt,safety,2023-02-29,pass,,,\n",
        2,
        "taken_on",
        "must be a day that exists",
    ),
    (
        "assessments",
        ATTEMPT + "x,A,cpt,safety,2024-01-01,passed,,,\n",
        2,
        "result",
        "must be one of pass, fail; did you mean pass?",
    ),
    (
        "assessments",
        ATTEMPT + "x,A,cpt,safety,2024-01-01,pass,ninety,,\n",
        2,
        "score",
        "must be a number",
    ),
    (
        "assessments",
        ATTEMPT + "x,A,cpt,safety,2024-01-01,pass,90,online,\n",
        2,
        "delivery",
        "must be one of in_person, remote, paper",
    ),
    (
        "assessments",
        ATTEMPT + "x,A,cpt,safety,2024-01-01,pass,90,paper,uncle\n",
        2,
        "funding",
        "must be one of self, employer",
    ),
    (
        "activities",
        ACTIVITY + "x,Nobody,cpt,CE,third_party,T,5,,2024-01-01,draft,,\n",
        2,
        "holder_ref",
        UNKNOWN,
    ),
    (
        "activities",
        ACTIVITY + "x,A,cpx,CE,third_party,T,5,,2024-01-01,draft,,\n",
        2,
        "scheme",
        SCHEMES,
    ),
    (
        "activities",
        ACTIVITY + "x,A,cla,CE,third_party,T,5,,2024-01-01,draft,,\n",
        2,
        "scheme",
        "cla never expires, so no points are counted for it",
    ),
    ("activities", ACTIVITY + "x,A,cpt,CE,volunteer,T,5,,2024-01-01,draft,,\n", 2, "type", CE),
    (
        "activities",
        ACTIVITY + "x,A,cpt,ZZ,volunteer,T,5,,2024-01-01,draft,,\n",
        2,
        "type",
        "must be one of: no such category",
    ),
    (
        "activities",
        ACTIVITY + "x,A,cpt,CE,third_party,T,,,2024-01-01,draft,,\n",
        2,
        "quantity",
        "must be more than 0 and at most 10000 (contact hours)",
    ),
    (
        "activities",
        ACTIVITY + "x,A,cpt,CE,third_party,T,0,,2024-01-01,draft,,\n",
        2,
        "quantity",
        "must be more than 0 and at most 10000 (contact hours)",
    ),
    (
        "activities",
        ACTIVITY + "x,A,cpt,CE,third_party,T,5,,,draft,,\n",
        2,
        "completed_on",
        "is required for this type of activity",
    ),
    (
        "activities",
        ACTIVITY + "x,A,cpt,E,employment_full_time,T,3,2024-01-01,,draft,,\n",
        2,
        "quantity",
        "must be empty: this type is counted by its dates",
    ),
    (
        "activities",
        ACTIVITY + "x,A,cpt,E,employment_full_time,T,,,2024-01-01,draft,,\n",
        2,
        "starts_on",
        "is required for this type of activity",
    ),
    (
        "activities",
        ACTIVITY + "x,A,cpt,E,employment_full_time,T,,2024-02-01,2024-01-01,draft,,\n",
        2,
        "completed_on",
        "must not be before starts_on (2024-02-01)",
    ),
    (
        "activities",
        ACTIVITY + "x,A,cpt,CE,third_party,T,5,,2024-01-01,submitted,,\n",
        2,
        "submitted_on",
        "is required when the status is submitted",
    ),
    (
        "activities",
        ACTIVITY + "x,A,cpt,CE,third_party,T,5,,2024-01-01,approved,2024-01-02,\n",
        2,
        "decided_on",
        "is required when the status is approved",
    ),
    (
        "activities",
        ACTIVITY + "x,A,cpt,CE,third_party,T,5,,2024-01-01,draft,2024-01-02,\n",
        2,
        "submitted_on",
        "must be empty when the status is draft",
    ),
    (
        "activities",
        ACTIVITY + "x,A,cpt,CE,third_party,T,5,,2024-01-01,rejected,2024-01-09,2024-01-08\n",
        2,
        "decided_on",
        "must not be before submitted_on (2024-01-09)",
    ),
    (
        "activities",
        ACTIVITY + "x,A,cpt,CE,third_party,T,5,,2024-01-01,pending,,\n",
        2,
        "status",
        "must be one of draft, submitted, approved, rejected",
    ),
    (
        "renewals",
        RENEWAL + "x,B,cpt,2026-01-01,,\n",
        2,
        "holder_ref",
        "was never certified under cpt",
    ),
    ("renewals", RENEWAL + "x,Nobody,cpt,2026-01-01,,\n", 2, "holder_ref", UNKNOWN),
    ("renewals", RENEWAL + "x,A,xyz,2026-01-01,,\n", 2, "scheme", SCHEMES),
    (
        "renewals",
        RENEWAL + "x,A,cpt,2026-01-01,,approved\n",
        2,
        "decided_on",
        "is required when there is a decision",
    ),
    (
        "renewals",
        RENEWAL + "x,A,cpt,2026-01-01,2026-01-02,\n",
        2,
        "decision",
        "is required when there is a decided_on",
    ),
    (
        "renewals",
        RENEWAL + "x,A,cpt,2026-01-03,2026-01-02,denied\n",
        2,
        "decided_on",
        "must not be before submitted_on (2026-01-03)",
    ),
    (
        "renewals",
        RENEWAL + "x,A,cpt,2026-01-03,,\ny,A,cpt,2026-01-04,,\n",
        3,
        "decision",
        "an application for this certification is already under review, in row 2",
    ),
    (
        "standing-changes",
        CHANGE + "x,B,cpt,revoke,2026-01-01,fraud\n",
        2,
        "holder_ref",
        "was never certified under cpt",
    ),
    (
        "standing-changes",
        CHANGE + "x,A,cpt,suspended,2026-01-01,fraud\n",
        2,
        "kind",
        "must be one of suspend, reinstate, revoke, surrender",
    ),
    (
        "standing-changes",
        CHANGE + "x,A,cpt,suspend,2026-01-01,\n",
        2,
        "reason",
        "must not be empty",
    ),
    ("roster", ROSTER + "Acme,1,Nobody,,,\n", 2, "holder_ref", UNKNOWN),
    ("roster", ROSTER + "Acme,,A,,,\n", 2, "employee_id", "must not be empty"),
    (
        "roster",
        ROSTER + "Acme,1,,no@example.org,,2024-01-01\n",
        2,
        "consented_on",
        "needs a worker on record, but no match was found",
    ),
    (
        "roster",
        ROSTER + "Acme,1,A,,,\nAcme,2,B,,,\nAcme,1,B,,,\n",
        4,
        "employee_id",
        "already appears in row 2",
    ),
]


@pytest.fixture
def registered(container):
    """A and B are on record, and A is certified since 2022."""
    bring(container, "holders", HOLDERS)
    certify(container, "A", "2022-01-15")
    return container


@SQLITE
def test_each_bad_row_is_named_with_its_column_and_rule(registered):
    for kind, file, row, column, rule in CASES:
        ((number, name, said),) = refused(registered, kind, file)
        assert (number, name) == (row, column), file
        assert said.startswith(rule), file


@SQLITE
def test_every_error_of_a_file_is_told_in_the_order_of_its_rows(registered):
    file = ATTEMPT + (
        "a,Nobody,cpt,safety,2024-01-01,pass,,,\n"
        "b,B,cpt,safety,2024-13-01,pass,,,\n"
        "c,B,cpt,welding,2024-01-01,pass,,,\n"
        "d,B,cpt,safety,2024-01-01,pass,,,\n"
        "d,B,cpt,quality,2024-01-01,pass,,,\n"
        "e,Nobody,xyz,safety,2024-01-01,maybe,,,\n"
        "f,Nobody,xyz,safety,2024-01-01,pass,,,\n"
    )

    found = [(row, column) for row, column, _ in refused(registered, "assessments", file)]

    assert found == [
        (2, "holder_ref"),
        (3, "taken_on"),
        (4, "module"),
        (6, "attempt_ref"),
        (7, "result"),
        (8, "holder_ref"),
        (8, "scheme"),
    ]


@SQLITE
def test_beyond_a_thousand_errors_only_their_number_is_told(container):
    lines = [f"{n},Cy,Ek,no address\n" for n in range(2500)]
    with pytest.raises(ImportRefused) as refusal:
        bring(container, "holders", "holder_ref,given_name,family_name,email\n" + "".join(lines))

    assert (len(refusal.value.errors), refusal.value.total) == (1000, 2500)
    assert [error.row for error in refusal.value.errors] == [*range(2, 1002)]
    assert refusal.value.facts["total"] == 2500
    errors = refusal.value.facts["errors"]
    assert isinstance(errors, list)
    assert errors[0]["column"] == "email"


def test_a_key_belongs_to_one_holder_for_good(registered):
    activity = ACTIVITY + "x,{},cpt,CE,third_party,T,5,,2024-01-01,draft,,\n"
    renewal = RENEWAL + "x,{},cpt,2026-10-20,,\n"
    change = CHANGE + "x,{},cpt,suspend,2026-01-01,fraud\n"
    certify(registered, "B", "2022-02-15")
    moved = [("activities", activity), ("renewals", renewal), ("standing-changes", change)]
    for kind, file in moved:
        bring(registered, kind, file.format("A"))

    for kind, file in moved:
        ((row, column, rule),) = refused(registered, kind, file.format("B"))
        assert (row, column[-4:], rule) == (2, "_ref", "is on record for another holder or scheme")
    attempt = ATTEMPT + "A-safety,B,cpt,safety,2022-01-12,pass,,,\n"
    ((_, column, rule),) = refused(registered, "assessments", attempt)
    assert (column, rule) == ("attempt_ref", "is on record for another holder or scheme")


@SQLITE
def test_a_change_of_standing_on_record_is_never_altered(registered):
    bring(registered, "standing-changes", CHANGE + "x,A,cpt,suspend,2026-01-01,fraud\n")

    later = CHANGE + "x,A,cpt,revoke,2026-01-02,fraud\n"

    assert [rule[:24] for _, _, rule in refused(registered, "standing-changes", later)] == [
        "is 2026-01-01 on record;",
        "is suspend on record; us",
    ]


@SQLITE
def test_a_second_application_is_refused_while_one_on_record_is_under_review(registered):
    bring(registered, "renewals", RENEWAL + "x,A,cpt,2026-10-20,,\n")

    ((row, column, rule),) = refused(registered, "renewals", RENEWAL + "y,A,cpt,2026-10-21,,\n")

    assert (row, column) == (2, "decision")
    assert rule == "an application for this certification is already under review"


@SQLITE
def test_a_pass_that_a_renewal_rests_on_cannot_be_taken_away(registered):
    bring(registered, "renewals", RENEWAL + "x,A,cpt,2026-11-01,2026-11-02,approved\n")
    certify(registered, "B", "2022-02-15")
    failed = [{**line, "result": "fail"} for line in passes("A", "2022-01-15")[:1]]
    file = as_csv([*passes("B", "2022-03-15"), *failed]).decode()

    ((row, column, rule),) = refused(registered, "assessments", file)

    assert (row, column) == (6, "taken_on")
    assert rule.startswith("changes an award that has been renewed since; amend the assessment")
    assert 'later_cycles "keep"' in rule


def test_a_voided_attempt_cannot_be_changed_by_a_file_but_may_stand_in_it(registered):
    lines = passes("A", "2022-01-15")
    with registered.work(SYSTEM) as work:
        ref = select(Assessment.id).where(Assessment.ref == "A-maintenance")
        row = work.row(ref)
        assert row is not None
        assessments.void(work, row.id, reason="sat by somebody else")

    assert bring(registered, "assessments", as_csv(lines)).unchanged == 4
    lines[3]["result"] = "fail"
    ((row_number, column, rule),) = refused(registered, "assessments", as_csv(lines).decode())

    assert (row_number, column) == (5, "attempt_ref")
    assert rule == "was voided; use a new attempt_ref for a corrected attempt"


@SQLITE
def test_an_unknown_kind_is_refused(container):
    with pytest.raises(Invalid, match="'people' is not a kind of file"):
        bring(container, "people", HOLDERS)


@SQLITE
def test_a_file_that_is_no_table_is_refused(container):
    assert [row for row, *_ in refused(container, "holders", "")] == [1]
    assert refused(container, "holders", "%PDF-1.7")[0][2].startswith("is a PDF file")


@SQLITE
def test_dates_in_figures_are_read_as_the_caller_says(registered):
    file = ATTEMPT + "x,B,cpt,safety,03/04/2024,pass,,,\n"

    bring(registered, "assessments", file, dates=Dates.US)
    with pytest.raises(ImportRefused):
        bring(registered, "assessments", file)
    report = bring(registered, "assessments", file, dates=Dates.EU)

    assert report.changed == 1


def test_a_dry_run_does_all_the_work_and_stores_nothing(registered):
    before = counts(registered)
    file = as_csv(passes("B", "2024-03-15"))

    report = bring(registered, "assessments", file, dry_run=True)

    assert (report.dry_run, report.created) == (True, 4)
    assert report.effects == {"certifications awarded": 1}
    assert counts(registered) == before
    assert bring(registered, "assessments", file).created == 4


def test_each_run_is_kept_with_its_outcome(registered):
    with pytest.raises(ImportRefused) as refusal:
        bring(registered, "holders", "holder_ref\nC\n")
    with registered.work(SYSTEM) as work:
        id_ = imports.record_run(work, refusal.value)
    bring(registered, "holders", HOLDERS, dry_run=True)

    kept = rows(registered, ImportRun, "kind", "outcome", "dry_run", "actor")
    assert kept == [
        ("assessments", "stored", False, "system"),
        ("holders", "checked", True, "system"),
        ("holders", "refused", False, "system"),
        ("holders", "stored", False, "system"),
    ]
    with registered.reading(SYSTEM) as reading:
        assert imports.get(reading, id_).report["total"] == 3


def test_a_refused_file_leaves_the_rest_of_the_transaction_as_it_was(container):
    with container.work(SYSTEM) as work:
        with pytest.raises(ImportRefused):
            imports.run(work, "holders", io.BytesIO(b"holder_ref\nC\n"), filename="bad.csv")
        imports.run(work, "holders", io.BytesIO(HOLDERS.encode()), filename="good.csv")

    assert counts(container)["holder"] == 2


@pytest.mark.parametrize(
    "name",
    ["x" * 300 + ".csv", "a\0b.csv", "a\udcffb.csv", ""],
    ids=["long", "nul", "surrogate", "empty"],
)
def test_a_run_keeps_whatever_name_a_file_has(container, name):
    with container.work(SYSTEM) as work:
        imports.run(work, "holders", io.BytesIO(HOLDERS.encode()), filename=name)

    ((kept,),) = rows(container, ImportRun, "filename")
    assert len(kept) <= 200
    assert kept.endswith(name[-4:])


@pytest.mark.parametrize("more", [0, 50])
def test_a_key_that_somebody_recorded_in_the_same_moment_refuses_the_file(
    container, monkeypatch, more
):
    bring(container, "holders", HOLDERS)
    before = counts(container)
    monkeypatch.setattr("tracker.services.imports.holders._on_record", lambda *_: {})
    others = "".join(f"P{n},Pat,Ek,p{n}@example.org\n" for n in range(more))

    with container.work(SYSTEM) as work:
        with pytest.raises(AlreadyRecorded, match="import the file again"):
            imports.run(work, "holders", io.BytesIO((HOLDERS + others).encode()), filename="x")
        assert work.row(select(Holder.id)) is not None  # the transaction can still be used

    assert counts(container) == before


AHEAD = "must not be in the future (today is 2026-11-21)"


RENEWALS_AHEAD = [
    ("x,A,cpt,2031-01-01,,", ["submitted_on"]),
    ("x,A,cpt,2026-11-22,,", ["submitted_on"]),
    ("x,A,cpt,2026-11-01,2031-01-01,denied", ["decided_on"]),
    ("x,A,cpt,2031-01-01,2031-01-02,approved", ["submitted_on", "decided_on"]),
]


@SQLITE
def test_a_renewal_of_the_future_is_refused(registered):
    for line, columns in RENEWALS_AHEAD:
        found = refused(registered, "renewals", RENEWAL + line + "\n")

        assert sorted(found) == sorted((2, column, AHEAD) for column in columns), line


ACTIVITIES_AHEAD = [
    ("2026-01-01", "submitted", "2026-11-22", "", ["submitted_on"]),
    ("2026-01-01", "approved", "2026-01-02", "2031-01-01", ["decided_on"]),
    ("2026-01-01", "rejected", "2026-01-02", "2031-01-01", ["decided_on"]),
    ("2026-11-22", "submitted", "2026-11-01", "", ["completed_on"]),
    ("2031-01-01", "approved", "2026-11-01", "2026-11-02", ["completed_on"]),
]


@SQLITE
def test_an_activity_of_the_future_is_refused_as_over_http(registered):
    for completed_on, status, submitted_on, decided_on, columns in ACTIVITIES_AHEAD:
        file = (
            "activity_ref,holder_ref,scheme,category,type,title,quantity,completed_on,status,"
            "submitted_on,decided_on\n"
            f"x,A,cpt,CE,third_party,T,5,{completed_on},{status},{submitted_on},{decided_on}\n"
        )

        found = refused(registered, "activities", file)
        assert found == [(2, one, AHEAD) for one in columns], completed_on


@SQLITE
def test_a_job_that_has_not_begun_counts_for_nothing(registered):
    file = (
        "activity_ref,holder_ref,scheme,category,type,title,starts_on,status,submitted_on\n"
        "x,A,cpt,E,employment_full_time,T,2027-01-01,submitted,2026-11-01\n"
    )

    assert refused(registered, "activities", file) == [(2, "starts_on", AHEAD)]
