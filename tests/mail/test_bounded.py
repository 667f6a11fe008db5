"""tracker/mail/bounded.py: whatever strangers send us costs a bounded time to read."""

from __future__ import annotations

import time
from contextlib import suppress

import pytest

from tests.mail.test_reports import ADDRESS
from tracker.mail import reports

MOST = 3.0  # seconds of this process, on a slow machine; before it was minutes
_HEAD = f"From: a@b.example\r\nReturn-Path: <>\r\nTo: {ADDRESS}\r\nMessage-ID: <x@y>\r\n".encode()
_TEXT = _HEAD + b"Content-Type: text/plain\r\n\r\n550 5.1.1 unknown\r\n"
_REPORT = b"Content-Type: multipart/report; boundary=b\r\n\r\n"
_STATUS = _REPORT + b"--b\r\nContent-Type: message/delivery-status\r\n\r\n"


def _nested(depth: int, rest: bytes) -> bytes:
    layers = (
        b"Content-Type: multipart/report; boundary=b%d\r\n\r\n--b%d\r\n" % (n, n)
        for n in range(depth)
    )
    return _HEAD + b"".join(layers) + rest


def _filled(begin: bytes, piece: bytes, end: bytes = b"\r\n\r\nhello") -> bytes:
    return begin + piece * (reports.LARGEST // len(piece)) + end


ATTACKS = {
    "semicolons in a quote": _filled(_HEAD + b'Content-Type: text/plain; x="', b";"),
    "semicolons and quotes": _filled(_HEAD + b'Content-Type: text/plain; x="a\\"', b';"'),
    "folded semicolons": _filled(_HEAD + b'Content-Type: text/plain; x="', b";" * 70 + b"\r\n "),
    "parameters": _filled(_HEAD + b"Content-Type: text/plain", b"; a=b"),
    "continued parameters": _filled(_HEAD + b"Content-Type: multipart/report", b"; a*0*=b"),
    "encoded words": _filled(_HEAD + b"Subject: ", b"=?utf-8?q?a?= "),
    "angles": _filled(b"From: ", b"<"),
    "digits of a date": _filled(_HEAD + b"Date: ", b"1"),
    "fields": _filled(_HEAD, b"X: y\r\n"),
    "nested parts": _nested(2000, b""),
    "lines in nested parts": _filled(_nested(90, b""), b"\r\n"),
    "boundaries in nested parts": _filled(_nested(90, b""), b"--\r\n"),
    "parts": _filled(_HEAD + _REPORT, b"--b\r\n\r\n"),
    "messages in messages": _filled(_HEAD, b"Content-Type: message/rfc822\r\n\r\n"),
    "recipients": _filled(_HEAD + _STATUS, b"A: b\r\n\r\n"),
    "dashes": _filled(_TEXT, b"-"),
    "lines of dashes": _filled(_TEXT, b"--\r\n"),
    "blank lines": _filled(_TEXT, b"\r\n"),
    "blanks": _filled(_TEXT, b" "),
    "addresses without an end": _filled(_TEXT, b"a@"),
    "words of delay": _filled(_TEXT, b"will be "),
    "tags": _filled(_HEAD + b"Content-Type: text/html\r\n\r\n550 5.1.1 unknown", b"<style "),
    "angles in HTML": _filled(_HEAD + b"Content-Type: text/html\r\n\r\n550 5.1.1 unknown", b"<"),
}


@pytest.mark.parametrize("attack", ATTACKS)
def test_the_worst_shapes_of_mail_are_read_or_refused_in_a_bounded_time(attack):
    begins = time.process_time()
    with suppress(reports.UnreadableMessage):
        reports.read(ATTACKS[attack])

    assert time.process_time() - begins < MOST


def test_a_message_of_more_parts_than_anybody_sends_is_refused_by_that_reason():
    with pytest.raises(reports.UnreadableMessage, match="more than 500 parts"):
        reports.read(ATTACKS["parts"])


def test_what_lies_too_deep_is_read_as_text_and_the_message_still_counts():
    incoming = reports.read(_nested(30, b"Content-Type: text/plain\r\n\r\nhello\r\n"))

    assert incoming.kind == "automatic"
    assert incoming.proofs
