"""Lost, silent and senseless connections: what is in doubt, and how soon the worker is free."""

from __future__ import annotations

import contextlib
import socket
import threading
import time
from typing import Any, Self

import pytest

from tests.mail.test_smtp_sender import deliver, smtp_sender
from tracker.mail.replies import ReplyReader
from tracker.mail.smtp_sender import Delivery, DeliveryOutcome


class Script:
    """A server of few words on a plain socket: sends each line after one from the client.

    The first line is the greeting. None hangs up; a line without its end is sent as it is. When
    the script is over the server is silent, and hangs up at QUIT.
    """

    def __init__(self, *lines: bytes | None) -> None:
        self._lines = lines
        self._door = socket.create_server(("127.0.0.1", 0))
        self.port: int = self._door.getsockname()[1]
        self.heard: list[bytes] = []
        self._thread = threading.Thread(target=self._serve, daemon=True)
        self._thread.start()

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        # Closing alone would not wake up a thread that waits in accept().
        with contextlib.suppress(OSError):
            self._door.shutdown(socket.SHUT_RDWR)
        self._door.close()
        self._thread.join(10)
        assert not self._thread.is_alive()

    def _serve(self) -> None:
        with contextlib.suppress(OSError):
            while True:
                line, _ = self._door.accept()
                with line, line.makefile("rb") as heard:
                    self._play(line, heard)

    def _play(self, line: socket.socket, heard: Any) -> None:
        for number, words in enumerate(self._lines):
            if number:
                self.heard.append(heard.readline())
                if self.heard[-1].startswith(b"From:"):  # the letter: up to its dot
                    while self.heard[-1] not in {b".\r\n", b""}:
                        self.heard.append(heard.readline())
            if words is None:
                return
            line.sendall(words)
        while heard.readline() not in {b"", b"quit\r\n"}:
            pass


HELLO = (b"220 ready\r\n", b"250 tracker.example\r\n")


def test_the_marker_is_set_after_the_recipient_is_accepted_and_before_the_message_leaves():
    lines = (*HELLO, b"250 ok\r\n", b"250 ok\r\n", b"354 go\r\n", b"250 kept\r\n")
    with Script(*lines) as server, smtp_sender(server.port) as by:
        heard_at_mark: list[bytes] = []

        def mark() -> bool:
            heard_at_mark.extend(server.heard)
            return True

        assert deliver(by, mark=mark) == Delivery(DeliveryOutcome.ACCEPTED, "250 kept")
        assert [line.split()[0] for line in heard_at_mark] == [b"ehlo", b"MAIL", b"RCPT"]
        assert server.heard[3] == b"DATA\r\n"


def test_421_instead_of_a_greeting():
    with Script(b"421 4.3.2 Too busy\r\n", None) as server, smtp_sender(server.port) as by:
        delivery = deliver(by)
    assert (delivery.outcome, delivery.connection_failed) == (DeliveryOutcome.RETRY, True)
    assert "421" in delivery.reply


def test_a_goodbye_that_is_never_answered_ends_in_time():
    lines = (*HELLO, b"250 ok\r\n", b"250 ok\r\n", b"354 go\r\n", b"250 kept\r\n", b"")
    with Script(*lines) as server:
        by = smtp_sender(server.port, timeout=1.0)
        assert deliver(by).outcome is DeliveryOutcome.ACCEPTED
        begun = time.monotonic()
        by.close()
        assert time.monotonic() - begun < 3
        by.close()


@pytest.mark.parametrize(
    ("name", "lines", "outcome", "seconds"),
    [
        ("no greeting", [b""], DeliveryOutcome.RETRY, 1),
        ("half a greeting", [b"220 rea"], DeliveryOutcome.RETRY, 1),
        ("no answer to EHLO", [b"220 ready\r\n", b""], DeliveryOutcome.RETRY, 1),
        ("no answer to MAIL", [*HELLO, b""], DeliveryOutcome.RETRY, 1),
        ("no answer to RCPT", [*HELLO, b"250 ok\r\n", b""], DeliveryOutcome.RETRY, 1),
        (
            "no answer to DATA",
            [*HELLO, b"250 ok\r\n", b"250 ok\r\n", b""],
            DeliveryOutcome.RETRY,
            1,
        ),
        (
            "no answer to the letter",
            [*HELLO, b"250 ok\r\n", b"250 ok\r\n", b"354 go\r\n", b""],
            DeliveryOutcome.AMBIGUOUS,
            1,
        ),
        (
            "half an answer to the letter",
            [*HELLO, b"250 ok\r\n", b"250 ok\r\n", b"354 go\r\n", b"250-half\r\n"],
            DeliveryOutcome.AMBIGUOUS,
            1,
        ),
    ],
)
def test_a_black_hole_frees_the_worker_after_the_timeout(name, lines, outcome, seconds):
    with Script(*lines) as server, smtp_sender(server.port, timeout=1.0) as by:
        begun = time.monotonic()
        delivery = deliver(by)
        assert seconds * 0.9 <= time.monotonic() - begun < seconds + 5, name
    is_away = outcome is DeliveryOutcome.RETRY  # a late answer is no failed connection
    assert (delivery.outcome, delivery.connection_failed) == (outcome, is_away)


