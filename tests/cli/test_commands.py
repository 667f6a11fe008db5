"""Groups of commands (cli/commands.py): help is fast, and commands import what they use."""

import json
import subprocess
import sys

import click
import pytest

from tracker.cli import main
from tracker.cli.commands import LazyGroup

CONTEXT = click.Context(main)
GROUPS = {"tracker": main, "reminders": main.get_command(CONTEXT, "reminders")}
# Slow to load, and for few commands only.
HEAVY = {"PIL", "apscheduler", "highspy", "numpy", "openpyxl", "pikepdf"}
HEAVY |= {"flask_smorest", "tracker.api", "tracker.demo", "tracker.scheduler"}

# A command that tests start is measured, and what measures it is loaded before.
MEASURING = {"a1_coverage", "coverage", "sitecustomize", "_virtualenv"}


@pytest.mark.parametrize("arguments", [["--help"], ["reminders", "--help"]])
def test_help_loads_neither_libraries_nor_services(arguments):
    loaded = modules_after(f"main({arguments}, prog_name='tracker', standalone_mode=False)")

    ours = {name for name in loaded if name.partition(".")[0] == "tracker"}
    others = {name.partition(".")[0] for name in loaded - ours} - sys.stdlib_module_names
    assert ours <= {"tracker", "tracker.cli", "tracker.cli.commands", "tracker.cli.reminders"}
    assert others - MEASURING - {"click", "__main__"} == set()


def test_commands_that_read_and_write_csv_load_neither_solver_nor_workbooks_nor_http():
    modules = ("certifications", "files", "health", "refusals", "running", "tokens")
    every = "\n".join(f"import tracker.cli.{module}" for module in modules)

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
    """What a new Python has loaded after a statement about the program."""
    program = f"import json, sys\nfrom tracker.cli import main\n{statement}\n"
    program += "print(json.dumps(sorted(sys.modules)), file=sys.stderr)"
    done = subprocess.run(
        [sys.executable, "-c", program], capture_output=True, text=True, check=True
    )
    return set(json.loads(done.stderr))
