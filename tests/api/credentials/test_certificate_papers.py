"""api/credentials/certificate_papers.py: who gets which paper, and what gets none."""

from __future__ import annotations

from datetime import date

import pytest
from sqlalchemy import update

from tests import factories, pdf_pages
from tests.statements import counted
from tracker.domain.permissions import SYSTEM
from tracker.models import Holder

TODAY_REASON = {"reason": "x", "reason_code": "other", "effective_on": "2026-11-20"}


@pytest.fixture
def ids(container):
    return factories.certified(
        container, date(2021, 12, 25), given_name="Łukasz", family_name="Gołębiewski"
    )


@pytest.fixture
def me(caller, ids):
    return caller("holder", holder_id=ids[0])


@pytest.fixture
def paper(ids):
    return f"/certifications/{ids[1]}/certificate.pdf"


def said(answer):
    assert answer.status_code == 200, answer.get_data()
    assert answer.content_type == "application/pdf"
    return pdf_pages.text(answer.get_data())


def test_a_holder_and_staff_get_the_certificate_and_its_code_opens_the_public_page(
    me, staff, client, paper
):
    answer = me.get(paper)
    assert "Łukasz Gołębiewski" in said(answer)
    assert answer.headers["Content-Disposition"].startswith('attachment; filename="CPT-')
    [page] = pdf_pages.pages(answer.get_data())
    [address] = pdf_pages.codes(page)
    assert said(staff.get(paper)) == said(answer)
    public = client.get(address[address.index("/verify/") :]).json
    assert public["holder"] == "Łukasz Gołębiewski"
    assert public["number"] in said(answer)


def test_the_language_is_the_one_asked_for_or_the_callers(me, paper):
    assert "Se hace constar que" in said(me.get(f"{paper}?lang=es"))
    asked = me.get(paper, headers={"Accept-Language": "es"})
    assert "Se hace constar que" in said(asked)
    assert asked.headers["Content-Language"] == "es"
    assert "Accept-Language" in asked.headers["Vary"]


def test_a_card_says_the_same_in_the_size_of_a_bank_card(me, ids):
    answer = me.get(f"/certifications/{ids[1]}/card.pdf")

    assert "Card for your wallet" in said(answer)
    assert "card.pdf" in answer.headers["Content-Disposition"]
    assert len(pdf_pages.codes(pdf_pages.pages(answer.get_data())[0])) == 1


def test_the_certificate_of_a_module_is_found_where_the_modules_are(me, ids):
    [cpt] = me.get(f"/holders/{ids[0]}/modules").json["items"]
    certificate = cpt["modules"][0]["certificate"]
    path = f"/module-certificates/{certificate['id']}"

    assert certificate["number"] in said(me.get(f"{path}/certificate.pdf"))
    assert "Does not expire" in said(me.get(f"{path}/card.pdf"))


def test_another_holder_finds_nothing(caller, container, paper, ids):
    bea, _ = factories.certified(container, date(2022, 1, 3))
    other = caller("holder", holder_id=bea)
    [cpt] = caller("holder", holder_id=ids[0]).get(f"/holders/{ids[0]}/modules").json["items"]
    module = cpt["modules"][0]["certificate"]["id"]

    assert other.get(paper).status_code == 404
    assert other.get(f"/module-certificates/{module}/certificate.pdf").status_code == 404


@pytest.mark.parametrize(
    ("act", "status"), [("suspension", "suspended"), ("surrender", "surrendered")]
)
def test_what_is_not_valid_gets_no_paper_until_it_is_valid_again(caller, staff, ids, act, status):
    me, paper = caller("holder", holder_id=ids[0]), f"/certifications/{ids[1]}/certificate.pdf"
    staff.post(f"/certifications/{ids[1]}/{act}", TODAY_REASON)
    refused = me.get(paper)

    assert refused.status_code == 409
    assert (refused.json["code"], refused.json["status"]) == ("not_in_force", 409)
    assert refused.json["standing"] == status
    staff.post(f"/certifications/{ids[1]}/reinstatement", TODAY_REASON)
    assert me.get(paper).status_code == 200


def test_the_last_valid_day_has_a_certificate_and_the_next_one_none(me, paper, clock):
    clock.set("2026-12-25")
    assert me.get(paper).status_code == 200
    clock.set("2026-12-26")
    assert me.get(paper).json["standing"] == "expired"


def test_a_withdrawn_award_has_no_paper(me, staff, ids, paper):
    record = staff.get(f"/holders/{ids[0]}/assessments").json["items"]
    for attempt in record:
        staff.post(f"/assessments/{attempt['id']}/void", {"reason": "Recorded in error."})

    assert me.get(paper).json["standing"] == "withdrawn"


def test_a_name_in_letters_that_we_cannot_print_is_refused_with_the_letters(
    me, container, ids, paper
):
    with container.work(SYSTEM) as work:
        work.execute(update(Holder).where(Holder.id == ids[0]).values(given_name="अनिल"))
    refused = me.get(paper)

    assert refused.status_code == 409
    assert refused.json["code"] == "letters_missing"
    assert refused.json["letters"] == list("अनिल")
    assert "अ" in refused.json["detail"]


def test_who_has_the_paper_is_told_that_it_is_the_same_without_it_being_made_again(
    me, paper, clock
):
    first = me.get(paper)
    etag = first.headers["ETag"]
    again = me.get(paper, headers={"If-None-Match": etag})

    assert (again.status_code, again.get_data()) == (304, b"")
    assert me.get(f"{paper}?lang=es", headers={"If-None-Match": etag}).status_code == 200
    clock.set("2026-11-22")  # "as of" another day
    assert me.get(paper, headers={"If-None-Match": etag}).status_code == 200


def test_a_paper_takes_as_few_statements_as_its_public_page(me, container, paper):
    with counted(container) as ran:
        me.get(paper)

    assert len(ran) <= 6, ran
