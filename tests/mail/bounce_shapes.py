"""Bounces, warnings and notes of absence in the shapes in which mail systems write them."""

from __future__ import annotations

import base64
from dataclasses import dataclass
from typing import Literal

PROOF = "01900000-0000-7000-8000-000000000000.abcdefghijklmno"
OURS = f"b+{PROOF}@bounces.tracker.example"
UNSUBSCRIBE = f"u-reminders+{PROOF}@bounces.tracker.example"

Read = Literal["hard", "soft", "delayed", "automatic", "other", "unsubscribe"]


@dataclass(frozen=True)
class Shape:
    """A message and how it is read."""

    name: str
    raw: str
    read: Read


def plain(
    words: str,
    *,
    sender: str = "MAILER-DAEMON@mx.example.net",
    subject: str = "failure notice",
    to: str = OURS,
    path: str = "<>",
    more: str = "",
    kind: str = "text/plain; charset=utf-8",
) -> str:
    """A message in words, as it is handed over by our own mail system."""
    trace = f"Return-Path: {path}\n" if path else ""
    return (
        f"{trace}Received: by mail.tracker.example; Mon, 15 Mar 2027 14:00:00 +0000\n"
        f"From: {sender}\nTo: {to}\nSubject: {subject}\n{more}Content-Type: {kind}\n\n{words}\n"
    )


def report(
    *blocks: str, kind: str = "message/delivery-status", encoding: str = "", words: str = "Sorry."
) -> str:
    """A report of RFC 3464; ``blocks`` are the fields of its recipients."""
    fields = "Reporting-MTA: dns; mx.example.net\n\n" + "\n\n".join(blocks)
    if encoding == "base64":
        fields = base64.encodebytes(fields.encode()).decode()
    coded = f"Content-Transfer-Encoding: {encoding}\n" if encoding else ""
    return (
        f"Return-Path: <>\nFrom: postmaster@mx.example.net\nTo: {OURS}\nSubject: Undeliverable\n"
        "MIME-Version: 1.0\nContent-Type: multipart/report; report-type=delivery-status; "
        f'boundary="B"\n\n--B\nContent-Type: text/plain\n\n{words}\n\n--B\nContent-Type: {kind}\n'
        f"{coded}\n{fields}\n\n--B--\n"
    )


def recipient(address: str, status: str, action: str = "failed", said: str = "") -> str:
    """One recipient of a report."""
    code = f"\nDiagnostic-Code: smtp; {said}" if said else ""
    return f"Final-Recipient: rfc822; {address}\nAction: {action}\nStatus: {status}{code}"


_QMAIL = (
    "Hi. This is the qmail-send program at mx.example.net.\nI'm afraid I wasn't able to deliver "
    "your message to the following addresses.\nThis is a permanent error; I've given up.\n\n"
)
_EXIM = (
    "This message was created automatically by mail delivery software.\n\nA message that you sent "
    "could not be delivered to one or more of its\nrecipients. This is a permanent error.\n\n"
)
_COPIED = "\n--- Below this line is a copy of the message.\n\nStatus 5.1.1 of our form\n"
_EXIM_HEADERS = "X-Failed-Recipients: ana@example.org\nAuto-Submitted: auto-replied\n"

