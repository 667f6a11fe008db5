"""Consents: what a holder lets an employer see, for which purpose, and why it sees no more."""

from __future__ import annotations

from collections.abc import Collection
from dataclasses import dataclass
from datetime import date, timedelta
from enum import StrEnum

DECLINED_FOR = timedelta(days=90)
"""How long a holder who declined is not asked again by the same employer."""
ASKED_EVERY = timedelta(days=14)
"""How often an employer may ask for the same worker while there is no answer."""


class ConsentField(StrEnum):
    """A set of facts that a consent covers; the standing is always one of them."""

    STANDING = "standing"
    DATES = "dates"
    POINTS = "points"
    MODULES = "modules"
    CREDENTIALS = "credentials"


class ConsentPurpose(StrEnum):
    """What an employer wants to see a worker's standing for.

    A list, and not the employer's own words: holders read it in their language, and nothing else
    than what is on the list can be asked for.
    """

    EMPLOYMENT = "employment"
    ASSIGNMENT = "assignment"
    CUSTOMERS = "customers"
    TRAINING = "training"


class ConsentAnswer(StrEnum):
    """What a holder answered when an employer asked."""

    ACCEPTED = "accepted"
    DECLINED = "declined"


class ConsentEnd(StrEnum):
    """How a consent ended."""

    WITHDRAWN = "withdrawn"
    LAPSED = "lapsed"
    EMPLOYMENT_ENDED = "employment_ended"
    DECEASED = "deceased"
    REPLACED = "replaced"


class NotSharedReason(StrEnum):
    """Why an employer does not see a worker, as far as the employer may know.

    ``NOT_MATCHED``: the entry has no word by which anybody could be found. An entry whose words
    mean nobody reads the same as one that somebody has not answered (``ASKED``); otherwise an
    employer could try out who is on record.
    """

    NOT_MATCHED = "not_matched"
    NOT_ASKED = "not_asked"
    ASKED = "asked"
    DECLINED = "declined"
    ENDED = "ended"


@dataclass(frozen=True, slots=True)
class ConsentTerms:
    """What a consent covers beyond the standing, and for which purpose."""

    purpose: ConsentPurpose = ConsentPurpose.EMPLOYMENT
    with_dates: bool = True
    with_points: bool = False
    with_modules: bool = False
    with_credentials: bool = False

    @property
    def fields(self) -> tuple[ConsentField, ...]:
        """The sets of facts that it covers."""
        chosen = {
            ConsentField.STANDING: True,
            ConsentField.DATES: self.with_dates,
            ConsentField.POINTS: self.with_points,
            ConsentField.MODULES: self.with_modules,
            ConsentField.CREDENTIALS: self.with_credentials,
        }
        return tuple(field for field, wanted in chosen.items() if wanted)


def terms(fields: Collection[ConsentField], purpose: ConsentPurpose) -> ConsentTerms:
    """The terms that cover these fields."""
    return ConsentTerms(
        purpose,
        with_dates=ConsentField.DATES in fields,
        with_points=ConsentField.POINTS in fields,
        with_modules=ConsentField.MODULES in fields,
        with_credentials=ConsentField.CREDENTIALS in fields,
    )


def may_ask_from(*, asked_on: date | None, declined_on: date | None) -> date | None:
    """The first day on which an employer may ask again; None if it may ask at any time."""
    if declined_on is not None:
        return declined_on + DECLINED_FOR
    return asked_on + ASKED_EVERY if asked_on is not None else None
