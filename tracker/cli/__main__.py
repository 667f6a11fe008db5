"""``python -m tracker.cli``: the command where no script was installed."""

from tracker.cli import main

main(prog_name="tracker")