def test_an_answer_that_drips_in_byte_by_byte_is_out_of_time_too():
    door = socket.create_server(("127.0.0.1", 0))

    def drip() -> None:
        line, _ = door.accept()
        with line, contextlib.suppress(OSError):
            for _ in range(100):
                line.sendall(b"2")
                time.sleep(0.1)

    thread = threading.Thread(target=drip, daemon=True)
    thread.start()
    with smtp_sender(door.getsockname()[1], timeout=1.0) as by:
        begun = time.monotonic()
        assert deliver(by).outcome is DeliveryOutcome.RETRY
        assert time.monotonic() - begun < 3
    thread.join(10)
    door.close()


def test_bytes_that_come_after_the_deadline_are_not_waited_for():
    near, far = socket.socketpair()
    with near, far:
        far.sendall(b"250 late\r\n")
        reader = ReplyReader(near, 1.0)
        reader.begin(0.0)
        with pytest.raises(TimeoutError):
            reader.readline(100)


@pytest.mark.parametrize(
    ("lines", "outcome"),
    [
        ([*HELLO, None], DeliveryOutcome.RETRY),
        ([*HELLO, b"250 ok\r\n", None], DeliveryOutcome.RETRY),
        # The marker is set, but the server never asked for the letter: it cannot have it.
        ([*HELLO, b"250 ok\r\n", b"250 ok\r\n", None], DeliveryOutcome.RETRY),
        ([*HELLO, b"250 ok\r\n", b"250 ok\r\n", b"354 go\r\n", None], DeliveryOutcome.AMBIGUOUS),
        (
            [*HELLO, b"250 ok\r\n", b"250 ok\r\n", b"354 go\r\n", b"what?\r\n"],
            DeliveryOutcome.AMBIGUOUS,
        ),
        (
            [*HELLO, b"250 ok\r\n", b"250 ok\r\n", b"354 go\r\n", b"350 hm\r\n"],
            DeliveryOutcome.AMBIGUOUS,
        ),
        (
            [*HELLO, b"250 ok\r\n", b"250 ok\r\n", b"354 go\r\n", b"250 " + b"x" * 9000 + b"\r\n"],
            DeliveryOutcome.AMBIGUOUS,
        ),
        ([*HELLO, b"250 ok\r\n", b"250 ok\r\n", b"250 what?\r\n"], DeliveryOutcome.RETRY),
        ([*HELLO, b"what?\r\n"], DeliveryOutcome.RETRY),
        ([b"554 5.3.2 No mail here\r\n"], DeliveryOutcome.RETRY),
    ],
)
def test_a_lost_or_senseless_answer_is_in_doubt_only_once_the_message_has_left(lines, outcome):
    with Script(*lines) as server, smtp_sender(server.port) as by:
        delivery = deliver(by)
    assert (delivery.outcome, delivery.connection_failed) == (outcome, True)


def test_a_goodbye_sent_right_behind_the_250_is_not_the_answer_to_the_next_message():
    lines = (*HELLO, b"250 ok\r\n", b"250 ok\r\n", b"354 go\r\n", b"250 kept\r\n421 idle\r\n")
    with Script(*lines) as server, smtp_sender(server.port) as by:
        assert deliver(by) == Delivery(DeliveryOutcome.ACCEPTED, "250 kept")
        assert deliver(by) == Delivery(DeliveryOutcome.ACCEPTED, "250 kept")


def test_the_reply_is_one_line_of_500_characters_at_most():
    reply = b"550-5.7.1 no\r\n550-5.7.1 \x1b[31m\xff\r\n550 5.7.1 " + b"x" * 900 + b"\r\n"
    lines = (*HELLO, b"250 ok\r\n", reply, b"250 reset\r\n")
    with Script(*lines) as server, smtp_sender(server.port) as by:
        delivery = deliver(by)
    assert delivery.reply.startswith("550 5.7.1 no 5.7.1 [31m� 5.7.1 xxx")
    assert len(delivery.reply) == 500


@pytest.mark.parametrize(
    ("machine", "own_name"),
    [("web1.tracker.example", "web1.tracker.example"), ("web1", "[127.0.0.1]")],
)
def test_without_a_name_of_ours_the_machine_is_asked_and_not_the_network(
    monkeypatch, machine, own_name
):
    monkeypatch.setattr(socket, "gethostname", lambda: machine)
    monkeypatch.setattr(socket, "getfqdn", lambda: pytest.fail("this asks the network"))
    with Script(*HELLO, None) as server, smtp_sender(server.port, local_hostname=None) as by:
        assert deliver(by).outcome is DeliveryOutcome.RETRY
        assert server.heard[0] == f"ehlo {own_name}\r\n".encode()
