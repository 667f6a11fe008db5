"""How often somebody may guess. Counted in this process and forgotten with it."""

from __future__ import annotations

import ipaddress
import threading
from collections import OrderedDict
from datetime import datetime, timedelta

from werkzeug.exceptions import TooManyRequests

_WINDOW = timedelta(minutes=1)
_MISSES = 30
_CALLERS = 10_000  # remembered at once; the longest forgotten goes first


class Guesses:
    """Failed look-ups by caller: thirty a minute, then none of theirs is answered until it ends.

    Each worker process counts for itself; a proxy in front must pass the caller's address on.
    """

    def __init__(self) -> None:
        self._misses: OrderedDict[str, tuple[datetime, int]] = OrderedDict()
        self._lock = threading.Lock()

    def check(self, address: str | None, now: datetime) -> None:
        """Raise TooManyRequests, with the seconds to wait, for who has guessed too often."""
        begun, count = self._misses.get(_caller(address), (now, 0))
        if count >= _MISSES and now < begun + _WINDOW:
            wait = int((begun + _WINDOW - now).total_seconds()) + 1
            raise TooManyRequests(
                f"Too many unknown certificates; try again in {wait} seconds.", retry_after=wait
            )

    def missed(self, address: str | None, now: datetime) -> None:
        """Count a failed look-up."""
        caller = _caller(address)
        with self._lock:
            begun, count = self._misses.pop(caller, (now, 0))
            if now >= begun + _WINDOW:
                begun, count = now, 0
            self._misses[caller] = (begun, count + 1)
            if len(self._misses) > _CALLERS:
                self._misses.popitem(last=False)


def _caller(address: str | None) -> str:
    """An IPv4 address, or the network of an IPv6 one: whoever has one has all of them."""
    try:
        ip = ipaddress.ip_address(address or "")
    except ValueError:
        return ""
    if ip.version == 4:  # noqa: PLR2004 - the name of the protocol
        return str(ip)
    return str(ipaddress.ip_network((ip, 64), strict=False))
