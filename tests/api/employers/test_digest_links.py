"""tracker/services/employers/digest_links.py: anyone who gets a digest can end it, by one click."""

from __future__ import annotations

import re
from urllib.parse import urlsplit

import pytest
from sqlalchemy import select

from tests.api.employers.employer_cases import company
from tests.services.delivery.test_digests import DUE, MONDAY, send
from tracker.domain.delivery.digests import DigestFrequency
from tracker.domain.permissions import SYSTEM
from tracker.models import DigestOrder, HistoryEntry
from tracker.services.employers import digest_links, digests


@pytest.fixture
def acme(container):
    return company(container)


@pytest.fixture
def order(container, acme):
    def make(address="hr@acme.example", language="en"):
        with container.work(SYSTEM) as work:
            digests.order(
                work, acme.id, every=DigestFrequency.WEEK, language=language, address=address
            )

    return make


@pytest.fixture
def path(container, acme, order):
    """The path of the link that a digest to the ordered address carries."""
    order()
    with container.reading(SYSTEM) as reading:
        made = digest_links.link(reading, container.message_key, acme.id, "hr@acme.example")
    return urlsplit(made).path


def ordered(container):
    with container.reading(SYSTEM) as reading:
        return [row.address for row in reading.rows(select(DigestOrder.address))]


def test_a_digest_says_how_to_end_it_in_its_header_and_in_its_text(container, clock, acme, path):
    acme.hire("E1", awarded_on=DUE)
    clock.set(MONDAY)
    (letter,) = send(container)

    (link,) = re.findall(r"<(\S+)>", letter.message["List-Unsubscribe"])
    assert urlsplit(link).path == path
    assert letter.message["List-Unsubscribe-Post"] == "List-Unsubscribe=One-Click"
    assert f"Stop these summaries: {link}" in letter.text


def test_looking_changes_nothing_and_one_click_ends_it_for_good(container, client, path):
    asked = client.get(path)
    assert (asked.status_code, ordered(container)) == (200, ["hr@acme.example"])
    assert "Acme" in asked.text

    for _ in range(2):
        stopped = client.post(path, data={"List-Unsubscribe": "One-Click"})
        assert (stopped.status_code, ordered(container)) == (200, [])
        assert "These emails are off" in stopped.text
    assert "These emails are off" in client.get(path).text
    with container.reading(SYSTEM) as reading:
        lines = reading.rows(select(HistoryEntry.actor).where(HistoryEntry.action == "call_off"))
    assert [line.actor for line in lines] == ["link in a digest"]


def test_the_link_of_a_former_address_ends_nothing(container, client, order, path):
    order("boss@acme.example")

    assert client.post(path).status_code == 200
    assert ordered(container) == ["boss@acme.example"]


def test_the_page_speaks_the_language_of_the_order(client, order, path):
    order(language="es")

    assert "¿Cancelar estos correos?" in client.get(path).text
    assert "Estos correos están desactivados" in client.post(path).text


@pytest.mark.parametrize("change", [(5, "x"), (-1, "2"), (-20, "7")])
def test_a_link_that_is_not_ours_is_not_found(container, client, path, change):
    place, letter = change
    at = len("/unsubscribe-digest/") + place if place > 0 else len(path) + place
    other = path[:at] + ("a" if path[at] == letter else letter) + path[at + 1 :]

    assert (client.get(other).status_code, client.post(other).status_code) == (404, 404)
    assert ordered(container) == ["hr@acme.example"]
