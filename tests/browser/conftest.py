"""What the tests in a real Chromium share: one browser and one site with the demo's people.

Where no Chromium is found the tests are deselected; ``tests/conftest.py`` says so. ``.ci/run``
installs Debian's.
"""

from __future__ import annotations

import shutil
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest
from playwright.sync_api import Browser

from tests import chromium
from tests.browser import running
from tests.browser.running import DemoSite

HERE = Path(__file__).parent


def pytest_collection_modifyitems(config: pytest.Config, items: list[pytest.Item]) -> None:
    """Where no Chromium is found, deselect what needs one."""
    if chromium.PROGRAM:
        return
    needy = [item for item in items if item.path.is_relative_to(HERE)]
    config.hook.pytest_deselected(items=needy)
    items[:] = [item for item in items if item not in needy]


@pytest.fixture(scope="module")
def browser() -> Iterator[Browser]:
    """A running Chromium.

    Its driver runs an event loop in this thread, which other tests would meet: it ends with a file.
    """
    with running.started() as found:
        yield found


@pytest.fixture(scope="session")
def site(
    tmp_path_factory: pytest.TempPathFactory, templates: Callable[[str], str]
) -> Iterator[DemoSite]:
    """A site with the demo's people, which these tests share: each changes what is its own."""
    home = tmp_path_factory.mktemp("site")
    shutil.copyfile(templates("sqlite"), home / "tracker.sqlite3")
    with running.visited(home) as found:
        yield found
