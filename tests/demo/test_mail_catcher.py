"""tracker.demo.mail_catcher: an email becomes a file, and its recipient and subject are listed."""

from __future__ import annotations

import smtplib

from tracker.demo.mail_catcher import CaughtEmail, MailCatcher

EMAIL = (
    b"From: T <t@t.example>\r\nTo: ana@example.com\r\n"
    b"Subject: =?utf-8?q?quedan_30_d=C3=ADas?=\r\n\r\nHola\r\n"
)


def test_an_email_is_kept_as_it_came_and_listed_with_its_subject(tmp_path):
    with MailCatcher(tmp_path) as catcher, smtplib.SMTP("127.0.0.1", catcher.port) as client:
        client.sendmail("b@t.example", ["ana@example.com"], EMAIL)
        client.sendmail(
            "b@t.example", ["bo@example.com"], b"From: t@t.example\r\n\r\nNo subject\r\n"
        )

    assert catcher.emails() == [
        CaughtEmail("ana@example.com", "quedan 30 días"),
        CaughtEmail("bo@example.com", ""),
    ]
    kept = sorted(path.read_bytes() for path in tmp_path.glob("*.eml"))
    assert kept == sorted([EMAIL, b"From: t@t.example\r\n\r\nNo subject\r\n"])
