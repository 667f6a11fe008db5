"""Employers and their rosters."""

from __future__ import annotations

from datetime import date, datetime

from sqlalchemy import JSON, CheckConstraint, ForeignKey, Index, String, false, text
from sqlalchemy.orm import Mapped, mapped_column

from tracker.db import Base, Id, Instant, new_id, one_of
from tracker.domain.employers.consents import ConsentAnswer, ConsentPurpose
from tracker.domain.employers.requirements import LONGEST_NAME, RequirementKind
from tracker.models.organizations import ContactOrganization


class Employer(ContactOrganization, kw_only=True):
    """A company that checks the certifications of its workers.

    ``confirms_directly``: months of employment that it confirms count without a reviewer.
    """

    __tablename__ = "employer"

    confirms_directly: Mapped[bool] = mapped_column(default=False, server_default=false())


class RosterEntry(Base, kw_only=True):
    """One employment in an employer's roster, keyed by the employer's own id for the worker.

    A worker who returns gets another entry. That the entry is a certain holder is only the
    employer's claim until the holder consents; at most one entry that has not ended names the same
    holder. ``ended_on``, which may be in the future, is the first day without access.

    ``asked_at`` is when the employer last asked for consent through this entry, for a ``purpose``
    and perhaps for more than the standing, whether or not the entry means anybody. ``answer`` is
    the holder's to that, from ``answered_at`` on.
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
        Index("ix_roster_entry_employee_id", "employee_id"),
        Index("ix_roster_entry_holder", "holder_id"),
        one_of("purpose", ConsentPurpose),
        one_of("answer", ConsentAnswer),
        CheckConstraint("(answer is null) = (answered_at is null)", name="answered"),
        CheckConstraint("asked_at is null or purpose is not null", name="asked"),
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
    asked_at: Mapped[datetime | None] = mapped_column(Instant, default=None)
    purpose: Mapped[str | None] = mapped_column(String(16), default=None)
    asks_dates: Mapped[bool] = mapped_column(default=False, server_default=false())
    asks_points: Mapped[bool] = mapped_column(default=False, server_default=false())
    asks_modules: Mapped[bool] = mapped_column(default=False, server_default=false())
    asks_credentials: Mapped[bool] = mapped_column(default=False, server_default=false())
    answered_at: Mapped[datetime | None] = mapped_column(Instant, default=None)
    answer: Mapped[str | None] = mapped_column(String(16), default=None)
    recorded_at: Mapped[datetime] = mapped_column(Instant)


class JobRequirement(Base, kw_only=True):
    """What an employer asks of whoever does a job, until it is ended; never deleted.

    ``needs`` is a list of needs, each a list of alternatives, each with ``scheme`` and ``module``.
    """

    __tablename__ = "job_requirement"
    __table_args__ = (
        Index(
            "uq_job_requirement_live",
            "employer_id",
            "name",
            unique=True,
            sqlite_where=text("ended_at is null"),
            postgresql_where=text("ended_at is null"),
        ),
        Index("ix_job_requirement_employer", "employer_id", "id"),
        one_of("kind", RequirementKind),
    )

    id: Mapped[str] = mapped_column(Id, primary_key=True, default_factory=new_id)
    employer_id: Mapped[str] = mapped_column(ForeignKey("employer.id"))
    name: Mapped[str] = mapped_column(String(LONGEST_NAME))
    kind: Mapped[str] = mapped_column(String(16))
    needs: Mapped[list[list[dict[str, str]]]] = mapped_column(JSON)
    recorded_at: Mapped[datetime] = mapped_column(Instant)
    ended_at: Mapped[datetime | None] = mapped_column(Instant, default=None)
    version: Mapped[int] = mapped_column(default=1, nullable=False)

    __mapper_args__ = {"version_id_col": version}  # noqa: RUF012 - SQLAlchemy reads it from the class


class StaffingMinimum(Base, kw_only=True):
    """How many who meet a requirement a place must have at least, until it is ended.

    A place is a site, a department and a shift; what is empty is any.
    """

    __tablename__ = "staffing_minimum"
    __table_args__ = (
        Index(
            "uq_staffing_minimum_live",
            "requirement_id",
            "site",
            "department",
            "shift",
            unique=True,
            sqlite_where=text("ended_at is null"),
            postgresql_where=text("ended_at is null"),
        ),
        Index("ix_staffing_minimum_employer", "employer_id", "id"),
        CheckConstraint("least > 0", name="least"),
    )

    id: Mapped[str] = mapped_column(Id, primary_key=True, default_factory=new_id)
    employer_id: Mapped[str] = mapped_column(ForeignKey("employer.id"))
    requirement_id: Mapped[str] = mapped_column(ForeignKey("job_requirement.id"))
    site: Mapped[str] = mapped_column(String(100), default="")
    department: Mapped[str] = mapped_column(String(100), default="")
    shift: Mapped[str] = mapped_column(String(32), default="")
    least: Mapped[int]
    recorded_at: Mapped[datetime] = mapped_column(Instant)
    ended_at: Mapped[datetime | None] = mapped_column(Instant, default=None)
