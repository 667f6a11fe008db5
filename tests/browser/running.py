"""A real Chromium for the tests of pages, and a site with the demo's people for it to visit."""

from __future__ import annotations

import os
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import datetime, timedelta
from pathlib import Path

from playwright.sync_api import Browser, BrowserContext, Page, sync_playwright
from sqlalchemy import select

from tests import chromium
from tests.front.running import free_port, wait_for
from tracker import migrations, settings
from tracker.app import create_container
from tracker.demo import NOW, loading
from tracker.domain.permissions import SYSTEM, Actor
from tracker.models import Account
from tracker.services.core.context import Container
from tracker.services.delivery import send_safety
from tracker.services.people import sign_in

PHONE = {"width": 360, "height": 640}
DESK = {"width": 1200, "height": 800}


@contextmanager
def started() -> Iterator[Browser]:
    """Start the browser, without its sandbox, which needs rights that a test has not always."""
    assert chromium.PROGRAM is not None
    with sync_playwright() as playwright:
        browser = playwright.chromium.launch(
            executable_path=chromium.PROGRAM, args=["--no-sandbox", "--disable-gpu"]
        )
        yield browser
        browser.close()


@dataclass(frozen=True)
class DemoSite:
    """A site with the demo's people; the clock stands at the demo's first moment."""

    url: str
    container: Container

    def link(self, role: str) -> str:
        """A new link that signs in once as the demo's person in a role."""
        with self.container.work(SYSTEM) as work:
            asked = select(Account.id, Account.email).where(Account.role == role)
            account = work.row(asked.order_by(Account.id).limit(1))
            until = work.now + timedelta(days=1)
            return sign_in.link_for(work, account.id, account.email, until=until)


@contextmanager
def visited(home: Path) -> Iterator[DemoSite]:
    """Load the demo into ``home`` and serve it by one process until the block ends."""
    port = free_port()
    given = {
        "TRACKER_APP_BASE_URL": f"http://127.0.0.1:{port}",
        "TRACKER_NOW": NOW,
        "TRACKER_DATABASE_URL": f"sqlite:///{home}/tracker.sqlite3",
        "TRACKER_STORAGE_DIRECTORY": str(home),
    }
    container = create_container(settings.load(variables=given))
    migrations.upgrade(container.engine)
    with container.work(Actor(role="staff", name="demo")) as work:
        list(loading.load(work, datetime.fromisoformat(NOW).date()))
    with container.work(SYSTEM) as work:
        send_safety.enable(work, reason="The tests deliver nothing.")
        loading.sign_in_links(work)
    command = [sys.executable, "-m", "tracker.cli", "serve", "--port", str(port), "--workers", "1"]
    told = {**os.environ, **given, "PYTHONPATH": str(settings.ROOT)}
    with (home / "server.log").open("wb") as log:
        server = subprocess.Popen(command, env=told, stdout=log, stderr=log)
        try:
            wait_for(port)
            yield DemoSite(given["TRACKER_APP_BASE_URL"], container)
        finally:
            container.engine.dispose()
            server.terminate()
            server.wait(60)


def signed_in(browser: Browser, site: DemoSite, role: str, **how: object) -> Page:
    """A page of somebody of the demo who has just signed in; ``how`` as for a new context."""
    context: BrowserContext = browser.new_context(**how)  # type: ignore[arg-type]
    page = context.new_page()
    page.goto(site.link(role))
    page.locator("main button").click()
    return page
