"""The pages behind the links in emails: looking changes nothing, a POST stops at once."""

from __future__ import annotations

import re
from datetime import date

import pytest
from sqlalchemy import select

from tests import factories
from tests.backends import SQLITE
from tracker.domain.permissions import SYSTEM
from tracker.models import HistoryEntry, Preference
from tracker.services.delivery import sealing

ONE_CLICK = {"List-Unsubscribe": "One-Click"}


@pytest.fixture
def link(container):
    """Make the link of a holder and a type of message, as messages carry it."""

    def make(topic="reminders", **values):
        holder_id, _ = factories.certified(container, date(2021, 12, 25), **values)
        with container.reading(SYSTEM) as reading:
            links = sealing.unsubscribe_links(reading, container.message_key, holder_id, topic)
        assert links is not None
        return links[0].removeprefix(container.settings.app.base_url.rstrip("/"))

    return make


def wishes(container):
    statement = select(Preference.type, Preference.wanted, Preference.snoozed_until)
    with container.reading(SYSTEM) as reading:
        return [tuple(row) for row in reading.rows(statement)]


def heading(page):
    (found,) = re.findall(r"<h1>(.*?)</h1>", page.text, re.DOTALL)
    return found


def test_looking_changes_nothing_and_says_what_stopping_means(client, container, link):
    path = link()
    page = client.get(path)
    assert page.status_code == 200
    assert page.mimetype == "text/html"
    assert heading(page) == "Unsubscribe from these emails?"
    assert "not even in the last 7 days" in page.text
    assert "Opening this page did not change anything." in page.text
    assert client.head(path).status_code == 200
    assert wishes(container) == []


def test_a_post_stops_at_once_and_again_it_is_the_same(client, container, link):
    path = link()
    for _ in range(2):
        page = client.post(path, data={"List-Unsubscribe": "One-Click"})
        assert page.status_code == 200
        assert heading(page) == "These emails are off"
    assert wishes(container) == [("reminders", False, None)]
    with container.reading(SYSTEM) as reading:
        lines = reading.rows(select(HistoryEntry.actor).where(HistoryEntry.action == "prefer"))
    assert [line.actor for line in lines] == ["link in an email"]
    assert heading(client.get(path)) == "These emails are off"


@SQLITE
@pytest.mark.parametrize(
    "request_",
    [
        {},
        {"data": b"List-Unsubscribe=One-Click"},
        {"data": b"\xff\xfe{", "content_type": "application/json"},
        {"data": b"--x\r\nbroken", "content_type": "multipart/form-data; boundary=x"},
        {"data": {"List-Unsubscribe": "One-Click"}, "content_type": "multipart/form-data"},
    ],
)
def test_any_body_of_any_type_stops_the_letters(client, container, link, request_):
    assert client.post(link(), **request_).status_code == 200
    assert wishes(container) == [("reminders", False, None)]


def test_stopping_is_undone_at_the_same_address(client, container, link):
    path = link()
    client.post(path)
    page = client.post(f"{path}/undo")
    assert page.status_code == 200
    assert heading(page) == "These emails are on"
    assert wishes(container) == [("reminders", True, None)]
    assert heading(client.get(path)) == "Unsubscribe from these emails?"


def test_reminders_are_paused_through_a_day_and_the_pause_can_be_ended(client, container, link):
    path = link()
    client.post(path)
    page = client.post(f"{path}/pause", data={"until": "2027-03-01"})
    assert page.status_code == 200
    assert heading(page) == "Paused"
    assert "paused through March 1, 2027" in page.text
    assert "We still send those of the last 7 days" in page.text
    assert wishes(container) == [("reminders", True, date(2027, 3, 1))]
    assert "paused through March 1, 2027" in client.get(path).text
    client.post(f"{path}/undo")
    assert wishes(container) == [("reminders", True, None)]


NO_DAYS = ["2026-11-20", "2027-11-22", "tomorrow", "", None]


@SQLITE
def test_a_pause_without_a_sensible_day_is_refused_with_the_days_that_are(client, container, link):
    path = link()
    for until in NO_DAYS:
        page = client.post(f"{path}/pause", data={} if until is None else {"until": until})
        assert page.status_code == 422, until
        assert heading(page) == "Choose another date", until
        assert "between November 22, 2026 and November 21, 2027" in page.text, until
        assert wishes(container) == [], until


def test_letters_about_decisions_stop_by_themselves_and_cannot_be_paused(client, container, link):
    path = link("decisions")
    page = client.get(path)
    assert "awards" in page.text
    assert "/pause" not in page.text
    assert client.post(path).status_code == 200
    assert client.post(f"{path}/pause", data={"until": "2027-03-01"}).status_code == 404
    assert wishes(container) == [("decisions", False, None)]


@SQLITE
def test_the_page_speaks_the_holders_language(client, link):
    path = link(language="es")
    page = client.get(path, headers={"Accept-Language": "en"})
    assert heading(page) == "¿Cancelar estos correos?"
    assert page.headers["Content-Language"] == "es"
    assert heading(client.post(path)) == "Estos correos están desactivados"
    paused = client.post(f"{path}/pause", data={"until": "2027-03-01"})
    assert "en pausa hasta el 1 de marzo de 2027 inclusive" in paused.text


@SQLITE
@pytest.mark.parametrize("way", ["", "/undo", "/pause"])
def test_a_tampered_proof_changes_nothing(client, container, link, way):
    path = link()
    for bad in (
        path[:-1] + ("a" if path[-1] != "a" else "b"),
        path.replace("reminders", "x"),
        path.replace("reminders", "decisions"),
        path + "é",
    ):
        page = client.post(f"{bad}{way}", data=ONE_CLICK | {"until": "2027-03-01"})
        assert page.status_code == 404
        assert heading(page) == "This link is not valid"
        spanish = client.get(bad, headers={"Accept-Language": "es"})
        assert heading(spanish) == "Este enlace no es válido"
    assert wishes(container) == []


def test_whoever_guesses_links_is_told_to_wait_and_true_ones_are_heeded(client, container, link):
    path, guess = link(), "/unsubscribe/reminders/nobody.aaaaaaaaaaaaaaa"
    for _ in range(30):
        assert client.get(guess).status_code == 404
    page = client.post(guess)
    assert page.status_code == 429
    assert int(page.headers["Retry-After"]) > 0
    assert wishes(container) == []
    assert client.post(path).status_code == 200
    assert len(wishes(container)) == 1


@SQLITE
def test_the_pages_run_no_script_load_nothing_and_are_not_indexed(client, link):
    path = link()
    for page in (client.get(path), client.post(path), client.get(f"{path}x")):
        policy = page.headers["Content-Security-Policy"]
        assert "default-src 'none'" in policy
        assert "unsafe" not in policy
        assert "form-action 'self'" in policy
        assert page.headers["X-Robots-Tag"] == "noindex, nofollow"
        assert page.headers["Cache-Control"] == "no-store"
        assert page.headers["Referrer-Policy"] == "no-referrer"
        assert "<script" not in page.text
    assert "Ana" not in re.sub("<[^>]*>", "", client.get(path).text)
