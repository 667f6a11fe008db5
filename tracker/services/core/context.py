"""What every service gets: a connection, schemes, reasons, settings, the actor and the instant.

A ``ReadContext`` only reads; a ``UnitOfWork`` is one transaction that writes. Doors open them
through ``Container``; services take them and never commit.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, replace
from datetime import date, datetime
from functools import lru_cache
from typing import Any, TypeAlias, TypeVar
from zoneinfo import ZoneInfo

from sqlalchemy import ColumnElement, Connection, CursorResult, Engine, Executable, Row
from sqlalchemy.dialects import postgresql, sqlite
from sqlalchemy.exc import InvalidRequestError
from sqlalchemy.orm import InstrumentedAttribute, Session

from tracker import copies, db
from tracker.clock import Clock
from tracker.db import Base
from tracker.domain.errors import NotFound
from tracker.domain.permissions import Actor
from tracker.domain.schemes.reasons import Reasons
from tracker.domain.schemes.schemes import Scheme, Schemes
from tracker.settings import Settings

Parameters: TypeAlias = Mapping[str, object] | Sequence[Mapping[str, object]] | None
"""The values of a statement's parameters: of one run, or of several."""


R = TypeVar("R")
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


def columns_of(kind: Callable[..., object], *tables: type[Base]) -> Columns:
    """The columns named like the fields of a class, in their order: from the first table with it.

    Raises StopIteration if no table has a column of a field's name.
    """
    return tuple(
        next(getattr(table, name) for table in tables if hasattr(table, name))
        for name in names_of(kind)
    )


@dataclass(frozen=True, slots=True)
class ReadContext:
    """Read access to the database for one actor at one instant."""

    connection: Connection
    schemes: Schemes
    reasons: Reasons
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

    def execute(self, statement: Executable, parameters: Parameters = None) -> CursorResult[Any]:
        """Run a statement."""
        return self.connection.execute(statement, parameters)

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
        result = self.execute(statement, parameters).columns(*names_of(kind))
        return [kind(*row) for row in result]

    def row_as(
        self, kind: Callable[..., R], statement: Executable, parameters: Parameters = None
    ) -> R | None:
        """The first row of a statement, as ``rows_as`` gives it, or None."""
        row = self.execute(statement, parameters).columns(*names_of(kind)).first()
        return None if row is None else kind(*row)

    @property
    def dialect(self) -> str:
        """The database's name: ``sqlite`` or ``postgresql``."""
        return self.connection.dialect.name


@dataclass(frozen=True, slots=True)
class UnitOfWork(ReadContext):
    """One transaction of an actor. The session and the connection share it.

    ``message_key`` is the key for the Message-IDs of messages put into the outbox. A rehearsal
    writes to a private copy of the database.
    """

    session: Session
    message_key: bytes
    is_rehearsal: bool = False

    def execute(self, statement: Executable, parameters: Parameters = None) -> CursorResult[Any]:
        """Run a statement, after flushing the session's pending changes."""
        self.session.flush()
        return self.connection.execute(statement, parameters)

    def reread(self, row: Base) -> None:
        """Read a row again once its record is locked. Raises NotFound if it has been deleted."""
        try:
            self.session.refresh(row)
        except InvalidRequestError as error:
            raise NotFound from error

    def upsert(self, table: type[Base]) -> postgresql.Insert | sqlite.Insert:
        """An INSERT that supports ON CONFLICT, in the database's own dialect."""
        return sqlite.insert(table) if self.dialect == "sqlite" else postgresql.insert(table)


@dataclass(frozen=True, slots=True, repr=False)
class Container:
    """Everything that is made once per process; opens read contexts and units of work.

    ``relay_key`` is the key with which the mail provider signs its events.
    """

    engine: Engine
    schemes: Schemes
    reasons: Reasons
    settings: Settings
    clock: Clock
    message_key: bytes
    relay_key: bytes

    def __repr__(self) -> str:
        """Short and without the keys, since it appears in tracebacks."""
        return f"<Container on {self.engine.url!r}>"

    @contextmanager
    def reading(self, actor: Actor) -> Iterator[ReadContext]:
        """A connection outside any transaction, for reading only."""
        with db.reading(self.engine) as connection:
            yield ReadContext(
                connection=connection,
                schemes=self.schemes,
                reasons=self.reasons,
                settings=self.settings,
                actor=actor,
                now=self.clock(),
            )

    @contextmanager
    def work(self, actor: Actor) -> Iterator[UnitOfWork]:
        """One transaction, committed when the block ends and rolled back when it raises."""
        with db.unit_of_work(self.engine) as session:
            yield self._work(session, actor)

    @contextmanager
    def statement(self, actor: Actor) -> Iterator[UnitOfWork]:
        """A UnitOfWork in which every statement is its own transaction."""
        with db.single_statements(self.engine) as session:
            yield self._work(session, actor)

    @contextmanager
    def rehearsal(self, actor: Actor) -> Iterator[UnitOfWork]:
        """A UnitOfWork on a temporary copy of the database, so that nobody waits for its locks."""
        with copies.private(self.engine) as session:
            yield replace(self._work(session, actor), is_rehearsal=True)

    def _work(self, session: Session, actor: Actor) -> UnitOfWork:
        return UnitOfWork(
            connection=session.connection(),
            schemes=self.schemes,
            reasons=self.reasons,
            settings=self.settings,
            actor=actor,
            now=self.clock(),
            session=session,
            message_key=self.message_key,
        )
