"""The rules that a machine can check, over the source of the whole package."""

import ast
import functools
import re
import subprocess
import sys
from collections import defaultdict
from collections.abc import Iterator
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[2]
SOURCES = sorted((ROOT / "tracker").rglob("*.py"))

LONGEST_FUNCTION = 50

# Wall time, here or in the database; time.monotonic() and perf_counter() only measure spans.
WALL_TIME = {
    "datetime.date.today",
    "datetime.datetime.now",
    "datetime.datetime.today",
    "datetime.datetime.utcnow",
    "sqlalchemy.func.current_date",
    "sqlalchemy.func.current_timestamp",
    "sqlalchemy.func.now",
    "time.ctime",
    "time.gmtime",
    "time.localtime",
    "time.time",
    "time.time_ns",
}
LAST_WORDS = {name.rpartition(".")[2] for name in WALL_TIME}


def test_imports_go_down_the_floors_only():
    # As a separate program: it silences every logger of the process that it runs in.
    lint = "from importlinter.cli import lint_imports_command; lint_imports_command()"
    command = [sys.executable, "-c", lint, "--no-cache"]
    done = subprocess.run(command, cwd=ROOT, capture_output=True, text=True, check=False)

    assert done.returncode == 0, done.stdout + done.stderr


# What the rules may import besides the standard library: a solver, how alike texts are, and the
# standard of domain names beyond ASCII.
OF_RULES = {"highspy", "idna", "rapidfuzz"}


def test_rules_import_the_standard_library_and_each_other_only():
    strangers = {
        f"{where}: {module}"
        for path in SOURCES
        if path.is_relative_to(ROOT / "tracker" / "domain")
        for where, module in _imports(path)
        if not module.startswith("tracker.domain")
        if module.split(".")[0] not in sys.stdlib_module_names | OF_RULES
    }

    assert strangers == set()


def test_no_function_is_longer_than_fifty_lines():
    lengths = {
        f"{_place(path, node)} {node.name}": _length(node)
        for path in SOURCES
        for node in ast.walk(_tree(path))
        if isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef)
    }

    assert {name: n for name, n in lengths.items() if n > LONGEST_FUNCTION} == {}


def test_no_two_classes_share_a_name():
    places = defaultdict(list)
    for path in SOURCES:
        for name in _class_names(_tree(path)):
            places[name].append(_place(path))

    assert {name: where for name, where in places.items() if len(where) > 1} == {}


# What a door may take from SQLAlchemy: errors to answer, and the parts of a database's address.
OF_DOORS = {"sqlalchemy.exc", "sqlalchemy.make_url"}


def test_doors_write_no_sql():
    doors = [ROOT / "tracker" / floor for floor in ("api", "web", "cli")]
    written = {
        f"{where}: {module}"
        for path in SOURCES
        if any(path.is_relative_to(door) for door in doors)
        for where, module in _imported(path)
        if module.split(".")[0] in {"sqlalchemy", "flask_sqlalchemy"}
        if not any(module.startswith(allowed) for allowed in OF_DOORS)
    }

    assert written == set()


def test_every_exemption_from_the_linter_has_its_reason():
    bare = [
        f"{_place(path)}:{number}"
        for path in SOURCES
        for number, line in enumerate(path.read_text("utf-8").splitlines(), 1)
        if re.search(r"# (noqa(?!: [A-Z0-9, ]+ - \S)|fmt: )", line)
    ]

    assert bare == []


def test_nobody_but_the_clock_reads_wall_time():
    readers = [
        f"{_place(path)}:{line}"
        for path in SOURCES
        if path != ROOT / "tracker" / "clock.py"
        for line in _wall_time_readings(_tree(path))
    ]

    assert readers == [], "ask tracker.clock instead"


@pytest.mark.parametrize(
    "source",
    [
        "import datetime\ndatetime.datetime.now(datetime.UTC)",
        "import datetime as dt\ndt.date.today()",
        "from datetime import datetime as moment\nmake(default_factory=moment.utcnow)",
        "from time import time\ntime()",
        "import sqlalchemy as sa\nsa.select(sa.func.now())",
        "from sqlalchemy import func\nfunc.now()",
    ],
)
def test_a_reading_of_wall_time_is_recognised(source):
    assert list(_wall_time_readings(ast.parse(source))) == [2]


