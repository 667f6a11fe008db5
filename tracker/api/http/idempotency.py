"""Idempotency-Key: the same key and body get the same answer, even from two processes at once."""

from __future__ import annotations

import hashlib
import re
from collections.abc import Callable

from flask import Response, request
from sqlalchemy.exc import IntegrityError

from tracker.domain.errors import Invalid, Refusal
from tracker.domain.permissions import SYSTEM, Actor
from tracker.services.core import idempotency
from tracker.services.core.context import Container, UnitOfWork
from tracker.services.core.idempotency import RememberedAnswer

CREATED = 201
_HEADERS = frozenset({"Content-Type", "Location", "ETag"})
PATTERN = r"^[A-Za-z0-9_\-:.]{1,100}$"


class ShownOnce(Response):
    """An answer with a secret; a repetition of the request gets ``kept`` instead."""

    kept: bytes = b""


def once(
    container: Container, actor: Actor, run: Callable[..., Response], *, key: str | None = None
) -> Response:
    """Run a creating request, or repeat the answer that it got before.

    ``key`` is that of a page's form, which has no header of its own.

    The answer is stored in the transaction of the request itself: either both are on record or
    neither is. Raises Invalid if the key was used for another request.
    """
    key = key or request.headers.get("Idempotency-Key")
    if key is None:
        return run()
    if not re.match(PATTERN, key):
        rule = f"must match {PATTERN}"
        raise Invalid("The Idempotency-Key has a wrong form.", fields={"Idempotency-Key": rule})
    digest = _digest()
    remembered = _remembered(container, actor, key, digest)
    if remembered is not None:
        return remembered
    try:
        return run(settle=lambda work, answer: _remember(work, key, digest, answer))
    except (IntegrityError, Refusal):
        # The same request may have been answered while this one waited for the lock.
        remembered = _remembered(container, actor, key, digest)
        if remembered is None:
            raise
        return remembered


def _digest() -> str:
    """A digest of the request; files are read in pieces."""
    digest = hashlib.sha256(f"{request.method}\n{request.full_path}\n".encode())
    digest.update(request.get_data(cache=True))
    if request.files:
        digest.update(repr(sorted(request.form.items(multi=True))).encode())
    for name, file in sorted(request.files.items(multi=True), key=lambda pair: pair[0]):
        content = hashlib.file_digest(file.stream, "sha256").digest()  # type: ignore[arg-type]
        digest.update(repr((name, file.filename, content)).encode())
        file.stream.seek(0)
    return digest.hexdigest()


def _remembered(container: Container, actor: Actor, key: str, digest: str) -> Response | None:
    with container.reading(SYSTEM) as reading:
        known = idempotency.remembered(reading, actor, key)
    if known is None:
        return None
    if known.request_digest != digest:
        rule = "was already used for another request"
        raise Invalid(f"The Idempotency-Key {rule}.", fields={"Idempotency-Key": rule})
    return Response(known.body, status=known.status, headers=known.headers)


def _remember(work: UnitOfWork, key: str, digest: str, answer: Response) -> None:
    kept = RememberedAnswer(
        request_digest=digest,
        status=answer.status_code,
        body=answer.kept if isinstance(answer, ShownOnce) else answer.get_data(),
        headers={name: value for name, value in answer.headers.items() if name in _HEADERS},
    )
    idempotency.remember(work, key, kept)
