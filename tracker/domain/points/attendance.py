"""What a provider says about who attended, compared with what holders claim.

A row of an attendance list is of somebody, of a day, and perhaps of another quantity than its
course has. Whatever does not fit is a discrepancy, which staff settle one by one.
"""

from __future__ import annotations

from collections.abc import Mapping
from datetime import date
from decimal import Decimal
from enum import StrEnum

from tracker.domain.errors import IllegalTransition, Invalid
from tracker.domain.points.activities import ActivityState
from tracker.domain.values import alike, folded

ClaimKey = tuple[str, str, date]
"""What makes a claim one of a course on a day: title, provider and day of completion."""
LONGEST_KEY = 380  # some letters become several when they are folded


class DiscrepancyKind(StrEnum):
    """What does not fit.

    ``unmatched``: nobody on record is meant for certain. ``refused``: the holder is known, but the
    rules do not take the activity. ``contradiction``: provider and holder say different things.
    ``silent``: a holder claims a course whose list came, and is not on it.
    """

    UNMATCHED = "unmatched"
    REFUSED = "refused"
    CONTRADICTION = "contradiction"
    SILENT = "silent"


class ProviderAnswer(StrEnum):
    """What a provider says when it is asked about its own list: that it is right, or wrong."""

    LIST_RIGHT = "list_right"
    LIST_WRONG = "list_wrong"


ASKED_OF_PROVIDERS = frozenset(
    {DiscrepancyKind.UNMATCHED, DiscrepancyKind.CONTRADICTION, DiscrepancyKind.SILENT}
)
"""What a provider can say something about; that rules refuse an activity is the holder's affair."""


class DiscrepancyState(StrEnum):
    """Whether somebody still has to look."""

    OPEN = "open"
    SETTLED = "settled"


class Outcome(StrEnum):
    """How a discrepancy was settled.

    ``provider`` and ``holder``: whose word counts. ``matched``: the row is of a certain holder.
    ``dismissed``: nothing follows. ``listed``: a later list or file said what was missing; only the
    program says so.
    """

    PROVIDER = "provider"
    HOLDER = "holder"
    MATCHED = "matched"
    DISMISSED = "dismissed"
    LISTED = "listed"


CHOICES = tuple(outcome for outcome in Outcome if outcome != Outcome.LISTED)
"""The outcomes that people choose."""
_WORDS = (Outcome.PROVIDER, Outcome.HOLDER, Outcome.DISMISSED)
_PERSONS = (Outcome.MATCHED, Outcome.DISMISSED)
_POSSIBLE: Mapping[DiscrepancyKind, tuple[Outcome, ...]] = {
    DiscrepancyKind.UNMATCHED: _PERSONS,
    DiscrepancyKind.REFUSED: _PERSONS,
    DiscrepancyKind.CONTRADICTION: _WORDS,
    DiscrepancyKind.SILENT: _WORDS,
}


def claim_key(title: str, provider: str, completed_on: date) -> ClaimKey:
    """The same for every spelling that counts as the same, as for duplicates (``values.alike``)."""
    return alike(title), alike(provider), completed_on


def text_key(text: str) -> str:
    """A text in the form in which it is looked for, no longer than its column.

    >>> text_key("Robot  SAFETY")
    'robot safety'
    """
    return alike(text)[:LONGEST_KEY]


def names_agree(given: str, on_record: str) -> bool:
    """Whether a name in a list may be that of a record: one word in common, or none was given.

    >>> names_agree("Peña, Ana", "ana pena")
    True
    >>> names_agree("Bo Smith", "ana pena")
    False
    """
    words = set(folded(given).split())
    return not words or not words.isdisjoint(folded(on_record).split())


def contradicts(said: Decimal | None, claimed: Decimal | None, state: str) -> bool:
    """Whether an activity on record is not as the provider says: a quantity, or a rejection."""
    return said != claimed or state == ActivityState.REJECTED


def check_state(state: str, wanted: DiscrepancyState) -> None:
    """Refuse to settle what is settled, or to reopen what is open. Raises IllegalTransition."""
    if state != wanted:
        way = "reopen it first" if wanted == DiscrepancyState.OPEN else "settle it instead"
        raise IllegalTransition(f"The discrepancy is {state}; {way}.", state=state)


def check_answer(kind: DiscrepancyKind, answer: ProviderAnswer, *, note: str | None) -> None:
    """Refuse that a row is right that means nobody for certain, without whom. Raises Invalid."""
    if kind == DiscrepancyKind.UNMATCHED and answer == ProviderAnswer.LIST_RIGHT and not note:
        raise Invalid("Say whom the row means.", fields={"note": "is required"})


def outcomes_of(kind: DiscrepancyKind) -> tuple[Outcome, ...]:
    """How a discrepancy of a kind can be settled by people."""
    return _POSSIBLE[kind]


def check_outcome(
    kind: DiscrepancyKind,
    outcome: Outcome,
    *,
    reason: str | None,
    reason_code: str | None,
    holder_id: str | None,
) -> None:
    """Refuse an outcome that the kind does not have, or one without what it needs. Raises Invalid.

    A match needs the holder, anything else a reason. If the provider's silence counts, the claim is
    rejected, which needs a reason code.
    """
    fields: dict[str, str] = {}
    if outcome not in _POSSIBLE[kind]:
        fields["outcome"] = f"must be one of: {', '.join(_POSSIBLE[kind])}"
    rejects = kind == DiscrepancyKind.SILENT and outcome == Outcome.PROVIDER
    _need(fields, "holder_id", holder_id, wanted=outcome == Outcome.MATCHED)
    _need(fields, "reason_code", reason_code, wanted=rejects)
    if outcome != Outcome.MATCHED and not reason:
        fields["reason"] = "is required"
    if fields:
        raise Invalid(
            f"A discrepancy of the kind {kind} cannot be settled this way.", fields=fields
        )


def _need(fields: dict[str, str], name: str, given: str | None, *, wanted: bool) -> None:
    if wanted and given is None:
        fields[name] = "is required for this outcome"
    elif given is not None and not wanted:
        fields[name] = "must be empty for this outcome"
