"""Spoiled scheme files: each loads wholly or is refused, every mistake told and located.

Files are spoiled as texts (lines lost, doubled, mixed, cut off; bytes changed) and as values (keys
lost, renamed, copied elsewhere; values swapped or replaced by odd ones). A few hundred examples
run by default, 10,000 with HYPOTHESIS_PROFILE=long.
"""

from __future__ import annotations

import copy
import shutil
import tomllib
from datetime import UTC, date, datetime, time
from decimal import Decimal
from pathlib import Path
from typing import Any

import hypothesis
import pytest
from hypothesis import HealthCheck, event, given
from hypothesis import strategies as st

from tracker import scheme_files, settings
from tracker.domain.periods import Period
from tracker.domain.points import evaluations
from tracker.domain.points.claims import Claim
from tracker.domain.schemes.policies import Policy
from tracker.domain.schemes.schemes import Schemes
from tracker.scheme_files import SchemesRefusedError

SHIPPED = settings.ROOT / "config" / "schemes"
FILES = sorted([*SHIPPED.glob("**/*.toml"), Path(__file__).parent / "everything.toml"])
BY_NAME = {path.name: path for path in FILES}
RAWS = {path.name: tomllib.loads(path.read_text("utf-8")) for path in FILES}
# What the others refer to, so that a file is refused for its own mistakes only.
NEEDED = {
    "mssc-clt.toml": ["mssc-cla.toml"],
    "everything.toml": ["mssc-cpt.toml"],
    "namss-cpcs.toml": ["namss-cpmsm.toml"],
    "namss-cpmsm.toml": ["namss-cpcs.toml"],
    "nicet-technician.toml": ["nicet-technologist.toml"],
    "nicet-technologist.toml": ["nicet-technician.toml"],
}
START, EXPIRY = date(2026, 1, 1), date(2028, 12, 31)
OFTEN = hypothesis.settings(
    max_examples=max(100, hypothesis.settings().max_examples),
    deadline=None,
    suppress_health_check=[HealthCheck.function_scoped_fixture, HealthCheck.too_slow],
)

ODD_TEXTS = [
    "",
    " ",
    "0",
    "-1",
    "1e9",
    "1.",
    ".5",
    "١٢",
    "nan",
    "NaN",
    "-0.00",
    "00.10",
    "1_000",
    "1,5",
    "9" * 400,
    "999999.99",
    "1000000",
    "\x00",
    "a\x00b",
    "\x7f",
    "\n",
    "a\nb",
    "\u202e",
    "é" * 33,
    "💥",
    "x" * 100_000,
    "_schema",
    "value",
    "key",
    "../../etc",
    "%s{0}",
    "A",
    "cycle_start",
    "2015-01-01",
    "days",
    "course",
    "hour",
    "'",
    '"',
    "\\",
    "America/New_York",
    "Etc/GMT+12",
]
ODD = [
    *ODD_TEXTS,
    0,
    1,
    -1,
    2**31,
    2**63,
    -(2**63),
    16**5000,
    True,
    False,
    0.0,
    1.5,
    float("nan"),
    float("inf"),
    -float("inf"),
    1e-300,
    date(1, 1, 1),
    date(9999, 12, 31),
    time(1, 2),
    datetime(2026, 1, 1, tzinfo=UTC),
    [],
    {},
    [[]],
    [{}],
    [[[]]] * 3,
    {"a": {}},
    {"": 1},
    {"en": "x"},
    {"length": 10**9, "unit": "years"},
    {"length": 0, "unit": "days"},
    {"length": -1, "unit": 1},
    [1, 1],
    ["A", "A"],
    {"_schema": 1},
    {"value": 1, "key": 2},
]
ODD_LINES = [
    "",
    "=",
    "[",
    "]",
    "[[policies]]",
    "[award]",
    "x = 1",
    "policies = 3",
    "types = []",
    'required = "yes"',
    "categories = { CE = 1 }",
    "verified = 1979-05-27",
    "modules = [[1]]",
    "award = 1",
    "reminders = []",
    "offsets = 1",
    "code = []",
    "points = { a = 1 }",
    '"""',
    "effective_from = 2026-01-01T00:00:00",
    "prerequisites = [[]]",
    "length = 99999999999999",
]
ODD_KEYS = ["", " ", "a b", "é", "_schema", "value", "key", "0", "a.b", "x" * 40, "\x00", "types"]


