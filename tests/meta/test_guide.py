"""The guide and the docstrings name what there is: files, functions, classes, documents, cases."""

from __future__ import annotations

import ast
import functools
import re
import tomllib
from collections.abc import Iterable, Iterator
from pathlib import Path

import pytest

from tracker.cli import main

ROOT = Path(__file__).parents[2]
GUIDE = ROOT / "CONTRIBUTING.md"
CASES = ROOT / "tests" / "data" / "worked_cases.md"
PYTHON = sorted(
    path for folder in ("tracker", "tests", "migrations") for path in (ROOT / folder).rglob("*.py")
)
DOCUMENTS = [
    *ROOT.glob("*.md"),
    *(path for folder in ("tests", "config") for path in (ROOT / folder).rglob("*.md")),
]

# Names in backticks: a path, perhaps with a name in the module (`domain/periods.months_in()`); a
# function of a module at the top (`jobs.plan()`); a command; a class, a constant, a decorator, or a
# function of any module.
_PATH = re.compile(r"[\w.*-]*/[\w./*-]*(?:\(\))?|\w+\.(?:py|md|toml)")
_IN_TOP_MODULE = re.compile(r"[a-z_]+\.\w+\(\)")
_COMMAND = re.compile(r"tracker ([a-z]+)\b.*")
_NAME = re.compile(r"(?:[A-Z][a-z0-9]+)+|_?(?!TRACKER_)[A-Z]{2}[A-Z_]*|@\w+\.\w+|[a-z_]\w*\(\)")

LABEL = r"(?:[A-Z]\d+|case \d+)"  # of a worked case

# They stand for any name in a path, as in `services/AREA/RESOURCE.py`.
PLACEHOLDERS = re.compile(r"AREA|RESOURCE|KIND|PAGE|TOPIC|NNNN_what_it_brings")


def test_the_guide_names_only_what_there_is():
    assert _strangers(GUIDE.read_text("utf-8")) == []


@pytest.mark.parametrize(
    "name",
    [
        "tracker/services/points/activities.py",
        "services/points/activities.py",
        "services/points",
        "tests/meta/test_guide.py",
        "config/schemes/mssc-*.toml",
        "wsgi.py",
        "services/AREA/RESOURCE.py",
        "services/points/activity_decisions.decide()",
        "services/core/context.UnitOfWork.reread()",
        "services/standings/standings.STATUS",
        "domain/credentials/certifications.StandingSpan.until_on",
        "jobs.plan()",
        "UnitOfWork",
        "months_in()",
        "@resource.reads",
        "_RESOURCES",
        "tracker doctor",
        "BEGIN IMMEDIATE",
    ],
)
def test_what_there_is_may_be_named(name):
    assert _strangers(f"See `{name}`.") == []


@pytest.mark.parametrize(
    "name",
    [
        "tracker/services/points/activity.py",
        "services/pointers",
        "tests/meta/test_guides.py",
        "config/schemes/nobody-*.toml",
        "wsgi_app.py",
        "services/points/activities.settle_all()",
        "services/core/context.UnitOfWork.forget()",
        "services/core/context.reread()",
        "services/points/nothing.decide()",
        "jobs.dance()",
        "UnitOfPlay",
        "months_out()",
        "@resource.dances",
        "_DANCES",
        "tracker dance",
    ],
)
def test_a_name_of_nothing_is_found(name):
    assert _strangers(f"See `{name}`.") == [name]


def test_no_docstring_cites_a_document_that_is_not_there():
    cited = _cited(r"[\w./-]+\.md\b")

    assert cited
    assert [(where, name) for where, name in cited if not _is_one_of(DOCUMENTS, name)] == []


def test_no_docstring_cites_a_module_that_is_not_there():
    cited = _cited(r"``([\w/]+\.py)``")

    assert cited
    assert [(where, name) for where, name in cited if not _is_one_of(PYTHON, name)] == []


