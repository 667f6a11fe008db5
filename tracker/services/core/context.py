"""What every service gets: a connection, schemes, reasons, settings, the actor and the instant.

A ``ReadContext`` only reads; a ``UnitOfWork`` is one transaction that writes. Doors open them
through ``Container``; services take them and never commit.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field, replace
from datetime import date, datetime
from functools import lru_cache, wraps
from typing import Any, Concatenate, ParamSpec, Self, TypeAlias, TypeVar
from zoneinfo import ZoneInfo

from sqlalchemy import ColumnElement, Connection, CursorResult, Engine, Executable, Row
from sqlalchemy.dialects import postgresql, sqlite
from sqlalchemy.exc import InvalidRequestError
from sqlalchemy.orm import InstrumentedAttribute, Session

from tracker import copies, db, row_security
from tracker.clock import Clock
from tracker.db import Base
from tracker.domain.errors import NotFound
from tracker.domain.history_chain import KeyRing, Unchained
from tracker.domain.permissions import Actor
from tracker.domain.schemes.credentials import CredentialCatalog
from tracker.domain.schemes.pathways import Pathway
from tracker.domain.schemes.reasons import Reasons
from tracker.domain.schemes.schemes import Scheme, Schemes
from tracker.row_security import RowViewer
from tracker.services.core import history_chain, security_log
from tracker.settings import Settings

Parameters: TypeAlias = Mapping[str, object] | Sequence[Mapping[str, object]] | None
"""The values of a statement's parameters: of one run, or of several."""


R = TypeVar("R")
P = ParamSpec("P")
_Context = TypeVar("_Context", bound="ReadContext")
Column: TypeAlias = InstrumentedAttribute[R] | ColumnElement[R]
"""A column of a table, or an expression of values."""
Columns: TypeAlias = tuple[InstrumentedAttribute[object], ...]
AnyRow: TypeAlias = Row[*tuple[Any, ...]]
"""A row whose columns have no types, as a statement returns it."""


@lru_cache(maxsize=1024)
def zone_of(name: str) -> ZoneInfo:
    """The time zone with that name."""
    return ZoneInfo(name)


def names_of(kind: Callable[..., object]) -> tuple[str, ...]:
    """The names of a class's fields, in the order in which it takes them."""
    names: tuple[str, ...] = kind.__match_args__  # type: ignore[attr-defined]
    return names


def _in_order(result: CursorResult[Any], names: tuple[str, ...]) -> CursorResult[Any]:
    """The columns with these names; they are mostly all that there are, and then nothing is cut."""
    return result if tuple(result.keys()) == names else result.columns(*names)


def columns_of(kind: Callable[..., object], *tables: type[Base]) -> Columns:
    """The columns named like the fields of a class, in their order: from the first table with it.

    Raises StopIteration if no table has a column of a field's name.
    """
    return tuple(
        next(getattr(table, name) for table in tables if hasattr(table, name))
        for name in names_of(kind)
    )


def viewer_of(actor: Actor) -> RowViewer:
    """Which rows PostgreSQL's policies show an actor, where they restrict the program's role."""
    if actor.is_of_the_body or actor.sees_all:
        return row_security.EVERYTHING
    if actor.role == "holder" and actor.holder_id is not None:
        return row_security.of_holder(actor.holder_id)
    if actor.is_of_organization and actor.organization_id is not None:
        return row_security.of_organization(actor.role, actor.organization_id)
    return row_security.NOBODY


