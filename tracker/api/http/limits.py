"""How often a caller may guess: limits by the caller's address, and by what is guessed."""

from __future__ import annotations

import ipaddress
from collections.abc import Collection, Mapping
from dataclasses import dataclass
from datetime import timedelta
from threading import Lock

from flask import current_app, request

from tracker.api.http import routing
from tracker.domain import numbers
from tracker.domain.errors import TooOften
from tracker.domain.permissions import SYSTEM, Actor
from tracker.services.core import allowances
from tracker.services.core.allowances import Allowance, Use
from tracker.services.core.context import ReadContext

_OWN_MISSES = 3  # wrong surnames of one caller for a number that others guess at
_MOST_UNCOUNTED = 10_000
_CALLERS = 4  # who may use up the codes to one address before each has only one more
_QUESTIONS_ABOUT_MANY = 20  # an hour and address
_PAPERS = 20  # an hour and address; each takes a process for a moment
_KIOSK_QUESTIONS = 60  # a minute and account: as many as a turnstile lets through
_LOCK = Lock()


def caller() -> Use:
    """The wrong guesses of the caller, by the address of the connection.

    Behind a proxy that is the proxy's address, unless the settings trust that proxy.
    """
    container = routing.container()
    most = container.settings.limits.misses_per_minute
    allowance = Allowance("caller", most, timedelta(minutes=1))
    return allowances.use_of(allowance, container.message_key, network(request.remote_addr))


def number(text: str) -> tuple[Use, Use]:
    """The wrong surnames for a certificate number, existing or not: by all callers, by this one.

    A caller who has hardly guessed at this number is answered even if others guessed too often.
    Otherwise twenty wrong names would hide a certificate from everybody with an honest question.
    Each further address allows only a few more guesses.
    """
    container, called = routing.container(), numbers.key(text).lower()
    most = container.settings.limits.number_misses_per_hour
    by_all = Allowance("number", most, timedelta(hours=1))
    by_one = Allowance("number and caller", min(_OWN_MISSES, most), timedelta(hours=1))
    who = f"{called} {network(request.remote_addr)}"
    key = container.message_key
    return allowances.use_of(by_all, key, called), allowances.use_of(by_one, key, who)


def check(reading: ReadContext, uses: Collection[Use], both: Collection[Use] = ()) -> None:
    """Refuse a caller over the limit of any one of ``uses``, or of all of ``both``.

    Raises TooOften.
    """
    for use in uses:
        if use.is_spent(_uncounted().get(use, 0)):
            wait = int(use.allowance.within.total_seconds())
            raise TooOften(f"Too many requests; try again in {wait} seconds.", retry_after=wait)
    allowances.check(reading, uses, both=both)


@dataclass(frozen=True, slots=True)
class GuessesLeft:
    """How many wrong guesses a caller has left, and which numbers nobody may guess at any more."""

    by_caller: Use
    left: int
    by_number: Mapping[str, Collection[Use]]
    spent: frozenset[str]


def many(reading: ReadContext, texts: Collection[str]) -> GuessesLeft:
    """What a caller may still guess at who asks about many numbers at once.

    Counts the question. Raises TooOften for too many of them, or without any guess left.
    """
    by_caller = caller()
    check(reading, [by_caller])
    container = routing.container()
    allowance = Allowance("many numbers", _QUESTIONS_ABOUT_MANY, timedelta(hours=1))
    with container.statement(SYSTEM) as work:
        origin = network(request.remote_addr)
        allowances.take(work, allowances.use_of(allowance, container.message_key, origin))
    by_number = {text: number(text) for text in texts}
    uses = [by_caller, *(use for pair in by_number.values() for use in pair)]
    left = allowances.left(reading, uses)
    spent = {text for text, pair in by_number.items() if not any(left[use] for use in pair)}
    return GuessesLeft(by_caller, left[by_caller], by_number, frozenset(spent))


def missed(uses: Collection[Use]) -> None:
    """Count a wrong guess without waiting for another writer; if necessary with the next one."""
    missed_often(dict.fromkeys(uses, 1))


def missed_often(uses: Mapping[Use, int]) -> None:
    """The same for many wrong guesses at once."""
    with _LOCK:
        owed = _uncounted()
        times = {use: owed.get(use, 0) + uses.get(use, 0) for use in (*owed, *uses)}
        owed.clear()
    with routing.container().statement(SYSTEM) as work:
        left = allowances.count_without_waiting(work, times)
    with _LOCK:
        for use, count in left.items():
            if use in owed or len(owed) < _MOST_UNCOUNTED:
                owed[use] = owed.get(use, 0) + count


def _uncounted() -> dict[Use, int]:
    """The wrong guesses that this process could not count yet."""
    found: dict[Use, int] = current_app.extensions.setdefault("uncounted misses", {})
    return found


