"""Files that cannot be read or are damaged: refused by name, never a crash."""

from __future__ import annotations

from pathlib import Path

import pytest

from tracker import scheme_files
from tracker.scheme_files import Mistake, SchemesRefusedError

CPT = "mssc-cpt.toml"


def _only(directory: Path) -> Mistake:
    (mistake,) = scheme_files.check(directory)
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

    assert str(_only(directory)) == "a.toml:1: is not UTF-8: byte 9"


def test_a_byte_order_mark_does_no_harm(directory):
    file = directory / CPT
    file.write_bytes(b"\xef\xbb\xbf" + file.read_bytes())

    assert scheme_files.check(directory) == []


def test_a_file_that_cannot_be_read_is_named(directory):
    (directory / "a.toml").mkdir()

    assert "cannot be read: " in _only(directory).rule


@pytest.mark.parametrize("name", ["empty", "absent"])
def test_a_directory_without_scheme_files_is_named(tmp_path, name):
    (tmp_path / "empty").mkdir()
    with pytest.raises(SchemesRefusedError, match="contains no scheme file") as refused:
        scheme_files.load(tmp_path / name)

    assert refused.value.mistakes[0].file == str(tmp_path / name)
