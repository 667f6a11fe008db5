"""Pages that consist of one form, and what all forms about passwords and codes share."""

from __future__ import annotations

import hashlib
import secrets
from collections.abc import Callable, Collection, Mapping
from dataclasses import dataclass
from typing import Any
from uuid import UUID

from flask import Response, request

from tracker.api.http import idempotency, routing
from tracker.domain import emails, values
from tracker.domain.errors import Invalid, NotFound, ReauthenticationRequired, Refusal
from tracker.domain.people import passwords
from tracker.domain.permissions import Actor
from tracker.services.core.context import UnitOfWork
from tracker.web.people import visitors
from tracker.web.people.account_words import WORDS, AccountWords

_LONGEST_CODE = 20
_LONGEST_REASON = 500
_LONGEST_NUMBER = 9


@dataclass(frozen=True, slots=True)
class FormField:
    """A field of a form, as the browser is told of it."""

    name: str
    label: str
    type: str = "text"
    autocomplete: str = "off"
    longest: int = 254
    hint: str = ""


@dataclass(frozen=True, slots=True)
class FormText:
    """A text that a form shows beside its label, perhaps as a link."""

    label: str
    text: str
    href: str = ""


@dataclass(frozen=True, slots=True)
class FormButton:
    """Another way to go on, below the form: a button that sends hidden fields alone."""

    action: str
    text: str
    hidden: Mapping[str, str]


def words() -> AccountWords:
    """The words of the page in the language of the browser."""
    return WORDS[routing.language()]


def page(
    heading: str,
    *,
    action: str,
    button: str,
    fields: Collection[FormField] = (),
    lines: Collection[str] = (),
    shown: Collection[FormText] = (),
    links: Collection[FormText] = (),
    others: Collection[FormButton] = (),
    hidden: Mapping[str, str] | None = None,
    wrong: str | None = None,
) -> Response:
    """A page with one form; with ``wrong``, what was wrong with what was sent."""
    facts: dict[str, Any] = {
        "heading": heading,
        "action": action,
        "button": button,
        "fields": fields,
        "lines": lines,
        "shown": shown,
        "links": links,
        "others": others,
        "hidden": hidden or {},
        "wrong": wrong,
    }
    return visitors.page("form", routing.language(), 422 if wrong else 200, **facts)


def message(
    heading: str, *lines: str, status: int = 200, sign_in: bool = False, back: str = ""
) -> Response:
    """A page that says something, perhaps with the way to sign in, or back to a page."""
    links = ({"href": back, "text": words().security},) if back else ()
    facts = {"heading": heading, "lines": lines, "links": links, "sign_in": sign_in}
    return visitors.page("message", routing.language(), status, **facts)


def recovery_codes(codes: Collection[str], wanted: str) -> Response:
    """The page that shows new recovery codes, the only time they are shown."""
    return visitors.page("codes", routing.language(), codes=codes, wanted=wanted, more=words())


def reason() -> str:
    """The reason in the form that was sent. Raises Invalid."""
    try:
        return values.line(request.form.get("reason", ""), _LONGEST_REASON)
    except ValueError as error:
        raise Invalid("Say why.") from error


def sent(*names: str) -> dict[str, str]:
    """What the form says under these names; a field that was left empty counts as not sent."""
    return {name: request.form[name] for name in names if request.form.get(name, "").strip()}


def version() -> int:
    """The version that was seen; 0, which no record has, for anything that is no such number."""
    return number(request.form.get("version", ""))


def number(said: str) -> int:
    """A whole number as a form says it; 0 for anything that is none, or longer than nine digits."""
    return int(said) if said.isdecimal() and len(said) <= _LONGEST_NUMBER else 0


def id_sent(name: str) -> str:
    """The id in a field of the form. Raises NotFound for anything else."""
    try:
        return str(UUID(request.form.get(name, "")))
    except ValueError as error:
        raise NotFound from error


def carried_out(
    actor: Actor,
    act: Callable[[UnitOfWork], object],
    *,
    here: str,
    refused: Callable[[str], Response],
    invalid: str | None = None,
) -> Response:
    """Do what a form asks for in one transaction, then show the page ``here``.

    ``refused`` makes the page that says why it was refused; ``invalid`` is what this form needs.
    Whoever has to prove first who they are is sent there. Raises NotFound.
    """

    def acted(work: UnitOfWork) -> str:
        act(work)
        return here

    def told(refusal: Refusal) -> Response:
        words_of_form = invalid if isinstance(refusal, Invalid) else None
        return refused(words_of_form or words().refusal(refusal.code))

    return attempted(actor, acted, here=here, refused=told)


def once(actor: Actor, run: Callable[..., Response]) -> Response:
    """Run a form that creates something, or repeat its answer if it is sent twice.

    What makes a form the same is all that it says. So one that may be filled in alike on purpose
    has a hidden field with another value each time it is shown: ``new_form()``.
    """
    said = repr(sorted(request.form.items(multi=True)))
    key = hashlib.sha256(f"{request.full_path}\n{said}".encode()).hexdigest()
    return visitors.private(idempotency.once(routing.container(), actor, run, key=key))


def new_form() -> str:
    """A value that tells a form from all that were shown before."""
    return secrets.token_urlsafe(9)


def attempted(
    actor: Actor,
    act: Callable[[UnitOfWork], str],
    *,
    here: str,
    refused: Callable[[Refusal], Response],
    settle: Callable[[UnitOfWork, Response], None] | None = None,
) -> Response:
    """The same for an act that answers with the page to show, and a form that tells more.

    ``here`` is the page to come back to for whoever has to prove first who they are. ``settle`` may
    add to the transaction once the answer is known.
    """
    try:
        with routing.container().work(actor) as work:
            routing.check_alive(work)
            answer = visitors.go(act(work))
            if settle is not None:
                settle(work, answer)
    except NotFound:
        raise
    except ReauthenticationRequired:
        return visitors.to_confirm(here)
    except Refusal as refusal:
        return refused(refusal)
    return answer


def email() -> FormField:
    """The field for the address with which somebody signs in."""
    return FormField("email", words().email, "email", "username", emails.LONGEST)


def password() -> FormField:
    """The field for one's password."""
    return FormField(
        "password", words().password, "password", "current-password", passwords.LONGEST
    )


def new_password() -> FormField:
    """The field for a password that somebody chooses."""
    say = words()
    return FormField(
        "new_password",
        say.new_password,
        "password",
        "new-password",
        passwords.LONGEST,
        say.password_rule.format(passwords.SHORTEST),
    )


def code() -> FormField:
    """The field for the code of an authenticator app, or a recovery code."""
    return FormField("code", words().code, "text", "one-time-code", _LONGEST_CODE)
