"""The guide and the docstrings name what there is: files, functions, classes, documents, cases."""

from __future__ import annotations

import ast
import functools
import re
import tomllib
from collections.abc import Iterator
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
# class; a function of any module; a command.
_PATH = re.compile(r"[\w.*-]*/[\w./*-]*(?:\(\))?|\w+\.(?:py|md|toml)")
_CLASS = re.compile(r"(?:[A-Z][a-z0-9]+)+")
_FUNCTION = re.compile(r"([a-z_]\w*)\(\)")
_IN_TOP_MODULE = re.compile(r"[a-z_]+\.\w+\(\)")
_COMMAND = re.compile(r"tracker ([a-z]+)\b.*")


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
        "services/points/activities.decide()",
        "services/core/context.UnitOfWork.reread()",
        "services/standings/standings.STATUS",
        "domain/credentials/certifications.StandingSpan.until_on",
        "jobs.plan()",
        "UnitOfWork",
        "months_in()",
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
        "services/points/nothing.decide()",
        "jobs.dance()",
        "UnitOfPlay",
        "months_out()",
        "tracker dance",
    ],
)
def test_a_name_of_nothing_is_found(name):
    assert _strangers(f"See `{name}`.") == [name]


def test_no_docstring_cites_a_document_that_is_not_there():
    cited = [
        (f"{path.relative_to(ROOT)}:{line}", document)
        for path in PYTHON
        for line, text in _docstrings(path)
        for document in re.findall(r"[\w./-]+\.md\b", text)
    ]

    assert cited
    assert [
        (where, document)
        for where, document in cited
        if not any(_ends_with(path, document) for path in DOCUMENTS)
    ] == []


def test_no_docstring_cites_a_module_that_is_not_there():
    cited = [
        (f"{path.relative_to(ROOT)}:{line}", module)
        for path in PYTHON
        for line, text in _docstrings(path)
        for module in re.findall(r"``([\w/]+\.py)``", text)
    ]

    assert cited
    assert [
        (where, module)
        for where, module in cited
        if not any(_ends_with(path, module) for path in PYTHON)
    ] == []


def test_no_docstring_cites_a_test_that_is_not_there():
    cited = [
        (f"{path.relative_to(ROOT)}:{line}", test)
        for path in PYTHON
        for line, text in _docstrings(path)
        for test in re.findall(r"(?:[\w/]+/)?\btest_\w+", text)
    ]

    assert cited
    assert [
        (where, test)
        for where, test in cited
        if test not in _all_names()
        and not any(_ends_with(path.with_suffix(""), test) for path in PYTHON)
    ] == []


def test_every_worked_case_that_is_cited_is_there():
    known = set(
        re.findall(r"^- \*\*([A-Z]\d+|case \d+)\*\*", CASES.read_text("utf-8"), re.MULTILINE)
    )
    cited = {
        label
        for path in PYTHON
        for _, text in _docstrings(path)
        for labels in re.findall(r"worked_cases\.md((?:(?:,| to)? (?:[A-Z]\d+|case \d+))*)", text)
        for label in re.findall(r"[A-Z]\d+|case \d+", labels)
    }

    assert len(cited) > 30
    assert cited - known == set()


def test_a_citation_of_a_worked_case_says_which():
    bare = [
        f"{path.relative_to(ROOT)}:{line}"
        for path in PYTHON
        for line, text in _docstrings(path)
        if re.search(r"worked_cases\.md(?! (?:[A-Z]\d|case \d))", text)
    ]

    assert bare == []


@pytest.mark.parametrize("floor", ["tracker", "tracker/api", "tracker/services", "tracker/domain"])
def test_the_order_of_areas_is_told_as_the_contract_has_it(floor):
    """Where a package lists the areas, it lists them as ``pyproject.toml`` does."""
    contracts = tomllib.loads((ROOT / "pyproject.toml").read_text("utf-8"))["tool"]["importlinter"]
    areas = next(c["layers"] for c in contracts["contracts"] if "tracker.services" in str(c))
    text = " ".join(_map_of(ROOT / floor).split()).replace("``", "")
    told = re.search(rf"{areas[0]}, ([a-z, ]*){areas[-1]}", text)

    assert told is None or told[0].split(", ") == areas
    assert told or floor in {"tracker/api", "tracker/domain"}


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
    names = [name.removesuffix("()") for name in re.findall(r"``([\w./]+(?:\(\))?)``", text)]

    assert len(text.splitlines()) >= 3, "says too little"
    assert [name for name in names if not _is_known_in(package, name)] == []


