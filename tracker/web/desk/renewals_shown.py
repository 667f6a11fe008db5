"""An application to renew in the words of the desk's page."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from decimal import Decimal

from tracker.domain.credentials.fees import OPEN_FEES, SETTLED, FeeState
from tracker.domain.schemes.activity_types import translated
from tracker.language.voice import ACTIVITIES, POINTS, counted, figure, in_words, money
from tracker.services.credentials.former_decisions import RenewalDecisionRow
from tracker.services.desk.renewal_dossiers import RenewalDossier
from tracker.web.desk import queue_shown
from tracker.web.desk.renewals_words import WORDS
from tracker.web.desk.review_forms import ReasonShown
from tracker.web.verify_words import WORDS as STATUSES


@dataclass(frozen=True, slots=True)
class NeededShown:
    """A line of the checklist; ``state`` is done, open or waiting."""

    state: str
    mark: str
    text: str
    leads_to_reviews: bool = False


@dataclass(frozen=True, slots=True)
class FeeShown:
    """The fee, and what can be recorded of it."""

    told: str
    version: int
    is_open: bool
    is_settled: bool


def parts(found: RenewalDossier, language: str) -> dict[str, object]:
    """The parts of the page about the application, by the names that its template knows."""
    return {
        "standing": standing(found, language),
        "checks": checks(found, language),
        "confirms": to_confirm(found, language),
        "fee": fee(found, language),
        "reasons": reasons(found, language),
        "decisions": [decision(one, language) for one in found.decisions],
    }


def standing(found: RenewalDossier, language: str) -> str:
    """How the certification stands today."""
    now = found.standing
    left = (now.expires_on - now.on).days if now and now.expires_on else None
    expiry = queue_shown.expiry(found.number, now, left, language)
    status = STATUSES[language].statuses[now.status] if now else ""
    return ". ".join(filter(None, [status, expiry]))


def checks(found: RenewalDossier, language: str) -> list[NeededShown]:
    """What an approval needs, line by line; checks to confirm are last."""
    say = WORDS[language]
    codes = {one.code for one in found.obstacles}
    lines = [_points(found, codes, language), _fee(found, language)]
    if not codes <= _TOLD:
        lines.append(NeededShown("open", say.still_open, say.contradicted))
    names = [translated(one.name, language) for one in found.policy.checks]
    confirm = [NeededShown("waiting", say.pending, say.check_confirm.format(one)) for one in names]
    return [*lines, *confirm]


_TOLD = frozenset({"points_missing", "points_pending", "reexamination_missing", "fee_open"})
"""The obstacles that lines of their own tell."""


def _points(found: RenewalDossier, codes: set[str], language: str) -> NeededShown:
    say, judged = WORDS[language], found.judged
    if judged is None:
        return NeededShown("done", say.done, say.points_none)
    counts = judged.evaluation
    amounts = {
        "total": figure(counts.total),
        "required": counted(counts.required, POINTS, language),
        "missing": counted(counts.missing, POINTS, language),
        "activities": counted(Decimal(len(found.waiting)), ACTIVITIES, language),
    }
    if "reexamination_missing" in codes:
        return NeededShown("open", say.still_open, say.reexamination)
    if "points_pending" in codes:
        told = say.points_pending.format(**amounts)
        return NeededShown("waiting", say.pending, told, leads_to_reviews=True)
    if "points_missing" in codes:
        told = (say.points_open if counts.missing else say.points_minimum).format(**amounts)
        return NeededShown("open", say.still_open, told)
    return NeededShown("done", say.done, say.points_done.format(**amounts))


def _fee(found: RenewalDossier, language: str) -> NeededShown:
    say, row = WORDS[language], found.fee
    if row is None:
        return NeededShown("done", say.done, say.fee_none)
    told = _fee_told(found, language)
    if row.state in SETTLED:
        return NeededShown("done", say.done, told)
    if any(one.code == "fee_open" for one in found.obstacles):
        return NeededShown("open", say.still_open, told)
    return NeededShown("waiting", say.pending, f"{told}. {say.fee_not_needed}")


def _fee_told(found: RenewalDossier, language: str) -> str:
    say, row = WORDS[language], found.fee
    if row is None:
        return say.fee_none
    told = say.fee.format(amount=money(row.amount, row.currency), state=say.fee_states[row.state])
    more = [say.fee_reference.format(row.reference)] if row.reference else []
    return ", ".join([told, *more, *([row.reason] if row.reason else [])])


def fee(found: RenewalDossier, language: str) -> FeeShown | None:
    """The fee on record; None if there is none."""
    if found.fee is None:
        return None
    state = FeeState(found.fee.state)
    told = _fee_told(found, language)
    return FeeShown(told, found.fee.version, state in OPEN_FEES, state in SETTLED)


def to_confirm(found: RenewalDossier, language: str) -> Sequence[tuple[str, str]]:
    """The checks that are confirmed with an approval, by code."""
    say = WORDS[language]
    return [
        (one.code, say.confirm.format(translated(one.name, language)))
        for one in found.policy.checks
    ]


def reasons(found: RenewalDossier, language: str) -> list[ReasonShown]:
    """The reasons for a denial."""
    return [
        ReasonShown(one.code, translated(one.text, language), translated(one.text, found.language))
        for one in found.reasons
    ]


def decision(one: RenewalDecisionRow, language: str) -> str:
    """A decision in a sentence, also one that was taken back or replaced."""
    say, on = WORDS[language], in_words(one.decided_on, language)
    parts = [f"{say.verdicts[one.decision]}, {on}, {one.decided_by or ''}."]
    if one.reason:
        parts.append(one.reason)
    if one.ended_at is not None:
        parts.append(
            f"({say.taken_back.format(one.ended_by)})" if one.undone else f"({say.replaced})"
        )
    return " ".join(parts)