@pytest.fixture
def load(tmp_path):
    """Load one text among the files that it refers to; look at what comes of it, and name it."""

    def attempt(name: str, content: bytes) -> str:
        directory = tmp_path / name
        if not directory.exists():
            directory.mkdir()
            for needed in NEEDED.get(name, []):
                shutil.copy(BY_NAME[needed], directory)
        (directory / name).write_bytes(content)
        try:
            loaded = scheme_files.load(directory)
        except SchemesRefusedError as refused:
            _check_mistakes(refused, directory)
            return "refused"
        _check_whole(loaded, directory)
        return "loaded"

    return attempt


def _check_mistakes(refused: SchemesRefusedError, directory: Path) -> None:
    told = scheme_files.check(directory)  # also what is no reason to refuse a file
    assert [one for one in told if one in refused.mistakes] == refused.mistakes
    assert all("`replaces`" in one.rule for one in told if one not in refused.mistakes)
    for mistake in refused.mistakes:
        text = (directory / mistake.file).read_bytes().decode("utf-8", "replace")
        lines = text.replace("\r\n", "\n").replace("\r", "\n").count("\n") + 1
        assert 1 <= mistake.line <= lines
        assert mistake.rule.strip()
        assert len(mistake.value) <= 80
        assert str(mistake).startswith(f"{mistake.file}:{mistake.line}: ")


def _check_whole(loaded: Schemes, directory: Path) -> None:
    """Everything that the files tell is there, and fit to compute with."""
    raws = [tomllib.loads(p.read_text("utf-8-sig")) for p in directory.glob("*.toml")]
    assert loaded.by_code.keys() == {raw["code"] for raw in raws}
    for raw in raws:
        scheme = loaded[raw["code"]]
        assert len(scheme.policies) == len(raw.get("policies", []))
        assert [m.code for m in scheme.modules] == [m["code"] for m in raw["modules"]]
        for policy, told in zip(scheme.policies, raw.get("policies", []), strict=True):
            assert policy.version == told["version"]
            for group in ("categories", "types", "tags", "units", "roles"):
                assert getattr(policy, group).keys() == told.get(group, {}).keys()
            for code, kind in policy.types.items():
                assert kind.rate == Decimal(told["types"][code]["points"])
                assert kind.category in policy.categories
                assert kind.tags <= policy.tags.keys()
                assert kind.roles.keys() <= policy.roles.keys()
                assert not kind.unit_code or kind.units[kind.unit_code] == 1
            _check_computes(policy)


def _check_computes(policy: Policy) -> None:
    """One claim of each type can be counted, and the dates around an expiry found."""
    claims = [
        Claim(
            ref=kind.code,
            category=kind.category,
            type=kind.code,
            title="A",
            provider="B",
            quantity=Decimal(3),
            starts_on=START,
            completed_on=date(2026, 12, 31),
        )
        for kind in policy.types.values()
    ]
    found = evaluations.evaluate(policy, claims, cycle=Period(START, EXPIRY), on=EXPIRY)
    assert len(found.credits) == len(claims)
    assert found.total == sum(credit.counted for credit in found.credits)
    assert policy.window_opens_on(starts_on=START, expires_on=EXPIRY) <= EXPIRY
    assert (policy.grace_ends_on(EXPIRY) or date.max) > EXPIRY or not policy.late


@st.composite
def _texts(draw: st.DrawFn) -> tuple[str, bytes]:
    """A shipped file with lines lost, doubled, changed or mixed, or cut off."""
    name = draw(st.sampled_from(sorted(BY_NAME)))
    lines = BY_NAME[name].read_text("utf-8").split("\n")
    others = "\n".join(path.read_text("utf-8") for path in FILES).split("\n")
    for _ in range(draw(st.integers(0, 4))):
        place = draw(st.integers(0, len(lines) - 1))
        match draw(st.sampled_from(["lose", "double", "other", "odd", "shuffle", "swap"])):
            case "lose":
                del lines[place : place + draw(st.integers(1, 3))]
                lines = lines or [""]
            case "double":
                lines.insert(draw(st.integers(0, len(lines))), lines[place])
            case "other":
                lines[place] = draw(st.sampled_from(others))
            case "odd":
                lines[place] = draw(st.sampled_from(ODD_LINES) | st.text(max_size=20))
            case "shuffle":
                lines[place] = "".join(draw(st.permutations(lines[place][:60])))
            case "swap":
                other = draw(st.integers(0, len(lines) - 1))
                lines[place], lines[other] = lines[other], lines[place]
    content = "\n".join(lines).encode("utf-8", "surrogatepass")
    if draw(st.booleans()) and draw(st.booleans()):
        content = content[: draw(st.integers(0, len(content)))]
    if draw(st.booleans()) and draw(st.booleans()):
        place = draw(st.integers(0, len(content)))
        content = content[:place] + draw(st.binary(max_size=4)) + content[place + 1 :]
    return name, content


