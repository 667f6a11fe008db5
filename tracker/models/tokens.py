"""Bearer tokens."""

from __future__ import annotations

from datetime import datetime

from sqlalchemy import (
    JSON,
    CheckConstraint,
    ForeignKey,
    Index,
    String,
)
from sqlalchemy.orm import Mapped, mapped_column

from tracker.db import Base, Id, Instant, new_id, one_of
from tracker.domain.permissions import ROLES
from tracker.models.organizations import OfOrganization, names_organization


class Token(OfOrganization, Base, kw_only=True):
    """An opaque bearer token, of which only the SHA-256 is stored.

    ``maker_id`` is the token with which it was made; null means that the operator made it, or
    somebody in a session. ``maker_person_id`` is the person who made it.
    ``person_id`` identifies its user; a token that people make for themselves has their own.
    ``made_by_holders`` are the holders among the makers above it in the chain.
    """

    __tablename__ = "token"
    __table_args__ = (
        one_of("role", ROLES),
        CheckConstraint("role <> 'holder' or holder_id is not null", name="subject"),
        names_organization(),
        Index("ix_token_maker", "maker_id"),
    )

    id: Mapped[str] = mapped_column(Id, primary_key=True, default_factory=new_id)
    digest: Mapped[str] = mapped_column(String(64), unique=True)
    name: Mapped[str] = mapped_column(String(100))
    role: Mapped[str] = mapped_column(String(16))
    scopes: Mapped[list[str]] = mapped_column(JSON)
    holder_id: Mapped[str | None] = mapped_column(ForeignKey("holder.id"), default=None)
    recorded_at: Mapped[datetime] = mapped_column(Instant)
    expires_at: Mapped[datetime | None] = mapped_column(Instant, default=None)
    last_used_at: Mapped[datetime | None] = mapped_column(Instant, default=None)
    revoked_at: Mapped[datetime | None] = mapped_column(Instant, default=None)
    maker_id: Mapped[str | None] = mapped_column(ForeignKey("token.id"), default=None)
    maker_person_id: Mapped[str | None] = mapped_column(Id, default=None)
    person_id: Mapped[str] = mapped_column(Id, default_factory=new_id)
    made_by_holders: Mapped[list[str]] = mapped_column(JSON, default_factory=list)
