"""Certificates, cards and the transcript to download (web/people/papers.py)."""

from __future__ import annotations

import re
from datetime import date

import pytest
from sqlalchemy import update

from tests import factories, pdf_pages
from tests.browsers import content
from tracker.domain.permissions import SYSTEM
from tracker.models import Holder

pytestmark = pytest.mark.parametrize("backend", ["sqlite"], indirect=True)


@pytest.fixture
def ids(container):
    return factories.certified(
        container, date(2021, 12, 25), given_name="Ana", email="ana@example.org"
    )


@pytest.fixture
def me(browser, ids):
    assert ids
    found = browser()
    found.sign_in("ana@example.org")
    return found


def papers_on(page):
    return re.findall(r'href="([^"]+\.pdf[^"]*)"', content(page))


def test_the_page_of_the_certificate_leads_to_each_paper_in_each_language(me, ids):
    links = papers_on(me.get(f"/account/certifications/{ids[1]}/certificate"))
    titles = set()
    for link in links:
        answer = me.get(link)
        assert answer.content_type == "application/pdf", link
        assert answer.headers["Cache-Control"].endswith("no-store")
        titles.add(pdf_pages.text(answer.data)[:25])

    assert len(links) == 4
    assert len(titles) == 4


def test_each_module_passed_has_its_papers_where_modules_are(me):
    links = papers_on(me.get("/account/progress"))

    assert len(links) == 16  # four modules, two papers, two languages
    assert "Does not expire" in pdf_pages.text(me.get(links[0]).data)


def test_the_data_page_leads_to_the_transcript(me):
    [link] = papers_on(me.get("/account/data"))

    assert "Transcript of Ana" in pdf_pages.text(me.get(link).data)


def test_without_a_certificate_a_page_says_so(me, ids, clock):
    clock.set("2026-12-26")
    me.sign_in("ana@example.org")
    refused = me.get(f"/account/certifications/{ids[1]}/certificate.pdf")

    assert refused.status_code == 409
    assert "it isn&#39;t valid today" in content(refused)


def test_letters_that_we_cannot_print_are_named_with_the_way_out(me, ids, container):
    with container.work(SYSTEM) as work:
        work.execute(update(Holder).where(Holder.id == ids[0]).values(given_name="अ"))
    refused = me.get(f"/account/certifications/{ids[1]}/card.pdf?lang=es")

    assert refused.status_code == 409
    assert "have these letters: अ." in content(refused)
    assert "Your name and addresses" in content(refused)


def test_a_language_that_we_do_not_speak_gets_that_of_the_page(me, ids):
    answer = me.get(f"/account/certifications/{ids[1]}/certificate.pdf?lang=de")

    assert "This certifies that" in pdf_pages.text(answer.data)
