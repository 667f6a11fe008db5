"""The ``tracker`` command. No rule lives here.

A command opens a unit of work (``commands.container()``), calls one service and prints the result.
Commands are imported when they run (``lazy_groups``), so a new command is a function and an entry
below, whose line is the first sentence of the function's docstring.
"""

from tracker.cli.lazy_groups import LazyCommand, LazyProgram

__all__ = ["main"]

main = LazyProgram(
    name="tracker",
    help="Certifications, recertification points, renewals, and reminders.",
    entries={
        "account": LazyCommand(
            "tracker.cli.accounts:account",
            "Invite people who sign in with a password, and let them in again.",
        ),
        "backup": LazyCommand(
            "tracker.cli.backups:backup",
            "Back up the database, the evidence and the keys to a new folder.",
        ),
        "bench": LazyCommand(
            "tracker.cli.processes:bench",
            "Run the benchmarks, from a source checkout.",
        ),
        "certifications": LazyCommand(
            "tracker.cli.certifications:certifications",
            "Change many certifications at once.",
        ),
        "database": LazyCommand(
            "tracker.cli.database:database",
            "Let the application use the database by a role that owns nothing.",
        ),
        "demo": LazyCommand(
            "tracker.cli.processes:demo",
            "Run a demo site with invented data and a mail catcher.",
        ),
        "doctor": LazyCommand(
            "tracker.cli.doctor:doctor", "Check the installation, and say how to fix each problem."
        ),
        "export": LazyCommand(
            "tracker.cli.files:export", "Export records to a file or to standard output."
        ),
        "golive": LazyCommand(
            "tracker.cli.reminders.sending:golive",
            "Show how many messages would be sent, then enable sending.",
        ),
        "history": LazyCommand(
            "tracker.cli.history:history",
            "Check that nobody has edited the history; its keys.",
        ),
        "import": LazyCommand(
            "tracker.cli.imports:import_",
            "Import a file of a KIND, or a folder: all rows or none.",
        ),
        "init": LazyCommand(
            "tracker.cli.processes:init",
            "Set up the database, the keys and the first token.",
        ),
        "migrate": LazyCommand(
            "tracker.cli.processes:migrate", "Migrate the database to the newest version."
        ),
        "remind": LazyCommand(
            "tracker.cli.files:remind",
            "Plan and send due reminders once, or list them.",
        ),
        "reminders": LazyCommand(
            "tracker.cli.reminders:reminders",
            "Inspect and repair reminders and other messages.",
        ),
        "restore": LazyCommand(
            "tracker.cli.backups:restore",
            "Restore a backup into an empty database and an empty storage directory.",
        ),
        "retention": LazyCommand(
            "tracker.cli.retention:retention",
            "Delete what is past its period, or say what would be.",
        ),
        "scheduler": LazyCommand(
            "tracker.cli.processes:scheduler",
            "Plan and send reminders on schedule, until stopped.",
        ),
        "schemes": LazyCommand(
            "tracker.cli.schemes:schemes",
            "Check, explain and compare schemes and their policies.",
        ),
        "serve": LazyCommand("tracker.cli.processes:serve", "Serve the HTTP API, until stopped."),
        "token": LazyCommand("tracker.cli.tokens:token", "Create, list and revoke API tokens."),
    },
    context_settings={"help_option_names": ["-h", "--help"], "max_content_width": 100},
)
