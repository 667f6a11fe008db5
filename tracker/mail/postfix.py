"""A Postfix log, read for what the relay took: queue ids, Message-IDs, times. Pure text in.

``cleanup`` names a letter's Message-ID, and ``qmgr`` says once that it is in the queue: from then
on the letter is the relay's, whatever became of our connection.
"""

from __future__ import annotations

import re
from collections import OrderedDict
from collections.abc import Iterable
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta, tzinfo

_STAMP = (
    r"(?P<iso>\d{4}-\d\d-\d\dT[\d:.,]+(?:Z|[+-]\d\d:?\d\d)?)|(?P<old>[A-Z][a-z]{2} +\d+ [\d:]{8})"
)
_STAMPED = re.compile(rf"^(?:<\d+>)?(?:{_STAMP})\s")
_LINE = re.compile(
    r"\S*postfix\S*/(?P<program>cleanup|qmgr)\[\d+\]: (?P<queue_id>[0-9A-Za-z]{4,64}): (?P<told>.*)"
)
_MESSAGE_ID = re.compile(r"message-id=(<[^<>\s]{1,118}>)")
_MONTHS = ("Jan", "Feb", "Mar", "Apr", "May", "Jun", "Jul", "Aug", "Sep", "Oct", "Nov", "Dec")
_REMEMBERED = 100_000  # letters between the two lines; the oldest goes first
_PATIENCE = timedelta(minutes=15)
"""How long after the first line of a letter its second one may still come."""


@dataclass(frozen=True, slots=True)
class Taken:
    """One letter that the relay took."""

    message_id: str
    queue_id: str
    at: datetime


@dataclass(slots=True)
class Log:
    """A log that is read piece by piece. ``domain`` is that of our Message-IDs.

    ``zone`` is that of times without one, as of the traditional format, which has no year either:
    it is the last one that makes no time later than tomorrow.
    """

    domain: str
    zone: tzinfo | None = None
    begins: datetime | None = None
    ends: datetime | None = None
    _named: OrderedDict[str, tuple[str, datetime]] = field(default_factory=OrderedDict)

    @property
    def complete_until(self) -> datetime | None:
        """Up to when everything is told that the relay took: not beyond a letter half told."""
        if self.ends is None:
            return None
        halves = [at for _, at in self._named.values() if at > self.ends - _PATIENCE]
        return min([self.ends, *(at - timedelta(microseconds=1) for at in halves)])

    def read(self, lines: Iterable[str], *, now: datetime) -> list[Taken]:
        """The letters that the relay took, according to these lines; a line has its end."""
        taken: list[Taken] = []
        last: re.Match[str] | None = None
        for line in lines:
            stamp = _STAMPED.match(line)
            if stamp is None or not line.endswith("\n"):
                continue
            last = stamp
            if self.begins is None:
                self.begins = self._instant(stamp, now)
            if "message-id=<" in line or "(queue active)" in line:
                taken += self._told(line, self._instant(stamp, now))
        if last is not None:
            self.ends = self._instant(last, now) or self.ends
        return taken

    def _told(self, line: str, at: datetime | None) -> list[Taken]:
        found = _LINE.search(line)
        if found is None or at is None:
            return []
        queue_id, told = found["queue_id"], found["told"]
        if found["program"] == "cleanup":
            named = _MESSAGE_ID.match(told)
            if named and named[1].endswith(f"@{self.domain}>"):
                self._named[queue_id] = named[1], at
                if len(self._named) > _REMEMBERED:
                    self._named.popitem(last=False)
            return []
        # The queue is active again after every delay; only the first time says that it took it.
        message_id, _ = self._named.pop(queue_id, ("", at))
        return [Taken(message_id, queue_id, at)] if message_id else []

    def _instant(self, stamp: re.Match[str], now: datetime) -> datetime | None:
        """The instant of a line; None for a time that makes no sense."""
        try:
            if stamp["iso"]:
                at = datetime.fromisoformat(stamp["iso"].replace(",", "."))
            else:
                at = self._with_year(stamp["old"], now)
            return (at if at.tzinfo else self._here(at)).astimezone(UTC)
        except (ValueError, OverflowError):
            return None

    def _with_year(self, text: str, now: datetime) -> datetime:
        month, day, clock = text.split()
        hour, minute, second = map(int, clock.split(":"))
        number = _MONTHS.index(month) + 1
        tomorrow = now + timedelta(days=1)
        for year in (tomorrow.year, tomorrow.year - 1, *range(tomorrow.year - 2, 0, -1)):
            try:
                at = datetime(year, number, int(day), hour, minute, min(second, 59))  # noqa: DTZ001 - the text has no zone; the caller knows it
            except ValueError:
                if (number, int(day)) != (2, 29):
                    raise
                continue  # no leap year
            if self._here(at) <= tomorrow:
                return at
        raise ValueError(text)

    def _here(self, at: datetime) -> datetime:
        """A time of the log's own zone; without one, of this machine's."""
        return at.replace(tzinfo=self.zone) if self.zone else at.astimezone()
