"""What a holder's phone loads of a page that it has never seen, with all that the page needs."""

from __future__ import annotations

from typing import Any

from playwright.sync_api import Browser

from tests.browser.running import PHONE, DemoSite, signed_in
from tests.browser.test_every_page import kind, pages

MOST = 60_000  # bytes, as they come over the line; photos and papers are apart


def test_every_page_of_a_holder_is_under_60_kilobytes(browser: Browser, site: DemoSite) -> None:
    page = signed_in(browser, site, "holder", viewport=PHONE)
    told = page.context.new_cdp_session(page)
    told.send("Network.enable")
    told.send("Network.setCacheDisabled", {"cacheDisabled": True})
    came: list[float] = []

    def hear(event: dict[str, Any]) -> None:
        came.append(event["encodedDataLength"])

    told.on("Network.loadingFinished", hear)
    found: dict[str, float] = {}
    for name in pages(page, site, f"{site.url}/account", set()):
        came.clear()
        page.reload(wait_until="networkidle")
        found[kind(name)] = sum(came)
    page.context.close()

    assert len(found) > 20
    assert {name: size for name, size in found.items() if not 1000 < size < MOST} == {}, max(
        found.values()
    )
