"""``tracker reminders``: inspect reminders and the outbox, and correct them manually.

Each module is one or two commands. The work is done in ``services/delivery``; nothing here sends.
"""

from tracker.cli.lazy_groups import LazyCommand, LazyGroup

__all__ = ["reminders"]

_HERE = "tracker.cli.reminders"

reminders = LazyGroup(
    name="reminders",
    help="Look into the ledger of reminders and letters, and mend it.",
    entries={
        "audit": LazyCommand(
            f"{_HERE}.audit:audit",
            "Check the accounting identity: every stage that fell due has exactly one row.",
        ),
        "bounces": LazyCommand(
            f"{_HERE}.bounces:bounces",
            "Act on what arrived at the bounce domain: SOURCE is an mbox file, a Maildir, or -.",
        ),
        "calendar": LazyCommand(
            f"{_HERE}.calendar:calendar",
            "Show how many stages fall due on each of the days ahead, at most.",
        ),
        "cancel": LazyCommand(
            f"{_HERE}.queue:cancel", "Give up letters that are ready, parked or ambiguous."
        ),
        "list": LazyCommand(
            f"{_HERE}.queue:list_",
            "Letters in a state, the newest first: to whom, how often tried, what the relay said.",
        ),
        "disable": LazyCommand(
            f"{_HERE}.sending:disable",
            "Stop every message at once, those included that a scheduler has already taken up.",
        ),
        "enable": LazyCommand(
            f"{_HERE}.sending:enable",
            "Allow messages to leave this database where it lies now, whatever stopped them.",
        ),
        "preview": LazyCommand(
            f"{_HERE}.preview:preview",
            "Write every email there is into a DIRECTORY, with a page of links.",
        ),
        "relay-key": LazyCommand(
            f"{_HERE}.relay:relay_key",
            "Print the key with which the mail provider signs what it sends to "
            "/api/v1/relay-events.",
        ),
        "relay-log": LazyCommand(
            f"{_HERE}.relay:relay_log",
            "Read a Postfix log for the letters that the relay took; - reads standard input.",
        ),
        "requeue": LazyCommand(
            f"{_HERE}.queue:requeue",
            "Send letters that are dead, cancelled, ambiguous or parked.",
        ),
    },
)
