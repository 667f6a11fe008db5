"""Messages that the mail relay accepted, and whether this database may send."""

from __future__ import annotations

from datetime import date, datetime

from sqlalchemy import BigInteger, CheckConstraint, String, Text
from sqlalchemy.orm import Mapped, mapped_column

from tracker.db import Base, Id, Instant, new_id


class RelayAccept(Base, kw_only=True):
    """Evidence that the relay accepted a message, by its Message-ID."""

    __tablename__ = "relay_accept"

    message_id: Mapped[str] = mapped_column(String(120), primary_key=True)
    queue_id: Mapped[str | None] = mapped_column(String(64), default=None)
    at: Mapped[datetime] = mapped_column(Instant)


class Runtime(Base, kw_only=True):
    """One row for this database: whether sending is enabled, and the scheduler's last heartbeat.

    ``armed``: sending is enabled. ``armed_at`` is when it was last enabled; the send limit does not
    apply on that day. Without both, nothing was ever sent here. ``place`` is a hash of where the
    database was then, so that a clone sends nothing. ``fuse`` is why sending was stopped. ``beats``
    numbers the heartbeats; the storage directory keeps the last number too. ``unforeseen`` counts
    messages of the day ``unforeseen_on`` (UTC) that were in no calendar. ``timetable`` is a hash of
    the reminder policies and time zone rules that the cursors follow. ``evidence_until``:
    ``relay_accept`` is complete up to this instant; null means that no evidence is kept.
    ``relay_failures`` counts failed connections in a row over all processes; from the fifth on
    nothing is sent until ``relay_resume_at``, and then one message first.
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
