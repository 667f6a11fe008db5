"""``python -m tracker.cli``: the command if no script was installed."""

from tracker.cli import main

main(prog_name="tracker")
