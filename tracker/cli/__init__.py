"""The ``tracker`` command: a door like the others. No rule lives here.

Exit status: 0 done, 1 refused or failed, 2 wrong usage. What was asked for goes to standard
output, everything else to standard error; progress is shown on a terminal only.
"""

from tracker.cli.certifications import certifications
from tracker.cli.doors import Commands
from tracker.cli.files import export, remind
from tracker.cli.health import doctor
from tracker.cli.imports import import_
from tracker.cli.reminders import reminders
from tracker.cli.running import bench, demo, init, migrate, scheduler, serve
from tracker.cli.schemes import schemes
from tracker.cli.tokens import token

__all__ = ["main"]

main = Commands(
    name="tracker",
    help="Certifications, their recertification points and renewals, and who must be reminded.",
    commands=[
        bench, certifications, demo, doctor, export, import_, init, migrate, remind, reminders,
        scheduler, schemes, serve, token,
    ],
    context_settings={"help_option_names": ["-h", "--help"], "max_content_width": 100},
    no_args_is_help=True,
)  # fmt: skip
