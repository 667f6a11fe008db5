"""Reading a Postfix log for the messages that the relay accepted. Pure: text in, values out.

``cleanup`` logs a message's Message-ID, then ``qmgr`` logs that the message is in the queue. From
then on the relay has it, whatever became of our connection.
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
_REMEMBERED = 100_000  # messages of which only the first line was read; the oldest is dropped first
_PATIENCE = timedelta(minutes=15)
"""How long after a message's first line its second one may still come."""


@dataclass(frozen=True, slots=True)
class Taken:
    """One message that the relay accepted."""

    message_id: str
    queue_id: str
    at: datetime


@dataclass(slots=True)
class Log:
    """A log that is read piece by piece. ``domain`` is that of our Message-IDs.

    ``zone`` is the time zone of times without one, as in the traditional format. That format has
    no year either: it is the latest year that gives no time after tomorrow.
    """

    domain: str
    zone: tzinfo | None = None
    begins: datetime | None = None
    ends: datetime | None = None
    _named: OrderedDict[str, tuple[str, datetime]] = field(default_factory=OrderedDict)

    @property
    def complete_until(self) -> datetime | None:
        """Until when the log is complete: before any message whose second line may still come."""
        if self.ends is None:
            return None
        halves = [at for _, at in self._named.values() if at > self.ends - _PATIENCE]
        return min([self.ends, *(at - timedelta(microseconds=1) for at in halves)])

    def read(self, lines: Iterable[str], *, now: datetime) -> list[Taken]:
        """The messages that the relay accepted according to these lines (with their line ends)."""
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
        match = _LINE.search(line)
        if match is None or at is None:
            return []
        queue_id, text = match["queue_id"], match["told"]
        if match["program"] == "cleanup":
            named = _MESSAGE_ID.match(text)
            if named and named[1].endswith(f"@{self.domain}>"):
                self._named[queue_id] = named[1], at
                if len(self._named) > _REMEMBERED:
                    self._named.popitem(last=False)
            return []
        # A delayed message becomes active again; only the first time means that it was accepted.
        message_id, _ = self._named.pop(queue_id, ("", at))
        return [Taken(message_id, queue_id, at)] if message_id else []

    def _instant(self, stamp: re.Match[str], now: datetime) -> datetime | None:
        """The instant of a line; None if the time is not valid."""
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
                continue  # not a leap year
            if self._here(at) <= tomorrow:
                return at
        raise ValueError(text)

    def _here(self, at: datetime) -> datetime:
        """A time in the log's own time zone; without one, in this machine's."""
        return at.replace(tzinfo=self.zone) if self.zone else at.astimezone()
