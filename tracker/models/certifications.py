"""Certifications: awards, cycles and their adjustments, renewals, changes, appeals, timelines."""

from __future__ import annotations

from datetime import date, datetime
from decimal import Decimal
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

from tracker.db import Amount, Base, Id, Instant, Ref, new_id
from tracker.domain import numbers

_CURRENT = text("withdrawn_at is null and replaced_on is null")
_UNDECIDED = text("decision is null and withdrawn_on is null")


def _key_of_number(context: Any) -> str:
    return numbers.key(context.get_current_parameters()["number"])


class Certification(Base, kw_only=True):
    """A holder's full award under a scheme; ``sequence`` counts those earned one after another.

    The row keeps its id, number and public address whatever is corrected. ``withdrawn_at``: the
    passes on record no longer carry the award; it comes back with them. ``replaced_on``: the day
    of the next award, from which that one speaks for the holder. ``kept_reason``: staff decided
    that the award and its cycles stand although the passes on record say otherwise.

    ``imported_at``: a file put the award on record, which stands by itself, whatever the passes
    say, unless it is void (``voided_at``). ``edition`` and ``source`` are the file's words.
    ``number_key`` is the number as it is compared. ``former_key`` is that of the number that we
    gave before a file brought the award's own; the certification is still found by it.
    """

    __tablename__ = "certification"
    __table_args__ = (
        UniqueConstraint("holder_id", "scheme", "sequence"),
        Index(
            "uq_certification_current", "holder_id", "scheme", unique=True,
            sqlite_where=_CURRENT, postgresql_where=_CURRENT,
        ),
        CheckConstraint("voided_at is null or imported_at is not null", name="voided"),
    )  # fmt: skip

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


