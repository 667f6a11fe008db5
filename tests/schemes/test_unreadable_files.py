"""Files that cannot be read or are damaged: refused by name, never a crash."""

from __future__ import annotations

import random
import shutil
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from tracker import schemes, settings
from tracker.schemes import Mistake, SchemesRefusedError

SHIPPED = settings.ROOT / "config" / "schemes"
CPT = "mssc-cpt.toml"


def _only(directory: Path) -> Mistake:
    (mistake,) = schemes.check(directory)
    return mistake


@pytest.mark.parametrize(
    ("text", "line"),
    [
        (b'code = "x"\nname = \n', 2),
        (b'code = "x"\ncode = "y"\n', 2),
        (b'code = "x"\n\n[award\n', 3),
        (b'code = "x"\nname = "y', 2),
        (b"day = 2026-02-30\n", 1),
        (b"a = " + b"[" * 5000 + b"]" * 5000, 1),
        (b"a = " + b"9" * 5000, 1),
    ],
)
def test_what_is_not_toml_is_named_at_its_line(directory, text, line):
    (directory / "a.toml").write_bytes(text)
    mistake = _only(directory)

    assert (mistake.file, mistake.line, mistake.key) == ("a.toml", line, "")
    assert mistake.rule.startswith("is not valid TOML: ")


def test_what_is_not_utf_8_is_named_with_its_byte(directory):
    (directory / "a.toml").write_bytes('name = "Técnico"\n'.encode("latin-1"))

    assert str(_only(directory)) == "a.toml:1: : is not UTF-8: byte 9"


def test_a_byte_order_mark_does_no_harm(directory):
    file = directory / CPT
    file.write_bytes(b"\xef\xbb\xbf" + file.read_bytes())

    assert schemes.check(directory) == []


def test_a_file_that_cannot_be_read_is_named(directory):
    (directory / "a.toml").mkdir()

    assert "cannot be read: " in _only(directory).rule


@pytest.mark.parametrize("name", ["empty", "absent"])
def test_a_directory_without_scheme_files_is_named(tmp_path, name):
    (tmp_path / "empty").mkdir()
    with pytest.raises(SchemesRefusedError, match="holds no scheme file") as refused:
        schemes.load(tmp_path / name)

    assert refused.value.mistakes[0].file == str(tmp_path / name)


NONSENSE = [
    "", "=", "[", "]", "[[policies]]", "[award]", "x = 1", "policies = 3", "types = []",
    'required = "yes"', "categories = { CE = 1 }", "verified = 1979-05-27", "modules = [[1]]",
    "award = 1", "reminders = []", "offsets = 1", "code = []", "points = { a = 1 }", '"""',
    "effective_from = 2026-01-01T00:00:00", "prerequisites = [[]]", "length = 99999999999999",
]  # fmt: skip


@given(
    name=st.sampled_from(sorted(path.name for path in SHIPPED.glob("*.toml"))),
    cuts=st.lists(st.integers(0, 300), max_size=6),
    changes=st.lists(
        st.tuples(st.integers(0, 300), st.sampled_from(NONSENSE) | st.text(max_size=20)),
        max_size=6,
    ),
    seed=st.none() | st.integers(0, 10**6),
)
def test_no_damage_to_a_file_does_more_than_have_it_refused(
    tmp_path_factory, name, cuts, changes, seed
):
    directory = Path(shutil.copytree(SHIPPED, tmp_path_factory.mktemp("damaged") / "schemes"))
    written = (directory / name).read_text("utf-8").split("\n")
    for place, text in changes:
        written[place % len(written)] = text
    for place in cuts:
        del written[place % len(written)]
    if seed is not None:
        place = random.Random(seed).randrange(len(written))
        cells = list(written[place])
        random.Random(seed).shuffle(cells)
        written[place] = "".join(cells)
    text = "\n".join(written)
    (directory / name).write_bytes(text.encode("utf-8", "surrogatepass"))

    for mistake in schemes.check(directory):
        assert mistake.file
        assert mistake.rule
        assert 1 <= mistake.line <= len(written)
