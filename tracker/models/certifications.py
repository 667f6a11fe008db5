"""Certifications: awards, their cycles, and the timeline that follows from them."""

from __future__ import annotations

from datetime import date, datetime

from sqlalchemy import (
    CheckConstraint,
    ForeignKey,
    Index,
    String,
    Text,
    UniqueConstraint,
    text,
)
from sqlalchemy.engine.default import DefaultExecutionContext
from sqlalchemy.orm import Mapped, mapped_column

from tracker.db import Base, Id, Instant, new_id, one_of
from tracker.domain import numbers
from tracker.domain.credentials.certifications import Hold, Status

_CURRENT = text("withdrawn_at is null and replaced_on is null")


def _key_of_number(context: DefaultExecutionContext) -> str:
    parameters: dict[str, str] = context.get_current_parameters()  # type: ignore[no-untyped-call]
    return numbers.key(parameters["number"])


class Certification(Base, kw_only=True):
    """A holder's full award under a scheme; ``sequence`` counts those earned one after another.

    The row keeps its id, number and public address whatever is corrected. ``withdrawn_at``: the
    passes on record no longer support the award; it comes back with them. ``replaced_on`` is the
    day of the next award, which is the current one from then on. ``kept_reason``: staff decided
    that the award and its cycles stand although the passes on record say otherwise.

    ``imported_at``: the award comes from a file and is valid by itself, whatever the passes say,
    unless it is voided (``voided_at``). ``edition`` and ``source`` are quoted from the file.
    ``number_key`` is the number in compared form. ``former_key`` is the compared form of the number
    that we gave before a file brought the award's own; the certification is still found by it.

    ``merged_into_id``: two records of the holder were merged, and this award is now the same as
    that one, to which its number and public address lead. It counts nowhere else.
    """

    __tablename__ = "certification"
    __table_args__ = (
        UniqueConstraint("holder_id", "scheme", "sequence"),
        Index(
            "uq_certification_current",
            "holder_id",
            "scheme",
            unique=True,
            sqlite_where=_CURRENT,
            postgresql_where=_CURRENT,
        ),
        CheckConstraint("voided_at is null or imported_at is not null", name="voided"),
        CheckConstraint(
            "merged_into_id is null or (merged_into_id <> id and withdrawn_at is not null)",
            name="merged",
        ),
    )

    id: Mapped[str] = mapped_column(Id, primary_key=True, default_factory=new_id)
    public_id: Mapped[str] = mapped_column(String(32), unique=True)
    number: Mapped[str] = mapped_column(String(32), unique=True)
    number_key: Mapped[str] = mapped_column(
        String(32), unique=True, insert_default=_key_of_number, init=False
    )
    holder_id: Mapped[str] = mapped_column(ForeignKey("holder.id"))
    scheme: Mapped[str] = mapped_column(String(32))
    awarded_on: Mapped[date]
    recorded_at: Mapped[datetime] = mapped_column(Instant)
    sequence: Mapped[int] = mapped_column(default=1)
    withdrawn_at: Mapped[datetime | None] = mapped_column(Instant, default=None)
    replaced_on: Mapped[date | None] = mapped_column(default=None)
    kept_reason: Mapped[str | None] = mapped_column(Text, default=None)
    former_key: Mapped[str | None] = mapped_column(String(32), unique=True, default=None)
    edition: Mapped[str | None] = mapped_column(String(64), default=None)
    source: Mapped[str | None] = mapped_column(String(200), default=None)
    imported_at: Mapped[datetime | None] = mapped_column(Instant, default=None)
    voided_at: Mapped[datetime | None] = mapped_column(Instant, default=None)
    void_reason: Mapped[str | None] = mapped_column(Text, default=None)
    merged_into_id: Mapped[str | None] = mapped_column(ForeignKey("certification.id"), default=None)


class Cycle(Base, kw_only=True):
    """One validity period; ``expires_on`` is its last valid day, null means that it has no end.

    ``imported``: the dates come from a file, whatever the scheme's validity gives.
    """

    __tablename__ = "cycle"
    __table_args__ = (
        UniqueConstraint("certification_id", "ordinal"),
        CheckConstraint("expires_on is null or expires_on >= starts_on", name="order"),
    )

    id: Mapped[str] = mapped_column(Id, primary_key=True, default_factory=new_id)
    certification_id: Mapped[str] = mapped_column(ForeignKey("certification.id"))
    ordinal: Mapped[int]
    anchor_on: Mapped[date]
    nth: Mapped[int]
    starts_on: Mapped[date]
    expires_on: Mapped[date | None] = mapped_column(default=None)
    opened_on: Mapped[date]
    policy: Mapped[str] = mapped_column(String(32))
    recorded_at: Mapped[datetime] = mapped_column(Instant)
    imported: Mapped[bool] = mapped_column(default=False)


class Span(Base, kw_only=True):
    """A run of days in which no recorded fact changes, with the dates that decide the standing.

    The days are ``from_on`` up to, but not including, ``until_on``; a certification's spans are
    its timeline. They are derived from cycles, adjustments, renewals and changes of standing, and
    written in the same transaction (``services/credentials/timelines.py``).

    Invariant: a span holds facts, not a status, so a passing day never makes it wrong; the standing
    on any date follows from one row and the date.
    """

    __tablename__ = "standing_span"
    __table_args__ = (
        one_of("hold", (*Hold, Status.WITHDRAWN)),
        Index("ix_standing_span_expires_on", "expires_on"),
    )

    certification_id: Mapped[str] = mapped_column(ForeignKey("certification.id"), primary_key=True)
    from_on: Mapped[date] = mapped_column(primary_key=True)
    until_on: Mapped[date]
    cycle: Mapped[int]
    cycle_starts_on: Mapped[date]
    expires_on: Mapped[date | None] = mapped_column(default=None)
    window_opens_on: Mapped[date | None] = mapped_column(default=None)
    window_closes_on: Mapped[date | None] = mapped_column(default=None)
    grace_ends_on: Mapped[date | None] = mapped_column(default=None)
    title_ends_on: Mapped[date | None] = mapped_column(default=None)
    pending_since: Mapped[date | None] = mapped_column(default=None)
    hold: Mapped[str | None] = mapped_column(String(16), default=None)
    valid_while_pending: Mapped[bool]
