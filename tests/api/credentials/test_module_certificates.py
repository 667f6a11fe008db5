"""Module certificates: issued with each pass, corrected with it, verified by anybody."""

from __future__ import annotations

import re
import threading
from datetime import date

import pytest
from sqlalchemy import select, update
from sqlalchemy.exc import IntegrityError

from tests import factories
from tests.backends import SQLITE
from tests.services.delivery import reminder_cases
from tests.services.imports import importing
from tests.statements import counted
from tracker import jobs
from tracker.db import new_id
from tracker.domain.permissions import SYSTEM
from tracker.models import HistoryEntry, Holder, ModuleCertificate, Notice
from tracker.services.core import bulk
from tracker.services.credentials import module_certificates

OLD = date(2024, 5, 12)
HTML = {"Accept": "text/html"}


@pytest.fixture
def ana(container):
    with container.work(SYSTEM) as work:
        return factories.holder(work, given_name="Ana", family_name="Peña")


@pytest.fixture
def passed(staff, ana):
    """Record an attempt at a module; its id."""

    def record(module="maintenance", on="2026-11-12", result="pass"):
        attempt = {"scheme": "cpt", "module": module, "taken_on": on, "result": result}
        return staff.post(f"/holders/{ana}/assessments", attempt).json["id"]

    return record


def modules(caller, holder_id):
    [cpt] = caller.get(f"/holders/{holder_id}/modules").json["items"]
    return cpt


def certificate(caller, holder_id, module="maintenance"):
    [found] = [m for m in modules(caller, holder_id)["modules"] if m["module"] == module]
    return found["certificate"]


def column(container, attribute):
    with container.reading(SYSTEM) as reading:
        return [row[0] for row in reading.rows(select(attribute))]


def text_of(page):
    return re.sub(r"\s+", " ", re.sub("<[^>]+>", " ", page.text))


@SQLITE
def test_a_single_pass_has_a_number_and_a_public_page(staff, client, ana, passed):
    passed(on="2026-05-12")
    own = certificate(staff, ana)
    assert re.fullmatch(r"CPT-M-\w{5}-\w{5}", own["number"])

    page = text_of(client.get(own["public_path"], headers=HTML))
    for said in ("Valid", "Ana Peña", "Maintenance Awareness", own["number"], "May 12, 2026"):
        assert said in page
    assert "Does not expire" in page
    by_number = client.get(f"/verify?number={own['number'].lower()}&surname=pena")
    by_address = client.get(own["public_path"]).json
    assert by_number.json == by_address
    assert (by_address["module"], by_address["valid"], by_address["expires_on"]) == (
        "Maintenance Awareness",
        True,
        None,
    )
    wrong = client.get(f"/verify?number={own['number']}&surname=Smith")
    assert wrong.status_code == 404


def test_corrections_keep_the_address_and_the_page_says_what_happened(staff, client, ana, passed):
    attempt = passed(on="2026-05-12")
    own = certificate(staff, ana)
    path = f"/assessments/{attempt}"
    staff.post(f"{path}/amendment", {"taken_on": "2026-05-11", "reason": "Typing mistake."})
    page = text_of(client.get(own["public_path"], headers=HTML))
    assert "May 11, 2026" in page
    assert "corrected on November 21, 2026" in page

    staff.post(f"{path}/void", {"reason": "Somebody else's."})
    page = text_of(client.get(own["public_path"], headers=HTML))
    assert "Withdrawn" in page
    assert "recorded in error" in page
    assert client.get(own["public_path"]).json["valid"] is False

    passed(on="2026-06-01")
    assert certificate(staff, ana) == own
    assert client.get(own["public_path"]).json["awarded_on"] == "2026-06-01"


def test_a_preview_changes_no_certificate(staff, client, ana, passed):
    attempt = passed()
    own = certificate(staff, ana)
    staff.post(f"/assessments/{attempt}/void", {"reason": "Error.", "preview": True})
    assert client.get(own["public_path"]).json["valid"] is True


def test_every_correction_is_in_the_history(staff, container, passed):
    attempt = passed()
    change = {"taken_on": "2026-11-11", "reason": "Typing mistake."}
    staff.post(f"/assessments/{attempt}/amendment", change)
    staff.post(f"/assessments/{attempt}/void", {"reason": "Error."})
    passed(on="2026-11-13")
    with container.reading(SYSTEM) as reading:
        of_module = HistoryEntry.subject == "module_certificate"
        rows = reading.rows(select(HistoryEntry.action).where(of_module).order_by(HistoryEntry.id))
    assert [row.action for row in rows] == ["correct", "withdraw", "restore"]


