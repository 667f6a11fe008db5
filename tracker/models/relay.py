"""What the mail relay took, and whether this database may send."""

from __future__ import annotations

from datetime import date, datetime

from sqlalchemy import BigInteger, CheckConstraint, String, Text
from sqlalchemy.orm import Mapped, mapped_column

from tracker.db import Base, Id, Instant, new_id


class RelayAccept(Base, kw_only=True):
    """Evidence that the relay took a letter, by its Message-ID."""

    __tablename__ = "relay_accept"

    message_id: Mapped[str] = mapped_column(String(120), primary_key=True)
    queue_id: Mapped[str | None] = mapped_column(String(64), default=None)
    at: Mapped[datetime] = mapped_column(Instant)


class Runtime(Base, kw_only=True):
    """One row for this database: whether sending is enabled, and the scheduler's last heartbeat.

    ``armed`` says that it is, ``armed_at`` when somebody said so last: the amount of that day is
    then accepted. Without both nothing was ever sent here. ``place`` is where the database lay
    then, so that a clone sends nothing. ``fuse`` is why sending was stopped.
    ``beats`` numbers the heartbeats; the storage directory knows the last number too.
    ``unforeseen`` messages of the day ``unforeseen_on`` (UTC) were in no calendar.
    ``timetable`` is a digest of the reminder policies and zone rules that the cursors follow.
    ``evidence_until``: ``relay_accept`` is complete up to this instant; null: not kept.
    ``relay_failures`` in a row, of every process together; from the fifth on nothing is sent
    until ``relay_resume_at``, and then one letter first.
    """

    __tablename__ = "runtime"
    __table_args__ = (CheckConstraint("id = 1", name="single"),)

    id: Mapped[int] = mapped_column(primary_key=True, default=1)
    database_id: Mapped[str] = mapped_column(Id, default_factory=new_id)
    armed: Mapped[bool] = mapped_column(default=False)
    armed_at: Mapped[datetime | None] = mapped_column(Instant, default=None)
    place: Mapped[str | None] = mapped_column(String(64), default=None)
    timetable: Mapped[str | None] = mapped_column(String(64), default=None)
    evidence_until: Mapped[datetime | None] = mapped_column(Instant, default=None)
    last_tick_at: Mapped[datetime | None] = mapped_column(Instant, default=None)
    fuse: Mapped[str | None] = mapped_column(Text, default=None)
    beats: Mapped[int] = mapped_column(BigInteger, default=0)
    unforeseen_on: Mapped[date | None] = mapped_column(default=None)
    unforeseen: Mapped[int] = mapped_column(default=0)
    relay_failures: Mapped[int] = mapped_column(default=0)
    relay_resume_at: Mapped[datetime | None] = mapped_column(Instant, default=None)
    relay_error: Mapped[str | None] = mapped_column(Text, default=None)
