"""Erasing a person's data: the person or one of the staff asks, another person approves.

What stays is what a certification body must be able to prove for good: certificate number, scheme
and dates (``privacy.erasure_keeps`` in the settings says by which rule). Everything else about the
person goes.
"""

from __future__ import annotations

from enum import StrEnum


class ErasureState(StrEnum):
    """A request waits until another person approves or refuses it, or the holder withdraws it."""

    REQUESTED = "requested"
    APPROVED = "approved"
    REFUSED = "refused"
    WITHDRAWN = "withdrawn"


GIVEN_NAME, FAMILY_NAME = "(erased)", "(erased)"
"""The name on a record whose person was erased."""


def address(holder_id: str) -> str:
    """The address on such a record, at a domain that there never is (RFC 2606)."""
    return f"{holder_id}@erased.invalid"
