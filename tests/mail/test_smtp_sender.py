"""Every outcome of handing a letter over, against a real SMTP server on this machine."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from typing import Any

import flask_mail
import pytest

from tests.mail_faults import Behaviour, Catcher, Cut, Replies
from tracker.mail.smtp_sender import Delivery, DeliveryOutcome, SmtpSender

MESSAGE = (
    b"From: T <t@t.example>\r\nTo: ana@example.com\r\nSubject: 30 days left\r\n"
    b"Message-ID: <1@t.example>\r\n\r\nHello\r\n.\r\n..two dots\r\n"
)
SENDER, ANA, BEN = "b+1.mac@bounce.example", "ana@example.com", "ben@example.com"


def smtp_sender(port: int, **settings: Any) -> SmtpSender:
    usual: dict[str, Any] = {
        "server": "127.0.0.1",
        "port": port,
        "use_tls": False,
        "use_ssl": False,
        "username": None,
        "password": None,
        "timeout": 5.0,
        "local_hostname": "tracker.example",
    }
    values = usual | settings
    return SmtpSender(**{"final_timeout": values["timeout"]} | values)


def deliver(
    by: SmtpSender, to: str = ANA, *, data: bytes = MESSAGE, mark: Callable[[], bool] = lambda: True
) -> Delivery:
    return by.deliver(envelope_sender=SENDER, recipient=to, data=data, mark=mark)


@pytest.fixture
def catcher() -> Iterator[Catcher]:
    with Catcher() as server:
        yield server


@pytest.fixture
def by(catcher: Catcher) -> Iterator[SmtpSender]:
    with smtp_sender(catcher.port) as sender:
        yield sender


def test_an_accepted_message_arrives_as_it_was(catcher, by):
    delivery = deliver(by)
    assert delivery == Delivery(DeliveryOutcome.ACCEPTED, "250 2.0.0 OK")
    (caught,) = catcher.letters()
    assert (caught.envelope_sender, caught.recipient, caught.raw) == (SENDER, ANA, MESSAGE)


@pytest.mark.parametrize(
    ("sent", "arrived"),
    [
        (b"S: x\r\n\r\n.\r\n", b"S: x\r\n\r\n.\r\n"),
        (b".S: x\r\n\r\n..a\r\n.b\r\n", b".S: x\r\n\r\n..a\r\n.b\r\n"),
        (b"S: x\n\na\n.\nRSET\n", b"S: x\r\n\r\na\r\n.\r\nRSET\r\n"),
        (b"S: x\r\n\r\na\r.\rb", b"S: x\r\n\r\na\r\n.\r\nb\r\n"),
        (b"S: x\r\n\r\na\r\n\n.\r\n", b"S: x\r\n\r\na\r\n\r\n.\r\n"),
        (b"", b"\r\n"),
    ],
)
def test_dots_and_line_ends_cannot_end_a_message_early(catcher, by, sent, arrived):
    assert deliver(by, data=sent).outcome is DeliveryOutcome.ACCEPTED
    assert [caught.raw for caught in catcher.letters()] == [arrived]


def test_one_connection_carries_many_messages(catcher, by):
    for number in range(50):
        assert deliver(by, f"a{number}@example.com").outcome is DeliveryOutcome.ACCEPTED
    assert (catcher.connections, len(catcher.letters())) == (1, 50)


def test_a_message_not_owed_any_more_is_not_sent(catcher, by):
    assert deliver(by, mark=lambda: False).outcome is DeliveryOutcome.NOT_OWED
    assert deliver(by, BEN).outcome is DeliveryOutcome.ACCEPTED
    assert [caught.recipient for caught in catcher.letters()] == [BEN]
    assert catcher.connections == 1


def test_a_marker_that_fails_sends_nothing_and_leaves_the_next_message_a_clean_session(catcher, by):
    def mark() -> bool:
        raise ConnectionResetError("the database is gone")

    with pytest.raises(ConnectionResetError, match="the database is gone"):
        deliver(by, mark=mark)
    assert deliver(by, BEN).outcome is DeliveryOutcome.ACCEPTED
    assert [caught.recipient for caught in catcher.letters()] == [BEN]


@pytest.mark.parametrize(
    ("reply", "outcome"),
    [
        ("450 4.2.0 Greylisted", DeliveryOutcome.RETRY),
        ("452 4.2.2 Mailbox full", DeliveryOutcome.RETRY),
        ("550 5.7.1 Not here", DeliveryOutcome.REFUSED),
        ("550 No such user here", DeliveryOutcome.REFUSED),
        ("550 5.1.1 No such user", DeliveryOutcome.SUPPRESS),
        ("550 5.1.10 Null MX", DeliveryOutcome.SUPPRESS),
        ("550 #5.1.0 Address rejected", DeliveryOutcome.SUPPRESS),
        # Not the recipient's address: one wrong setting of ours must not suppress everybody.
        ("550 5.1.0 <b@x>: Sender address rejected: User unknown", DeliveryOutcome.REFUSED),
        ("550 5.1.7 Bad sender address", DeliveryOutcome.REFUSED),
        ("550 5.1.8 Domain of sender does not exist", DeliveryOutcome.REFUSED),
    ],
)
@pytest.mark.parametrize("step", ["rcpt", "data"])
def test_a_refusal_says_whether_to_try_again_and_spares_the_neighbours(
    catcher, by, step, reply, outcome
):
    replies: Replies = {ANA: [reply]}
    catcher.behaviour = (
        Behaviour(rcpt_replies=replies) if step == "rcpt" else Behaviour(data_replies=replies)
    )
    assert deliver(by) == Delivery(outcome, reply)
    assert deliver(by, BEN).outcome is DeliveryOutcome.ACCEPTED
    assert [caught.recipient for caught in catcher.letters()] == [BEN]
    assert catcher.connections == 1


def test_greylisted_twice_and_taken_the_third_time(catcher, by):
    catcher.behaviour.rcpt_replies[ANA] = ["450 4.2.0 Later", "450 4.2.0 Later"]
    assert [deliver(by).outcome.value for _ in range(3)] == ["retry", "retry", "accepted"]


@pytest.mark.parametrize(
    ("reply", "expected"),
    [
        ("451 4.3.0 Try later", Delivery(DeliveryOutcome.RETRY, "451 4.3.0 Try later")),
        ("550 5.1.0 No", Delivery(DeliveryOutcome.REFUSED, "550 5.1.0 No")),
        (
            "530 5.7.0 Authentication required",
            Delivery(
                DeliveryOutcome.RETRY, "530 5.7.0 Authentication required", connection_failed=True
            ),
        ),
    ],
)
def test_a_refusal_of_the_sender_never_suppresses_the_recipient(catcher, by, reply, expected):
    catcher.behaviour.mail_replies.append(reply)
    assert deliver(by) == expected
    assert deliver(by).outcome is DeliveryOutcome.ACCEPTED


@pytest.mark.parametrize("step", ["mail", "rcpt", "data"])
def test_421_at_any_step_is_tried_again_on_a_new_connection(catcher, by, step):
    busy = ["421 4.3.2 Closing"]
    catcher.behaviour = {
        "mail": Behaviour(mail_replies=busy),
        "rcpt": Behaviour(rcpt_replies={ANA: busy}),
        "data": Behaviour(data_replies={ANA: busy}),
    }[step]
    assert deliver(by) == Delivery(
        DeliveryOutcome.RETRY, "421 4.3.2 Closing", connection_failed=True
    )
    assert deliver(by).outcome is DeliveryOutcome.ACCEPTED
    assert (catcher.connections, len(catcher.letters())) == (2, 1)


def test_421_every_fifth_message_loses_and_repeats_none(catcher, by):
    catcher.behaviour.busy_every = 5
    for number in range(40):
        while deliver(by, f"a{number}@example.com").outcome is not DeliveryOutcome.ACCEPTED:
            pass
    assert [c.recipient for c in catcher.letters()] == [f"a{n}@example.com" for n in range(40)]


def test_the_connection_lost_before_the_250_is_ambiguous_whether_or_not_the_message_was_kept(
    catcher, by
):
    catcher.behaviour.cuts = {ANA: [Cut.BEFORE_KEEPING], BEN: [Cut.BEFORE_250]}
    for recipient in (ANA, BEN):
        delivery = deliver(by, recipient)
        assert (delivery.outcome, delivery.connection_failed) == (DeliveryOutcome.AMBIGUOUS, True)
    assert [caught.recipient for caught in catcher.letters()] == [BEN]
    assert deliver(by).outcome is DeliveryOutcome.ACCEPTED


def test_the_connection_lost_after_the_250_is_accepted_and_the_next_message_dials_again(
    catcher, by
):
    catcher.behaviour.cuts = {ANA: [Cut.AFTER_250]}
    assert deliver(by).outcome is DeliveryOutcome.ACCEPTED
    # The line may go dead before the next letter or during its MAIL; neither is in doubt.
    outcomes = [deliver(by, BEN).outcome]
    if outcomes == [DeliveryOutcome.RETRY]:
        outcomes.append(deliver(by, BEN).outcome)
    assert outcomes[-1] is DeliveryOutcome.ACCEPTED
    assert [caught.recipient for caught in catcher.letters()] == [ANA, BEN]
    assert catcher.connections == 2


def test_a_goodbye_that_fails_changes_nothing(catcher):
    catcher.behaviour.cut_at_quit = True
    with smtp_sender(catcher.port) as by:
        assert deliver(by).outcome is DeliveryOutcome.ACCEPTED
    assert len(catcher.letters()) == 1


def test_nobody_at_home_is_tried_again(catcher, by):
    catcher.stop()
    delivery = deliver(by)
    assert (delivery.outcome, delivery.connection_failed) == (DeliveryOutcome.RETRY, True)
    catcher.start()
    assert deliver(by).outcome is DeliveryOutcome.ACCEPTED


def test_a_server_that_restarted_between_two_messages_costs_no_attempt(catcher, by):
    assert deliver(by).outcome is DeliveryOutcome.ACCEPTED
    catcher.stop()
    catcher.start()
    assert deliver(by).outcome is DeliveryOutcome.ACCEPTED


@pytest.mark.parametrize(
    "recipient",
    ["", "ana", "ana@", "a b@example.com", "a@e.example>\r\nRCPT TO:<v@e.example", "a@b> SIZE=1"],
)
def test_what_is_no_address_is_never_put_on_the_wire(catcher, by, recipient):
    assert deliver(by, recipient).outcome is DeliveryOutcome.SUPPRESS
    assert catcher.connections == 0


def test_an_envelope_sender_must_be_an_address_or_empty(by):
    with pytest.raises(ValueError, match="envelope sender"):
        by.deliver(envelope_sender="b>", recipient=ANA, data=MESSAGE, mark=lambda: True)
    delivery = by.deliver(envelope_sender="", recipient=ANA, data=MESSAGE, mark=lambda: True)
    assert delivery.outcome is DeliveryOutcome.ACCEPTED


def test_that_the_server_cannot_take_an_address_beyond_ascii_says_nothing_against_it(by):
    delivery = deliver(by, "josé@example.com")
    assert delivery.outcome is DeliveryOutcome.REFUSED
    assert "SMTPUTF8" in delivery.reply
    assert deliver(by).outcome is DeliveryOutcome.ACCEPTED


def test_a_domain_beyond_ascii_is_given_in_ascii_which_every_server_takes(catcher, by):
    assert deliver(by, "ana@münchen.example").outcome is DeliveryOutcome.ACCEPTED
    assert [caught.recipient for caught in catcher.letters()] == ["ana@xn--mnchen-3ya.example"]


def test_an_address_beyond_ascii_with_smtputf8():
    with Catcher(smtputf8=True) as catcher, smtp_sender(catcher.port) as by:
        for recipient in ("josé@example.com", ANA):
            data = MESSAGE.replace(b"ana@example.com", recipient.encode())
            assert deliver(by, recipient, data=data).outcome is DeliveryOutcome.ACCEPTED
        assert [caught.recipient for caught in catcher.letters()] == ["josé@example.com", ANA]


def test_record_messages_sees_accepted_messages_only(catcher, by):
    catcher.behaviour.rcpt_replies[BEN] = "550 5.1.1 No such user"
    with flask_mail.Mail().record_messages() as outbox:
        deliver(by)
        deliver(by, BEN)
    (message,) = outbox
    assert (message.subject, message.recipients) == ("30 days left", [ANA])
    assert (message.sender, message.msgId) == ("T <t@t.example>", "<1@t.example>")
    assert message.body is not None
    assert message.body.startswith("Hello")


def test_a_listener_that_fails_does_not_unaccept_a_message(by, caplog):
    def listen(_sender: object, message: flask_mail.Message) -> None:
        raise RuntimeError(message.subject)

    with flask_mail.email_dispatched.connected_to(listen):
        assert deliver(by).outcome is DeliveryOutcome.ACCEPTED
    assert "a listener to accepted letters failed" in caplog.text


def test_settings_that_contradict_each_other_are_refused():
    with pytest.raises(ValueError, match="not both"):
        smtp_sender(25, use_tls=True, use_ssl=True)
    with pytest.raises(ValueError, match="encrypted only"):
        smtp_sender(25, server="relay.example.org", username="u", password="p")
