"""The catcher: a real SMTP server that keeps what it accepts and fails as it is told."""

from __future__ import annotations

import smtplib
import threading
from datetime import UTC, datetime
from pathlib import Path

import pytest

from tests.mail_faults import Behaviour, Catcher, Cut, read

MESSAGE = (
    b"From: T <t@t.example>\r\nTo: ana@example.com\r\n"
    b"Subject: =?utf-8?q?quedan_30_d=C3=ADas?=\r\nMessage-ID: <1@t.example>\r\n"
    b'MIME-Version: 1.0\r\nContent-Type: multipart/alternative; boundary="b"\r\n\r\n'
    b"--b\r\nContent-Type: text/plain\r\n\r\nHello\r\n"
    b"--b\r\nContent-Type: text/html\r\n\r\n<p>Hello</p>\r\n--b--\r\n"
)
NOW = datetime(2027, 2, 13, 14, 0, tzinfo=UTC)


def send(port: int, *recipients: str, message: bytes = MESSAGE) -> None:
    with smtplib.SMTP("127.0.0.1", port, local_hostname="t.example", timeout=5) as client:
        client.sendmail("b@t.example", list(recipients) or ["ana@example.com"], message)


def test_a_message_is_caught_with_its_envelope_and_its_words():
    with Catcher(now=lambda: NOW) as catcher:
        send(catcher.port)
        (caught,) = catcher.letters()
    assert (caught.envelope_sender, caught.recipient) == ("b@t.example", "ana@example.com")
    assert (caught.message_id, caught.subject) == ("<1@t.example>", "quedan 30 días")
    assert (caught.text.strip(), caught.html.strip()) == ("Hello", "<p>Hello</p>")
    assert (caught.received_at, caught.path, caught.raw) == (NOW, None, MESSAGE)


def test_a_message_without_anything_is_caught_too():
    with Catcher() as catcher:
        send(catcher.port, message=b"\r\n")
        (caught,) = catcher.letters()
    assert (caught.message_id, caught.subject, caught.text.strip(), caught.html) == ("", "", "", "")


def test_with_a_directory_each_message_is_a_file_that_reads_back(tmp_path: Path):
    with Catcher(tmp_path) as catcher:
        send(catcher.port, "ana@example.com", "ben@example.com")
        send(catcher.port)
        messages = catcher.letters()
    assert len(messages) == 3
    assert sorted(tmp_path.iterdir()) == sorted(c.path for c in messages if c.path)
    assert [read(caught.path) for caught in messages if caught.path] == messages


def test_a_message_is_on_the_disk_before_the_250(tmp_path: Path, monkeypatch: pytest.MonkeyPatch):
    synced = threading.Event()
    monkeypatch.setattr("tests.mail_faults.os.fsync", lambda _: synced.wait(5))
    with Catcher(tmp_path) as catcher:
        client = smtplib.SMTP("127.0.0.1", catcher.port, local_hostname="t.example", timeout=0.5)
        with pytest.raises(smtplib.SMTPServerDisconnected, match="timed out"):
            client.sendmail("b@t.example", ["ana@example.com"], MESSAGE)
        assert catcher.letters() == []
        assert list(tmp_path.glob("*.eml")) == []
        synced.set()


def test_a_full_disk_is_a_refusal_that_may_pass(tmp_path: Path):
    with Catcher(tmp_path / "missing") as catcher:
        with pytest.raises(smtplib.SMTPDataError, match="451"):
            send(catcher.port)
        assert catcher.letters() == []


def test_the_port_may_be_chosen_and_stays_the_same_after_a_restart():
    catcher = Catcher()
    with catcher:
        port = catcher.port
        with pytest.raises(RuntimeError, match="already started"):
            catcher.start()
        with pytest.raises(OSError, match="in use"):
            Catcher(port=port).start()
        send(port)
    with pytest.raises(ConnectionRefusedError):
        send(port)
    with catcher:
        assert catcher.port == port
        send(port)
    assert (len(catcher.letters()), catcher.connections) == (2, 2)


def test_stopping_hangs_up_on_whoever_is_still_there():
    catcher = Catcher(behaviour=Behaviour(data_delay=60))
    catcher.start()
    client = smtplib.SMTP("127.0.0.1", catcher.port, local_hostname="t.example", timeout=5)
    client.ehlo()
    catcher.stop()
    catcher.stop()
    with pytest.raises(smtplib.SMTPServerDisconnected):
        client.noop()


def test_a_list_of_replies_is_used_up_and_a_text_answers_always():
    behaviour = Behaviour(
        rcpt_replies={"ana@example.com": ["450 later", "250 fine"], "*": "550 5.1.1 nobody"}
    )
    with Catcher(behaviour=behaviour) as catcher:
        for recipient, code in (("ana", 450), ("ben", 550), ("ana", None), ("cem", 550)):
            try:
                send(catcher.port, f"{recipient}@example.com")
                refused = None
            except smtplib.SMTPRecipientsRefused as error:
                ((refused, _),) = error.recipients.values()
            assert refused == code
        assert len(catcher.letters()) == 1


def test_a_used_up_list_lets_messages_pass():
    behaviour = Behaviour(data_replies={"*": ["451 later"]}, mail_replies=["452 full"])
    with Catcher(behaviour=behaviour) as catcher:
        with pytest.raises(smtplib.SMTPSenderRefused):
            send(catcher.port)
        with pytest.raises(smtplib.SMTPDataError):
            send(catcher.port)
        send(catcher.port)
        assert len(catcher.letters()) == 1


@pytest.mark.parametrize(("cut", "kept"), [(Cut.BEFORE_KEEPING, 0), (Cut.BEFORE_250, 1)])
def test_a_cut_before_the_250_leaves_no_answer(cut, kept):
    with Catcher(behaviour=Behaviour(cuts={"*": [cut]})) as catcher:
        with pytest.raises(smtplib.SMTPServerDisconnected):
            send(catcher.port)
        assert len(catcher.letters()) == kept
        send(catcher.port)
        assert len(catcher.letters()) == kept + 1


def test_a_cut_after_the_250_lets_the_answer_through():
    with Catcher(behaviour=Behaviour(cuts={"*": [Cut.AFTER_250]})) as catcher:
        client = smtplib.SMTP("127.0.0.1", catcher.port, local_hostname="t.example", timeout=5)
        assert client.sendmail("b@t.example", ["ana@example.com"], MESSAGE) == {}
        with pytest.raises(smtplib.SMTPServerDisconnected):
            client.getreply()
        assert len(catcher.letters()) == 1


def test_delays_are_kept():
    with Catcher(behaviour=Behaviour(rcpt_delay=0.2, data_delay=0.2)) as catcher:
        begun = datetime.now(UTC)
        send(catcher.port)
        assert (datetime.now(UTC) - begun).total_seconds() >= 0.4


def test_busy_now_and_then():
    with Catcher(behaviour=Behaviour(busy_every=3)) as catcher:
        send(catcher.port)
        send(catcher.port)
        with pytest.raises(smtplib.SMTPSenderRefused, match="421"):
            send(catcher.port)
        send(catcher.port)
        assert (len(catcher.letters()), catcher.connections) == (3, 4)