def exported(actor: Actor) -> None:
    """Count a file download, and refuse one too many. Raises TooOften."""
    container = routing.container()
    most = container.settings.limits.exports_per_hour
    allowance = Allowance("export", most, timedelta(hours=1))
    with container.statement(SYSTEM) as work:
        allowances.take(work, allowances.use_of(allowance, container.message_key, actor.who or ""))


def checked_at_kiosk(actor: Actor) -> None:
    """Count a question at a kiosk, and refuse one too many. Raises TooOften."""
    container = routing.container()
    allowance = Allowance("kiosk", _KIOSK_QUESTIONS, timedelta(minutes=1))
    with container.statement(SYSTEM) as work:
        allowances.take(work, allowances.use_of(allowance, container.message_key, actor.who or ""))


def printed() -> None:
    """Count a paper that anybody may ask for, by the caller's address. Raises TooOften."""
    container = routing.container()
    allowance = Allowance("papers", _PAPERS, timedelta(hours=1))
    origin = network(request.remote_addr)
    with container.statement(SYSTEM) as work:
        allowances.take(work, allowances.use_of(allowance, container.message_key, origin))


def archived(holder_id: str) -> None:
    """Count an archive of a person's record, and refuse one too many. Raises TooOften."""
    container = routing.container()
    most = container.settings.limits.archives_per_day
    allowance = Allowance("archive", most, timedelta(days=1))
    with container.statement(SYSTEM) as work:
        allowances.take(work, allowances.use_of(allowance, container.message_key, holder_id))


def sign_in(identifier: str) -> None:
    """Count an attempt to sign in with this address or number, and refuse one too many.

    Counted are the attempts of the caller, those of the caller for this address, and those of all
    callers for it. Where others ask too often, each caller still has one: nobody can lock somebody
    else out. Raises TooOften.
    """
    container, hour = routing.container(), timedelta(hours=1)
    chosen, origin = container.settings.limits, network(request.remote_addr)
    by_caller = Allowance("sign-ins of a caller", chosen.sign_ins_per_hour, hour)
    by_both = Allowance("codes of a caller", chosen.codes_per_hour, hour)
    by_all = Allowance("codes", chosen.codes_per_hour * _CALLERS, hour)
    first = Allowance("first code of a caller", 1, hour)
    key, both = container.message_key, f"{identifier} {origin}"
    with container.statement(SYSTEM) as work:
        allowances.take(work, allowances.use_of(by_caller, key, origin))
        allowances.take(work, allowances.use_of(by_both, key, both))
        of_all = allowances.use_of(by_all, key, identifier)
        allowances.take_one_of(work, [of_all, allowances.use_of(first, key, both)])


def guess(what: str, who: str) -> list[Use]:
    """Count an attempt with a password or a code, before it is checked; refuse one too many.

    Counted are the attempts of the caller, those of the caller for this person, and those of all
    callers for the person. Where others guess too often, each caller still has one a minute: nobody
    can lock somebody else out. ``was_right`` takes the counts back. Raises TooOften.
    """
    container, minute = routing.container(), timedelta(minutes=1)
    chosen, origin = container.settings.limits, network(request.remote_addr)
    by_caller = Allowance("guesses of a caller", chosen.misses_per_minute, minute)
    by_both = Allowance(f"{what} of a caller", chosen.guesses_per_minute, minute)
    by_all = Allowance(what, chosen.guesses_per_hour, timedelta(hours=1))
    first = Allowance(f"first of {what} of a caller", 1, minute)
    key, both = container.message_key, f"{who} {origin}"
    uses = [
        allowances.use_of(by_caller, key, origin),
        allowances.use_of(by_both, key, both),
        allowances.use_of(by_all, key, who),
        allowances.use_of(first, key, both),
    ]
    with container.statement(SYSTEM) as work:
        for use in uses[:2]:
            allowances.take(work, use)
        allowances.take_one_of(work, uses[2:])
    return uses


def challenge() -> None:
    """Count a challenge for a passkey, or an answer to one, by the caller. Raises TooOften.

    There is nothing to guess; but each is a row, and a signature to check.
    """
    container = routing.container()
    most = container.settings.limits.misses_per_minute
    allowance = Allowance("passkey challenges", most, timedelta(minutes=1))
    origin = network(request.remote_addr)
    with container.statement(SYSTEM) as work:
        allowances.take(work, allowances.use_of(allowance, container.message_key, origin))


def was_right(uses: Collection[Use]) -> None:
    """Take back the counts of an attempt that was right."""
    with routing.container().statement(SYSTEM) as work:
        allowances.give_back(work, uses)


def password_reset(address: str) -> None:
    """Count a request for a link to choose a new password, as ``sign_in`` counts codes.

    Raises TooOften.
    """
    sign_in(f"password of {address}")


def network(address: str | None) -> str:
    """An IPv4 address, or the network of an IPv6 one: its owner has all addresses in it."""
    try:
        ip = ipaddress.ip_address(address or "")
    except ValueError:
        return ""
    if ip.version == 4:  # noqa: PLR2004 - the name of the protocol
        return str(ip)
    return str(ipaddress.ip_network((ip, 64), strict=False))
