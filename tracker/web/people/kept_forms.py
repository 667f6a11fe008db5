"""What somebody typed into a form, while they first prove who they are.

The way there and back may lead through a mailed code, a new session or an identity provider, so the
browser keeps it: in a cookie of ours that is signed, for this person alone, for ten minutes.
Secrets are never kept, nor files; what is too long for a cookie is not kept either. The page with
the form then shows it filled in, and nothing is sent before the person sends it again.
"""

from __future__ import annotations

import base64
import hmac
import html
import zlib
from collections.abc import Sequence
from dataclasses import dataclass, field
from html.parser import HTMLParser

import orjson
from flask import Response, request

from tracker.api.http import routing, session_cookies
from tracker.domain.permissions import Actor

SECRETS = frozenset({"code", "credential", "new_password", "password"})
"""The fields of forms that are never kept."""
_MINUTES = 10
_LONGEST_COOKIE = 3_800  # browsers keep 4,096 bytes with the name
_LONGEST_UNPACKED = 20_000
_FORM = "application/x-www-form-urlencoded"
_CHOSEN = frozenset({"checkbox", "radio"})
_UNTOUCHED = frozenset({"hidden", "file", "password", "submit"})
_TypedPairs = Sequence[tuple[str, str]]


@dataclass(frozen=True, slots=True)
class TypedForm:
    """A form that waits: where it is sent, and what it said."""

    action: str
    pairs: _TypedPairs


def keep(response: Response, actor: Actor) -> Response:
    """Have the browser keep what the form of this request says, unless it is secret or too long."""
    if request.method != "POST" or request.mimetype != _FORM:
        return response
    unkept = SECRETS | {session_cookies.CSRF_FIELD}
    pairs = [(name, value) for name, value in request.form.items(multi=True) if name not in unkept]
    until = int(routing.container().clock().timestamp()) + _MINUTES * 60
    said = orjson.dumps([actor.person_id, until, request.path, pairs])
    body = base64.urlsafe_b64encode(zlib.compress(said)).decode()
    text = f"{body}.{_mac(body)}"
    if pairs and len(said) <= _LONGEST_UNPACKED and len(text) <= _LONGEST_COOKIE:
        session_cookies.give_kept_form(response, text)
    return response


def kept(actor: Actor) -> TypedForm | None:
    """The form that this browser keeps for the person; None if there is none, or no longer."""
    body, _, mac = session_cookies.kept_form().partition(".")
    if not body or not hmac.compare_digest(mac.encode(), _mac(body).encode()):
        return None
    packed = zlib.decompressobj().decompress(base64.urlsafe_b64decode(body), _LONGEST_UNPACKED)
    person_id, until, action, pairs = orjson.loads(packed)
    if person_id != actor.person_id or until <= routing.container().clock().timestamp():
        return None
    return TypedForm(action, [(name, value) for name, value in pairs])


def filled(page: Response, actor: Actor, notice: str) -> Response:
    """The page, its form filled in with what was kept for it; that is then kept no longer.

    ``notice`` is what the form begins with then.
    """
    if request.method != "GET" or not session_cookies.kept_form():
        return page
    found = kept(actor)
    if found is None:
        return session_cookies.forget_form(page)
    filling = _Filling(found, notice)
    filling.feed(page.get_data(as_text=True))
    filling.close()
    if not filling.is_found:
        return page
    page.set_data("".join(filling.parts))
    return session_cookies.forget_form(page)


@dataclass
class _Filling(HTMLParser):
    """Writes a page again as it was, but for the fields of one form."""

    kept: TypedForm
    notice: str
    parts: list[str] = field(default_factory=list)
    is_found: bool = False
    is_inside: bool = False
    select: str = ""
    skips_text: bool = False

    def __post_init__(self) -> None:
        super().__init__(convert_charrefs=False)
        self.left = list(self.kept.pairs)

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        given = dict(attrs)
        if tag == "form" and given.get("action") == self.kept.action:
            self.is_found = self.is_inside = True
            self.parts += [self._as_it_was(), f'<p role="status">{html.escape(self.notice)}</p>']
        elif self.is_inside:
            self.parts.append(self._field(tag, given))
        else:
            self.parts.append(self._as_it_was())

    def handle_startendtag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.handle_starttag(tag, attrs)

    def _field(self, tag: str, given: dict[str, str | None]) -> str:
        name, kind = given.get("name") or "", given.get("type") or "text"
        if tag == "select":
            self.select = name
        elif tag == "option":
            return _tag(tag, given, selected=self._is_said(self.select, given.get("value") or ""))
        elif tag == "textarea" and (said := self._take(name)) is not None:
            self.skips_text = True
            return self._as_it_was() + html.escape(said)
        elif tag == "input" and kind in _CHOSEN:
            return _tag(tag, given, checked=self._is_said(name, given.get("value") or "on"))
        elif tag == "input" and kind not in _UNTOUCHED and (said := self._take(name)) is not None:
            return _tag(tag, given | {"value": said})
        return self._as_it_was()

    def _take(self, name: str) -> str | None:
        """The next value that was sent under the name."""
        for pair in self.left:
            if pair[0] == name:
                self.left.remove(pair)
                return pair[1]
        return None

    def _is_said(self, name: str, value: str) -> bool:
        return (name, value) in self.kept.pairs

    def _as_it_was(self) -> str:
        return self.get_starttag_text() or ""

    def handle_endtag(self, tag: str) -> None:
        if tag == "form":
            self.is_inside = False
        if tag == "textarea":
            self.skips_text = False
        self.parts.append(f"</{tag}>")

    def handle_data(self, data: str) -> None:
        self._text(data)

    def handle_entityref(self, name: str) -> None:
        self._text(f"&{name};")

    def handle_charref(self, name: str) -> None:
        self._text(f"&#{name};")

    def handle_decl(self, decl: str) -> None:
        self.parts.append(f"<!{decl}>")

    def handle_comment(self, data: str) -> None:
        self.parts.append(f"<!--{data}-->")

    def _text(self, text: str) -> None:
        if not self.skips_text:
            self.parts.append(text)


def _tag(tag: str, given: dict[str, str | None], **flags: bool) -> str:
    """A tag with its attributes, and those of the flags that are set."""
    shown = {name: value for name, value in given.items() if name not in flags}
    shown |= {name: None for name, is_set in flags.items() if is_set}
    written = (
        name if value is None else f'{name}="{html.escape(value)}"' for name, value in shown.items()
    )
    return f"<{' '.join([tag, *written])}>"


def _mac(body: str) -> str:
    key = routing.container().message_key
    return hmac.digest(key, f"kept-form:{body}".encode(), "sha256").hex()
