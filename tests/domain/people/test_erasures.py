"""What a record says of a person who was erased."""

from __future__ import annotations

from tracker.domain import emails
from tracker.domain.people import erasures


def test_the_address_of_an_erased_record_is_one_that_never_is():
    address = erasures.address("01900000-0000-7000-8000-000000000000")

    assert emails.email(address) == address
    assert address.endswith(".invalid")
