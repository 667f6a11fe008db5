"""A directory of scheme files that a test may spoil."""

import shutil
from pathlib import Path

import pytest

from tracker import settings

SHIPPED = settings.ROOT / "config" / "schemes"


@pytest.fixture
def directory(tmp_path: Path) -> Path:
    """A copy of the shipped scheme files."""
    return Path(shutil.copytree(SHIPPED, tmp_path / "schemes"))
