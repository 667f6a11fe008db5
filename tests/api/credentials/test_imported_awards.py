"""api/credentials/imported_awards.py: staff amend or take back what a file says of an award."""

from __future__ import annotations

import io
from datetime import date

import pytest

from tests.backends import SQLITE
from tests.services.imports.importing import (
    HOLDERS,
    as_csv,
    bring,
    certify,
    passes,
    refused,
    standing,
)
from tests.services.imports.importing import rows as rows_of
from tracker.models import Certification, HistoryEntry, Holder, Notice, ReminderCursor

FILE = "holder_ref,scheme,certificate_number,awarded_on,expires_on,edition,source\n"
ROW = "A,cpt,OLD-0017,2022-03-15,2027-03-15,CPT 3.0,Registry\n"
WHY = {"reason": "The old registry had it wrong."}


@pytest.fixture(autouse=True)
def people(container):
    bring(container, "holders", HOLDERS)


@pytest.fixture
def award(container):
    """The id of A's award, brought by a file."""
    bring(container, "certifications", FILE + ROW)
    ((id_,),) = rows_of(container, Certification, "id")
    return id_


def amend(staff, id_, **values):
    return staff.post(f"/certifications/{id_}/amendment", WHY | values)


def actions(container, id_):
    lines = rows_of(container, HistoryEntry, "id", "action", "subject_id")
    return [action for _, action, subject in sorted(lines) if subject == id_]


@SQLITE
def test_it_says_of_itself_where_it_comes_from(staff, award):
    found = staff.get(f"/certifications/{award}").json

    assert (found["number"], found["edition"], found["source"]) == (
        "OLD-0017",
        "CPT 3.0",
        "Registry",
    )
    assert found["imported_at"].startswith("2026-11-21")
    assert [c["imported"] for c in found["cycles"]] == [True]
    assert staff.get("/certifications?number=old0017").json["items"][0]["id"] == award


@pytest.mark.usefixtures("award")
def test_the_public_page_says_of_it_what_it_says_of_others(client, container):
    ((public,),) = rows_of(container, Certification, "public_id")

    found = client.get(f"/verify/{public}", headers={"Accept": "application/json"}).json
    by_number = client.get(
        "/verify?number=old%200017&surname=gomez", headers={"Accept": "application/json"}
    ).json

    assert found["number"] == "OLD-0017"
    assert (found["valid"], found["expires_on"]) == (True, "2027-03-15")
    assert by_number["number"] == "OLD-0017"


def test_an_amendment_corrects_it_and_says_what_changes(staff, container, award):
    done = amend(
        staff,
        award,
        number="OLD-17",
        awarded_on="2022-03-20",
        cycles=[{"expires_on": "2027-03-20"}],
        edition=None,
    )

    assert done.status_code == 200, done.json
    assert (done.json["number"], done.json["edition"]) == ("OLD-17", None)
    (changed,) = done.json["certifications"]
    assert (changed["change"], changed["awarded_on_before"], changed["awarded_on_after"]) == (
        "moved",
        "2022-03-15",
        "2022-03-20",
    )
    assert changed["after"]["expires_on"] == "2027-03-20"
    assert standing(container, "A")["expires_on"] == "2027-03-20"
    assert "amend" in actions(container, award)
    ((_, after),) = rows_of(container, ReminderCursor, "certification_id", "expires_on")
    assert after == date(2027, 3, 20)
    assert staff.get("/certifications?number=old0017").json["items"] == []


def test_a_preview_stores_nothing(staff, container, award):
    before = standing(container, "A")

    done = amend(staff, award, cycles=[{"expires_on": "2028-01-01"}], preview=True)

    assert (done.json["preview"], done.json["certifications"][0]["after"]["expires_on"]) == (
        True,
        "2028-01-01",
    )
    assert "By the scheme's validity it is 2027-03-15" in done.json["warnings"][0]
    assert standing(container, "A") == before
    assert "amend" not in actions(container, award)


