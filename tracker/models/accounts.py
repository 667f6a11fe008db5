"""People's accounts, their attempts to sign in, and their sessions."""

from __future__ import annotations

from datetime import datetime

from sqlalchemy import (
    BigInteger,
    CheckConstraint,
    ForeignKey,
    Index,
    LargeBinary,
    String,
    UniqueConstraint,
    text,
)
from sqlalchemy.orm import Mapped, mapped_column

from tracker.db import Base, Id, Instant, new_id, one_of
from tracker.domain.people.accounts import OrganizationAccess
from tracker.domain.people.invitations import INVITED
from tracker.domain.people.sign_in import LONGEST_PATH, AttemptPurpose
from tracker.domain.permissions import ORGANIZATIONS, ROLES
from tracker.models.organizations import OF_ORGANIZATION, OfOrganization, names_organization

LONGEST_AGENT = 200
LONGEST_CREDENTIAL = 1364  # base64url of the 1023 bytes that WebAuthn allows
_WAITS = text("identifier is not null")
_LIVING = text("deactivated_at is null")
_WAITING = text("accepted_at is null and withdrawn_at is null")
_OPEN = text(f"accepted_at is null and withdrawn_at is null and not ({OF_ORGANIZATION})")


class Account(OfOrganization, Base, kw_only=True):
    """What lets a person sign in: for a holder it belongs to the record, which has the name.

    ``email`` is the address that last signed in, or that was confirmed before the holder entered
    another one; a holder's may be none (``domain.people.accounts``). All others sign in with theirs
    and a password: ``email_key`` is that address in compared form. ``access`` is what somebody may
    do for an organization. Whoever was deactivated does not sign in; the row stays for the history.
    ``own_record_id`` is the record of somebody who works for the certification body and is a holder
    as well, on which they do not decide.
    """

    __tablename__ = "account"
    __table_args__ = (
        one_of("role", ROLES),
        CheckConstraint(
            "(role = 'holder') = (holder_id is not null)"
            " and (role = 'holder' or (name is not null and email is not null))",
            name="subject",
        ),
        names_organization(),
        one_of("access", OrganizationAccess),
        CheckConstraint(
            f"({OF_ORGANIZATION}) = (access is not null)"
            " and (role = 'holder') = (email_key is null)",
            name="sign_in",
        ),
        CheckConstraint(
            f"own_record_id is null or not (role = 'holder' or {OF_ORGANIZATION})",
            name="own_record",
        ),
        Index(
            "uq_account_email_key",
            "email_key",
            unique=True,
            sqlite_where=_LIVING,
            postgresql_where=_LIVING,
        ),
    )

    id: Mapped[str] = mapped_column(Id, primary_key=True, default_factory=new_id)
    role: Mapped[str] = mapped_column(String(16))
    email: Mapped[str | None] = mapped_column(String(254))
    email_key: Mapped[str | None] = mapped_column(String(254), default=None)
    access: Mapped[str | None] = mapped_column(String(16), default=None)
    language: Mapped[str | None] = mapped_column(String(8), default=None)
    name: Mapped[str | None] = mapped_column(String(100), default=None)
    holder_id: Mapped[str | None] = mapped_column(
        ForeignKey("holder.id"), unique=True, default=None
    )
    own_record_id: Mapped[str | None] = mapped_column(ForeignKey("holder.id"), default=None)
    recorded_at: Mapped[datetime] = mapped_column(Instant)
    deactivated_at: Mapped[datetime | None] = mapped_column(Instant, default=None)


class Invitation(OfOrganization, Base, kw_only=True):
    """Somebody is invited to open an account, by a mailed link that works once.

    The link is derived from the id and from ``sendings``, so that sending it again makes the former
    one worthless. ``inviter_id`` is the person who invited; the operator has none.
    """

    __tablename__ = "invitation"
    __table_args__ = (
        one_of("role", INVITED),
        names_organization(),
        one_of("access", OrganizationAccess),
        CheckConstraint(
            f"({OF_ORGANIZATION}) = (access is not null)"
            " and (accepted_at is null) = (account_id is null)",
            name="subject",
        ),
        *(
            Index(
                f"uq_invitation_open_of_{one}",
                f"{one}_id",
                "email_key",
                unique=True,
                sqlite_where=_WAITING,
                postgresql_where=_WAITING,
            )
            for one in ORGANIZATIONS
        ),
        Index(
            "uq_invitation_open",
            "email_key",
            unique=True,
            sqlite_where=_OPEN,
            postgresql_where=_OPEN,
        ),
    )

    id: Mapped[str] = mapped_column(Id, primary_key=True, default_factory=new_id)
    role: Mapped[str] = mapped_column(String(16))
    access: Mapped[str | None] = mapped_column(String(16), default=None)
    name: Mapped[str] = mapped_column(String(100))
    email: Mapped[str] = mapped_column(String(254))
    email_key: Mapped[str] = mapped_column(String(254))
    language: Mapped[str] = mapped_column(String(8))
    invited_by: Mapped[str] = mapped_column(String(100))
    inviter_id: Mapped[str | None] = mapped_column(Id, default=None)
    recorded_at: Mapped[datetime] = mapped_column(Instant)
    sent_at: Mapped[datetime] = mapped_column(Instant)
    sendings: Mapped[int] = mapped_column(default=1)
    expires_at: Mapped[datetime] = mapped_column(Instant)
    accepted_at: Mapped[datetime | None] = mapped_column(Instant, default=None)
    withdrawn_at: Mapped[datetime | None] = mapped_column(Instant, default=None)
    account_id: Mapped[str | None] = mapped_column(ForeignKey("account.id"), default=None)