@dataclass(frozen=True, slots=True)
class ReadContext:
    """Read access to the database for one actor at one instant."""

    connection: Connection
    schemes: Schemes
    reasons: Reasons
    credentials: CredentialCatalog
    pathways: Mapping[str, Pathway]
    settings: Settings
    actor: Actor
    now: datetime

    def today(self, scheme: Scheme) -> date:
        """The calendar date in the scheme's own time zone."""
        return self.now.astimezone(scheme.time_zone).date()

    def day_of(self, scheme: Scheme, time_zone: str) -> date:
        """Today for a holder in that time zone: the holder's own date unless the scheme sets one.

        Deadlines end at midnight of that date, and a holder's statements about today are checked by
        it.
        """
        if scheme.days_end == "scheme":
            return self.today(scheme)
        return self.now.astimezone(zone_of(time_zone)).date()

    def execute(
        self,
        statement: Executable,
        parameters: Parameters = None,
        options: Mapping[str, object] | None = None,
    ) -> CursorResult[Any]:
        """Run a statement, perhaps with execution options of SQLAlchemy."""
        return self.connection.execute(statement, parameters, execution_options=options)

    def rows(self, statement: Executable, parameters: Parameters = None) -> Sequence[Any]:
        """All rows of a statement."""
        return self.execute(statement, parameters).fetchall()

    def row(self, statement: Executable, parameters: Parameters = None) -> Any:
        """The first row of a statement, or None."""
        return self.execute(statement, parameters).first()

    def rows_as(
        self, kind: Callable[..., R], statement: Executable, parameters: Parameters = None
    ) -> list[R]:
        """All rows of a statement, as values of a named tuple or dataclass: by its fields' names.

        Raises NoSuchColumnError where the statement has no column of a field's name.
        """
        result = _in_order(self.execute(statement, parameters), names_of(kind))
        return [kind(*row) for row in result.fetchall()]

    def row_as(
        self, kind: Callable[..., R], statement: Executable, parameters: Parameters = None
    ) -> R | None:
        """The first row of a statement, as ``rows_as`` gives it, or None."""
        row = _in_order(self.execute(statement, parameters), names_of(kind)).first()
        return None if row is None else kind(*row)

    @property
    def dialect(self) -> str:
        """The database's name: ``sqlite`` or ``postgresql``."""
        return self.connection.dialect.name

    def as_actor(self, actor: Actor) -> Self:
        """The same for another actor, who from now on sees no more than their own rows."""
        row_security.look_as(self.connection, viewer_of(actor))
        return replace(self, actor=actor)

    @contextmanager
    def seeing_everything(self) -> Iterator[None]:
        """Let the block's statements see rows that are not the actor's (``sees_everything``)."""
        with row_security.looking_as(self.connection, row_security.EVERYTHING):
            yield


@dataclass(frozen=True, slots=True)
class UnitOfWork(ReadContext):
    """One transaction of an actor. The session and the connection share it.

    ``message_key`` is the key for the Message-IDs of messages put into the outbox. A rehearsal
    writes to a private copy of the database. ``unchained`` are the entries of history that this
    transaction has recorded so far; they are chained when it commits, and ``logged`` are the lines
    about security events, which are written then. ``request_id`` names the HTTP request that it
    serves.
    """

    session: Session
    message_key: bytes
    history_keys: KeyRing
    is_rehearsal: bool = False
    request_id: str | None = None
    unchained: Unchained = field(default_factory=Unchained)
    logged: list[Mapping[str, object]] = field(default_factory=list)

    def execute(
        self,
        statement: Executable,
        parameters: Parameters = None,
        options: Mapping[str, object] | None = None,
    ) -> CursorResult[Any]:
        """Run a statement, after flushing the session's pending changes."""
        self.session.flush()
        return self.connection.execute(statement, parameters, execution_options=options)

    @contextmanager
    def seeing_everything(self) -> Iterator[None]:
        """The same, also for what the session writes in the block."""
        self.session.flush()
        with ReadContext.seeing_everything(self):
            yield
            self.session.flush()

    def reread(self, row: Base) -> None:
        """Read a row again once its record is locked. Raises NotFound if it has been deleted."""
        try:
            self.session.refresh(row)
        except InvalidRequestError as error:
            raise NotFound from error

    def upsert(self, table: type[Base]) -> postgresql.Insert | sqlite.Insert:
        """An INSERT that supports ON CONFLICT, in the database's own dialect."""
        return sqlite.insert(table) if self.dialect == "sqlite" else postgresql.insert(table)