def _map_of(package: Path) -> str:
    return ast.get_docstring(_tree(package / "__init__.py")) or ""


def _is_known_in(package: Path, name: str) -> bool:
    """Whether it is a module here, a path or dotted module of the tree, or a name in a module."""
    if name == "tracker" or (ROOT / name).exists():
        return True
    dotted = name.replace(".", "/").removeprefix("tracker/")
    if any(_has_path(path) for path in (name, dotted, f"{dotted}.py")):
        return True
    first, *rest = name.split(".")
    for path in (package / f"{first}.py", package / first / "__init__.py"):
        if path.exists():
            return all(one in _names_in(path) for one in rest)
    return not rest and name in _all_names()


def _strangers(text: str) -> list[str]:
    """The names in backticks, outside of blocks of code, of which there is nothing."""
    prose = re.sub(r"^```.*?^```$", "", text, flags=re.DOTALL | re.MULTILINE)
    return [name for name in re.findall(r"`([^`\n]+)`", prose) if not _is_there(name)]


def _is_there(name: str) -> bool:
    if _PATH.fullmatch(name):
        return _has_path(name) or _has_name_in_module(name.removesuffix("()"))
    if _IN_TOP_MODULE.fullmatch(name):
        return _has_name_in_module(f"tracker/{name.removesuffix('()')}")
    if _CLASS.fullmatch(name):
        return name in _all_names()
    if match := _FUNCTION.fullmatch(name):
        return match[1] in _all_names()
    if match := _COMMAND.fullmatch(name):
        return match[1] in main.entries
    return True  # a value, a statement, a header


def _has_path(name: str) -> bool:
    """Whether there is a file or folder, from the root or below the package."""
    tidy = PLACEHOLDERS.sub("*", name.rstrip("/"))
    return any(any(folder.glob(tidy)) for folder in (ROOT, ROOT / "tracker") if tidy)


def _has_name_in_module(name: str) -> bool:
    """Whether a module has the name, which stands behind its path and a dot."""
    folder, _, last = name.rpartition("/")
    module, *names = last.split(".")
    if not names:
        return False
    for root in (ROOT, ROOT / "tracker"):
        for path in (root / folder / f"{module}.py", root / folder / module / "__init__.py"):
            if path.exists():
                return all(one in _names_in(path) for one in names)
    return False


@functools.cache
def _all_names() -> frozenset[str]:
    return frozenset().union(*(_names_in(path) for path in PYTHON))


@functools.cache
def _names_in(path: Path) -> frozenset[str]:
    """What a module or a class in it defines."""
    found: set[str] = set()
    for node in ast.walk(_tree(path)):
        match node:
            case ast.FunctionDef(name=name) | ast.AsyncFunctionDef(name=name):
                found.add(name)
            case ast.ClassDef(name=name):
                found.add(name)
            case ast.Assign(targets=[ast.Name(id=name)]) | ast.AnnAssign(target=ast.Name(id=name)):
                found.add(name)
    return frozenset(found)


def _docstrings(path: Path) -> Iterator[tuple[int, str]]:
    """The docstrings of a module, its classes and functions, each with the line it begins on."""
    kinds = ast.Module | ast.ClassDef | ast.FunctionDef | ast.AsyncFunctionDef
    for node in ast.walk(_tree(path)):
        if isinstance(node, kinds) and (text := ast.get_docstring(node)):
            yield node.body[0].lineno, " ".join(text.split())


def _ends_with(path: Path, document: str) -> bool:
    parts = Path(document).parts
    return path.relative_to(ROOT).parts[-len(parts) :] == parts


@functools.cache
def _tree(path: Path) -> ast.Module:
    return ast.parse(path.read_bytes())
