"""Reports as mail systems write them: what is read, and that nothing can break the reading."""

from __future__ import annotations

from datetime import UTC, datetime

import pytest
from hypothesis import given
from hypothesis import strategies as st

from tests.mail.report_cases import complaint, dsn, mail, mbox
from tracker.mail import reports
from tracker.mail.reports import UnreadableMessage

PROOF = "01900000-0000-7000-8000-000000000000.abcdefghijklmno"
ADDRESS = f"b+{PROOF}@bounces.tracker.example"
OURS = (("b", PROOF),)


def test_a_delivery_report_tells_whose_message_failed_and_why():
    incoming = reports.read(dsn(ADDRESS))

    assert incoming.kind == "failed"
    assert incoming.proofs == OURS
    assert incoming.status == "5.1.1"
    assert incoming.diagnostic == "smtp; 550 5.1.1 No such user"
    assert incoming.recipients == ("ana@example.org", "ana@example.org")
    assert incoming.identity == "<20270315.A1@mx.example.org>"
    assert incoming.at == datetime(2027, 3, 15, 14, tzinfo=UTC)


@pytest.mark.parametrize(
    "given",
    [
        {"to": ADDRESS.upper()},
        {"to": f"<{ADDRESS}>"},
        {"to": "postmaster@tracker.example", "envelope_id": f"b+{PROOF}"},
        {"to": "postmaster@tracker.example", "envelope_id": f"b+2B{PROOF}"},
        {"to": "postmaster@tracker.example", "envelope_id": PROOF},
        {"to": "postmaster@tracker.example", "returned": ADDRESS},
        {
            "to": "postmaster@tracker.example",
            "extra": f"Delivered-To: {ADDRESS}\n",
            "returned": "x@y.example",
        },
        {
            "to": "postmaster@tracker.example",
            "extra": f"X-Original-To: {ADDRESS}\n",
            "returned": "x@y.example",
        },
    ],
)
def test_the_proof_is_found_wherever_mail_systems_put_it(given):
    assert reports.read(dsn(**given)).proofs == OURS


@pytest.mark.parametrize(
    "near", [f"b{PROOF}", f"{PROOF}a@x", f"x.b+{PROOF}@y", PROOF[:-1], f"c+{PROOF}@y", "b+@y"]
)
def test_what_only_looks_like_a_proof_is_none(near):
    assert reports.read(dsn(near, returned="x@y.example")).proofs == ()


@pytest.mark.parametrize(
    ("status", "diagnostic", "read"),
    [
        ("5.0.0", "smtp; 550 5.1.1 unknown user", "5.1.1"),
        ("", "smtp; 550 5.2.2 mailbox full", "5.2.2"),
        ("", "smtp; 452 mailbox full", "4.0.0"),
        ("", "x-unix; mailbox unknown", "5.0.0"),
        ("5.7.1 (blocked)", "smtp; 550 5.1.1", "5.7.1"),
        ("5.0.0", "", "5.0.0"),
    ],
)
def test_the_more_telling_status_counts(status, diagnostic, read):
    assert reports.read(dsn(ADDRESS, status=status, diagnostic=diagnostic)).status == read


@pytest.mark.parametrize(
    ("action", "kind"),
    [
        ("failed", "failed"),
        ("Failed (final)", "failed"),
        ("delayed", "delayed"),
        ("delivered", "other"),
        ("relayed", "other"),
        ("expanded", "other"),
    ],
)
def test_only_what_failed_has_come_back(action, kind):
    assert reports.read(dsn(ADDRESS, action=action)).kind == kind


def test_the_time_is_that_of_our_own_system_if_it_left_a_trace():
    when = datetime(2027, 3, 15, 15, 30, tzinfo=UTC)

    assert reports.read(dsn(ADDRESS, received=when)).at == when
    assert reports.read(mail(ADDRESS)).at is None
    assert reports.read(mail(ADDRESS, Date="the other day")).at is None


def test_reports_without_a_message_id_are_told_apart_by_what_they_say():
    bare = dsn(ADDRESS).replace(b"Message-Id: <20270315.A1@mx.example.org>\n", b"")
    again = b"X-Seen: yes\n" + bare.replace(b"\n", b"\r\n")
    other = bare.replace(b"4F5A11234", b"4F5A11235")

    assert reports.read(bare).identity == reports.read(again).identity
    assert reports.read(bare).identity != reports.read(other).identity


@pytest.mark.parametrize("type_", ["abuse", "Fraud", "opt-out", "other"])
def test_a_complaint_names_the_message_by_its_sender(type_):
    incoming = reports.read(complaint(sent_by=ADDRESS, type_=type_))

    assert (incoming.kind, incoming.proofs) == ("complaint", OURS)


@pytest.mark.parametrize("type_", ["not-spam", "auth-failure", "virus"])
def test_other_feedback_is_no_complaint(type_):
    assert reports.read(complaint(sent_by=ADDRESS, type_=type_)).kind == "other"