@pytest.mark.parametrize(
    "source",
    [
        "from tracker import clock\nclock.now()",
        "work.today(scheme)",
        "import time\ntime.monotonic()",
    ],
)
def test_asking_whoever_has_a_clock_is_no_reading_of_wall_time(source):
    assert list(_wall_time_readings(ast.parse(source))) == []


def test_statuses_are_compared_by_their_text():
    """A row's plain text equals its status but is not that object."""
    enums = {
        node.name
        for path in SOURCES
        for node in ast.walk(_tree(path))
        if isinstance(node, ast.ClassDef) and "StrEnum" in map(ast.unparse, node.bases)
    }
    identities = [
        f"{_place(path)}:{line}" for path in SOURCES for line in _identities(_tree(path), enums)
    ]

    assert enums
    assert identities == []


@pytest.mark.parametrize(
    ("source", "lines"),
    [
        ("row.state is State.READY", [1]),
        ("if domain.State.READY is not row.state: pass", [1]),
        ("row.state == State.READY or row.state is None", []),
        ("state is Other.READY", []),
    ],
)
def test_a_comparison_by_identity_is_recognised(source, lines):
    assert list(_identities(ast.parse(source), {"State"})) == lines


def _identities(tree: ast.Module, enums: set[str]) -> Iterator[int]:
    """Give the lines that compare with a member of these enums by identity."""
    for node in ast.walk(tree):
        if isinstance(node, ast.Compare) and any(
            isinstance(o, ast.Is | ast.IsNot) for o in node.ops
        ):
            sides = [ast.unparse(side).split(".") for side in (node.left, *node.comparators)]
            if any(len(side) > 1 and side[-2] in enums for side in sides):
                yield node.lineno


def _wall_time_readings(tree: ast.Module) -> Iterator[int]:
    """Give the lines that name a reader of wall time, whatever it was imported as."""
    meanings = dict(_imported_names(tree))
    for node in ast.walk(tree):
        if isinstance(node, ast.Attribute | ast.Name) and _last_word(node, meanings) in LAST_WORDS:
            first, dot, rest = ast.unparse(node).partition(".")
            if meanings.get(first, first) + dot + rest in WALL_TIME:
                yield node.lineno


def _last_word(node: ast.Attribute | ast.Name, meanings: dict[str, str]) -> str:
    """The end of a dotted name: to write every name out takes longer than to look at its end."""
    name = node.attr if isinstance(node, ast.Attribute) else meanings.get(node.id, node.id)
    return name.rpartition(".")[2]


def _imported_names(tree: ast.Module) -> Iterator[tuple[str, str]]:
    for node in ast.walk(tree):
        match node:
            case ast.Import(names=names):
                yield from ((alias.asname, alias.name) for alias in names if alias.asname)
            case ast.ImportFrom(module=str(module), names=names):
                yield from ((a.asname or a.name, f"{module}.{a.name}") for a in names)


def _class_names(tree: ast.Module) -> Iterator[str]:
    """The names of classes, and of types that are made by assignment, at the top of a module."""
    for node in tree.body:
        match node:
            case ast.ClassDef(name=name):
                yield name
            case ast.Assign(targets=[ast.Name(id=name)]) if _is_a_types_name(name):
                yield name


def _is_a_types_name(name: str) -> bool:
    return name[0].isupper() and not name.isupper()


def _imported(path: Path) -> Iterator[tuple[str, str]]:
    """Everything that is imported, by its full name."""
    for node in ast.walk(_tree(path)):
        match node:
            case ast.Import(names=names):
                yield from ((_place(path, node), alias.name) for alias in names)
            case ast.ImportFrom(module=str(module), names=names):
                yield from ((_place(path, node), f"{module}.{alias.name}") for alias in names)


def _imports(path: Path) -> Iterator[tuple[str, str]]:
    for node in ast.walk(_tree(path)):
        match node:
            case ast.Import(names=names):
                yield from ((_place(path, node), alias.name) for alias in names)
            case ast.ImportFrom(module=str(module), level=0):
                yield _place(path, node), module


@functools.cache
def _tree(path: Path) -> ast.Module:
    return ast.parse(path.read_bytes())


def _length(node: ast.FunctionDef | ast.AsyncFunctionDef) -> int:
    return (node.end_lineno or node.lineno) - node.lineno + 1


def _place(path: Path, node: ast.stmt | None = None) -> str:
    line = "" if node is None else f":{node.lineno}"
    return f"{path.relative_to(ROOT)}{line}"
