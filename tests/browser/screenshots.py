"""Take the README's pictures: ``.venv/bin/python -m tests.browser.screenshots FOLDER``."""

from __future__ import annotations

import io
import sys
import tempfile
from pathlib import Path

from PIL import Image
from playwright.sync_api import Browser, Page

from tests.browser import running
from tests.browser.people import Person
from tests.browser.running import DemoSite, signed_in

PHONE = {"width": 390, "height": 760}
DESK = {"width": 1200, "height": 900}
_COLORS = 128


def take(page: Page, path: Path) -> None:
    """Save what the window shows, with few colors: so it takes a third of the bytes."""
    page.wait_for_load_state("networkidle")
    picture = Image.open(io.BytesIO(page.screenshot())).convert("RGB")
    small = picture.quantize(_COLORS, dither=Image.Dither.NONE)
    small.save(path, optimize=True)
    print(f"{path}: {path.stat().st_size:,} bytes")  # noqa: T201 - it is run by hand


def holder(browser: Browser, site: DemoSite, folder: Path) -> None:
    """A holder's home on a phone, and what anybody sees who verifies the credential."""
    page = signed_in(browser, site, "holder", viewport=PHONE)
    take(page, folder / "holder.png")
    page.set_viewport_size(DESK)  # type: ignore[arg-type]
    Person(page).press_at(page.locator("section.card h3 a").first)
    Person(page).press_at(page.locator("main a[href*='/verify/']").first)
    take(page, folder / "verification.png")
    page.context.close()


def employer(browser: Browser, site: DemoSite, folder: Path) -> None:
    """An employer's workers."""
    page = signed_in(browser, site, "employer", viewport=DESK)
    Person(page).press("Your workers")
    take(page, folder / "workers.png")
    page.context.close()


def staff(browser: Browser, site: DemoSite, folder: Path) -> None:
    """A review whose evidence is a photo, and an application with its checklist."""
    page = signed_in(browser, site, "staff", viewport=DESK)
    she = Person(page)
    she.press("Desk")
    she.press("Start reviewing")
    while not (page.locator(".evidence img").count() and page.get_by_text("Valid").count()):
        she.press("Next without deciding")
    take(page, folder / "review.png")
    she.press("Desk")
    she.press("Renewals")
    she.press("Review")
    take(page, folder / "renewal.png")
    page.context.close()


def main(folder: Path) -> None:
    """Take all pictures."""
    folder.mkdir(parents=True, exist_ok=True)
    with (
        tempfile.TemporaryDirectory() as home,
        running.visited(Path(home)) as site,
        running.started() as browser,
    ):
        for each in (holder, employer, staff):
            each(browser, site, folder)


if __name__ == "__main__":
    main(Path(sys.argv[1]))
