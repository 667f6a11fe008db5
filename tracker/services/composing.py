"""Who composes which letter: each kind by its own module, many of a kind at once."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Callable, Mapping, Sequence

from tracker.services import digest_letters, notice_letters, preferences, reminder_letters
from tracker.services.letters import Claim, Made
from tracker.services.work import Reading

Composer = Callable[[Reading, bytes, Sequence[Claim]], Made]

_COMPOSERS: Mapping[str, Composer] = {
    "reminder": reminder_letters.compose, "notice": notice_letters.compose,
    "digest": digest_letters.compose,
}  # fmt: skip


def compose(reading: Reading, key: bytes, claims: Sequence[Claim]) -> Made:
    """The letters of claimed rows by id, less those that their holder does not want any more.

    A constant number of statements for each kind.
    """
    return preferences.drop_unwanted(reading, claims, written(reading, key, claims))


def written(reading: Reading, key: bytes, claims: Sequence[Claim]) -> Made:
    """The same letters, whether or not their holder wants such letters now: to look at."""
    by_kind: dict[str, list[Claim]] = defaultdict(list)
    for claim in claims:
        by_kind[claim.kind].append(claim)
    made: Made = {}
    for kind, some in by_kind.items():
        made |= _COMPOSERS[kind](reading, key, some)
    return made
