"""Hashing passwords, and the list of common ones (services/people/passwords.py)."""

from __future__ import annotations

from dataclasses import replace

import pytest

from tracker import settings
from tracker.domain.errors import UnacceptablePassword
from tracker.domain.people.passwords import SHORTEST
from tracker.services.people import passwords

SETTINGS = settings.load("testing", {})
GOOD = "correct horse battery"


def test_a_password_is_hashed_with_argon2id_and_recognized():
    stored = passwords.chosen(SETTINGS, GOOD, about=[])

    assert stored.startswith("$argon2id$v=19$m=8,t=1,p=1$")
    assert passwords.is_right(SETTINGS, stored, GOOD)
    assert not passwords.is_right(SETTINGS, stored, GOOD.upper())


def test_the_costs_are_those_of_the_settings():
    usual = settings.load("default", {})

    assert passwords.chosen(usual, GOOD, about=[]).startswith("$argon2id$v=19$m=19456,t=2,p=1$")


def test_letters_that_keyboards_compose_differently_are_the_same():
    stored = passwords.chosen(SETTINGS, "una contraseña larga", about=[])

    assert passwords.is_right(SETTINGS, stored, "una contrasen\u0303a larga")


@pytest.mark.parametrize("text", [GOOD, "", "\ud800", "x" * 100_000])
def test_without_a_hash_no_password_is_right(text):
    assert not passwords.is_right(SETTINGS, None, text)
    assert not passwords.is_right(SETTINGS, "not a hash", text)


def test_the_costs_of_today_replace_former_ones():
    stored = passwords.chosen(SETTINGS, GOOD, about=[])
    dearer = replace(SETTINGS, accounts=replace(SETTINGS.accounts, password_rounds=2))

    assert not passwords.is_outdated(SETTINGS, stored)
    assert passwords.is_outdated(dearer, stored)
    assert passwords.is_right(dearer, passwords.again(dearer, GOOD), GOOD)


@pytest.mark.parametrize("text", ["password123", "Qwertyuiop", "Ana Ruiz 99", "tracker2026"])
def test_common_and_personal_passwords_are_refused(text):
    with pytest.raises(UnacceptablePassword):
        passwords.chosen(SETTINGS, text, about=["Ana Ruiz"])


def test_the_list_holds_what_the_rule_for_short_ones_lets_through():
    assert len(passwords.common()) > 1000
    assert all(len(one) >= SHORTEST and one == one.casefold() for one in passwords.common())
