"""How often somebody may guess: by the caller's address, and by what is guessed at."""

from __future__ import annotations

import ipaddress
from collections.abc import Collection
from datetime import timedelta

from flask import request

from tracker.api import doors
from tracker.domain import numbers
from tracker.domain.permissions import SYSTEM, Actor
from tracker.services import allowances
from tracker.services.allowances import Allowance, Use
from tracker.services.work import Reading


def caller() -> Use:
    """The wrong guesses of whoever asks, by the address that the connection has.

    Behind a proxy that is the proxy's, unless the settings say whose word is taken for it.
    """
    office = doors.office()
    most = office.settings.limits.misses_per_minute
    allowance = Allowance("caller", most, timedelta(minutes=1))
    return allowances.use_of(allowance, office.message_key, _network(request.remote_addr))


def number(text: str) -> Use:
    """The wrong surnames for a certificate number, whoever guesses and whether there is one."""
    office = doors.office()
    most = office.settings.limits.number_misses_per_hour
    allowance = Allowance("number", most, timedelta(hours=1))
    return allowances.use_of(allowance, office.message_key, numbers.key(text).lower())


def check(reading: Reading, uses: Collection[Use]) -> None:
    """Refuse whoever has guessed too often. Raises TooOften."""
    allowances.check(reading, uses)


def missed(uses: Collection[Use]) -> None:
    """Count a wrong guess."""
    with doors.office().statement(SYSTEM) as work:
        allowances.count(work, uses)


def exported(actor: Actor) -> None:
    """Count a file that somebody fetches, and refuse one too many. Raises TooOften."""
    office = doors.office()
    most = office.settings.limits.exports_per_hour
    allowance = Allowance("export", most, timedelta(hours=1))
    with office.statement(SYSTEM) as work:
        allowances.take(work, allowances.use_of(allowance, office.message_key, actor.who or ""))


def _network(address: str | None) -> str:
    """An IPv4 address, or the network of an IPv6 one: whoever has one has all of them."""
    try:
        ip = ipaddress.ip_address(address or "")
    except ValueError:
        return ""
    if ip.version == 4:  # noqa: PLR2004 - the name of the protocol
        return str(ip)
    return str(ipaddress.ip_network((ip, 64), strict=False))
