"""The ``tracker`` command: a door like the others. No rule lives here.

Exit status: 0 done, 1 refused or failed, 2 wrong usage. What was asked for goes to standard
output, everything else to standard error; progress is shown on a terminal only.
"""

from tracker.cli.commands import Entry, Program

__all__ = ["main"]

main = Program(
    name="tracker",
    help="Certifications, their recertification points and renewals, and who must be reminded.",
    entries={
        "bench": Entry(
            "tracker.cli.running:bench",
            "Measure this machine's ratios; ARGS are those of tracker.bench.",
        ),
        "certifications": Entry(
            "tracker.cli.certifications:certifications",
            "What is done to many certifications at once.",
        ),
        "demo": Entry(
            "tracker.cli.running:demo",
            "A throwaway site with realistic data, its scheduler and a mail catcher.",
        ),
        "doctor": Entry(
            "tracker.cli.health:doctor", "Look for what is wrong and say how to mend it."
        ),
        "export": Entry(
            "tracker.cli.files:export", "Write what is on record to a file or to standard output."
        ),
        "golive": Entry(
            "tracker.cli.reminders.sending:golive",
            "Show how many messages would leave, by stage and by day; then let them.",
        ),
        "import": Entry(
            "tracker.cli.imports:import_",
            "Import a CSV or XLSX file of a KIND, or a folder of them: all of the rows, or none.",
        ),
        "init": Entry(
            "tracker.cli.running:init",
            "Make ready to run: the newest migration, the keys, a token for the first "
            "administrator.",
        ),
        "migrate": Entry(
            "tracker.cli.running:migrate", "Bring the database to the newest migration."
        ),
        "remind": Entry(
            "tracker.cli.files:remind",
            "Plan the reminders that are due and send them, once; or say which they would be.",
        ),
        "reminders": Entry(
            "tracker.cli.reminders:reminders",
            "Look into the ledger of reminders and letters, and mend it.",
        ),
        "scheduler": Entry(
            "tracker.cli.running:scheduler",
            "Plan and send reminders by the clock until told to stop.",
        ),
        "schemes": Entry(
            "tracker.cli.schemes:schemes",
            "The certification schemes and their recertification policies.",
        ),
        "serve": Entry("tracker.cli.running:serve", "Serve the HTTP interface until told to stop."),
        "token": Entry("tracker.cli.tokens:token", "Tokens with which programs sign in."),
    },
    context_settings={"help_option_names": ["-h", "--help"], "max_content_width": 100},
)
