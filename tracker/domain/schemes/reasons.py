"""Reason codes: why somebody decided, from a fixed list, so that decisions can be counted.

The list is data (``config/reasons.toml``). Each code is for one or more acts. A code for one act of
a family is accepted for every act of it: a reason for a suspension also fits its end.
"""

from __future__ import annotations

import difflib
from collections.abc import Collection, Mapping
from dataclasses import dataclass
from typing import Annotated, Literal

from tracker.domain.errors import Invalid
from tracker.domain.schemes.activity_types import Translated
from tracker.domain.schemes.keys import AtLeast, Named
from tracker.domain.schemes.schemes import Scheme
from tracker.domain.values import folded, run_together

Act = Literal[
    "activity_approval",
    "points_limit",
    "activity_rejection",
    "more_information",
    "renewal_denial",
    "suspension",
    "revocation",
    "reinstatement",
    "surrender",
    "extension",
    "reduction",
    "appeal_outcome",
    "correction",
]
FAMILIES: tuple[tuple[Act, ...], ...] = (
    ("activity_approval", "points_limit", "activity_rejection", "more_information"),
    ("renewal_denial",),
    ("suspension", "revocation", "reinstatement", "surrender"),
    ("extension", "reduction"),
    ("appeal_outcome",),
    ("correction",),
)
ACTS: tuple[Act, ...] = tuple(act for family in FAMILIES for act in family)
_FAMILY: Mapping[Act, tuple[Act, ...]] = {act: family for family in FAMILIES for act in family}
_MOST_NEAR = 3


class UnknownReason(Invalid):
    """The code is not in the list for the act, or needs additional words."""

    code = "unknown_reason"


@dataclass(frozen=True, slots=True)
class ReasonCode:
    """A code with its words. ``own_words``: it says too little without a text beside it."""

    code: str
    acts: Annotated[frozenset[Annotated[Act, "An act."]], "What it is for.", AtLeast(1)]
    text: Annotated[Translated, "What it means."]
    own_words: Annotated[bool, "Whether it also needs a reason in one's own words."] = False


@dataclass(frozen=True, slots=True)
class Reasons:
    """All codes of the list."""

    by_code: Annotated[Mapping[str, ReasonCode], "The codes.", Named("reasons")]

    def for_act(self, act: Act) -> tuple[ReasonCode, ...]:
        """The codes accepted for an act: those of its family, in the order of the list."""
        family = _FAMILY[act]
        return tuple(r for r in self.by_code.values() if not r.acts.isdisjoint(family))

    def check(self, act: Act, code: str, *, words: str | None, also: Collection[str] = ()) -> None:
        """Refuse a code that is not for the act, or lacks the words that it needs.

        ``also`` are codes that the policies name. Raises UnknownReason with the available codes and
        those that were probably meant.
        """
        known = {reason.code: reason for reason in self.for_act(act)}
        if code not in known and code not in also:
            raise _unknown(act, code, [*known, *sorted(set(also) - known.keys())])
        reason = known.get(code)
        if reason is not None and reason.own_words and not _are_own(words, reason):
            raise UnknownReason(
                f"The reason {code!r} is not enough by itself: also give the reason in your own "
                "words.",
                fields={"reason": f"is required with {code!r}, in your own words"},
            )


def of_policies(scheme: Scheme) -> dict[str, frozenset[Act]]:
    """The codes that the policies of a scheme name, with the acts that each is for."""
    found: dict[str, set[Act]] = {}
    for policy in scheme.policies:
        if policy.extension is not None:
            for code in (*policy.extension.reasons, *policy.extension.exempt):
                found.setdefault(code, set()).add("extension")
        if policy.reduction is not None:
            for code in policy.reduction.reasons:
                found.setdefault(code, set()).add("reduction")
    return {code: frozenset(acts) for code, acts in found.items()}


def near(word: str, choices: Collection[str]) -> list[str]:
    """The choices that a word probably means, the likeliest first, ignoring case and spaces.

    >>> near("Ilness", ["illness", "military", "holidays"])
    ['illness']
    """
    plain = {run_together(choice): choice for choice in choices}
    meant = run_together(word)
    begun = [key for key in plain if meant and (key.startswith(meant) or meant.startswith(key))]
    found = [*begun, *difflib.get_close_matches(meant, plain, _MOST_NEAR, 0.6)]
    return [plain[key] for key in dict.fromkeys(found)][:_MOST_NEAR]


def _are_own(words: str | None, reason: ReasonCode) -> bool:
    """Whether a text says more than the code does."""
    said = folded(words or "")
    return bool(said) and said not in {folded(reason.code), *map(folded, reason.text.values())}


def _unknown(act: Act, code: str, choices: list[str]) -> UnknownReason:
    meant = near(code, choices)
    hint = f"; did you mean {' or '.join(map(repr, meant))}?" if meant else ""
    what = act.replace("_", " ")
    return UnknownReason(
        f"{code!r} is not a reason code for this ({what}){hint or '.'} The codes are: "
        f"{', '.join(choices)}. GET /api/v1/reasons?act={act} explains them.",
        fields={"reason_code": f"must be one of: {', '.join(choices)}{hint}"},
        act=act,
        choices=choices,
        near=meant,
    )
