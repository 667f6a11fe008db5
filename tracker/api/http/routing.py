"""The conventions of every route: who may call it, what is parsed, how it is answered.

``Resource`` is a blueprint whose ``reads`` and ``writes`` decorators authenticate, check role and
scope, load query and body, open a read context or one unit of work, and document all of it. Nothing
is answered before the caller is known, and a route without roles must declare itself public.
"""

from __future__ import annotations

import functools
import hashlib
from collections.abc import Callable, Mapping, Sequence
from contextlib import ExitStack
from dataclasses import replace
from typing import Any, TypeAlias

import flask_smorest
import orjson
from flask import Response, current_app, g, request
from marshmallow import RAISE, Schema, ValidationError
from werkzeug.datastructures import FileStorage
from werkzeug.exceptions import PreconditionRequired, Unauthorized

from tracker.api.http import bodies, idempotency, session_cookies
from tracker.api.http.schemas import Loaded, ProblemSchema
from tracker.api.http.uploads import Upload
from tracker.domain.errors import Invalid, Refusal, SecondFactorMissing, Stale
from tracker.domain.permissions import SYSTEM, Actor, Role, Scope, check_role, check_scope
from tracker.domain.schemes.activity_types import ENGLISH
from tracker.language.catalogues import LANGUAGES
from tracker.services.core import tokens
from tracker.services.core.context import Container, ReadContext, UnitOfWork
from tracker.services.core.prefetch import Ahead
from tracker.services.people import password_sign_in, sessions
from tracker.settings import Settings

View = Callable[..., Response]
_Form = Callable[[Settings], list[tuple[str, str | FileStorage]]]
_Messages: TypeAlias = "Mapping[str, _Messages] | Sequence[object]"
JSON = "application/json"
HTML = "text/html"
PROBLEM = "application/problem+json"
LANGUAGE_COOKIE = "language"
PUBLIC = Actor(role="holder", name="anonymous", scopes=frozenset())
VISITOR = replace(PUBLIC, sees_all=True)
"""Somebody who is about to say who they are: by signing in, or by a link from a message."""

_WORDS = {
    304: "Not modified",
    401: "No valid token or session",
    403: "Not allowed",
    404: "No such record",
    409: "The records do not allow it",
    410: "The record is no longer available",
    412: "The record has changed since it was read",
    413: "Too large",
    415: "Content type not supported",
    422: "A value is not acceptable",
    428: "If-Match is required",
    400: "The request cannot be read",
    429: "Too many requests; see Retry-After",
    503: "Not ready",
}


def container() -> Container:
    """The application's container."""
    return current_app.extensions["tracker"]  # type: ignore[no-any-return]