@given(_texts())
@OFTEN
def test_a_file_spoiled_as_a_text_loads_wholly_or_is_refused(load, spoiled):
    found = load(*spoiled)
    event(found)
    assert found in {"loaded", "refused"}


@given(st.binary(max_size=200) | st.text(max_size=200).map(lambda text: text.encode()))
@OFTEN
def test_what_is_no_scheme_file_at_all_is_refused(load, content):
    assert load("noise.toml", content) == "refused"


def _places(value: Any) -> list[tuple[Any, Any]]:
    """Every key of every table and list, with the table or list that it is in."""
    keys = [*value] if isinstance(value, dict) else [*range(len(value))]
    below = [value[key] for key in keys if isinstance(value[key], dict | list)]
    return [(value, key) for key in keys] + [place for each in below for place in _places(each)]


@st.composite
def _values(draw: st.DrawFn) -> tuple[str, bytes]:
    """A shipped file with keys lost, renamed or copied, and values swapped or replaced."""
    name = draw(st.sampled_from(sorted(RAWS)))
    raw = copy.deepcopy(RAWS[name])
    for _ in range(draw(st.integers(1, 3))):
        places = _places(raw)
        if not places:
            break
        table, key = draw(st.sampled_from(places))
        other, elsewhere = draw(st.sampled_from(places))
        value = table[key]
        match draw(st.sampled_from(["lose", "rename", "copy", "swap", "odd", "odd", "wrap"])):
            case "lose":
                del table[key]
            case "rename" if isinstance(table, dict):
                del table[key]
                table[_misspelt(draw, str(key))] = value
            case "copy":
                other[elsewhere] = copy.deepcopy(value)
            case "swap":
                table[key], other[elsewhere] = other[elsewhere], table[key]
                raw = copy.deepcopy(raw) if not _is_circular(raw) else copy.deepcopy(RAWS[name])
            case "wrap":
                table[key] = draw(st.sampled_from([[value], {"a": value}, [[value, value]]]))
            case _:
                odd = draw(st.sampled_from(ODD) | st.text(max_size=8) | st.integers())
                table[key] = copy.deepcopy(odd)  # the next draw may change it in place
    return name, _toml(raw).encode("utf-8", "surrogatepass")


def _misspelt(draw: st.DrawFn, key: str) -> str:
    place = draw(st.integers(0, len(key)))
    near = key[:place] + draw(st.sampled_from(["", "x", "_", "s"])) + key[place + 1 :]
    others: list[str] = sorted(RAWS["everything.toml"]["policies"][1])
    return draw(st.sampled_from([near, *ODD_KEYS, *others]))


def _is_circular(value: Any, above: tuple[int, ...] = ()) -> bool:
    if not isinstance(value, dict | list):
        return False
    inner = value.values() if isinstance(value, dict) else value
    return id(value) in above or any(_is_circular(each, (*above, id(value))) for each in inner)


def _toml(table: dict[str, Any]) -> str:
    return "".join(f"{_quoted(key)} = {_written(value)}\n" for key, value in table.items())


def _written(value: Any) -> str:
    match value:
        case bool():
            return str(value).lower()
        case int():
            return hex(value) if value > 2**64 else str(value)
        case float() | date() | time():
            return str(value)
        case str():
            return _quoted(value)
        case list():
            return f"[{', '.join(map(_written, value))}]"
        case _:
            told = (f"{_quoted(str(key))} = {_written(each)}" for key, each in value.items())
            return f"{{{', '.join(told)}}}"


def _quoted(text: str) -> str:
    plain = text.replace("\\", "\\\\").replace('"', '\\"')
    return '"' + "".join(c if c.isprintable() else f"\\U{ord(c):08x}" for c in plain) + '"'


@given(_values())
@OFTEN
def test_a_file_spoiled_in_its_values_loads_wholly_or_is_refused(load, spoiled):
    found = load(*spoiled)
    event(found)
    assert found in {"loaded", "refused"}


@pytest.mark.parametrize("name", sorted(RAWS))
def test_a_file_that_nobody_spoiled_loads(load, name):
    assert load(name, _toml(RAWS[name]).encode()) == "loaded"
