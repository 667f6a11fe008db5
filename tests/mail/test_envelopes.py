"""Messages as bytes: headers that hold, the same bytes every time."""

from __future__ import annotations

import email
import subprocess
import sys
from dataclasses import replace
from datetime import UTC, datetime
from email import policy
from email.message import EmailMessage

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from tracker.mail.envelopes import Envelope, UnsafeHeader, message_id, render
from tracker.mail.messages import ComposedEmail

MESSAGE = ComposedEmail(
    "CPT expires on March 15, 2027: 30 days left", "Hello Ana,\n\nGómez.\n", "<p>Hola</p>\n"
)
ENVELOPE = Envelope(
    message_id="<abc@tracker.example.org>",
    sender="Certification Tracker <reminders@tracker.example.org>",
    reply_to="Help <help@tracker.example.org>",
    envelope_sender="b+1.mac@bounce.example.org",
    recipient="ana@example.com",
    date=datetime(2027, 2, 13, 14, 0, tzinfo=UTC),
    unsubscribe_link="https://tracker.example.org/unsubscribe/" + "a" * 120,
    unsubscribe_mailto="mailto:unsubscribe@tracker.example.org?subject=abc",
)


def parsed(data: bytes) -> EmailMessage:
    message = email.message_from_bytes(data, policy=policy.default)
    assert message.defects == []
    return message


def contents(data: bytes) -> list[tuple[str, str]]:
    """The parts' types and texts, with the line ends of a text in memory."""
    parts = parsed(data).iter_parts()
    return [(p.get_content_type(), p.get_content().replace("\r\n", "\n")) for p in parts]


def test_the_headers_are_those_of_an_automatic_message_one_can_leave():
    message = parsed(render(MESSAGE, ENVELOPE))
    assert {name: str(value) for name, value in message.items()} == {
        "From": "Certification Tracker <reminders@tracker.example.org>",
        "Reply-To": "Help <help@tracker.example.org>",
        "To": "ana@example.com",
        "Subject": MESSAGE.subject,
        "Date": "Sat, 13 Feb 2027 14:00:00 +0000",
        "Message-ID": "<abc@tracker.example.org>",
        "Auto-Submitted": "auto-generated",
        "List-Unsubscribe": (
            f"<{ENVELOPE.unsubscribe_link}>, <mailto:unsubscribe@tracker.example.org?subject=abc>"
        ),
        "List-Unsubscribe-Post": "List-Unsubscribe=One-Click",
        "MIME-Version": "1.0",
        "Content-Type": str(message["Content-Type"]),
    }


def test_long_addresses_stand_in_their_headers_as_they_are():
    # The standard library's policy would make encoded words of both, which no program reads.
    long_id = message_id(b"key", "reminder:1", "a-long-name.tracker.example.org")
    data = render(MESSAGE, replace(ENVELOPE, message_id=long_id))
    assert f"\r\nMessage-ID: {long_id}\r\n".encode() in data
    assert f"\r\nList-Unsubscribe: <{ENVELOPE.unsubscribe_link}>,\r\n <mailto:".encode() in data


def test_the_text_comes_first_and_both_parts_read_back():
    data = render(MESSAGE, ENVELOPE)
    assert parsed(data).get_content_type() == "multipart/alternative"
    assert contents(data) == [("text/plain", MESSAGE.text), ("text/html", MESSAGE.html)]


def test_lines_end_in_crlf_are_short_and_seven_bit():
    message = replace(MESSAGE, text="a\nb\r\nc\rd" + "é" * 500, html="<p>" + "x" * 5000)
    data = render(message, replace(ENVELOPE, unsubscribe_link="https://t.example/u"))
    assert data.isascii()
    assert data.count(b"\n") == data.count(b"\r") == data.count(b"\r\n")
    assert max(map(len, data.split(b"\r\n"))) <= 78
    assert contents(data)[0][1].startswith("a\nb\nc\nd")


def test_the_same_inputs_give_the_same_bytes():
    assert render(MESSAGE, ENVELOPE) == render(MESSAGE, ENVELOPE)
    other = replace(ENVELOPE, message_id="<other@tracker.example.org>")
    assert (
        parsed(render(MESSAGE, other)).get_boundary()
        != parsed(render(MESSAGE, ENVELOPE)).get_boundary()
    )