class Cycle(Base, kw_only=True):
    """One validity period; ``expires_on`` is its last valid day, null: without end.

    ``imported``: a file says so, whatever the scheme's validity gives.
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


class Renewal(Base, kw_only=True):
    """An application to recertify, and how it ended.

    ``points_counted`` is what counted on the day it was made; ``points_if_approved`` what would
    have counted with the activities that waited for a decision then.
    """

    __tablename__ = "renewal"
    __table_args__ = (
        Index("ix_renewal_certification", "certification_id", "submitted_on"),
        Index(
            "uq_renewal_pending", "certification_id", unique=True,
            sqlite_where=_UNDECIDED, postgresql_where=_UNDECIDED,
        ),
        CheckConstraint("decision in ('approved', 'denied')", name="decision"),
        CheckConstraint("(decision is null) = (decided_on is null)", name="decided"),
    )  # fmt: skip

    id: Mapped[str] = mapped_column(Id, primary_key=True, default_factory=new_id)
    ref: Mapped[str | None] = mapped_column(Ref, unique=True, default=None)
    certification_id: Mapped[str] = mapped_column(ForeignKey("certification.id"))
    cycle: Mapped[int]
    submitted_on: Mapped[date]
    points_counted: Mapped[Decimal | None] = mapped_column(Amount, default=None)
    points_if_approved: Mapped[Decimal | None] = mapped_column(Amount, default=None)
    decision: Mapped[str | None] = mapped_column(String(16), default=None)
    decided_on: Mapped[date | None] = mapped_column(default=None)
    decided_by: Mapped[str | None] = mapped_column(String(100), default=None)
    decided_by_id: Mapped[str | None] = mapped_column(Id, default=None)
    reason: Mapped[str | None] = mapped_column(Text, default=None)
    withdrawn_on: Mapped[date | None] = mapped_column(default=None)
    recorded_at: Mapped[datetime] = mapped_column(Instant)
    closed_at: Mapped[datetime | None] = mapped_column(Instant, default=None)
    version: Mapped[int] = mapped_column(default=1, nullable=False)

    __mapper_args__ = {"version_id_col": version}  # noqa: RUF012


class FormerRenewalDecision(Base, kw_only=True):
    """A decision on a renewal that a later one superseded or that was taken back.

    ``ended_at`` is when it ceased to rule, ``ended_reason`` why. ``undone``: it was taken back,
    and what it had superseded ruled again. The ruling decision is in the renewal's own row.
    """

    __tablename__ = "former_renewal_decision"
    __table_args__ = (
        Index("ix_former_renewal_decision_renewal", "renewal_id", "id"),
        CheckConstraint("decision in ('approved', 'denied')", name="decision"),
    )

    id: Mapped[str] = mapped_column(Id, primary_key=True, default_factory=new_id)
    renewal_id: Mapped[str] = mapped_column(ForeignKey("renewal.id"))
    decision: Mapped[str] = mapped_column(String(16))
    decided_on: Mapped[date]
    decided_by: Mapped[str | None] = mapped_column(String(100), default=None)
    decided_by_id: Mapped[str | None] = mapped_column(Id, default=None)
    reason: Mapped[str | None] = mapped_column(Text, default=None)
    closed_at: Mapped[datetime | None] = mapped_column(Instant, default=None)
    ended_at: Mapped[datetime] = mapped_column(Instant)
    ended_by: Mapped[str] = mapped_column(String(100))
    ended_reason: Mapped[str] = mapped_column(Text)
    undone: Mapped[bool] = mapped_column(default=False)


class StandingChange(Base, kw_only=True):
    """A suspension, revocation, surrender or reinstatement: append-only.

    A revocation bars the holder from earning the certification anew through ``barred_until``;
    without a day, for good.
    """

    __tablename__ = "standing_change"
    __table_args__ = (
        Index("ix_standing_change_certification", "certification_id", "effective_on"),
        CheckConstraint("kind in ('suspend','reinstate','revoke','surrender')", name="kind"),
    )

    id: Mapped[str] = mapped_column(Id, primary_key=True, default_factory=new_id)
    ref: Mapped[str | None] = mapped_column(Ref, unique=True, default=None)
    certification_id: Mapped[str] = mapped_column(ForeignKey("certification.id"))
    kind: Mapped[str] = mapped_column(String(16))
    effective_on: Mapped[date]
    reason_code: Mapped[str] = mapped_column(String(32))
    reason: Mapped[str] = mapped_column(Text)
    barred_until: Mapped[date | None] = mapped_column(default=None)
    decided_by: Mapped[str] = mapped_column(String(100))
    decided_by_id: Mapped[str | None] = mapped_column(Id, default=None)
    recorded_at: Mapped[datetime] = mapped_column(Instant)


class AdjustmentBatch(Base, kw_only=True):
    """One act that extended many certifications: what was asked, under a reference of its own.

    ``request`` is everything that was asked for, so that the same reference never means two acts.
    """

    __tablename__ = "adjustment_batch"

    id: Mapped[str] = mapped_column(Id, primary_key=True, default_factory=new_id)
    ref: Mapped[str] = mapped_column(Ref, unique=True)
    scheme: Mapped[str] = mapped_column(String(32))
    request: Mapped[dict[str, Any]] = mapped_column(JSON)
    extended: Mapped[int] = mapped_column(default=0)
    refused: Mapped[int] = mapped_column(default=0)
    decided_by: Mapped[str] = mapped_column(String(100))
    recorded_at: Mapped[datetime] = mapped_column(Instant)


class Adjustment(Base, kw_only=True):
    """A later expiry or a lower requirement for one cycle: append-only.

    ``ordinal`` is the cycle's, ``number`` counts its adjustments: the last one rules, and two
    made at once cannot both be the next. ``override_reason`` says why it was granted although
    the policy's rule refuses it.
    """

    __tablename__ = "cycle_adjustment"
    __table_args__ = (
        UniqueConstraint("certification_id", "ordinal", "number"),
        UniqueConstraint("batch_id", "certification_id"),
        CheckConstraint(
            "extended_to is not null or points_required is not null", name="something"
        ),
        CheckConstraint("points_required >= 0", name="points"),
    )  # fmt: skip

    id: Mapped[str] = mapped_column(Id, primary_key=True, default_factory=new_id)
    certification_id: Mapped[str] = mapped_column(ForeignKey("certification.id"))
    ordinal: Mapped[int]
    number: Mapped[int]
    extended_to: Mapped[date | None] = mapped_column(default=None)
    points_required: Mapped[Decimal | None] = mapped_column(Amount, default=None)
    effective_on: Mapped[date]
    reason_code: Mapped[str] = mapped_column(String(32))
    reason: Mapped[str] = mapped_column(Text)
    override_reason: Mapped[str | None] = mapped_column(Text, default=None)
    decided_by: Mapped[str] = mapped_column(String(100))
    batch_id: Mapped[str | None] = mapped_column(ForeignKey("adjustment_batch.id"), default=None)
    recorded_at: Mapped[datetime] = mapped_column(Instant)


class Appeal(Base, kw_only=True):
    """An appeal against a change of standing or a denied renewal: one of the two."""

    __tablename__ = "appeal"
    __table_args__ = (
        Index(
            "uq_appeal_open", "certification_id", unique=True,
            sqlite_where=text("outcome is null"), postgresql_where=text("outcome is null"),
        ),
        CheckConstraint("outcome in ('upheld', 'dismissed')", name="outcome"),
        CheckConstraint("(change_id is null) <> (renewal_id is null)", name="against"),
    )  # fmt: skip

    id: Mapped[str] = mapped_column(Id, primary_key=True, default_factory=new_id)
    certification_id: Mapped[str] = mapped_column(ForeignKey("certification.id"))
    change_id: Mapped[str | None] = mapped_column(ForeignKey("standing_change.id"), default=None)
    renewal_id: Mapped[str | None] = mapped_column(ForeignKey("renewal.id"), default=None)
    statement: Mapped[str] = mapped_column(Text)
    filed_on: Mapped[date]
    due_on: Mapped[date]
    fee: Mapped[Decimal] = mapped_column(Amount)
    fee_refunded: Mapped[bool] = mapped_column(default=False)
    outcome: Mapped[str | None] = mapped_column(String(16), default=None)
    decided_on: Mapped[date | None] = mapped_column(default=None)
    decided_by: Mapped[str | None] = mapped_column(String(100), default=None)
    reason: Mapped[str | None] = mapped_column(Text, default=None)
    recorded_at: Mapped[datetime] = mapped_column(Instant)
    version: Mapped[int] = mapped_column(default=1, nullable=False)

    __mapper_args__ = {"version_id_col": version}  # noqa: RUF012


class Span(Base, kw_only=True):
    """The timeline: days in which no recorded fact changes, with the dates that decide a standing.

    Derived from cycles, adjustments, renewals and changes, and written in the same transaction
    as they are (``services/certifications.py``). It holds facts, not a status, so a passing day
    never makes it wrong, and a standing on any date is one row and one date.
    """

    __tablename__ = "standing_span"
    __table_args__ = (
        CheckConstraint("hold in ('suspended','revoked','surrendered','withdrawn')", name="hold"),
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