def test_the_certificate_of_an_erased_person_is_no_longer_available(
    staff, client, container, ana, passed
):
    passed()
    own = certificate(staff, ana)
    with container.work(SYSTEM) as work:
        work.execute(update(Holder).where(Holder.id == ana).values(erased_at=work.now))
    assert client.get(own["public_path"]).status_code == 410
    by_number = client.get(f"/verify?number={own['number']}&surname=Peña")
    assert by_number.status_code == 404


@SQLITE
def test_a_candidate_sees_what_is_passed_missing_and_when_to_try_again(caller, ana, passed):
    passed()
    passed("safety", "2026-11-20", "fail")
    me = caller("holder", holder_id=ana)
    [cpt] = me.get("/me").json["modules"]
    assert cpt == modules(me, ana)
    assert (cpt["passed"], cpt["missing"]) == (
        ["maintenance"],
        ["safety", "quality", "processes"],
    )
    assert {m["module"]: m["retake_on"] for m in cpt["modules"] if m["retake_on"]} == {
        "safety": "2026-12-06"
    }


# Messages.
def sent(container, clock):
    """The text of the messages that leave eleven minutes from now."""
    clock.advance(minutes=11)
    with reminder_cases.relay(container) as (sending, catcher):
        jobs.dispatch(sending)
        return [f"{letter.subject}\n{letter.text}" for letter in catcher.letters()]


def test_a_single_pass_and_its_correction_are_told(staff, container, passed, clock):
    attempt = passed()
    [told] = sent(container, clock)
    assert "you passed a module" in told
    assert "Maintenance Awareness" in told
    assert "November 12, 2026" in told

    change = {"taken_on": "2026-11-11", "reason": "Typing mistake."}
    staff.post(f"/assessments/{attempt}/amendment", change)
    [told] = sent(container, clock)
    assert "It is November 11, 2026, not November 12, 2026." in told
    staff.post(f"/assessments/{attempt}/void", {"reason": "Somebody else's."})
    [told] = sent(container, clock)
    assert "a module certificate was withdrawn" in told

    passed(on="2026-11-13")
    [told] = sent(container, clock)
    assert "is back on record" in told
    assert sent(container, clock) == []


def test_what_is_taken_back_within_ten_minutes_is_told_by_nothing(staff, container, passed, clock):
    attempt = passed()
    staff.post(f"/assessments/{attempt}/void", {"reason": "Error."})
    assert sent(container, clock) == []


def test_where_the_award_is_told_the_last_module_is_not(container, passed):
    for module in factories.REQUIRED[:3]:
        passed(module, "2024-05-12")
    passed("maintenance", "2026-11-20")
    assert column(container, Notice.kind) == ["award"]


# Many at once.
def test_two_clicks_make_one_certificate(caller, container, ana):
    gate, answers = threading.Barrier(2), []
    attempt = {"scheme": "cpt", "module": "safety", "taken_on": "2026-05-12", "result": "pass"}

    def send():
        staff = caller("staff")
        gate.wait()
        answers.append(staff.post(f"/holders/{ana}/assessments", attempt).status_code)

    threads = [threading.Thread(target=send) for _ in range(2)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert sorted(answers) == [201, 409]
    assert len(column(container, ModuleCertificate.id)) == 1


def test_the_database_refuses_a_second_certificate_for_a_module(container, passed):
    passed()
    with container.work(SYSTEM) as work:
        [row] = work.rows(select(ModuleCertificate.__table__))
        other = {"id": new_id(), "public_id": "another", "number": "N", "number_key": "N"}
        with pytest.raises(IntegrityError):
            bulk.insert(work, ModuleCertificate, [row._asdict() | other])
        work.session.rollback()


def test_an_import_gives_each_pass_its_certificate_in_few_statements(container):
    def statements(count):
        with container.work(SYSTEM) as work:
            ids = [factories.holder(work) for _ in range(count)]
            for id_ in ids:
                factories._first_passes(work, id_, OLD, modules=["safety", "quality"])
            with counted(container) as seen:
                module_certificates.settle(work, work.schemes["cpt"], ids)
        return len(seen)

    assert statements(25) <= statements(2) + 2
    assert len(column(container, ModuleCertificate.id)) == 54


def test_a_file_brings_certificates_and_a_later_file_withdraws_them(container):
    header = "attempt_ref,holder_ref,scheme,module,taken_on,result\n"
    importing.bring(container, "holders", importing.HOLDERS)
    importing.bring(container, "assessments", f"{header}1,A,cpt,safety,2024-05-12,pass\n")
    [number] = column(container, ModuleCertificate.number)
    importing.bring(container, "assessments", f"{header}1,A,cpt,safety,2024-05-12,fail\n")
    assert column(container, ModuleCertificate.number) == [number]
    assert column(container, ModuleCertificate.withdrawn_at) != [None]
