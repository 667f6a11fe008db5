"""mail/plain_bounces and mail/reports: every shape is read as what it is."""

from __future__ import annotations

import pytest

from tests.mail.bounce_shapes import PROOF, SHAPES, plain
from tracker.domain.delivery.bounces import kind_of
from tracker.mail import reports


def read(raw: str) -> str:
    incoming = reports.read(raw.replace("\n", "\r\n").encode())
    return kind_of(incoming.status) if incoming.kind == "failed" else incoming.kind


@pytest.mark.parametrize("shape", SHAPES, ids=lambda shape: shape.name)
def test_a_message_is_read_as_what_it_is(shape):
    assert read(shape.raw) == shape.read


def test_the_shapes_are_32_and_more():
    assert len(SHAPES) >= 32


def test_a_bounce_in_words_names_message_and_address():
    incoming = reports.read(SHAPES[0].raw.encode())

    assert incoming.proofs == (("b", PROOF),)
    assert incoming.recipients == ("ana@example.org",)
    assert incoming.status == "5.1.1"
    assert incoming.diagnostic.startswith("Hi. This is the qmail-send program")


def test_words_at_an_address_that_we_did_not_sign_are_nothing():
    assert read(plain("550 5.1.1 no such mailbox", to="help@tracker.example")) != "hard"


def test_an_unknown_charset_does_no_harm():
    assert read(plain("550 5.1.1 gone", kind="text/plain; charset=klingon")) == "hard"
