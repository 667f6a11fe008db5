"""The ``tracker`` command. No rule lives here.

A command opens a unit of work (``commands.container()``), calls one service and prints the result.
Commands are imported when they run (``lazy_groups``), so a new command is a function and an entry
below, whose line is the first sentence of the function's docstring.
"""

from tracker.cli.lazy_groups import LazyCommand, LazyProgram

__all__ = ["main"]

main = LazyProgram(
    name="tracker",
    help="Certifications, their recertification points and renewals, and who must be reminded.",
    entries={
        "bench": LazyCommand(
            "tracker.cli.processes:bench",
            "Measure this machine's ratios, from a checkout.",
        ),
        "certifications": LazyCommand(
            "tracker.cli.certifications:certifications",
            "What is done to many certifications at once.",
        ),
        "demo": LazyCommand(
            "tracker.cli.processes:demo",
            "A throwaway site with realistic data, its scheduler and a mail catcher.",
        ),
        "doctor": LazyCommand(
            "tracker.cli.doctor:doctor", "Look for what is wrong and say how to mend it."
        ),
        "export": LazyCommand(
            "tracker.cli.files:export", "Write what is on record to a file or to standard output."
        ),
        "golive": LazyCommand(
            "tracker.cli.reminders.sending:golive",
            "Show how many messages would leave, by stage and by day; then let them.",
        ),
        "import": LazyCommand(
            "tracker.cli.imports:import_",
            "Import a CSV or XLSX file of a KIND, or a folder of them: all of the rows, or none.",
        ),
        "init": LazyCommand(
            "tracker.cli.processes:init",
            "Make ready to run: the newest migration, the keys, a token for the first "
            "administrator.",
        ),
        "migrate": LazyCommand(
            "tracker.cli.processes:migrate", "Bring the database to the newest migration."
        ),
        "remind": LazyCommand(
            "tracker.cli.files:remind",
            "Plan the reminders that are due and send them, once; or say which they would be.",
        ),
        "reminders": LazyCommand(
            "tracker.cli.reminders:reminders",
            "Look into the ledger of reminders and letters, and mend it.",
        ),
        "scheduler": LazyCommand(
            "tracker.cli.processes:scheduler",
            "Plan and send reminders by the clock until told to stop.",
        ),
        "schemes": LazyCommand(
            "tracker.cli.schemes:schemes",
            "The certification schemes and their recertification policies.",
        ),
        "serve": LazyCommand(
            "tracker.cli.processes:serve", "Serve the HTTP interface until told to stop."
        ),
        "token": LazyCommand("tracker.cli.tokens:token", "Tokens with which programs sign in."),
    },
    context_settings={"help_option_names": ["-h", "--help"], "max_content_width": 100},
)
