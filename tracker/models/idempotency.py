"""Stored responses for repeated requests."""

from __future__ import annotations

from datetime import datetime

from sqlalchemy import (
    JSON,
    ForeignKey,
    LargeBinary,
    String,
    UniqueConstraint,
)
from sqlalchemy.orm import Mapped, mapped_column

from tracker.db import Base, Id, Instant, new_id


class IdempotencyKey(Base, kw_only=True):
    """The response to a POST, so that the same key and body get the same response again.

    The caller came with a token or by a session.
    """

    __tablename__ = "idempotency_key"
    __table_args__ = (UniqueConstraint("token_id", "key"), UniqueConstraint("session_id", "key"))

    id: Mapped[str] = mapped_column(Id, primary_key=True, default_factory=new_id)
    token_id: Mapped[str | None] = mapped_column(ForeignKey("token.id"))
    session_id: Mapped[str | None] = mapped_column(ForeignKey("login_session.id"))
    key: Mapped[str] = mapped_column(String(100))
    request_digest: Mapped[str] = mapped_column(String(64))
    status: Mapped[int]
    body: Mapped[bytes] = mapped_column(LargeBinary)
    headers: Mapped[dict[str, str]] = mapped_column(JSON)
    recorded_at: Mapped[datetime] = mapped_column(Instant, index=True)
