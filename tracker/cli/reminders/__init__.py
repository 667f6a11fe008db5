"""``tracker reminders``: inspect reminders and the outbox, and correct them manually.

Each module is one or two commands. The work is done in ``services/delivery``; nothing here sends.
"""

from tracker.cli.lazy_groups import LazyCommand, LazyGroup

__all__ = ["reminders"]

_HERE = "tracker.cli.reminders"

reminders = LazyGroup(
    name="reminders",
    help="Inspect and repair reminders and other messages.",
    entries={
        "audit": LazyCommand(
            f"{_HERE}.audit:audit",
            "Check that every due stage has exactly one row.",
        ),
        "bounces": LazyCommand(
            f"{_HERE}.bounces:bounces",
            "Process bounces from an mbox file, a Maildir, or -.",
        ),
        "calendar": LazyCommand(
            f"{_HERE}.calendar:calendar",
            "Show how many stages fall due on each of the next days.",
        ),
        "cancel": LazyCommand(
            f"{_HERE}.queue:cancel", "Cancel ready, parked or ambiguous messages."
        ),
        "list": LazyCommand(
            f"{_HERE}.queue:list_",
            "List the messages in a state, newest first.",
        ),
        "disable": LazyCommand(
            f"{_HERE}.sending:disable",
            "Stop all sending at once.",
        ),
        "enable": LazyCommand(
            f"{_HERE}.sending:enable",
            "Enable sending, whatever stopped it.",
        ),
        "preview": LazyCommand(
            f"{_HERE}.preview:preview",
            "Write every kind of email into a DIRECTORY.",
        ),
        "relay-key": LazyCommand(
            f"{_HERE}.relay:relay_key",
            "Print the key that signs requests to /api/v1/relay-events.",
        ),
        "relay-log": LazyCommand(
            f"{_HERE}.relay:relay_log",
            "Read from a Postfix log which messages were accepted.",
        ),
        "requeue": LazyCommand(
            f"{_HERE}.queue:requeue",
            "Requeue dead, cancelled, ambiguous or parked messages.",
        ),
    },
)
