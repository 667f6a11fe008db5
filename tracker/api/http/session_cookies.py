"""The cookies of people who sign in, and what keeps other sites from using them.

The session's cookie holds a signed random secret and nothing else. It goes to this site alone:
``__Host-``, Secure, HttpOnly, SameSite=Lax. An installation at ``http://`` (a trial on one machine;
production must accept it by name) has no secure connection, so there the names lack the prefix.

Browsers send cookies by themselves, so a request that changes something must also carry a token
that only our own pages and programs can read (``csrf_token``), and not come from another site.
"""

from __future__ import annotations

import hmac
from urllib.parse import urlsplit

from flask import Response, current_app, g, request
from werkzeug.exceptions import BadRequest

from tracker.domain.permissions import Actor
from tracker.services.core import signed_links
from tracker.services.core.context import Container

CSRF_HEADER, CSRF_FIELD = "X-CSRF-Token", "csrf_token"
_SESSION, _SIGN_IN, _KEPT_FORM = "session", "sign-in", "form"
_CHANGE_NOTHING = frozenset({"GET", "HEAD", "OPTIONS"})
_FORM = "application/x-www-form-urlencoded"


def secret() -> str | None:
    """The secret of the session in the request's cookie, if we signed it."""
    text = request.cookies.get(_name(_SESSION))
    return signed_links.proven(_key(), _SESSION, text) if text else None


def give_session(response: Response, session_secret: str) -> Response:
    """Give the browser its session; what it needed for signing in is taken back."""
    signed = signed_links.proof(_key(), _SESSION, session_secret)
    _set(response, _SESSION, signed)
    return _take_back(response, _SIGN_IN)


def end_session(response: Response) -> Response:
    """Take the session's cookie back from the browser, and what it keeps of a form."""
    return _take_back(forget_form(response), _SESSION)


def sign_in_secret() -> str:
    """The secret of the browser's attempt to sign in; empty if it has none."""
    return request.cookies.get(_name(_SIGN_IN), "")


def give_sign_in(response: Response, attempt_secret: str) -> Response:
    """Give the browser the secret without which the mailed code is worth nothing."""
    _set(response, _SIGN_IN, attempt_secret)
    return response


def kept_form() -> str:
    """What the browser keeps of a form until its sender has proved who they are; perhaps empty."""
    return request.cookies.get(_name(_KEPT_FORM), "")


def give_kept_form(response: Response, text: str) -> Response:
    """Have the browser keep a form; what it says must be signed."""
    _set(response, _KEPT_FORM, text)
    return response


def forget_form(response: Response) -> Response:
    """Take back what the browser keeps of a form."""
    return _take_back(response, _KEPT_FORM)


def csrf_token(actor: Actor) -> str:
    """The token that requests of this session carry when they change something."""
    return signed_links.proof(_key(), "csrf", actor.session_id or "")


def check_own_request(actor: Actor) -> None:
    """Refuse a request that changes something unless our own pages or programs sent it.

    Raises BadRequest.
    """
    if request.method in _CHANGE_NOTHING:
        return
    check_own_site()
    sent = request.headers.get(CSRF_HEADER, "")
    if not sent and (request.mimetype == _FORM or g.get("takes_files")):
        sent = request.form.get(CSRF_FIELD, "")
    if not hmac.compare_digest(sent.encode(), csrf_token(actor).encode()):
        raise BadRequest(f"With a session, send its token as {CSRF_HEADER}; GET /me has it.")


def check_own_site() -> None:
    """Refuse a form that another site's page sent. Raises BadRequest.

    Browsers say where a form comes from; programs say nothing, and hold no cookies of people.
    """
    origin, fetched = request.headers.get("Origin"), request.headers.get("Sec-Fetch-Site")
    is_foreign = origin is not None and not _is_own(origin)
    if is_foreign or fetched in {"cross-site", "same-site"}:
        raise BadRequest("Another site sent this form.")


def _is_own(origin: str) -> bool:
    """Whether an origin is the site's, by the request or by the settings.

    A proxy may add a port to the request's Host, or drop it.
    """
    try:
        sent_by = urlsplit(origin).netloc.lower()
    except ValueError:
        return False
    own = {request.host.lower(), urlsplit(_base_url()).netloc.lower()}
    return sent_by != "" and sent_by in own


def _key() -> bytes:
    return _container().message_key


def _container() -> Container:
    container: Container = current_app.extensions["tracker"]
    return container


def _base_url() -> str:
    return _container().settings.app.base_url


def _is_secure() -> bool:
    return urlsplit(_base_url()).scheme != "http"


def _name(name: str) -> str:
    return f"__Host-{name}" if _is_secure() else name


def _set(response: Response, name: str, value: str) -> None:
    """Set a cookie that the browser forgets when it is closed."""
    secure = _is_secure()
    response.set_cookie(_name(name), value, secure=secure, httponly=True, samesite="Lax")


def _take_back(response: Response, name: str) -> Response:
    response.delete_cookie(_name(name), secure=_is_secure(), httponly=True, samesite="Lax")
    return response