def test_a_complaint_without_the_sender_names_the_holder_by_the_way_out():
    way_out = f"<https://x.example/unsubscribe/reminders/y>, <mailto:u-reminders+{PROOF}@z>"
    incoming = reports.read(complaint(sent_by="", list_unsubscribe=way_out))

    assert (incoming.kind, incoming.proofs) == ("complaint", (("u-reminders", PROOF),))


def test_a_mail_to_the_way_out_unsubscribes_and_one_to_the_message_does_not():
    incoming = reports.read(mail(f"u-decisions+{PROOF}@bounces.tracker.example"))

    assert (incoming.kind, incoming.proofs) == ("unsubscribe", (("u-decisions", PROOF),))
    assert reports.read(mail(ADDRESS)).kind == "other"


@pytest.mark.parametrize(
    "headers",
    [
        {"Auto_Submitted": "auto-replied (vacation)"},
        {"X_Autoreply": "yes"},
        {"Precedence": "auto_reply"},
        {"X_Autorespond": "Away"},
    ],
)
def test_a_note_of_absence_is_an_automatic_answer(headers):
    for to in (ADDRESS, f"u-reminders+{PROOF}@x"):
        assert reports.read(mail(to, **headers)).kind == "automatic"


def test_a_receipt_is_no_failure():
    receipt = dsn(ADDRESS).replace(b"message/delivery-status", b"message/disposition-notification")

    assert reports.read(receipt).kind == "automatic"


@pytest.mark.parametrize(
    "data",
    [
        b"",
        b"\n",
        b"no header at all",
        b"\xff\xfe\x00",
        dsn(ADDRESS).replace(b"Action: failed", b"Action:").replace(b"<>", b"<a@b.example>", 1),
        b"Content-Type: multipart/report; boundary=x\n\n--x\nContent-Type: message/delivery-status",
        complaint(sent_by=ADDRESS).replace(b"Feedback-Type: abuse\n", b""),
    ],
)
def test_what_cannot_be_read_says_so(data):
    with pytest.raises(UnreadableMessage):
        reports.read(data)


def test_what_a_report_says_is_kept_on_one_line_without_what_no_database_takes():
    said = "smtp; 550 a\x00b\x07\xe9 5.1.1 " + "x" * 600
    incoming = reports.read(dsn(ADDRESS, diagnostic=said))

    assert len(incoming.diagnostic) == 500
    assert incoming.diagnostic.startswith("smtp; 550 a b ")
    incoming.diagnostic.encode()


_SAMPLES = (dsn(ADDRESS), complaint(sent_by=ADDRESS), mail(f"u-reminders+{PROOF}@x"))


@given(
    sample=st.sampled_from(_SAMPLES),
    junk=st.binary(max_size=40),
    at=st.floats(0, 1),
    cut=st.floats(0, 1),
)
def test_spoiled_messages_are_read_or_refused_and_nothing_else(sample, junk, at, cut):
    place, end = int(at * len(sample)), int(cut * len(sample))
    spoiled = sample[:place] + junk + sample[place + len(junk) :][:end]
    try:
        incoming = reports.read(spoiled)
    except UnreadableMessage:
        return
    for text in (incoming.identity, incoming.status, incoming.diagnostic):
        assert "\x00" not in text
        text.encode()
    assert len(incoming.status) <= 16


def test_parts_within_parts_without_end_are_read_as_text():
    deep = b"Content-Type: message/rfc822\n\n" * 3000

    assert reports.read(deep).proofs == ()


# Files.
def test_a_file_of_messages_is_cut_where_they_begin():
    first, second = mail(ADDRESS), mail(ADDRESS).replace(b"unsubscribe\n", b"a\n\nFrom here on\n")
    file = mbox(first, second)
    messages = list(reports.each_of_mbox(file.splitlines(keepends=True)))

    assert [offset for offset, _ in messages] == [0, file.index(b"From MAILER", 5)]
    assert [data.rstrip(b"\n") for _, data in messages] == [
        first.rstrip(b"\n"),
        second.rstrip(b"\n"),
    ]


def test_a_huge_message_is_cut_and_the_next_one_is_whole():
    huge = mail(ADDRESS) + b"x" * 70 * 1000
    lines = mbox(huge.replace(b"x" * 70, b"x" * 69 + b"\n") * 40, mail(ADDRESS)).splitlines(
        keepends=True
    )
    messages = [data for _, data in reports.each_of_mbox(lines)]

    assert len(messages) == 2
    assert len(messages[0]) < reports.LARGEST + 1000
    assert messages[1].rstrip(b"\n") == mail(ADDRESS).rstrip(b"\n")


def test_a_file_of_nothing_holds_no_message():
    assert list(reports.each_of_mbox([])) == []
    assert list(reports.each_of_mbox([b"\n", b"\n"])) == []


def test_a_piped_message_may_begin_with_the_line_of_a_file():
    assert reports.without_from_line(b"From x\nTo: y\n") == b"To: y\n"
    assert reports.without_from_line(b"To: y\n") == b"To: y\n"
