"""A directory of scheme files that a test may spoil."""

import shutil
from collections.abc import Callable
from pathlib import Path

import pytest

from tracker import scheme_files, settings

SHIPPED = settings.ROOT / "config" / "schemes"
EVERYTHING = Path(__file__).parent / "everything.toml"


SECOND = 'version = "2020"'  # of the file with every key


@pytest.fixture
def directory(tmp_path: Path) -> Path:
    """A copy of the shipped scheme files."""
    return Path(shutil.copytree(SHIPPED, tmp_path / "schemes"))


@pytest.fixture
def all_keys(directory: Path) -> Path:
    """A scheme file that uses every key of the format, among the shipped ones."""
    return Path(shutil.copy(EVERYTHING, directory))


@pytest.fixture
def edit(directory: Path) -> Callable[..., None]:
    """Replace a text in a file, once or (``after``) once behind another text."""

    def replace(old: str, new: str, *, after: str = "", name: str = "mssc-cpt.toml") -> None:
        file = directory / name
        head, mark, tail = file.read_text("utf-8").partition(after) if after else ("", "", "")
        tail = tail or file.read_text("utf-8")
        assert old in tail
        file.write_text(head + mark + tail.replace(old, new, 1), "utf-8")

    return replace


@pytest.fixture
def found(all_keys, edit):
    """Spoil the file with every key, and tell the mistakes as (key, value, rule)."""

    def spoil(*changes, after=SECOND):
        for old, new in changes:
            edit(old, new, after=after, name=all_keys.name)
        written = all_keys.read_text("utf-8").split("\n")
        mistakes = scheme_files.check(all_keys.parent)
        assert all(mistake.file == all_keys.name for mistake in mistakes)
        assert all(1 <= mistake.line <= len(written) for mistake in mistakes)
        return [(mistake.key, mistake.value, mistake.rule) for mistake in mistakes]

    return spoil