CONTRADICTIONS: list[tuple[dict[str, object], str, str]] = [
    ({"number": "N/A"}, "number", "means that there is none"),
    ({"awarded_on": "2026-12-01"}, "awarded_on", "must not be in the future"),
    ({"cycles": [{"expires_on": "2020-01-01"}]}, "cycles", "cycle 1: must not be before"),
    ({"cycles": []}, "cycles", "must have 1 to 60 cycles"),
    ({"edition": "CPT 3.0"}, "edition", "already has this value"),
    (
        {"cycles": [{}, {"starts_on": "2027-01-01"}]},
        "cycles",
        "cycle 2: must be after the expiration of the cycle before it",
    ),
]


@SQLITE
def test_what_contradicts_is_refused_by_field(staff, award):
    for values, field, rule in CONTRADICTIONS:
        answer = amend(staff, award, **values)

        assert answer.status_code == 422, values
        (error,) = answer.json["errors"]
        assert (error["field"], error["message"][: len(rule)]) == (field, rule), values


def test_a_number_that_somebody_else_has_is_refused(staff, container, award):
    certify(container, "B", "2024-01-04")
    number = next(n for (n,) in rows_of(container, Certification, "number") if n != "OLD-0017")

    answer = amend(staff, award, number=number.lower())

    assert answer.json["errors"][0]["field"] == "number"
    assert f"B's certification under cpt ({number})" in answer.json["errors"][0]["message"]


def test_void_takes_it_back_and_an_amendment_gives_it_back(staff, container, award):
    done = staff.post(f"/certifications/{award}/void", WHY)

    assert done.status_code == 200, done.json
    assert done.json["withdrawn_at"] is not None
    assert done.json["void_reason"] == WHY["reason"]
    assert done.json["certifications"][0]["change"] == "withdrawn"
    again = bring(container, "certifications", FILE + ROW)
    assert (again.unchanged, again.changed) == (1, 0)
    assert "OLD-0017 was voided on 2026-11-21 and stays void" in again.warnings[0].message

    back = amend(staff, award, edition="CPT 3.1")

    assert back.json["withdrawn_at"] is back.json["voided_at"] is None
    assert back.json["certifications"][0]["change"] == "restored"
    assert standing(container, "A")["status"] == "active"
    assert [*actions(container, award)] == ["award", "void", "withdraw", "amend", "restore"]


def test_a_void_number_is_freed_by_the_way_that_its_refusal_names(staff, container, award):
    staff.post(f"/certifications/{award}/void", WHY)
    file = FILE + ROW.replace("A,cpt", "B,cpt")
    ((_, column, rule),) = refused(container, "certifications", file)
    assert column == "certificate_number"
    assert "that one is void; to free its number, amend it to another number" in rule

    amend(staff, award, number="WRONG-1")
    staff.post(f"/certifications/{award}/void", WHY)

    assert bring(container, "certifications", file).created == 1


@SQLITE
def test_an_expiry_that_nobody_gave_follows_the_day_of_the_award(staff, container):
    bring(container, "certifications", FILE + "A,cpt,OLD-0017,2022-03-15,,,\n")
    ((id_,),) = rows_of(container, Certification, "id")

    amend(staff, id_, awarded_on="2022-04-20")

    assert standing(container, "A")["expires_on"] == "2027-04-20"


@SQLITE
def test_an_expiry_that_the_file_gave_stays(staff, container):
    bring(container, "certifications", FILE + "A,cpt,OLD-0017,2022-03-15,2026-12-31,,\n")
    ((id_,),) = rows_of(container, Certification, "id")

    amend(staff, id_, awarded_on="2022-04-20")

    assert standing(container, "A")["expires_on"] == "2026-12-31"


@SQLITE
def test_an_amendment_tells_of_a_suspension_that_it_leaves_before_the_award(staff, award):
    staff.post(
        f"/certifications/{award}/suspension",
        {"effective_on": "2022-05-01", "reason_code": "conduct", "reason": "A complaint."},
    )

    done = amend(staff, award, awarded_on="2022-06-01", preview=True)

    assert (
        "A change of standing would then be earlier than the award: suspend on 2022-05-01."
        in done.json["warnings"]
    )