def test_the_same_bytes_come_from_another_process_without_flask_mail():
    # Flask-Mail changes the registry of character sets for the whole process.
    program = (
        "import sys, pickle; letter, envelope = pickle.loads(sys.stdin.buffer.read());"
        "from tracker.mail.envelopes import render; assert 'flask_mail' not in sys.modules;"
        "sys.stdout.buffer.write(render(letter, envelope))"
    )
    import pickle  # noqa: PLC0415 - beside its only use

    import flask_mail  # noqa: F401, PLC0415 - for its side effect

    message = replace(MESSAGE, subject="Certificación: quedan 30 días", text="ñ" * 200)
    result = subprocess.run(
        [sys.executable, "-c", program],
        input=pickle.dumps((message, ENVELOPE)),
        capture_output=True,
        check=True,
    )
    assert result.stdout == render(message, ENVELOPE)


@pytest.mark.parametrize(
    ("field", "value"),
    [
        ("sender", "x <x@e.example>\r\nBcc: v@e.example"),
        ("sender", "no address"),
        ("sender", "Ñandú, Inc <x@e.example"),
        ("reply_to", "x@e.example\n"),
        ("recipient", "x@e.example\nBcc: v@e.example"),
        ("recipient", "x@e.example, v@e.example"),
        ("recipient", "x@e.example>"),
        ("recipient", ""),
        ("message_id", "<a@b>\r\nBcc: v@e.example"),
        ("message_id", "<a b@c>"),
        ("message_id", ""),
        ("unsubscribe_link", "https://e.example/\r\nBcc: v@e.example"),
        ("unsubscribe_link", "https://e.example/>, <https://evil.example"),
        ("unsubscribe_link", "https://e.example/" + "a" * 1000),
        ("unsubscribe_mailto", "mailto:x@e.example\n"),
    ],
)
def test_a_value_that_would_break_a_header_is_refused(field, value):
    with pytest.raises(UnsafeHeader):
        render(MESSAGE, replace(ENVELOPE, **{field: value}))


@pytest.mark.parametrize("character", ["\r", "\n", "\r\n", "\x00", "\x0b", "\x85", "\u2028"])
def test_a_subject_with_a_line_end_is_refused(character):
    with pytest.raises(UnsafeHeader):
        render(replace(MESSAGE, subject=f"CPT{character}Bcc: v@e.example"), ENVELOPE)
    with pytest.raises(UnsafeHeader):
        render(replace(MESSAGE, subject=f"CPT{character}"), ENVELOPE)


@settings(deadline=None)
@given(st.text(max_size=300))
def test_a_subject_is_refused_or_arrives_as_it_was(subject):
    try:
        data = render(replace(MESSAGE, subject=subject), ENVELOPE)
    except UnsafeHeader:
        assert not subject.isprintable()
        return
    head = data.partition(b"\r\n\r\n")[0]
    assert head.count(b"\r\n") - head.count(b"\r\n ") == 10
    assert all(
        len(line) <= 78 or b" " not in line.strip() or b"http" in line
        for line in head.split(b"\r\n")
    )
    if "=?" not in subject:
        assert " ".join(str(parsed(data)["Subject"]).split()) == " ".join(subject.split())


@settings(deadline=None)
@given(text=st.text(max_size=300), html=st.text(max_size=300))
def test_any_body_arrives_as_it_was_but_for_its_line_ends(text, html):
    arrived = contents(render(replace(MESSAGE, text=text, html=html), ENVELOPE))
    sent = [body.replace("\r\n", "\n").replace("\r", "\n") for body in (text, html)]
    assert [body for _, body in arrived] == sent


def test_a_sender_beyond_ascii_is_encoded():
    data = render(MESSAGE, replace(ENVELOPE, sender="Certificación <r@tracker.example.org>"))
    assert data.isascii()
    assert str(parsed(data)["From"]) == "Certificación <r@tracker.example.org>"


def test_a_recipient_beyond_ascii_is_left_to_a_server_with_smtputf8():
    data = render(MESSAGE, replace(ENVELOPE, recipient="josé@example.com"))
    assert "\r\nTo: josé@example.com\r\n".encode() in data


def test_a_message_id_depends_on_key_and_name_and_nothing_else():
    first = message_id(b"key", "h:1:2027-02-13:1", "tracker.example.org")
    assert first == message_id(b"key", "h:1:2027-02-13:1", "tracker.example.org")
    assert first == "<" + first[1:53] + "@tracker.example.org>"
    assert first[1:53].isalnum()
    assert len({first, message_id(b"k2", "h:1:2027-02-13:1", "tracker.example.org")}) == 2
    assert len({first, message_id(b"key", "h:2:2027-02-13:1", "tracker.example.org")}) == 2


@pytest.mark.parametrize(
    ("key", "domain"), [(b"", "e.example"), (b"k", "e.example>\r\n"), (b"k", "")]
)
def test_a_message_id_needs_a_key_and_a_domain(key, domain):
    with pytest.raises(ValueError, match="needs a key and a domain"):
        message_id(key, "x", domain)
