"""Which addresses let a person sign in (domain/people/accounts.py)."""

import pytest

from tracker.domain.people.accounts import (
    KnownAddresses,
    account_address,
    acting_name,
    addresses,
    signs_in,
)


@pytest.mark.parametrize(
    ("known", "expected"),
    [
        (KnownAddresses("a@x.org", email_confirmed=True), ["a@x.org"]),
        (KnownAddresses("a@x.org", email_confirmed=False), []),
        (
            KnownAddresses("a@x.org", email_confirmed=True, second_email="b@x.org"),
            ["a@x.org", "b@x.org"],
        ),
        (
            KnownAddresses(
                "a@x.org",
                email_confirmed=True,
                second_email="b@x.org",
                second_email_confirmed=False,
            ),
            ["a@x.org"],
        ),
    ],
)
def test_confirmed_addresses_on_record_sign_in(known, expected):
    assert addresses(known) == expected


def test_the_address_of_the_account_counts_until_the_new_one_on_record_is_confirmed():
    """A holder who enters another address is not locked out, and a stranger does not get in."""
    own_change = KnownAddresses("new@x.org", email_confirmed=False, account_email="old@x.org")
    by_staff = KnownAddresses("new@x.org", email_confirmed=True, account_email="old@x.org")

    assert addresses(own_change) == ["old@x.org"]
    assert addresses(by_staff) == ["new@x.org"]


def test_case_does_not_matter():
    known = KnownAddresses("Ana@x.org", email_confirmed=True)

    assert signs_in(known, "ana@X.ORG")
    assert not signs_in(known, "anna@x.org")


@pytest.mark.parametrize(
    ("is_confirmed", "account", "replaced", "by_staff", "expected"),
    [
        (True, "other@x.org", ["a@x.org"], False, "a@x.org"),
        (False, "other@x.org", ["a@x.org"], False, "other@x.org"),
        (False, "Other@x.org", ["other@x.org"], True, None),
        (False, "other@x.org", ["a@x.org"], True, "other@x.org"),
        (False, None, ["a@x.org"], True, None),
    ],
)
def test_an_account_keeps_the_address_that_was_confirmed_and_none_that_staff_replaced(
    is_confirmed, account, replaced, by_staff, expected
):
    known = KnownAddresses("a@x.org", email_confirmed=is_confirmed, account_email=account)

    assert account_address(known, replaced, by_staff=by_staff) == expected


def test_the_name_of_somebody_who_acts_fits_the_history():
    assert acting_name("Ana", "Ruiz") == "Ana Ruiz"
    assert acting_name("A" * 100, "R" * 100) == "A" * 100