class Resource(flask_smorest.Blueprint):  # type: ignore[misc]
    """A blueprint with the routes of one resource."""

    def reads(
        self,
        rule: str,
        *roles: Role,
        returns: type[Schema] | Schema | None,
        query: type[Schema] | None = None,
        body: type[Schema] | None = None,
        public: bool = False,
        content: str | tuple[str, ...] = JSON,
        errors: tuple[int, ...] = (),
        ahead: Ahead | None = None,
    ) -> Callable[[View], View]:
        """A route that only reads: the view gets a ReadContext, then query and body if it has any.

        ``rule`` is the method and the path: ``"GET /holders/<uuid:holder_id>"``. ``content`` is the
        type of the answer, or its types if there are several. ``ahead`` is what the view will read
        by the one id in the path, fetched together with the caller's token.
        """
        load_query, load_body = _loader(query), _loader(body)
        allowed = frozenset(roles)

        def decorate(view: View) -> View:
            @functools.wraps(view)
            def door(**path: object) -> Response:
                with container().reading(SYSTEM) as opened:
                    system = _read_ahead(opened, ahead, path)
                    actor = PUBLIC if public else authenticate(system)
                    _check(actor, allowed, "read", public=public)
                    arguments = _arguments(query, load_query, body, load_body)
                    answer = view(system.as_actor(actor), *arguments, **_plain(path))
                return _conditional(answer)

            door.allowed = frozenset(roles)  # type: ignore[attr-defined]
            door.public = public  # type: ignore[attr-defined]
            door.scope = "read"  # type: ignore[attr-defined]
            extra = (304,) if body is None else (400, 413, 415)
            statuses = (*errors, *extra, *(() if public else (401, 403)), 422, 429)
            return self.routed(
                rule,
                door,
                status=200,
                returns=returns,
                query=query,
                body=body,
                errors=statuses,
                content=content,
                public=public,
            )

        return decorate

    def writes(
        self,
        rule: str,
        *roles: Role,
        returns: type[Schema] | Schema | None,
        query: type[Schema] | None = None,
        body: type[Schema] | None = None,
        status: int = 200,
        versioned: bool = False,
        errors: tuple[int, ...] = (),
        upload: Upload | None = None,
        accepts: type[Schema] | None = None,
        personal: bool = False,
    ) -> Callable[[View], View]:
        """A route that changes something: the view gets a UnitOfWork, one transaction.

        ``status=201`` creates and accepts an Idempotency-Key. ``versioned`` requires If-Match; the
        view gets ``version``. ``upload`` reads the body as a form with a file. ``accepts`` is the
        schema of the answer 202, if people decide before the change is made. ``personal``: it is
        about the caller's own account, which sessions that otherwise only read may change, too.
        """
        load_query, load_body = _loader(query), _loader(body)

        def arguments(actor: Actor) -> tuple[Loaded, ...]:
            form = _form_of_caller(upload, actor)
            return _arguments(query, load_query, body, load_body, form=form)

        make = functools.partial(
            _writing, status=status, versioned=versioned, upload=upload, personal=personal
        )

        def decorate(view: View) -> View:
            return self.routed(
                rule,
                make(view, roles, arguments),
                status=status,
                returns=returns,
                query=query,
                body=body,
                errors=_refusals(errors, has_body=bool(body), versioned=versioned),
                headers=_headers(status, versioned=versioned),
                public=False,
                upload=upload,
                accepts=accepts,
            )

        return decorate

    def routed(
        self,
        rule: str,
        door: View,
        *,
        status: int,
        returns: type[Schema] | Schema | None,
        query: type[Schema] | None,
        body: type[Schema] | None,
        errors: tuple[int, ...],
        content: str | tuple[str, ...] = JSON,
        headers: tuple[str, ...] = (),
        public: bool,
        upload: Upload | None = None,
        accepts: type[Schema] | None = None,
    ) -> View:
        """Attach the route and its OpenAPI description; apispec makes references of the schemas."""
        described: dict[str, object] = {"description": "Done" if returns is None else "The answer"}
        kinds = (content,) if isinstance(content, str) else content
        if shown := {kind: _form_of(kind, returns) for kind in kinds if returns or kind != JSON}:
            described["content"] = shown
        if status == idempotency.CREATED:
            described["description"] = "Created"
        responses: dict[str, dict[str, object]] = {str(status): described}
        if accepts is not None:
            content_of = {JSON: {"schema": accepts}}
            responses["202"] = {"description": "Waiting for a decision", "content": content_of}
        for error in sorted(set(errors)):
            responses[str(error)] = {"description": _WORDS[error]}
            if error != 304:  # noqa: PLR2004 - the one status without a body
                form = upload.problem if upload else ProblemSchema
                responses[str(error)]["content"] = {
                    PROBLEM: {"schema": form},
                    **({HTML: {"schema": {"type": "string"}}} if HTML in kinds else {}),
                }
        documented: dict[str, object] = {"responses": responses}
        parameters: list[dict[str, object]] = [_header(name) for name in headers]
        if query is not None:
            parameters.append({"in": "query", "schema": query})
        if parameters:
            documented["parameters"] = parameters
        if body is not None:
            kind = "multipart/form-data" if upload else JSON
            documented["requestBody"] = {"required": True, "content": {kind: {"schema": body}}}
        documented["security"] = [] if public else [{"token": []}, {"session": []}]
        method, _, path = rule.partition(" ")
        view: View = self.doc(**documented)(door)
        self.route(path, methods=[method])(view)
        return view


def _form_of(kind: str, returns: type[Schema] | Schema | None) -> dict[str, object]:
    """The OpenAPI description of an answer of that type: a schema, text, or bytes."""
    if returns is not None and kind == JSON:
        return {"schema": returns}
    return {"schema": {"type": "string"}} if kind.startswith("text/") else {}


def _writing(
    view: View,
    roles: tuple[Role, ...],
    arguments: Callable[[Actor], tuple[Loaded, ...]],
    *,
    status: int,
    versioned: bool,
    upload: Upload | None,
    personal: bool,
) -> View:
    """The view behind the checks of a route that changes something."""
    allowed = frozenset(roles)

    @functools.wraps(view)
    def door(**path: object) -> Response:
        with container().reading(SYSTEM) as system:
            actor = authenticate(system)
        _check(actor, allowed, "read" if personal and actor.session_id else "write")
        given = arguments(actor)
        if versioned:
            path["version"] = _version()
        run = functools.partial(
            _run, view, actor, arguments=given, path=_plain(path), upload=upload
        )
        if status == idempotency.CREATED:
            return idempotency.once(container(), actor, run)
        return run()

    door.allowed = allowed  # type: ignore[attr-defined]
    door.public = False  # type: ignore[attr-defined]
    door.scope = "write"  # type: ignore[attr-defined]
    return door


