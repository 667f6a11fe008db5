"""Messages as mail systems send them to the address that a letter came from."""

from __future__ import annotations

from email.message import Message
from email.utils import format_datetime


def dsn(
    to: str,
    *,
    status: str = "5.1.1",
    action: str = "failed",
    diagnostic: str | None = None,
    recipient: str = "ana@example.org",
    identity: str = "<20270315.A1@mx.example.org>",
    received: object = None,
    returned: str = "",
    envelope_id: str = "",
    extra: str = "",
) -> bytes:
    """A delivery report as Postfix writes one (RFC 3464)."""
    said = f"smtp; 550 {status} No such user" if diagnostic is None else diagnostic
    trace = f"Received: by mx.tracker.example; {_date(received)}\n" if received else ""
    envelope = f"Original-Envelope-Id: {envelope_id}\n" if envelope_id else ""
    text = f"""\
Return-Path: <>
{trace}{extra}Date: Mon, 15 Mar 2027 10:00:00 -0400 (EDT)
From: MAILER-DAEMON@mx.example.org (Mail Delivery System)
Subject: Undelivered Mail Returned to Sender
To: {to}
Auto-Submitted: auto-replied
MIME-Version: 1.0
Content-Type: multipart/report; report-type=delivery-status; boundary="B1"
Message-Id: {identity}

This is a MIME-encapsulated message.

--B1
Content-Description: Notification
Content-Type: text/plain; charset=us-ascii

I'm sorry to have to inform you that your message could not be delivered.

--B1
Content-Description: Delivery report
Content-Type: message/delivery-status

Reporting-MTA: dns; mx.example.org
{envelope}X-Postfix-Queue-ID: 4F5A11234
Arrival-Date: Mon, 15 Mar 2027 10:00:00 -0400 (EDT)

Final-Recipient: rfc822; {recipient}
Original-Recipient: rfc822;{recipient}
Action: {action}
Status: {status}
Remote-MTA: dns; mail.example.org
Diagnostic-Code: {said}

--B1
Content-Description: Undelivered Message
Content-Type: message/rfc822

Return-Path: <{returned or to}>
From: Tracker <reminders@tracker.example>
List-Unsubscribe: <https://tracker.example/unsubscribe/reminders/x>
Subject: CPT expires

Hello

--B1--
"""
    return text.encode()


def complaint(
    *, sent_by: str, type_: str = "abuse", list_unsubscribe: str = "", identity: str = "<c1@isp>"
) -> bytes:
    """A complaint as providers pass it on (RFC 5965); it comes to an address of its own."""
    sender = f"Original-Mail-From: <{sent_by}>\n" if sent_by else ""
    return f"""\
From: <abusedesk@isp.example>
Date: Mon, 15 Mar 2027 17:40:36 +0000
Subject: FW: CPT expires
To: <fbl@tracker.example>
Message-Id: {identity}
MIME-Version: 1.0
Content-Type: multipart/report; report-type=feedback-report; boundary="B2"

--B2
Content-Type: text/plain; charset="US-ASCII"

This is an email abuse report.

--B2
Content-Type: message/feedback-report

Feedback-Type: {type_}
User-Agent: SomeGenerator/1.0
Version: 1
{sender}
--B2
Content-Type: text/rfc822-headers

From: <reminders@tracker.example>
List-Unsubscribe: {list_unsubscribe}
Subject: CPT expires

--B2--
""".encode()


def mail(to: str, *, received: object = None, **headers: str) -> bytes:
    """A plain message, such as an unsubscription, a note of absence or an answer."""
    message = Message()
    if received:
        message["Received"] = f"by mx.tracker.example; {_date(received)}"
    message["From"], message["To"], message["Subject"] = "ana@example.org", to, "unsubscribe"
    message["Message-ID"] = "<u1@example.org>"
    for name, value in headers.items():
        message[name.replace("_", "-")] = value
    message.set_payload("unsubscribe\n")
    return message.as_bytes()


def mbox(*messages: bytes) -> bytes:
    """Messages as a mail system appends them to a file."""
    quoted = (message.replace(b"\nFrom ", b"\n>From ") for message in messages)
    return b"".join(
        b"From MAILER-DAEMON Mon Mar 15 10:00:00 2027\n" + message + b"\n" for message in quoted
    )


def _date(moment: object) -> str:
    return format_datetime(moment)  # type: ignore[arg-type]
