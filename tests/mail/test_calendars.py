"""Dates for a holder's calendar: read back by the library that other programs use."""

from __future__ import annotations

import email
from dataclasses import replace
from datetime import UTC, date, datetime, timedelta
from email import policy

import pytest
from icalendar import Calendar

from tracker.mail.calendars import CalendarDay, published
from tracker.mail.envelopes import Envelope, render
from tracker.mail.messages import ComposedEmail

AT = datetime(2027, 2, 13, 14, 0, 30, tzinfo=UTC)
ID = "01a2025e-d782-712d-852e-56b76da3e743"
WINDOW = CalendarDay(ID, "window", "Certified Production Technician", date(2026, 12, 15))
EXPIRY = CalendarDay(ID, "expiry", "Certified Production Technician", date(2027, 3, 15))
ENVELOPE = Envelope(
    message_id="<abc@tracker.example>",
    sender="Tracker <a@tracker.example>",
    reply_to="help@tracker.example",
    envelope_sender="b@tracker.example",
    recipient="ana@example.com",
    date=AT,
)


def made(*days, language="en", at=AT, domain="tracker.example"):
    return published(days, language=language, at=at, domain=domain)


def events(text):
    return Calendar.from_ical(text).walk("VEVENT")


def test_each_date_is_one_event_of_a_whole_day():
    text = made(WINDOW, EXPIRY)
    calendar = Calendar.from_ical(text)
    window, expiry = events(text)

    assert calendar["METHOD"] == "PUBLISH"
    assert (window.decoded("dtstart"), expiry.decoded("dtstart")) == (WINDOW.on, EXPIRY.on)
    assert window["summary"] == "Renewal window opens: Certified Production Technician"
    assert expiry["summary"] == "Last valid day: Certified Production Technician"
    assert {str(event["transp"]) for event in (window, expiry)} == {"TRANSPARENT"}
    assert {event.decoded("dtstamp") for event in (window, expiry)} == {AT}


def test_a_later_message_moves_the_event_rather_than_adding_one():
    (first,) = events(made(EXPIRY))
    later = replace(EXPIRY, on=date(2032, 3, 15))
    (second,) = events(made(later, at=AT + timedelta(minutes=10)))

    assert first["uid"] == second["uid"] == f"{ID}-expiry@tracker.example"
    assert second["sequence"] == first["sequence"] + 10
    assert first["sequence"] < 2**31


def test_events_of_other_certifications_and_kinds_are_others():
    other = replace(EXPIRY, certification_id=ID.replace("0", "1"))
    assert len({str(event["uid"]) for event in events(made(WINDOW, EXPIRY, other))}) == 3


def test_the_holders_language_is_spoken():
    (expiry,) = events(made(replace(EXPIRY, scheme_name="Técnico Certificado"), language="es"))
    assert expiry["summary"] == "Último día de validez: Técnico Certificado"
    assert "otro correo actualizará esta fecha" in expiry["description"]


def test_without_a_date_there_is_no_calendar():
    assert made() == ""


@pytest.mark.parametrize("name", ["Brace {0} {UID} }{", "a;b,c\\d", "x\r\nATTENDEE:y", "ñ" * 200])
def test_no_name_breaks_a_calendar(name):
    (event,) = events(
        made(replace(EXPIRY, scheme_name=name), domain="a-long-name." * 5 + "example")
    )
    assert str(event["summary"]) == f"Last valid day: {' '.join(name.split())}"
    assert event["uid"].endswith("example")
    assert "ATTENDEE" not in event


def test_lines_are_short_and_end_in_crlf():
    text = made(WINDOW, EXPIRY, language="es", domain="a-long-name." * 5 + "example")
    assert text.count("\n") == text.count("\r\n")
    assert max(len(line.encode()) for line in text.split("\r\n")) <= 75


def test_a_message_with_dates_has_words_first_and_the_file_beside_them():
    mail = ComposedEmail("Hello", "text", "<p>html</p>", made(EXPIRY, language="es"))
    data = render(mail, ENVELOPE)
    message = email.message_from_bytes(data, policy=policy.default)
    (file,) = message.iter_attachments()

    assert message.defects == []
    assert message.get_content_type() == "multipart/mixed"
    assert [p.get_content_type() for p in message.walk() if not p.is_multipart()] == [
        "text/plain",
        "text/html",
        "text/calendar",
    ]
    plain = message.get_body(("plain",))
    assert plain is not None
    assert plain.get_content().strip() == "text"
    assert file.get_filename() == "tracker.ics"
    assert file.get_param("method") == "PUBLISH"
    assert file.get_content() == mail.calendar
    assert data.isascii()
    assert data == render(mail, ENVELOPE)
