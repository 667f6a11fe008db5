"""Employers and their rosters."""

from __future__ import annotations

from datetime import date, datetime

from sqlalchemy import ForeignKey, Index, String, text
from sqlalchemy.orm import Mapped, mapped_column

from tracker.db import Base, Id, Instant, new_id


class Employer(Base, kw_only=True):
    """A company that checks the certifications of its workers."""

    __tablename__ = "employer"

    id: Mapped[str] = mapped_column(Id, primary_key=True, default_factory=new_id)
    name: Mapped[str] = mapped_column(String(200), unique=True)
    email: Mapped[str | None] = mapped_column(String(254), default=None)
    recorded_at: Mapped[datetime] = mapped_column(Instant)
    version: Mapped[int] = mapped_column(default=1, nullable=False)

    __mapper_args__ = {"version_id_col": version}  # noqa: RUF012 - SQLAlchemy reads it from the class


class RosterEntry(Base, kw_only=True):
    """One employment in an employer's roster, keyed by the employer's own id for the worker.

    A worker who returns gets another entry. That the entry is a certain holder is only the
    employer's claim until the holder consents; at most one entry that has not ended names the same
    holder. ``ended_on``, which may be in the future, is the first day without access.
    """

    __tablename__ = "roster_entry"
    __table_args__ = (
        Index(
            "uq_roster_entry_current",
            "employer_id",
            "employee_id",
            unique=True,
            sqlite_where=text("ended_on is null"),
            postgresql_where=text("ended_on is null"),
        ),
        Index(
            "uq_roster_entry_person",
            "employer_id",
            "holder_id",
            unique=True,
            sqlite_where=text("ended_on is null and holder_id is not null"),
            postgresql_where=text("ended_on is null and holder_id is not null"),
        ),
        Index(
            "ix_roster_entry_ended",
            "ended_on",
            sqlite_where=text("ended_on is not null"),
            postgresql_where=text("ended_on is not null"),
        ),
        Index("ix_roster_entry_employee", "employer_id", "employee_id", "id"),
        Index("ix_roster_entry_page", "employer_id", "id"),
        Index("ix_roster_entry_holder", "holder_id"),
    )

    id: Mapped[str] = mapped_column(Id, primary_key=True, default_factory=new_id)
    employer_id: Mapped[str] = mapped_column(ForeignKey("employer.id"))
    employee_id: Mapped[str] = mapped_column(String(64))
    holder_id: Mapped[str | None] = mapped_column(ForeignKey("holder.id"), default=None)
    given_holder_ref: Mapped[str | None] = mapped_column(String(64), default=None)
    given_email: Mapped[str | None] = mapped_column(String(254), default=None)
    given_number: Mapped[str | None] = mapped_column(String(32), default=None)
    site: Mapped[str | None] = mapped_column(String(100), default=None)
    department: Mapped[str | None] = mapped_column(String(100), default=None)
    shift: Mapped[str | None] = mapped_column(String(32), default=None)
    ended_on: Mapped[date | None] = mapped_column(default=None)
    recorded_at: Mapped[datetime] = mapped_column(Instant)
