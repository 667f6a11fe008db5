"""Asking many workers for consent at once: those whom a filter finds and who may be asked."""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping
from dataclasses import dataclass

from sqlalchemy import select

from tracker.domain.employers.consents import ConsentTerms
from tracker.models import RosterEntry
from tracker.services.core.context import ReadContext, UnitOfWork
from tracker.services.employers import consent_requests
from tracker.services.employers.workforce_selection import (
    URGENCY,
    WorkforceFilter,
    parameters,
    selected,
)

MOST = 1000
"""How many workers are looked at, and perhaps asked, at once; the most urgent first."""
ASKED = "asked_now"


@dataclass(frozen=True, slots=True)
class AskPreview:
    """How many would be asked; ``others`` are the rest by the reason why they would not be."""

    asked: int
    others: Mapping[str, int]
    is_cut: bool


def preview(reading: ReadContext, selection: WorkforceFilter, terms: ConsentTerms) -> AskPreview:
    """Whom ``ask`` would ask now, by which nobody is asked. Raises NotFound."""
    ids = _ids(reading, selection)
    results = consent_requests.would_ask(reading, selection.employer_id, ids[:MOST], terms)
    others = Counter(result.reason or ASKED for result in results)
    return AskPreview(others.pop(ASKED, 0), others, len(ids) > MOST)


def ask(work: UnitOfWork, selection: WorkforceFilter, terms: ConsentTerms) -> int:
    """Ask those whom a filter finds, as far as they may be; how many are asked. Raises NotFound."""
    ids = _ids(work, selection)[:MOST]
    results = consent_requests.ask(work, selection.employer_id, ids, terms)
    return sum(result.asked for result in results)


def _ids(reading: ReadContext, selection: WorkforceFilter) -> list[str]:
    statement = selected(select(RosterEntry.id), selection).order_by(URGENCY, RosterEntry.id)
    rows = reading.rows(statement.limit(MOST + 1), parameters(reading, selection))
    return [row[0] for row in rows]
