"""Award changes of an import: counted, and listed for awards that were on record before."""

from __future__ import annotations

from collections.abc import Collection

from sqlalchemy import select

from tracker.models import Holder
from tracker.services.core import bulk
from tracker.services.core.context import ReadContext
from tracker.services.credentials import awards
from tracker.services.credentials.imported_award_rows import ChangedAward
from tracker.services.imports.report import AwardChange
from tracker.services.imports.run import Run

_WORDS: dict[awards.ConsequenceKind, tuple[str, str]] = {
    "awarded": ("certifications awarded", "awarded"),
    "moved": ("award dates moved", "award date moved"),
    "withdrawn": (
        "certifications withdrawn (void: recorded in error)",
        "withdrawn (void: recorded in error)",
    ),
    "restored": ("certifications restored", "restored: the passes support it again"),
    "kept": (
        "award dates kept although the passes are earlier",
        "date kept because it was renewed since",
    ),
}
"""How a report counts each kind of change, and how it describes one."""


def follow(run: Run, consequences: Collection[awards.Consequence]) -> None:
    """Count the changes to awards; list those that were on record before the file."""
    for one in consequences:
        run.effects[_WORDS[one.what][0]] += 1
    changed = [one for one in consequences if one.what != "awarded"]
    refs = _refs(run.work, {one.holder_id for one in changed})
    for one in changed:
        words = _WORDS[one.what][1]
        run.follow(
            AwardChange(refs[one.holder_id], one.number, one.scheme, words, one.before, one.after)
        )


def name(run: Run, scheme: str, changed: Collection[ChangedAward]) -> None:
    """List the awards that a file of certifications changed."""
    refs = _refs(run.work, {one.holder_id for one in changed})
    for one in sorted(changed, key=lambda one: (refs[one.holder_id], one.number)):
        run.follow(
            AwardChange(refs[one.holder_id], one.number, scheme, one.what, one.before, one.after)
        )


def _refs(reading: ReadContext, holder_ids: Collection[str]) -> dict[str, str]:
    if not holder_ids:
        return {}
    statement = select(Holder.id, Holder.ref).where(bulk.among(reading, Holder.id, holder_ids))
    return {row.id: row.ref for row in reading.rows(statement)}
