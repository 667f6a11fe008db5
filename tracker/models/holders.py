"""People on record, including those who are not certified yet."""

from __future__ import annotations

from datetime import date, datetime

from sqlalchemy import (
    JSON,
    CheckConstraint,
    ForeignKey,
    Index,
    String,
    Text,
    UniqueConstraint,
    false,
    text,
    true,
)
from sqlalchemy.orm import Mapped, mapped_column

from tracker.db import Base, Folded, Id, Instant, Ref, new_id, one_of, written
from tracker.domain.desk.requests import RequestKind, RequestState
from tracker.domain.schemes.activity_types import ENGLISH
from tracker.language.catalogues import LANGUAGES

_OPEN = written("state", RequestState.REQUESTED)
_MERGED = text("merged_into_id is not null")
LANGUAGE_CHECK = f"language in ({', '.join(repr(language) for language in LANGUAGES)})"


class Holder(Base, kw_only=True):
    """A person. ``ref`` is their key in files; without one it is the id.

    ``folded_name`` is the name used for searching, former names included (``domain.names``). It has
    no default: a row without it is refused, so that everybody on record can be found. A holder with
    ``deceased_on`` receives no messages and is no longer verified as valid. An address that staff
    recorded or a file brought is confirmed; one that the holder entered receives messages but does
    not identify the holder to others. ``shows_modules``: the public page of a certificate lists the
    modules passed. ``erased_at``: the person's data are gone, and the record
    reads as that of somebody who died (``services/overview/belongings.py``). ``merged_into_id``: it
    is another record of that person, to which everything went (``services/desk/merges.py``).
    """

    __tablename__ = "holder"
    __table_args__ = (
        CheckConstraint(LANGUAGE_CHECK, name="language"),
        Index("ix_holder_name", "family_name", "given_name", "id"),
        Index("ix_holder_email", "email"),
        Index("ix_holder_second_email", "second_email"),
        Index(
            "ix_holder_deceased",
            "id",
            sqlite_where=text("deceased_on is not null"),
            postgresql_where=text("deceased_on is not null"),
        ),
        Index("ix_holder_folded_name", "folded_name", "id"),
        Index(
            "ix_holder_merged_into",
            "merged_into_id",
            sqlite_where=_MERGED,
            postgresql_where=_MERGED,
        ),
        CheckConstraint("merged_into_id is null or merged_into_id <> id", name="merged"),
    )

    id: Mapped[str] = mapped_column(Id, primary_key=True, default_factory=new_id)
    ref: Mapped[str] = mapped_column(Ref, unique=True)
    given_name: Mapped[str] = mapped_column(String(100))
    family_name: Mapped[str] = mapped_column(String(100))
    email: Mapped[str] = mapped_column(String(254))
    second_email: Mapped[str | None] = mapped_column(String(254), default=None)
    email_confirmed: Mapped[bool] = mapped_column(default=True, server_default=true())
    second_email_confirmed: Mapped[bool] = mapped_column(default=True, server_default=true())
    language: Mapped[str] = mapped_column(String(2), default=ENGLISH)
    time_zone: Mapped[str] = mapped_column(String(64), default="America/New_York")
    shows_modules: Mapped[bool] = mapped_column(init=False, server_default=false())
    folded_name: Mapped[str] = mapped_column(Folded)
    deceased_on: Mapped[date | None] = mapped_column(default=None)
    erased_at: Mapped[datetime | None] = mapped_column(Instant, default=None)
    merged_into_id: Mapped[str | None] = mapped_column(ForeignKey("holder.id"), default=None)
    recorded_at: Mapped[datetime] = mapped_column(Instant)
    version: Mapped[int] = mapped_column(default=1, nullable=False)

    __mapper_args__ = {"version_id_col": version}  # noqa: RUF012 - SQLAlchemy's own form


class FormerName(Base, kw_only=True):
    """A holder's former name and its last day; certificates in that name are still verified."""

    __tablename__ = "former_name"
    __table_args__ = (Index("ix_former_name_holder", "holder_id", "id"),)

    id: Mapped[str] = mapped_column(Id, primary_key=True, default_factory=new_id)
    holder_id: Mapped[str] = mapped_column(ForeignKey("holder.id"))
    given_name: Mapped[str] = mapped_column(String(100))
    family_name: Mapped[str] = mapped_column(String(100))
    until_on: Mapped[date]
    recorded_at: Mapped[datetime] = mapped_column(Instant)
    recorded_by: Mapped[str] = mapped_column(String(100))


class HolderWord(Base, kw_only=True):
    """A word by whose beginning staff find a person: of a name, also a former one, or an address.

    Derived from the holder's row (``domain/names.words``) by ``services/people/search_words.py``.
    The index of words is in byte order, so that it serves what begins so on every database.
    """

    __tablename__ = "holder_word"
    __table_args__ = (
        Index("ix_holder_word_word", "word", "holder_id"),
        {"sqlite_with_rowid": False},
    )

    holder_id: Mapped[str] = mapped_column(ForeignKey("holder.id"), primary_key=True)
    word: Mapped[str] = mapped_column(Folded, primary_key=True)


class HolderRequest(Base, kw_only=True):
    """A holder's request to staff.

    ``proposal`` holds the requested values, by field, if another name is asked for.
    """

    __tablename__ = "request"
    __table_args__ = (
        Index(
            "uq_request_open",
            "holder_id",
            "kind",
            unique=True,
            sqlite_where=_OPEN,
            postgresql_where=_OPEN,
        ),
        Index("ix_request_state", "state", "id"),
        one_of("kind", RequestKind),
        one_of("state", RequestState),
        CheckConstraint(f"({_OPEN}) = (closed_at is null)", name="closed"),
    )

    id: Mapped[str] = mapped_column(Id, primary_key=True, default_factory=new_id)
    holder_id: Mapped[str] = mapped_column(ForeignKey("holder.id"))
    kind: Mapped[str] = mapped_column(String(16))
    proposal: Mapped[dict[str, object]] = mapped_column(JSON)
    statement: Mapped[str | None] = mapped_column(Text, default=None)
    state: Mapped[str] = mapped_column(String(16), default=RequestState.REQUESTED)
    requested_on: Mapped[date]
    decided_by: Mapped[str | None] = mapped_column(String(100), default=None)
    reason: Mapped[str | None] = mapped_column(Text, default=None)
    recorded_at: Mapped[datetime] = mapped_column(Instant)
    closed_at: Mapped[datetime | None] = mapped_column(Instant, default=None)
    version: Mapped[int] = mapped_column(default=1, nullable=False)

    __mapper_args__ = {"version_id_col": version}  # noqa: RUF012 - SQLAlchemy reads it from the class


class RequestProof(Base, kw_only=True):
    """A file that proves a request; its bytes are where those of evidence are, under ``key``."""

    __tablename__ = "request_proof"
    __table_args__ = (
        UniqueConstraint("request_id", "slot"),
        CheckConstraint("slot >= 1", name="slot"),
    )

    id: Mapped[str] = mapped_column(Id, primary_key=True, default_factory=new_id)
    request_id: Mapped[str] = mapped_column(ForeignKey("request.id"))
    slot: Mapped[int]
    filename: Mapped[str] = mapped_column(String(200))
    content_type: Mapped[str] = mapped_column(String(32))
    size: Mapped[int]
    sha256: Mapped[str] = mapped_column(String(64))
    key: Mapped[str] = mapped_column(String(64), unique=True)
    uploaded_by: Mapped[str] = mapped_column(String(100))
    recorded_at: Mapped[datetime] = mapped_column(Instant)
