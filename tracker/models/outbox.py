"""The outbox: letters, what came of them, and whether this database may send any."""

from __future__ import annotations

from datetime import date, datetime
from typing import Any

from sqlalchemy import JSON, BigInteger, CheckConstraint, ForeignKey, Index, String, Text, text
from sqlalchemy.orm import Mapped, mapped_column

from tracker.db import Base, Id, Instant, new_id

MESSAGE_STATES = (
    "ready", "claimed", "transmitting", "sent", "dead", "ambiguous", "parked", "cancelled",
)  # fmt: skip
_STATES = ", ".join(f"'{state}'" for state in MESSAGE_STATES)


class Message(Base, kw_only=True):
    """A letter in the outbox: ready -> claimed -> transmitting -> sent, dead, ambiguous, cancelled.

    ``parked``: in doubt twice, so nothing is sent until somebody has looked.
    ``about`` says what a letter is to tell, where no other row does. ``facts`` are what it says,
    written down with the marker: from then on a copy may be out, so whatever is sent again must
    say the same. ``attempts`` are those that the letter itself has used up; a relay that cannot
    be reached uses none.
    """

    __tablename__ = "message"
    __table_args__ = (
        CheckConstraint(f"state in ({_STATES})", name="state"),
        Index(
            "ix_message_ready", "priority", "next_at",
            sqlite_where=text("state = 'ready'"), postgresql_where=text("state = 'ready'"),
        ),
        Index(
            "ix_message_lease", "lease_until",
            sqlite_where=text("state in ('claimed', 'transmitting')"),
            postgresql_where=text("state in ('claimed', 'transmitting')"),
        ),
        Index(
            "ix_message_ambiguous", "lease_until",
            sqlite_where=text("state = 'ambiguous'"), postgresql_where=text("state = 'ambiguous'"),
        ),
        Index(
            "ix_message_stuck", "state", "id",
            sqlite_where=text("state in ('ambiguous', 'dead', 'parked')"),
            postgresql_where=text("state in ('ambiguous', 'dead', 'parked')"),
        ),
        Index("ix_message_holder", "holder_id", "next_at"),
    )  # fmt: skip

    id: Mapped[str] = mapped_column(Id, primary_key=True, default_factory=new_id)
    dedupe_key: Mapped[str] = mapped_column(String(200), unique=True)
    message_id: Mapped[str] = mapped_column(String(120), unique=True)
    kind: Mapped[str] = mapped_column(String(32))
    holder_id: Mapped[str | None] = mapped_column(ForeignKey("holder.id"), default=None)
    employer_id: Mapped[str | None] = mapped_column(ForeignKey("employer.id"), default=None)
    address: Mapped[str] = mapped_column(String(254))
    stage: Mapped[int | None] = mapped_column(default=None)
    about: Mapped[dict[str, Any] | None] = mapped_column(JSON(none_as_null=True), default=None)
    facts: Mapped[dict[str, Any] | None] = mapped_column(JSON(none_as_null=True), default=None)
    priority: Mapped[int] = mapped_column(default=5)
    state: Mapped[str] = mapped_column(String(16), default="ready")
    created_at: Mapped[datetime] = mapped_column(Instant)
    next_at: Mapped[datetime] = mapped_column(Instant)
    useful_until: Mapped[datetime] = mapped_column(Instant)
    lease_until: Mapped[datetime | None] = mapped_column(Instant, default=None)
    owner: Mapped[str | None] = mapped_column(String(64), default=None)
    token: Mapped[int] = mapped_column(default=0)
    attempts: Mapped[int] = mapped_column(default=0)
    last_error: Mapped[str | None] = mapped_column(Text, default=None)
    finished_at: Mapped[datetime | None] = mapped_column(Instant, default=None)


class RelayAccept(Base, kw_only=True):
    """Evidence that the relay took a letter, by its Message-ID."""

    __tablename__ = "relay_accept"

    message_id: Mapped[str] = mapped_column(String(120), primary_key=True)
    queue_id: Mapped[str | None] = mapped_column(String(64), default=None)
    at: Mapped[datetime] = mapped_column(Instant)


class Bounce(Base, kw_only=True):
    """A letter that came back: for good (``hard``), for now (``soft``), or as spam (``complaint``).

    One report counts once, however often it is read.
    """

    __tablename__ = "bounce"
    __table_args__ = (
        Index("ix_bounce_address", "address", "at"),
        Index("ix_bounce_at", "at"),
        CheckConstraint("kind in ('hard', 'soft', 'complaint')", name="kind"),
    )

    digest: Mapped[str] = mapped_column(String(64), primary_key=True)
    message_id: Mapped[str] = mapped_column(Id)
    address: Mapped[str] = mapped_column(String(254))
    kind: Mapped[str] = mapped_column(String(16))
    status: Mapped[str] = mapped_column(String(16))
    diagnostic: Mapped[str] = mapped_column(Text)
    at: Mapped[datetime] = mapped_column(Instant)


class Suppression(Base, kw_only=True):
    """An address that is not written to, and why; null ``until_at``: for good."""

    __tablename__ = "suppression"

    address: Mapped[str] = mapped_column(String(254), primary_key=True)
    reason: Mapped[str] = mapped_column(String(32))
    until_at: Mapped[datetime | None] = mapped_column(Instant, default=None)
    recorded_at: Mapped[datetime] = mapped_column(Instant)


class Tally(Base, kw_only=True):
    """A number that no other row tells: how often something was done, or what was last found."""

    __tablename__ = "tally"

    name: Mapped[str] = mapped_column(String(32), primary_key=True)
    count: Mapped[int] = mapped_column(BigInteger)
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