def test_no_docstring_cites_a_dotted_module_that_is_not_there():
    """Below one of our floors, perhaps with a name in it: ``domain.points.solver.search``."""
    floors = "domain|language|models|services|api|web"
    cited = _cited(rf"``(?:tracker\.)?((?:{floors})\.[a-z_.]+)``")

    assert cited
    assert [(where, name) for where, name in cited if not _is_dotted_path(name)] == []


def test_no_docstring_cites_a_test_that_is_not_there():
    cited = _cited(r"(?:[\w/]+/)?\btest_\w+")

    assert cited
    assert [
        (where, name)
        for where, name in cited
        if name not in _all_names() and not _is_one_of(PYTHON, f"{name}.py")
    ] == []


def test_every_worked_case_that_is_cited_is_there():
    rules = re.findall(rf"^- \*\*({LABEL})\*\*", CASES.read_text("utf-8"), re.MULTILINE)
    cited = {
        label
        for _, labels in _cited(rf"worked_cases\.md((?:(?:,| to)? {LABEL})*)")
        for label in re.findall(LABEL, labels)
    }

    assert len(cited) > 30
    assert cited - set(rules) == set()


def test_a_citation_of_worked_cases_says_which():
    assert _cited(rf"worked_cases\.md(?! {LABEL}).*") == []


@pytest.mark.parametrize("floor", ["tracker", "tracker/services"])
def test_the_areas_are_listed_in_the_order_of_the_contract(floor):
    contracts = tomllib.loads((ROOT / "pyproject.toml").read_text("utf-8"))["tool"]["importlinter"]
    (areas,) = (
        contract["layers"]
        for contract in contracts["contracts"]
        if contract.get("containers") == ["tracker.services"]
    )

    assert ", ".join(areas) in " ".join(_map_of(ROOT / floor).replace("``", "").split())


def test_the_map_of_the_tree_names_every_package_and_module():
    drawn = set(re.findall(r"\b[a-z_]+\b", _map_of(ROOT / "tracker")))
    there = {
        path.stem
        for path in (ROOT / "tracker").iterdir()
        if path.suffix == ".py" or (path / "__init__.py").exists()
    }

    assert there - {"__init__"} - drawn == set()


@pytest.mark.parametrize(
    "package",
    [path.parent for path in PYTHON if path.name == "__init__.py" and "tracker" in path.parts],
    ids=lambda path: str(path.relative_to(ROOT)),
)
def test_a_package_says_what_lives_there_and_names_only_what_there_is(package):
    text = _map_of(package)
    names = [name.removesuffix("()") for name in re.findall(r"``@?([\w./]+(?:\(\))?)``", text)]

    assert len(text.splitlines()) >= 3, "says too little"
    assert [name for name in names if not _is_known_in(package, name)] == []


def _cited(pattern: str) -> list[tuple[str, str]]:
    """What docstrings cite in these words, each with the place of the docstring."""
    return [
        (f"{path.relative_to(ROOT)}:{line}", found)
        for path in PYTHON
        for line, text in _docstrings(path)
        for found in re.findall(pattern, " ".join(text.split()))
    ]


def _map_of(package: Path) -> str:
    """The docstring of a package."""
    return next((text for _, text in _docstrings(package / "__init__.py")), "")


def _is_known_in(package: Path, name: str) -> bool:
    """Whether it is a module here, a path or dotted module of the tree, or a name in a module."""
    if name == "tracker" or name.startswith("var/") or (ROOT / name).exists():
        return True  # var/ is what a running site keeps
    dotted = name.replace(".", "/").removeprefix("tracker/")
    if any(_has_path(path) for path in (name, dotted, f"{dotted}.py")):
        return True
    first, *rest = name.split(".")
    for path in (package / f"{first}.py", package / first / "__init__.py"):
        if path.exists():
            return all(one in _names_in(path) for one in rest)
    return _all_names().issuperset(name.split("."))


