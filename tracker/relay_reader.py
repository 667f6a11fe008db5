"""The relay's log, read by the scheduler as evidence of what was sent."""

from __future__ import annotations

from pathlib import Path

from tracker.domain.permissions import SYSTEM
from tracker.mail.following import Followed
from tracker.mail.postfix import Log, Taken
from tracker.services.core.context import Container
from tracker.services.delivery import relay_evidence
from tracker.services.delivery.reaper import Acceptance


class RelayReader:
    """Reads the new lines of the log file ``mail.relay_log`` at each call.

    What could not be stored because the database was unavailable is kept for the next call.
    ``has_read`` is True once the whole existing log has been read; before that nothing should be
    sent, because the log may show that it was sent already.
    """

    def __init__(self, container: Container) -> None:
        mail = container.settings.mail
        self._container, self._log = container, Log(mail.message_id_domain)
        self._followed = Followed(Path(mail.relay_log))
        self._kept: list[Taken] = []
        self.has_read = False

    def __call__(self) -> int:
        """Record what is new; returns how many messages the relay accepted."""
        count = 0
        for lines in self._followed.pieces():
            self._kept += self._log.read(lines, now=self._container.clock())
            count += self._write()
        count += self._write() if self._kept else 0
        self.has_read = True
        return count

    def close(self) -> None:
        """Close the log file."""
        self._followed.close()

    def _write(self) -> int:
        accepted = [Acceptance(taken.message_id, taken.at, taken.queue_id) for taken in self._kept]
        with self._container.work(SYSTEM) as work:
            relay_evidence.take_log(
                work, accepted, begins=self._log.begins, until=self._log.complete_until
            )
        self._kept = []
        return len(accepted)