def sees_everything(
    service: Callable[Concatenate[_Context, P], R],
) -> Callable[Concatenate[_Context, P], R]:
    """An opening in the second wall: what the function does sees rows that are not the actor's.

    For what an actor may cause and not see, such as a message to somebody else or the holder whom
    an employer names. It must not return such rows, unless the caller shows them to nobody.
    ``tests/services/core/test_row_security.py`` lists the openings.
    """

    @wraps(service)
    def opening(context: _Context, /, *arguments: P.args, **named: P.kwargs) -> R:
        with context.seeing_everything():
            return service(context, *arguments, **named)

    opening.is_opening = True  # type: ignore[attr-defined]
    return opening


@dataclass(frozen=True, slots=True, repr=False)
class Container:
    """Everything that is made once per process; opens read contexts and units of work.

    ``relay_key`` is the key with which the mail provider signs its events, ``history_keys`` are
    those of the history's chain. ``request_id`` tells which HTTP request is being served, if any.
    """

    engine: Engine
    schemes: Schemes
    reasons: Reasons
    credentials: CredentialCatalog
    pathways: Mapping[str, Pathway]
    settings: Settings
    clock: Clock
    message_key: bytes
    relay_key: bytes
    history_keys: KeyRing
    request_id: Callable[[], str | None]

    def __repr__(self) -> str:
        """Short and without the keys, since it appears in tracebacks."""
        return f"<Container on {self.engine.url!r}>"

    @contextmanager
    def reading(self, actor: Actor) -> Iterator[ReadContext]:
        """A connection outside any transaction, for reading only."""
        with db.reading(self.engine) as connection:
            yield self._read(connection, actor)

    @contextmanager
    def work(self, actor: Actor) -> Iterator[UnitOfWork]:
        """One transaction, committed when the block ends and rolled back when it raises.

        What it recorded in the history is chained just before it commits.
        """
        with db.unit_of_work(self.engine) as session:
            opened = self._work(session.connection(), session, actor)
            yield opened
            history_chain.close(session, self.history_keys, opened.unchained)
        security_log.write(opened.logged)

    @contextmanager
    def statement(self, actor: Actor) -> Iterator[UnitOfWork]:
        """A UnitOfWork in which every statement is its own transaction; it records no history.

        Raises RuntimeError if it does, since an entry is chained in the transaction that it is in.
        """
        with db.single_statements(self.engine) as (connection, session):
            opened = self._work(connection, session, actor)
            yield opened
            if opened.unchained:
                raise RuntimeError("history needs a transaction: use Container.work()")

    @contextmanager
    def rehearsal(self, actor: Actor) -> Iterator[UnitOfWork]:
        """A UnitOfWork on a temporary copy of the database, so that nobody waits for its locks."""
        with copies.private(self.engine) as session:
            opened = self._work(session.connection(), session, actor)
            yield replace(opened, is_rehearsal=True)

    @contextmanager
    def snapshot(self, actor: Actor) -> Iterator[ReadContext]:
        """The database as of one moment, for reading it from end to end; nobody waits for it."""
        with db.snapshot(self.engine) as connection:
            yield self._read(connection, actor)

    def _read(self, connection: Connection, actor: Actor) -> ReadContext:
        row_security.look_as(connection, viewer_of(actor))
        return ReadContext(
            connection=connection,
            schemes=self.schemes,
            reasons=self.reasons,
            credentials=self.credentials,
            pathways=self.pathways,
            settings=self.settings,
            actor=actor,
            now=self.clock(),
        )

    def _work(self, connection: Connection, session: Session, actor: Actor) -> UnitOfWork:
        row_security.look_as(connection, viewer_of(actor))
        return UnitOfWork(
            connection=connection,
            schemes=self.schemes,
            reasons=self.reasons,
            credentials=self.credentials,
            pathways=self.pathways,
            settings=self.settings,
            actor=actor,
            now=self.clock(),
            session=session,
            message_key=self.message_key,
            history_keys=self.history_keys,
            request_id=self.request_id(),
        )
