"""The review queue as a page shows it: its activities, how long all wait, what to filter by."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from tracker.services.core.context import ReadContext
from tracker.services.desk import queue_figures, review_queue, review_rounds
from tracker.services.desk.queue_figures import QueueAges
from tracker.services.desk.queue_order import QueueFilter, QueuePlace
from tracker.services.desk.review_queue import QueuePage
from tracker.services.desk.review_rounds import JustDecided
from tracker.services.employers import employers

MOST = 200
"""The employers to choose from, at most."""


@dataclass(frozen=True, slots=True)
class QueueOverview:
    """A page of the queue, the ages of everything in it, and employers by id and name.

    ``ages`` is None with a flag, which is known of the activities of a page alone. ``just`` is what
    the reader decided just before, if they say what that was.
    """

    page: QueuePage
    ages: QueueAges | None
    employers: Sequence[tuple[str, str]]
    just: JustDecided | None


def read(
    reading: ReadContext,
    selection: QueueFilter,
    *,
    after: QueuePlace | None,
    limit: int,
    just: str | None = None,
) -> QueueOverview:
    """The queue with what is known of all of it. Raises UnknownScheme, NotFound."""
    rows = employers.DIRECTORY.page(reading, after=None, limit=MOST, name=None)
    return QueueOverview(
        page=review_queue.page(reading, selection, after=after, limit=limit),
        ages=None if selection.flag else queue_figures.ages(reading, selection),
        employers=sorted(((row.id, row.name) for row in rows), key=lambda one: one[1].casefold()),
        just=review_rounds.just_decided(reading, just) if just else None,
    )
