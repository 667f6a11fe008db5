"""Hashing passwords with argon2id, and the list of common ones.

Whoever is not on record costs as much time as a wrong password: ``is_right`` always verifies one
hash. Hashing takes tens of milliseconds and megabytes, so it is never done inside a transaction.
"""

from __future__ import annotations

import functools
import secrets
from collections.abc import Collection
from pathlib import Path

from argon2 import PasswordHasher, Type
from argon2.exceptions import InvalidHashError, VerificationError

from tracker.domain.people import passwords as rules
from tracker.settings import Settings

_LIST = Path(__file__).with_name("common_passwords.txt")


@functools.cache
def common() -> frozenset[str]:
    """Common passwords, in lower case."""
    lines = _LIST.read_text(encoding="utf-8").splitlines()
    return frozenset(line for line in lines if not line.startswith("#"))


def chosen(settings: Settings, text: str, *, about: Collection[str]) -> str:
    """The hash of a password that somebody chooses. Raises UnacceptablePassword.

    ``about`` are texts about the person that make no password: the name, the address.
    """
    password = rules.kept(text)
    rules.check(password, about=[*about, settings.app.name], common=common())
    return _hasher_of(settings).hash(_octets(password))


def is_right(settings: Settings, stored: str | None, text: str) -> bool:
    """Whether a password is that of a stored hash; with no hash it takes as long, and is not."""
    hasher = _hasher_of(settings)
    typed = _octets(rules.kept(text)[: rules.LONGEST + 1])
    try:
        hasher.verify(stored or _nobodys(hasher), typed)
    except (VerificationError, InvalidHashError):
        return False
    return stored is not None


def is_outdated(settings: Settings, stored: str) -> bool:
    """Whether the hash was made with other costs than the settings say now."""
    return _hasher_of(settings).check_needs_rehash(stored)


def again(settings: Settings, text: str) -> str:
    """A new hash of a password that was right, with today's costs."""
    return _hasher_of(settings).hash(_octets(rules.kept(text)))


def _octets(password: str) -> bytes:
    return password.encode(errors="surrogatepass")


def _hasher_of(settings: Settings) -> PasswordHasher:
    return _hasher(settings.accounts.password_memory_kib, settings.accounts.password_rounds)


@functools.cache
def _hasher(memory: int, rounds: int) -> PasswordHasher:
    return PasswordHasher(time_cost=rounds, memory_cost=memory, parallelism=1, type=Type.ID)


@functools.cache
def _nobodys(hasher: PasswordHasher) -> str:
    """A hash that no password has."""
    return hasher.hash(secrets.token_bytes(32))