def _refusals(errors: tuple[int, ...], *, has_body: bool, versioned: bool) -> tuple[int, ...]:
    """The statuses with which a route that changes something may refuse."""
    statuses = (*errors, 401, 403, 422, 429)
    statuses += (400, 413, 415) if has_body else ()
    return statuses + ((412, 428) if versioned else ())


def _headers(status: int, *, versioned: bool) -> tuple[str, ...]:
    """The request headers of a route that changes something."""
    keyed = ("Idempotency-Key",) if status == idempotency.CREATED else ()
    return (*keyed, "If-Match") if versioned else keyed


def _header(name: str) -> dict[str, object]:
    about = {
        "Idempotency-Key": "Repeating a request with the same key and body gives the same answer.",
        "If-Match": "The ETag of the version that the change is based on.",
    }
    schema: dict[str, object] = {"type": "string", "minLength": 1, "maxLength": 100}
    if name == "Idempotency-Key":
        schema["pattern"] = idempotency.PATTERN
    # If-Match is required, but a request without it gets its own answer (428), so it is not marked
    # as required.
    return {"in": "header", "name": name, "description": about[name], "schema": schema}


def _run(
    view: View,
    actor: Actor,
    *,
    arguments: tuple[Loaded, ...],
    path: dict[str, object],
    upload: Upload | None,
    settle: Callable[[UnitOfWork, Response], None] | None = None,
) -> Response:
    """Call the view in one transaction; ``settle`` may add to it once the answer is known."""
    try:
        with ExitStack() as opened:
            if upload is not None:
                with container().reading(actor) as reading:
                    upload.ask(reading, arguments[-1], **path)
                body = opened.enter_context(upload.prepare(container(), actor, arguments[-1]))
                arguments = (*arguments[:-1], body)
            with container().work(actor) as work:
                check_alive(work)
                answer = view(work, *arguments, **path)
                if settle is not None:
                    settle(work, answer)
    except Refusal as refusal:
        if upload is not None:
            upload.refused(container(), actor, refusal)
        raise
    return answer


def _read_ahead(system: ReadContext, ahead: Ahead | None, path: dict[str, object]) -> ReadContext:
    """The read context with what the route will read already fetched, if the path has its id."""
    if ahead is None or request.query_string or not (secret := _secret()):
        return system
    return ahead.read(system, secret, *map(str, path.values()))


def authenticate(system: ReadContext) -> Actor:
    """The actor behind the bearer token, or else behind the session: one guard for every door.

    A request with a token that is not valid is refused even if it has a session. Raises
    Unauthorized; SecondFactorMissing if the browser has entered a password and no second factor;
    BadRequest if another site may have sent what changes something.
    """
    if "Authorization" in request.headers:
        actor = tokens.authenticate(system, _secret())
        if actor is None:
            raise Unauthorized("A valid bearer token is required.")
        g.actor = actor  # for the log
        return actor
    secret = session_cookies.secret()
    actor = sessions.authenticate(system, secret) if secret else None
    if actor is None:
        if password_sign_in.waiting(system, session_cookies.sign_in_secret()) is not None:
            raise SecondFactorMissing("Enter your second factor first, at /sign-in/factor.")
        raise Unauthorized("A valid bearer token is required.")
    g.actor = actor
    session_cookies.check_own_request(actor)
    return actor


def check_alive(work: UnitOfWork) -> None:
    """Check again, inside the transaction, that the actor may still act.

    Raises TokenEnded or SessionEnded.
    """
    tokens.check_alive(work)
    sessions.check_alive(work)


def _secret() -> str:
    """The bearer token's secret; empty if there is none."""
    kind, _, secret = request.headers.get("Authorization", "").partition(" ")
    return secret.strip() if kind.lower() == "bearer" else ""


def _check(actor: Actor, roles: frozenset[Role], scope: Scope, *, public: bool = False) -> None:
    if not public:
        check_role(actor, roles)
        check_scope(actor, scope)


def _loader(schema: type[Schema] | None) -> Schema | None:
    return schema(unknown=RAISE) if schema is not None else None


