"""Files in requests: the field, and how a route that takes a file declares it."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from contextlib import AbstractContextManager, contextmanager
from dataclasses import dataclass

import flask_smorest.fields
from flask import request
from marshmallow import Schema, ValidationError
from werkzeug.datastructures import FileStorage
from werkzeug.exceptions import RequestEntityTooLarge, UnsupportedMediaType

from tracker.api.http.schemas import Loaded, ProblemSchema
from tracker.domain.errors import Refusal
from tracker.domain.permissions import Actor
from tracker.services.core.context import Container, ReadContext
from tracker.settings import Settings

_Prepare = Callable[[Container, Actor, Loaded], AbstractContextManager[Loaded]]
_WRAPPING = 64 * 1024  # bytes for the form around a file


class File(flask_smorest.fields.Upload):  # type: ignore[misc]
    """A file with its name."""

    def _deserialize(
        self, value: object, attr: str | None, data: Mapping[str, object] | None, **kwargs: object
    ) -> FileStorage:
        del attr, data, kwargs
        if not isinstance(value, FileStorage) or not value.filename:
            raise ValidationError("must be a file with a file name")
        return value


@contextmanager
def _as_it_is(_container: Container, _actor: Actor, body: Loaded) -> Iterator[Loaded]:
    yield body


def _anything(_reading: ReadContext, _body: Loaded, **_path: object) -> None:
    pass


def _leave(_container: Container, _actor: Actor, _refusal: Refusal) -> None:
    pass


@dataclass(frozen=True, slots=True)
class Upload:
    """How a route takes a file.

    ``maximum_bytes`` is the largest file the caller may send; ``too_large`` makes the refusal of a
    larger one. ``ask`` raises whatever refuses the request regardless of the file's content.
    ``prepare`` is costly work on the file, done after that and before the transaction opens, so
    that no other writer waits for it; its result is the view's body, and is closed after the
    transaction. ``refused`` is called with a refusal after the transaction was rolled back.
    ``problem`` is the schema of the route's errors.
    """

    maximum_bytes: Callable[[Settings, Actor], int]
    too_large: Callable[[int], Exception]
    ask: Callable[..., None] = _anything
    prepare: _Prepare = _as_it_is
    refused: Callable[[Container, Actor, Refusal], None] = _leave
    problem: type[Schema] = ProblemSchema

    def form(self, settings: Settings, actor: Actor) -> list[tuple[str, str | FileStorage]]:
        """The fields and files of the request; a body over the limit is never read."""
        maximum = self.maximum_bytes(settings, actor)
        request.max_content_length = maximum + _WRAPPING
        if request.mimetype != "multipart/form-data":
            raise UnsupportedMediaType("The body must be multipart/form-data.")
        try:
            files = list(request.files.items(multi=True))
        except RequestEntityTooLarge as error:
            raise self.too_large(maximum) from error
        if any(size(file) > maximum for _, file in files):
            raise self.too_large(maximum)
        return [*request.form.items(multi=True), *files]


def size(file: FileStorage) -> int:
    """The bytes of a file that was sent; it can still be read from its beginning."""
    size = file.stream.seek(0, 2)
    file.stream.seek(0)
    return size