class PasswordHash(Base, kw_only=True):
    """An account's password, hashed with argon2id.

    ``email_key`` is a holder's address, in compared form, that had signed in when the password was
    chosen: with it and the password the holder signs in, as long as it lets in. Others have theirs
    in the account.
    """

    __tablename__ = "password_hash"

    account_id: Mapped[str] = mapped_column(ForeignKey("account.id"), primary_key=True)
    hash: Mapped[str] = mapped_column(String(200))
    changed_at: Mapped[datetime] = mapped_column(Instant)
    email_key: Mapped[str | None] = mapped_column(String(254), unique=True, default=None)


class Authenticator(Base, kw_only=True):
    """An account's authenticator app, which shows a new code every 30 seconds (TOTP).

    Its secret is derived from ``seed`` with the installation's key and not stored. ``last_counter``
    is the step of the last code that was used: no code is accepted twice.
    """

    __tablename__ = "authenticator"

    account_id: Mapped[str] = mapped_column(ForeignKey("account.id"), primary_key=True)
    seed: Mapped[str] = mapped_column(String(80))
    last_counter: Mapped[int]
    confirmed_at: Mapped[datetime] = mapped_column(Instant)


class RecoveryCode(Base, kw_only=True):
    """A code that replaces the authenticator app once; only a keyed digest of it is stored."""

    __tablename__ = "recovery_code"
    __table_args__ = (Index("ix_recovery_code_account", "account_id"),)

    id: Mapped[str] = mapped_column(Id, primary_key=True, default_factory=new_id)
    account_id: Mapped[str] = mapped_column(ForeignKey("account.id"))
    digest: Mapped[str] = mapped_column(String(64), unique=True)
    used_at: Mapped[datetime | None] = mapped_column(Instant, default=None)


class Passkey(Base, kw_only=True):
    """A passkey of an account (WebAuthn): a key pair whose private half its owner's device keeps.

    ``credential_id`` names it, in base64url; ``public_key`` is in COSE form. ``sign_count`` is the
    counter that it showed last. ``email`` is the address that had signed in when it was added: a
    holder's passkey lets in as long as that address does, since whoever reads a former mailbox may
    have added it.
    """

    __tablename__ = "passkey"
    __table_args__ = (Index("ix_passkey_account", "account_id", "id"),)

    id: Mapped[str] = mapped_column(Id, primary_key=True, default_factory=new_id)
    account_id: Mapped[str] = mapped_column(ForeignKey("account.id"))
    credential_id: Mapped[str] = mapped_column(String(LONGEST_CREDENTIAL), unique=True)
    public_key: Mapped[bytes] = mapped_column(LargeBinary)
    sign_count: Mapped[int] = mapped_column(BigInteger)
    name: Mapped[str] = mapped_column(String(60))
    email: Mapped[str] = mapped_column(String(254))
    recorded_at: Mapped[datetime] = mapped_column(Instant)
    last_used_at: Mapped[datetime | None] = mapped_column(Instant, default=None)


class ProviderIdentity(Base, kw_only=True):
    """By which subject an identity provider (OpenID Connect) knows the owner of an account.

    It is bound once; then the provider signs in that subject and no other.
    """

    __tablename__ = "provider_identity"
    __table_args__ = (
        UniqueConstraint("issuer", "subject"),
        UniqueConstraint("account_id", "issuer"),
    )

    id: Mapped[str] = mapped_column(Id, primary_key=True, default_factory=new_id)
    account_id: Mapped[str] = mapped_column(ForeignKey("account.id"))
    issuer: Mapped[str] = mapped_column(String(500))
    subject: Mapped[str] = mapped_column(String(255))
    recorded_at: Mapped[datetime] = mapped_column(Instant)
    last_used_at: Mapped[datetime | None] = mapped_column(Instant, default=None)


class SignIn(Base, kw_only=True):
    """An attempt to sign in: a code and a link, which are derived from the id and not stored.

    ``digest`` is that of the secret of the browser where it began; a link made by the operator has
    none. ``identifier`` is what the person typed, until it has been looked up. An attempt of
    somebody who is not on record has neither holder nor account, and no code is right for it.
    By its ``purpose`` it may also be a link to choose a new password, a browser in which the right
    password was entered and the second factor was not, or one that was given a challenge for a
    passkey: of anybody's to sign in, of the account's to add one or to confirm who it is; or one
    that was sent to an identity provider.
    ``wanted`` is the page that was asked for, which the link opens.
    """

    __tablename__ = "sign_in"
    __table_args__ = (
        one_of("purpose", AttemptPurpose),
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
    purpose: Mapped[str] = mapped_column(String(16), default=AttemptPurpose.CODE)
    wanted: Mapped[str | None] = mapped_column(String(LONGEST_PATH), default=None)


class LoginSession(Base, kw_only=True):
    """A signed-in browser; ``digest`` is that of the secret in its cookie.

    ``email`` is the address that signed in; the session ends when it no longer may. ``agent`` is
    what the browser calls itself, so that people recognize their sessions. ``proved_at`` is when
    the person last proved who they are; null: when the session started.
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
    proved_at: Mapped[datetime | None] = mapped_column(Instant, default=None)
