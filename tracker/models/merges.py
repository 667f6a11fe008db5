"""Merged records of one person, and pairs of records that may be of one person."""

from __future__ import annotations

from datetime import datetime
from typing import Any

from sqlalchemy import (
    JSON,
    CheckConstraint,
    ForeignKey,
    Index,
    String,
    Text,
    UniqueConstraint,
    text,
)
from sqlalchemy.orm import Mapped, mapped_column

from tracker.db import Base, Id, Instant, new_id

_IN_FORCE = text("undone_at is null")
_UNSETTLED = text("settled_at is null")


class LikelyDuplicate(Base, kw_only=True):
    """Two records that may be of one person, with the ``signs`` of it.

    ``settled_at``: somebody decided that they are two people; then the pair is not listed any more.
    The smaller id comes first, so that a pair is one row.
    """

    __tablename__ = "likely_duplicate"
    __table_args__ = (
        UniqueConstraint("first_id", "second_id"),
        CheckConstraint("first_id < second_id", name="order"),
        CheckConstraint("(settled_at is null) = (settled_by is null)", name="settled"),
        Index("ix_likely_duplicate_second", "second_id"),
        Index(
            "ix_likely_duplicate_unsettled",
            "id",
            sqlite_where=_UNSETTLED,
            postgresql_where=_UNSETTLED,
        ),
    )

    id: Mapped[str] = mapped_column(Id, primary_key=True, default_factory=new_id)
    first_id: Mapped[str] = mapped_column(ForeignKey("holder.id"))
    second_id: Mapped[str] = mapped_column(ForeignKey("holder.id"))
    signs: Mapped[list[str]] = mapped_column(JSON)
    recorded_at: Mapped[datetime] = mapped_column(Instant)
    settled_at: Mapped[datetime | None] = mapped_column(Instant, default=None)
    settled_by: Mapped[str | None] = mapped_column(String(100), default=None)
    settled_reason: Mapped[str | None] = mapped_column(Text, default=None)


class RecordMerge(Base, kw_only=True):
    """Two records of one person were united: ``merged_id`` went into ``holder_id``.

    ``seals`` are digests of the rows that decide certifications, as the merge left them, by table:
    it can be undone as long as they are the same.
    """

    __tablename__ = "record_merge"
    __table_args__ = (
        CheckConstraint("holder_id <> merged_id", name="two_records"),
        CheckConstraint("(undone_at is null) = (undone_by is null)", name="undone"),
        Index("ix_record_merge_holder", "holder_id", "id"),
        Index(
            "uq_record_merge_merged",
            "merged_id",
            unique=True,
            sqlite_where=_IN_FORCE,
            postgresql_where=_IN_FORCE,
        ),
    )

    id: Mapped[str] = mapped_column(Id, primary_key=True, default_factory=new_id)
    holder_id: Mapped[str] = mapped_column(ForeignKey("holder.id"))
    merged_id: Mapped[str] = mapped_column(ForeignKey("holder.id"))
    reason: Mapped[str] = mapped_column(Text)
    summary: Mapped[dict[str, Any]] = mapped_column(JSON)
    seals: Mapped[dict[str, str]] = mapped_column(JSON)
    recorded_at: Mapped[datetime] = mapped_column(Instant)
    recorded_by: Mapped[str] = mapped_column(String(100))
    undone_at: Mapped[datetime | None] = mapped_column(Instant, default=None)
    undone_by: Mapped[str | None] = mapped_column(String(100), default=None)
    undone_reason: Mapped[str | None] = mapped_column(Text, default=None)


class MergedRow(Base, kw_only=True):
    """A row that a merge changed, added or deleted, so that this can be undone.

    ``key`` is its primary key. ``before`` and ``after`` are the columns that changed; one of them
    is null for a row that was added or deleted.
    """

    __tablename__ = "merged_row"
    __table_args__ = (
        CheckConstraint("before is not null or after is not null", name="something"),
        Index("ix_merged_row_merge", "merge_id", "id"),
    )

    id: Mapped[str] = mapped_column(Id, primary_key=True, default_factory=new_id)
    merge_id: Mapped[str] = mapped_column(ForeignKey("record_merge.id", ondelete="cascade"))
    table_name: Mapped[str] = mapped_column(String(32))
    key: Mapped[dict[str, Any]] = mapped_column(JSON)
    before: Mapped[dict[str, Any] | None] = mapped_column(JSON(none_as_null=True))
    after: Mapped[dict[str, Any] | None] = mapped_column(JSON(none_as_null=True))