@pytest.mark.usefixtures("award")
def test_a_pass_that_completes_within_it_is_refused_with_the_way_on(staff, container):
    """By both doors, recorded and amended: the export of such a record could not be imported."""
    bring(container, "assessments", as_csv(passes("A", "2023-07-01")[:3]))
    ana = next(id_ for id_, ref in rows_of(container, Holder, "id", "ref") if ref == "A")
    last = {
        "scheme": "cpt",
        "module": "maintenance",
        "taken_on": "2023-07-01",
        "result": "pass",
    }

    refusal = staff.post(f"/holders/{ana}/assessments", last)
    earlier = staff.post(f"/holders/{ana}/assessments", last | {"result": "fail"})
    amended = staff.post(f"/assessments/{earlier.json['id']}/amendment", WHY | {"result": "pass"})

    for answer in (refusal, amended):
        assert answer.status_code == 422, answer.json
        (error,) = answer.json["errors"]
        assert error["field"] == "taken_on"
        assert (
            "would make 2023-07-01 the day of the last required pass (maintenance)"
            in error["message"]
        )
    assert earlier.status_code == 201, earlier.json


@SQLITE
def test_a_second_void_is_refused(staff, award):
    staff.post(f"/certifications/{award}/void", WHY)

    answer = staff.post(f"/certifications/{award}/void", WHY)

    assert (answer.status_code, answer.json["code"]) == (409, "illegal_transition")


def test_passes_on_record_carry_it_on_when_it_is_void(staff, container, award):
    certify(container, "A", "2022-02-01")

    staff.post(f"/certifications/{award}/void", WHY)

    seen = standing(container, "A")
    assert (seen["awarded_on"], seen["expires_on"]) == ("2022-02-01", "2027-02-01")
    found = staff.get(f"/certifications/{award}").json
    assert [c["imported"] for c in found["cycles"]] == [False]


@pytest.mark.usefixtures("award")
def test_one_of_two_awards_is_taken_back_and_the_other_stays(staff, container):
    bring(
        container,
        "certifications",
        FILE + "A,cpt,OLDER-1,2012-01-10,2017-01-10,,\n",
    )
    ids = dict(rows_of(container, Certification, "number", "id"))

    done = staff.post(f"/certifications/{ids['OLDER-1']}/void", WHY)

    assert done.status_code == 200, done.json
    kept = {
        n: (s, w is None)
        for n, s, w in rows_of(container, Certification, "number", "sequence", "withdrawn_at")
    }
    assert kept == {"OLD-0017": (1, True), "OLDER-1": (2, False)}
    assert standing(container, "A")["expires_on"] == "2027-03-15"


@SQLITE
def test_an_award_of_passes_is_corrected_with_these(staff, container):
    certify(container, "A", "2024-01-04")
    ((id_,),) = rows_of(container, Certification, "id")

    for answer in (amend(staff, id_, number="X-1"), staff.post(f"/certifications/{id_}/void", WHY)):
        assert (answer.status_code, answer.json["code"]) == (409, "illegal_transition")
        assert "amend or void the assessments instead" in answer.json["detail"]


def test_a_renewal_that_rests_on_it_is_asked_about(staff, container):
    bring(container, "certifications", FILE + "A,cpt,OLD-1,2017-03-15,2022-03-15,,\n")
    bring(
        container,
        "renewals",
        "renewal_ref,holder_ref,scheme,submitted_on,decided_on,decision\n"
        "r1,A,cpt,2022-01-10,2022-01-20,approved\n",
    )
    ((id_,),) = rows_of(container, Certification, "id")

    asked = staff.post(f"/certifications/{id_}/void", WHY)
    done = staff.post(f"/certifications/{id_}/void", WHY | {"later_cycles": "unwind"})

    assert (asked.status_code, asked.json["code"]) == (409, "supports_renewal")
    assert done.status_code == 200, done.json
    assert done.json["certifications"][0]["change"] == "withdrawn"


@pytest.mark.usefixtures("award")
def test_holders_are_told_of_a_recent_award_only(container):
    assert rows_of(container, Notice, "kind") == []
    bring(container, "certifications", FILE + "B,cpt,NEW-1,2026-11-20,,,\n")
    assert rows_of(container, Notice, "kind") == [("award",)]


def test_the_file_can_be_sent_over_http(staff):
    answer = staff.call(
        "POST",
        "/imports",
        key="k1",
        data={
            "kind": "certifications",
            "file": (io.BytesIO((FILE + ROW).encode()), "certifications.csv"),
        },
        content_type="multipart/form-data",
    )

    assert answer.status_code == 201, answer.json
    assert answer.json["effects"] == {"certifications imported": 1}
