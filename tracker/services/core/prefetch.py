"""Reading ahead: what a route is about to ask for, read in one round trip with its caller's token.

The view asks as ever: what it asks for in exactly these words and with these parameters is at
hand, anything else is read then. So reading ahead changes no answer, and a wrong guess costs
time only. What is at hand is given to nobody before the caller is known.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from sqlalchemy import Executable

from tracker.services.core import tokens
from tracker.services.core.combined import Statement, Together
from tracker.services.core.context import ReadContext


@dataclass(frozen=True, slots=True)
class ReadAhead(ReadContext):
    """A reading with the answers to some statements at hand."""

    parameters: Mapping[str, Any]
    found: Mapping[Executable, Sequence[Any]]

    def rows(self, statement: Executable, parameters: Any = None) -> Sequence[Any]:
        """All rows of a statement."""
        found = self.found.get(statement)
        if found is None or any(self.parameters.get(k) != v for k, v in parameters.items()):
            return ReadContext.rows(self, statement, parameters)
        return found

    def row(self, statement: Executable, parameters: Any = None) -> Any:
        """The first row of a statement, or None."""
        return next(iter(self.rows(statement, parameters)), None)


class Ahead:
    """What a route will ask for: statements, and their parameters as far as the path tells them."""

    def __init__(
        self, parameters: Callable[[ReadContext, str], dict[str, Any]], *statements: Statement
    ) -> None:
        self._parameters = parameters
        self._statements = (tokens.BY_DIGEST, *statements)
        self._together = Together(*self._statements)

    def read(self, reading: ReadContext, secret: str, path_id: str) -> ReadAhead:
        """Read on behalf of whoever has this secret, if anybody has."""
        parameters = {**tokens.parameters(secret), **self._parameters(reading, path_id)}
        found = self._together.read(reading, parameters)
        return ReadAhead(
            connection=reading.connection,
            schemes=reading.schemes,
            reasons=reading.reasons,
            settings=reading.settings,
            actor=reading.actor,
            now=reading.now,
            parameters=parameters,
            found=dict(zip(self._statements, found, strict=True)),
        )