def _arguments(
    query: type[Schema] | None,
    load_query: Schema | None,
    body: type[Schema] | None,
    load_body: Schema | None,
    *,
    form: _Form | None = None,
) -> tuple[Loaded, ...]:
    """Query and body as the schemas load them; an unknown parameter is refused."""
    found: list[Loaded] = []
    given = bodies.each_once(request.args.items(multi=True)) if request.query_string else {}
    if query is not None and load_query is not None:
        found.append(load(load_query, given) if given else _no_parameters(load_query))
    elif given:
        raise Invalid("Unknown parameter.", fields=dict.fromkeys(given, "Unknown field."))
    if body is not None and load_body is not None:
        found.append(load(load_body, _body(form)))
    return tuple(found)


def _no_parameters(schema: Schema) -> Loaded:
    """The result of loading an empty query: always the same, and the most frequent case."""
    return dict(_loaded_once(schema))


@functools.cache
def _loaded_once(schema: Schema) -> Loaded:
    loaded: Loaded = load(schema, {})
    return loaded


def load(schema: Schema, data: Any) -> Any:
    """Load and validate. Raises Invalid, which names every bad field and its rule."""
    try:
        return schema.load(data)
    except ValidationError as error:
        raise Invalid("A value is not acceptable.", fields=flat(error.messages)) from error


def flat(messages: _Messages, path: str = "") -> dict[str, str]:
    """Marshmallow's nested messages as ``field.inner: rule; rule``."""
    if not isinstance(messages, Mapping):
        return {path or "body": " ".join(map(str, messages))}
    found: dict[str, str] = {}
    for key, inner in messages.items():
        name = path if key == "_schema" else f"{path}.{key}" if path else str(key)
        found.update(flat(inner, name))
    return found


def _form_of_caller(upload: Upload | None, actor: Actor) -> _Form | None:
    return None if upload is None else functools.partial(upload.form, actor=actor)


def _body(form: _Form | None) -> object:
    return bodies.sent() if form is None else bodies.each_once(form(container().settings))


def _plain(path: dict[str, object]) -> dict[str, object]:
    """Path parameters in the form that services take: ids as text."""
    return {key: value if isinstance(value, int) else str(value) for key, value in path.items()}


def language() -> str:
    """The language in which the request is answered.

    On a page for people who signed in, it is the one on the holder's record; otherwise the one that
    was chosen in this browser, or the best that Accept-Language asks for, or English.
    """
    spoken: str | None = g.get("language")
    return spoken or chosen_language() or request.accept_languages.best_match(LANGUAGES) or ENGLISH


def chosen_language() -> str | None:
    """The language that somebody chose on a page in this browser, if they did."""
    chosen = request.cookies.get(LANGUAGE_COOKIE)
    return chosen if chosen in LANGUAGES else None


def answer(
    data: object, *, status: int = 200, version: int | None = None, location: str | None = None
) -> Response:
    """JSON in the API's forms: dates in ISO form, instants in UTC with Z, amounts as strings."""
    response = Response(dump(data), status=status, mimetype=JSON)
    if version is not None:
        response.set_etag(str(version))
    if location is not None:
        response.headers["Location"] = location
    return response


def done() -> Response:
    """An answer without a body."""
    return Response(status=204)


def dump(data: object) -> bytes:
    """The bytes of an answer."""
    return orjson.dumps(data, default=str, option=orjson.OPT_UTC_Z)


def _conditional(response: Response) -> Response:
    """Add the ETag that If-None-Match is compared with; answer 304 if it matches."""
    if response.status_code != 200 or response.is_streamed:  # noqa: PLR2004 - HTTP's own number
        return response
    if "ETag" not in response.headers:
        response.set_etag(hashlib.blake2b(response.get_data(), digest_size=12).hexdigest())
    response.headers.setdefault("Cache-Control", "no-cache")
    if "If-None-Match" not in request.headers:
        return response
    return response.make_conditional(request)  # type: ignore[return-value]


def _version() -> int:
    """The version in If-Match. Raises PreconditionRequired without one, Stale if it is invalid."""
    if "If-Match" not in request.headers:
        raise PreconditionRequired("Send the ETag of the record, as you last read it, in If-Match.")
    etag = request.headers["If-Match"].strip().removeprefix("W/").strip('"')
    if not (etag.isascii() and etag.isdigit() and len(etag) < 10):  # noqa: PLR2004 - obvious from the line
        raise Stale("The record has changed since you read it; read it again.")
    return int(etag)
