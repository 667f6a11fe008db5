"""People's accounts, their attempts to sign in, and their sessions."""

from __future__ import annotations

from datetime import datetime

from sqlalchemy import CheckConstraint, ForeignKey, Index, String, text
from sqlalchemy.orm import Mapped, mapped_column

from tracker.db import Base, Id, Instant, new_id, one_of
from tracker.domain.permissions import ROLES

LONGEST_AGENT = 200
_WAITS = text("identifier is not null")


class Account(Base, kw_only=True):
    """What lets a person sign in: for a holder it belongs to the record, which has the name.

    ``email`` is the address that last signed in, or that was confirmed before the holder entered
    another one; a holder's may be none (``domain.people.accounts``).
    """

    __tablename__ = "account"
    __table_args__ = (
        one_of("role", ROLES),
        CheckConstraint(
            "(role = 'holder') = (holder_id is not null)"
            " and (role = 'employer') = (employer_id is not null)"
            " and (role = 'holder' or (name is not null and email is not null))",
            name="subject",
        ),
    )

    id: Mapped[str] = mapped_column(Id, primary_key=True, default_factory=new_id)
    role: Mapped[str] = mapped_column(String(16))
    email: Mapped[str | None] = mapped_column(String(254))
    name: Mapped[str | None] = mapped_column(String(100), default=None)
    holder_id: Mapped[str | None] = mapped_column(
        ForeignKey("holder.id"), unique=True, default=None
    )
    employer_id: Mapped[str | None] = mapped_column(ForeignKey("employer.id"), default=None)
    recorded_at: Mapped[datetime] = mapped_column(Instant)


class SignIn(Base, kw_only=True):
    """An attempt to sign in: a code and a link, which are derived from the id and not stored.

    ``digest`` is that of the secret of the browser where it began; a link made by the operator has
    none. ``identifier`` is what the person typed, until it has been looked up. An attempt of
    somebody who is not on record has neither holder nor account, and no code is right for it.
    """

    __tablename__ = "sign_in"
    __table_args__ = (
        Index("ix_sign_in_waits", "recorded_at", sqlite_where=_WAITS, postgresql_where=_WAITS),
        Index("ix_sign_in_expires_at", "expires_at"),
    )

    id: Mapped[str] = mapped_column(Id, primary_key=True, default_factory=new_id)
    digest: Mapped[str | None] = mapped_column(String(64), unique=True, default=None)
    identifier: Mapped[str | None] = mapped_column(String(254), default=None)
    holder_id: Mapped[str | None] = mapped_column(ForeignKey("holder.id"), default=None)
    account_id: Mapped[str | None] = mapped_column(ForeignKey("account.id"), default=None)
    email: Mapped[str | None] = mapped_column(String(254), default=None)
    recorded_at: Mapped[datetime] = mapped_column(Instant)
    expires_at: Mapped[datetime] = mapped_column(Instant)
    used_at: Mapped[datetime | None] = mapped_column(Instant, default=None)
    tries: Mapped[int] = mapped_column(default=0)


class LoginSession(Base, kw_only=True):
    """A signed-in browser; ``digest`` is that of the secret in its cookie.

    ``email`` is the address that signed in; the session ends when it no longer may. ``agent`` is
    what the browser calls itself, so that people recognize their sessions.
    """

    __tablename__ = "login_session"
    __table_args__ = (Index("ix_login_session_account", "account_id", "id"),)

    id: Mapped[str] = mapped_column(Id, primary_key=True, default_factory=new_id)
    digest: Mapped[str] = mapped_column(String(64), unique=True)
    account_id: Mapped[str] = mapped_column(ForeignKey("account.id"))
    email: Mapped[str] = mapped_column(String(254))
    agent: Mapped[str] = mapped_column(String(LONGEST_AGENT))
    started_at: Mapped[datetime] = mapped_column(Instant)
    last_used_at: Mapped[datetime] = mapped_column(Instant)
    ended_at: Mapped[datetime | None] = mapped_column(Instant, default=None)
