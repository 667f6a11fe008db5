"""Machine tokens, and the answers remembered for repeated requests."""

from __future__ import annotations

from datetime import datetime

from sqlalchemy import (
    JSON,
    CheckConstraint,
    ForeignKey,
    Index,
    LargeBinary,
    String,
    UniqueConstraint,
)
from sqlalchemy.orm import Mapped, mapped_column

from tracker.db import Base, Id, Instant, new_id


class Token(Base, kw_only=True):
    """An opaque bearer token: only its SHA-256 is kept.

    ``maker_id`` is the token with which it was made; without one the operator made it.
    ``person_id`` is whoever uses it: of a token that people make for themselves it is their own.
    ``made_by_holders`` are the holders whose tokens stand above it.
    """

    __tablename__ = "token"
    __table_args__ = (
        CheckConstraint("role in ('holder','employer','staff','admin')", name="role"),
        CheckConstraint(
            "(role <> 'holder' or holder_id is not null)"
            " and (role <> 'employer' or employer_id is not null)",
            name="subject",
        ),
        Index("ix_token_maker", "maker_id"),
    )

    id: Mapped[str] = mapped_column(Id, primary_key=True, default_factory=new_id)
    digest: Mapped[str] = mapped_column(String(64), unique=True)
    name: Mapped[str] = mapped_column(String(100))
    role: Mapped[str] = mapped_column(String(16))
    scopes: Mapped[list[str]] = mapped_column(JSON)
    holder_id: Mapped[str | None] = mapped_column(ForeignKey("holder.id"), default=None)
    employer_id: Mapped[str | None] = mapped_column(ForeignKey("employer.id"), default=None)
    recorded_at: Mapped[datetime] = mapped_column(Instant)
    expires_at: Mapped[datetime | None] = mapped_column(Instant, default=None)
    last_used_at: Mapped[datetime | None] = mapped_column(Instant, default=None)
    revoked_at: Mapped[datetime | None] = mapped_column(Instant, default=None)
    maker_id: Mapped[str | None] = mapped_column(ForeignKey("token.id"), default=None)
    person_id: Mapped[str] = mapped_column(Id, default_factory=new_id)
    made_by_holders: Mapped[list[str]] = mapped_column(JSON, default_factory=list)


class IdempotencyKey(Base, kw_only=True):
    """The answer given to a POST, so that the same key and body get the same answer again."""

    __tablename__ = "idempotency_key"
    __table_args__ = (UniqueConstraint("token_id", "key"),)

    id: Mapped[str] = mapped_column(Id, primary_key=True, default_factory=new_id)
    token_id: Mapped[str] = mapped_column(ForeignKey("token.id"))
    key: Mapped[str] = mapped_column(String(100))
    request_digest: Mapped[str] = mapped_column(String(64))
    status: Mapped[int]
    body: Mapped[bytes] = mapped_column(LargeBinary)
    headers: Mapped[dict[str, str]] = mapped_column(JSON)
    recorded_at: Mapped[datetime] = mapped_column(Instant, index=True)


class Usage(Base, kw_only=True):
    """How often something was done since an instant; ``key`` says nothing of whoever did it."""

    __tablename__ = "usage"

    key: Mapped[str] = mapped_column(String(64), primary_key=True)
    began_at: Mapped[datetime] = mapped_column(Instant, index=True)
    count: Mapped[int]
