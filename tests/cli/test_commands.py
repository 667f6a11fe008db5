"""Groups of commands (cli/lazy_groups.py): help is fast, and commands import what they use."""

import json
import subprocess
import sys

import click
import pytest

from tracker.cli import main
from tracker.cli.lazy_groups import LazyGroup

CONTEXT = click.Context(main)
GROUPS = {"tracker": main, "reminders": main.get_command(CONTEXT, "reminders")}
# Slow to load, and for few commands only.
HEAVY = {"PIL", "apscheduler", "highspy", "numpy", "openpyxl", "pikepdf"}
HEAVY |= {"flask_smorest", "tracker.api", "tracker.demo", "tracker.scheduler"}


@pytest.mark.parametrize("arguments", [["--help"], ["reminders", "--help"]])
def test_help_loads_neither_libraries_nor_services(arguments):
    loaded = modules_after(f"main({arguments}, prog_name='tracker', standalone_mode=False)")

    ours = {name for name in loaded if name.partition(".")[0] == "tracker"}
    others = {name.partition(".")[0] for name in loaded - ours} - sys.stdlib_module_names
    assert ours <= {"tracker", "tracker.cli", "tracker.cli.lazy_groups", "tracker.cli.reminders"}
    assert others == {"click"}


def test_commands_that_read_and_write_csv_load_neither_solver_nor_workbooks_nor_http():
    rooms = (
        "certifications",
        "files",
        "doctor",
        "history",
        "refusals",
        "processes",
        "tokens",
        "reminders.queue",
    )
    every = "import " + ", ".join(f"tracker.cli.{room}" for room in rooms)

    assert modules_after(every) & HEAVY == set()


@pytest.mark.parametrize("group", GROUPS.values(), ids=GROUPS)
def test_a_line_of_the_help_is_the_first_sentence_of_the_commands_own_help(group):
    assert isinstance(group, LazyGroup)
    for name, entry in group.entries.items():
        command = entry.command()
        assert command.name == name
        assert " ".join(str(command.help).split()).startswith(entry.summary)
        assert command.get_short_help_str(80) == short(entry.summary)


def short(summary):
    return click.Command("any", help=summary).get_short_help_str(80)


def modules_after(statement):
    """What a statement about the program loads, beside what every Python starts with."""
    program = "import json, sys\nbefore = set(sys.modules)\nfrom tracker.cli import main\n"
    program += f"{statement}\nprint(json.dumps(sorted(set(sys.modules) - before)), file=sys.stderr)"
    done = subprocess.run(
        [sys.executable, "-c", program], capture_output=True, text=True, check=True
    )
    return set(json.loads(done.stderr))