SHAPES = (
    # In words.
    Shape(
        "qmail, no such mailbox",
        plain(_QMAIL + "<ana@example.org>:\n550 5.1.1 no such mailbox" + _COPIED),
        "hard",
    ),
    Shape(
        "qmail, no status at all",
        plain(
            _QMAIL + "<ana@example.org>:\nSorry, no mailbox here by that name. (#5.1.1x)" + _COPIED
        ),
        "soft",
    ),
    Shape(
        "qmail, its own number sign",
        plain(
            _QMAIL + "<ana@example.org>:\nSorry, no mailbox here by that name. (#5.1.1)" + _COPIED
        ),
        "hard",
    ),
    Shape(
        "qmail, over quota", plain(_QMAIL + "<ana@example.org>:\nuser is over quota #5.2.2"), "soft"
    ),
    Shape(
        "qmail, the only status is in the copy",
        plain(_QMAIL + "<ana@example.org>:\nThe user is gone." + _COPIED),
        "soft",
    ),
    Shape(
        "Exim, unknown user",
        plain(
            _EXIM + "  ana@example.org\n    SMTP error from remote mail server after RCPT TO:\n"
            "    550 5.1.1 User unknown\n\n------ This is a copy of the message ------\n",
            subject="Mail delivery failed: returning message to sender",
            more=_EXIM_HEADERS,
        ),
        "hard",
    ),
    Shape(
        "Exim, without a status",
        plain(_EXIM + "  ana@example.org\n    Unrouteable address\n", more=_EXIM_HEADERS),
        "soft",
    ),
    Shape(
        "Exim, a warning",
        plain(
            "This message was created automatically by mail delivery software.\nA message that you "
            "sent has not yet been delivered to one or more of its recipients after more than 24 "
            "hours.\nNo action is required on your part.",
            subject="Warning: message 1abc delayed 24 hours",
            more=_EXIM_HEADERS,
        ),
        "delayed",
    ),
    Shape(
        "Yahoo, no account",
        plain(
            "Sorry, we were unable to deliver your message to the following address.\n\n"
            "<ana@yahoo.example>:\n554: delivery error: dd This user doesn't have an account "
            "[0] - mta1.mail.yahoo.example\n\n--- Below this line is a copy of the message.\n",
            sender="MAILER-DAEMON@yahoo.example",
            subject="Failure Notice",
        ),
        "soft",
    ),
    Shape(
        "Yahoo, with a status",
        plain(
            "Sorry, we were unable to deliver your message to the following address.\n\n"
            "<ana@yahoo.example>:\n550: 5.1.1 unknown user\n",
            sender="MAILER-DAEMON@yahoo.example",
        ),
        "hard",
    ),
    Shape(
        "sendmail before reports",
        plain(
            "   ----- The following addresses had permanent fatal errors -----\n"
            "<ana@example.org>\n\n   ----- Transcript of session follows -----\n"
            "550 5.1.1 <ana@example.org>... User unknown",
            subject="Returned mail: User unknown",
        ),
        "hard",
    ),
    Shape(
        "sendmail, a warning",
        plain(
            "    **********************************************\n"
            "    **      THIS IS A WARNING MESSAGE ONLY      **\n"
            "    **  YOU DO NOT NEED TO RESEND YOUR MESSAGE  **\n"
            "451 4.4.1 reply: read error from mx.example.org.",
            subject="Warning: could not send message for past 4 hours",
        ),
        "delayed",
    ),
    Shape(
        "Exchange, in HTML only",
        plain(
            "<html><head><style>p {width: 5.1.1px}</style></head><body><p>Your message wasn't "
            "delivered.</p><p>Remote Server returned"
            " '550 5.1.10 RESOLVER.ADR.RecipientNotFound'</p>"
            "</body></html>",
            subject="Undeliverable: CPT",
            kind="text/html; charset=utf-8",
        ),
        "hard",
    ),
    Shape(
        "Domino",
        plain(
            "Your message\n  Subject: CPT\nwas not delivered to:\n  ana@example.org\nbecause:\n"
            "  User ana (ana@example.org) not listed in Domino Directory",
            sender="Postmaster@example.org",
            subject="DELIVERY FAILURE: User not listed",
        ),
        "soft",
    ),
    Shape(
        "two statuses",
        plain(_QMAIL + "<ana@example.org>:\n550 5.1.1 unknown\n<a@example.org>:\n552 5.2.2 full"),
        "soft",
    ),
    Shape(
        "an IP address is no status",
        plain(
            _QMAIL + "<ana@example.org>:\nConnected to 192.5.1.1 but connection died. 550 blocked"
        ),
        "soft",
    ),
    Shape(
        "a policy, not the address", plain(_QMAIL + "<ana@example.org>:\n550 5.7.1 blocked"), "soft"
    ),
    Shape(
        "an address that belongs to somebody else, in words",
        plain(_QMAIL + "<ana@example.org>:\n550 5.7.17 mailbox owner has changed"),
        "soft",
    ),
    Shape("for now", plain(_QMAIL + "<ana@example.org>:\n450 4.2.2 full, giving up"), "soft"),
    Shape(
        "a daemon without a trace of a path",
        plain(_QMAIL + "<ana@example.org>:\n550 5.1.1 unknown", path=""),
        "hard",
    ),
    Shape(
        "Exchange, delayed, in words",
        plain(
            "Delivery is delayed to these recipients or groups:\n\nana@example.org\n\nThis message "
            "hasn't been delivered yet. Delivery will continue to be attempted.",
            sender="postmaster@example.org",
            subject="Delayed: CPT",
        ),
        "delayed",
    ),
    Shape(
        "one that will be tried again",
        plain(
            "Your message could not be delivered yet. It will be retried for 3 days.\n"
            "451 4.7.1 busy",
        ),
        "delayed",
    ),
    Shape(
        "one status, said in several lines",
        plain(
            "<ana@example.org>: host mx.example.org said: 550-5.1.1 The email account that you\n"
            "    550-5.1.1 tried to reach does not exist. 550 5.1.1 Try again (in RCPT)"
        ),
        "hard",
    ),
    Shape(
        "in HTML, with the letter attached",
        plain(
            "--X\nContent-Type: text/html\n\n<p>550 5.1.1 unknown user</p>\n--X\n"
            "Content-Type: message/rfc822\n\nFrom: a@b.example\nContent-Type: text/plain\n\n"
            "Your certification.\n--X--",
            kind='multipart/mixed; boundary="X"',
        ),
        "hard",
    ),
    # Reports of other shapes.
    Shape(
        "a report in base64",
        report(recipient("ana@example.org", "5.1.1"), encoding="base64"),
        "hard",
    ),
    Shape(
        "a report beyond ASCII",
        report(
            recipient("josé@example.org", "5.1.1").replace("rfc822", "utf-8"),
            kind="message/global-delivery-status",
        ),
        "hard",
    ),
    Shape(
        "a report beyond ASCII, in base64",
        report(
            recipient("josé@example.org", "5.2.2"),
            kind="message/global-delivery-status",
            encoding="base64",
        ),
        "soft",
    ),
    Shape(
        "a report that says failure, as some do",
        report(recipient("ana@example.org", "5.1.1", "failure")),
        "hard",
    ),
    Shape("a report without a recipient", report(words="550 5.1.1 no such mailbox"), "hard"),
    Shape(
        "a report without fields",
        report(words="A message could not be delivered to:\nana@example.org").replace(
            "Reporting-MTA: dns; mx.example.net", ""
        ),
        "soft",
    ),
    Shape(
        "a report without a recipient, of a letter that is late",
        report(words="Your message has not yet been delivered. 451 4.4.1"),
        "delayed",
    ),
    Shape(
        "an alias of two, both gone",
        report(recipient("a@example.org", "5.1.1"), recipient("b@example.org", "5.1.1")),
        "hard",
    ),
    Shape(
        "an alias of two, one gone",
        report(
            recipient("a@example.org", "5.1.1"), recipient("b@example.org", "2.0.0", "delivered")
        ),
        "other",
    ),
    Shape(
        "an alias of two, one full",
        report(recipient("a@example.org", "5.1.1"), recipient("b@example.org", "5.2.2")),
        "soft",
    ),
    Shape(
        "an alias of two, one late",
        report(recipient("a@example.org", "5.1.1"), recipient("b@example.org", "4.4.1", "delayed")),
        "delayed",
    ),
    # Absent.
    Shape(
        "a note of absence with no path",
        plain(
            "I am out of the office until March 20. Call 555 0100.",
            sender="ana@example.org",
            subject="Out of Office: CPT",
            more="Auto-Submitted: auto-replied\n",
        ),
        "automatic",
    ),
    Shape(
        "a note of absence that does not say so",
        plain("I am on leave.", sender="ana@example.org", subject="Re: CPT"),
        "automatic",
    ),
    Shape(
        "a note of absence to the unsubscribe address",
        plain(
            "I am on leave.",
            sender="ana@example.org",
            to=UNSUBSCRIBE,
            subject="Automatic reply: unsubscribe",
            path="<ana@example.org>",
        ),
        "automatic",
    ),
    Shape(
        "one more, marked by its system",
        plain(
            "I am on leave.",
            sender="ana@example.org",
            to=UNSUBSCRIBE,
            path="<ana@example.org>",
            more="X-Auto-Response-Suppress: All\n",
        ),
        "automatic",
    ),
    Shape(
        "a note of absence in Spanish, its subject encoded",
        plain(
            "Vuelvo el lunes.",
            sender="ana@example.org",
            to=UNSUBSCRIBE,
            path="<ana@example.org>",
            subject="=?utf-8?B?UmVzcHVlc3RhIGF1dG9tw6F0aWNhOiBDUFQ=?=",
        ),
        "automatic",
    ),
    Shape(
        "a note of absence, its subject spoiled",
        plain(
            "I am away.",
            sender="ana@example.org",
            to=UNSUBSCRIBE,
            path="<ana@example.org>",
            subject="Out of office =?utf-8?B?UmVz?= =?utf-8?B?x?=",
            more="Precedence: bulk\n",
        ),
        "automatic",
    ),
    Shape(
        "a note of absence with a telephone number",
        plain(
            "I am back on Monday. Call 555 0100 or 550 1234.",
            sender="ana@example.org",
            subject="Re: CPT",
        ),
        "automatic",
    ),
    # And what a person wrote.
    Shape(
        "an unsubscription",
        plain(
            "unsubscribe",
            sender="ana@example.org",
            subject="unsubscribe",
            to=UNSUBSCRIBE,
            path="<ana@example.org>",
        ),
        "unsubscribe",
    ),
    Shape(
        "an answer to the letter",
        plain(
            "Thanks! My number is 550 5.1.1",
            sender="ana@example.org",
            subject="Re: CPT",
            path="<ana@example.org>",
        ),
        "other",
    ),
)
