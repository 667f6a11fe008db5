"""A round of reviews: one after the other, where each decision opens the next activity.

An activity is opened for one reviewer at a time; those that others have open, the reviewer's own
and what they entered themselves are passed over.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace
from datetime import datetime

from sqlalchemy import select

from tracker.domain.errors import IllegalTransition, NotFound, SelfReview, UnderReview
from tracker.domain.permissions import is_own
from tracker.models import Holder, OpenReview
from tracker.services.core import bulk, days, open_reviews
from tracker.services.core.context import ReadContext, UnitOfWork
from tracker.services.core.writers import written
from tracker.services.desk import queue_order, review_queue, reviews
from tracker.services.desk.queue_order import QueueFilter, QueuePlace
from tracker.services.desk.reviews import ReviewDossier
from tracker.services.outbox.notices import SECOND_THOUGHTS
from tracker.services.points import activity_decisions, activity_rows, decision_rows
from tracker.services.points.activity_decisions import ReviewerDecision
from tracker.services.points.activity_rows import ActivityOnRecord, ActivityRow

SEEN = 100
"""How many activities are looked at from a place of the queue on, to find one that is free."""


@dataclass(frozen=True, slots=True)
class JustDecided:
    """The actor's own latest decision on an activity; no message leaves before ``until``."""

    activity: ActivityRow
    holder_name: str
    until: datetime


@dataclass(frozen=True, slots=True)
class OpenedReview:
    """A review as one person sees it, with what they decided just before it, if they say so.

    ``is_barred``: it is about the reader's own record, or they entered it; they decide nothing.
    """

    dossier: ReviewDossier
    is_barred: bool
    just: JustDecided | None


def show(reading: ReadContext, activity_id: str, *, just: str | None = None) -> OpenedReview:
    """A review, and the decision on the activity ``just`` before it. Raises NotFound."""
    dossier = reviews.of_activity(reading, activity_id)
    row = dossier.waiting.activity
    barred = is_own(reading.actor, row.holder_id) or bool(written(reading, [row.id]))
    return OpenedReview(dossier, barred, just_decided(reading, just) if just else None)


def just_decided(reading: ReadContext, activity_id: str) -> JustDecided | None:
    """The actor's own decision on an activity, as long as no message about it leaves."""
    try:
        row = activity_rows.get(reading, activity_id)
    except NotFound:
        return None
    latest = [
        one
        for one in decision_rows.of_activity(reading, activity_id)
        if one.undone_at is None and one.recorded_at > reading.now - SECOND_THOUGHTS
    ]
    if row.verdict is None or not latest or latest[-1].decided_by != reading.actor.name:
        return None
    by_id = select(Holder.given_name, Holder.family_name).where(Holder.id == row.holder_id)
    holder = reading.row(by_id)
    name = f"{holder.given_name} {holder.family_name}".strip()
    return JustDecided(row, name, latest[-1].recorded_at + SECOND_THOUGHTS)


def start(work: UnitOfWork, selection: QueueFilter) -> str | None:
    """Open the first activity that is free; None if there is none."""
    return _open_next(work, selection, after=None)


def skip(work: UnitOfWork, activity_id: str, selection: QueueFilter) -> str | None:
    """Hand an activity back and open the next one. Raises NotFound, UnderReview."""
    place = review_queue.place_of(work, activity_id)
    reviews.hand_back_activity(work, activity_id)
    return _open_next(work, selection, after=place, but=activity_id)


def decide(
    work: UnitOfWork,
    activity_id: str,
    decision: ReviewerDecision,
    *,
    version: int,
    selection: QueueFilter,
) -> str | None:
    """Decide an activity and open the next one; None if no other is free.

    A reason code without words is told in its own, in the holder's language. Raises what
    ``activity_decisions.decide()`` raises.
    """
    place = review_queue.place_of(work, activity_id)
    decision = in_words(work, activity_id, decision)
    activity_decisions.decide(work, activity_id, decision, version=version)
    return _open_next(work, selection, after=place, but=activity_id)


def in_words(
    reading: ReadContext, activity_id: str, decision: ReviewerDecision
) -> ReviewerDecision:
    """The decision with the text of its reason code, if it has no words of its own."""
    return in_words_of_many(reading, [activity_rows.get(reading, activity_id)], decision)[
        activity_id
    ]


def in_words_of_many(
    reading: ReadContext, rows: Sequence[ActivityOnRecord], decision: ReviewerDecision
) -> dict[str, ReviewerDecision]:
    """The same for many activities, by id, each in the language of its holder."""
    code = reading.reasons.by_code.get(decision.reason_code or "")
    if decision.reason or code is None:
        return {row.id: decision for row in rows}
    spoken = select(Holder.id, Holder.language).where(
        bulk.among(reading, Holder.id, {row.holder_id for row in rows})
    )
    languages = {row.id: row.language for row in reading.rows(spoken)}
    words = {
        language: code.text.get(language, code.text["en"]) for language in {*languages.values()}
    }
    return {row.id: replace(decision, reason=words[languages[row.holder_id]]) for row in rows}


def _open_next(
    work: UnitOfWork, selection: QueueFilter, *, after: QueuePlace | None, but: str = ""
) -> str | None:
    """Open the next free activity after a place, from the top of the queue again at its end."""
    for begin in [after, None] if after else [None]:
        for id_ in _free(work, _ids(work, selection, begin)):
            if id_ == but:
                continue
            try:
                reviews.take(work, id_)
            except (NotFound, SelfReview, UnderReview, IllegalTransition):
                continue
            return id_
    return None


def _ids(work: UnitOfWork, selection: QueueFilter, after: QueuePlace | None) -> Sequence[str]:
    if selection.flag is not None:  # only a page of the queue tells who has a flag
        page = review_queue.page(work, selection, after=after, limit=SEEN)
        return [one.activity.id for one in page.items]
    on = days.today_everywhere(work)
    places = queue_order.places(work, selection, after=after, limit=SEEN, on=on)
    return [place.id for place in places]


def _free(work: UnitOfWork, ids: Sequence[str]) -> Iterator[str]:
    """Those that nobody else has open."""
    among = bulk.among(work, OpenReview.subject_id, ids)
    held = select(*open_reviews.COLUMNS, OpenReview.subject_id).where(
        among, OpenReview.ends_at > work.now
    )
    taken = {row.subject_id: row.reviewer_id for row in (work.rows(held) if ids else ())}
    yield from (id_ for id_ in ids if taken.get(id_, work.actor.who) == work.actor.who)