def _strangers(text: str) -> list[str]:
    """The names in backticks, outside of blocks of code, of which there is nothing."""
    prose = re.sub(r"^```.*?^```$", "", text, flags=re.DOTALL | re.MULTILINE)
    return [name for name in re.findall(r"`([^`\n]+)`", prose) if not _is_there(name)]


def _is_there(name: str) -> bool:
    if _PATH.fullmatch(name):
        return _has_path(name) or _has_name_in_module(name.removesuffix("()"))
    if _IN_TOP_MODULE.fullmatch(name):
        return _has_name_in_module(f"tracker/{name.removesuffix('()')}")
    if match := _COMMAND.fullmatch(name):
        return match[1] in main.entries
    if _NAME.fullmatch(name):
        return _all_names().issuperset(name.strip("@()").split("."))
    return True  # a value, a statement, a header


def _has_path(name: str) -> bool:
    """Whether there is a file or folder, from the root or below the package."""
    tidy = PLACEHOLDERS.sub("*", name.rstrip("/"))
    return any(any(folder.glob(tidy)) for folder in (ROOT, ROOT / "tracker") if tidy)


def _is_dotted_path(name: str) -> bool:
    path = name.replace(".", "/")
    folder, _, last = path.rpartition("/")
    places = (path, f"{path}.py")
    return any(map(_has_path, places)) or _has_name_in_module(f"{folder}.{last}")


def _has_name_in_module(name: str) -> bool:
    """Whether a module has the name, which stands behind its path and a dot."""
    folder, _, last = name.rpartition("/")
    module, *names = last.split(".")
    if not names:
        return False
    for root in (ROOT, ROOT / "tracker"):
        for path in (root / folder / f"{module}.py", root / folder / module / "__init__.py"):
            if path.exists():
                return names[0] in _top_names_in(path) and _names_in(path).issuperset(names)
    return False


@functools.cache
def _all_names() -> frozenset[str]:
    return frozenset().union(*(_names_in(path) for path in PYTHON))


def _names_in(path: Path) -> frozenset[str]:
    """What a module and the classes in it define."""
    return _read(path)[1]


def _top_names_in(path: Path) -> frozenset[str]:
    """What a module itself defines; what its classes define is named after the class."""
    return _read(path)[2]


def _docstrings(path: Path) -> tuple[tuple[int, str], ...]:
    """The docstrings of a module, its classes and functions, each with the line it begins on."""
    return _read(path)[0]


@functools.cache
def _read(path: Path) -> tuple[tuple[tuple[int, str], ...], frozenset[str], frozenset[str]]:
    """The docstrings of a module, all names in it, and those at its top."""
    docstrings: list[tuple[int, str]] = []
    tree = ast.parse(path.read_bytes())
    statements = [*_within(tree)]
    for node in statements:
        kinds = ast.Module | ast.ClassDef | ast.FunctionDef | ast.AsyncFunctionDef
        if isinstance(node, kinds) and (text := ast.get_docstring(node)):
            docstrings.append((node.body[0].lineno, text))
    return tuple(docstrings), _defined(statements), _defined(tree.body)


def _within(node: ast.AST) -> Iterator[ast.AST]:
    """The node and all statements in it; expressions, which are many more, define no name."""
    yield node
    for field in ("body", "orelse", "finalbody", "handlers", "cases"):
        for part in getattr(node, field, ()):
            yield from _within(part)


def _defined(nodes: Iterable[ast.AST]) -> frozenset[str]:
    """The names that these nodes define."""
    names: set[str] = set()
    for node in nodes:
        match node:
            case (
                ast.FunctionDef(name=name)
                | ast.AsyncFunctionDef(name=name)
                | ast.ClassDef(name=name)
                | ast.Assign(targets=[ast.Name(id=name)])
                | ast.AnnAssign(target=ast.Name(id=name))
            ):
                names.add(name)
    return frozenset(names)


def _is_one_of(paths: Iterable[Path], name: str) -> bool:
    """Whether one of the files has this name, or these last parts of its path."""
    parts = Path(name).parts
    return any(path.parts[-len(parts) :] == parts for path in paths)
