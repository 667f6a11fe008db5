"""Log lines about security events, each of its own kind, once its transaction is written.

They hold ids and the kind of the event, never a name, an address or a secret (``tracker.logs``).
The history says the same for good; these lines are for whoever watches the log.
"""

from __future__ import annotations

import logging
from collections.abc import Iterable, Mapping

from tracker.domain.people import security_events
from tracker.domain.people.security_events import FailureKind

_log = logging.getLogger("tracker.security")
_WHO = ("actor_role", "account_id", "session_id", "token_id", "request_id")


def lines_of(row: Mapping[str, object]) -> list[dict[str, object]]:
    """The line about an entry of the history, or none."""
    kind = security_events.kind_of(str(row["subject"]), str(row["action"]))
    if kind is None:
        return []
    return [
        {
            "event": kind.value,
            "subject": row["subject"],
            "subject_id": row["subject_id"],
            **{name: row[name] for name in _WHO},
        }
    ]


def write(lines: Iterable[Mapping[str, object]]) -> None:
    """Write the lines of a transaction that was committed."""
    for line in lines:
        _log.info("%s", line["event"], extra={"kind": "security", **line})


def failed(what: FailureKind, subject_id: str | None) -> None:
    """Write the line about a failed attempt to sign in, or to prove who one is.

    ``subject_id`` is the account or the holder that it was aimed at, if there is one.
    """
    line = {"event": "failed", "what": what.value, "subject_id": subject_id}
    _log.warning("failed %s", what.value, extra={"kind": "security", **line})
