"""Every page that a link leads to, in a real Chromium, as each person sees it.

From the first page of each role all links are followed, once for each page of a kind that no other
role's walk has reached. A page is looked at as on a phone and on a desk, light and dark, printed,
and with letters twice as large.
"""

from __future__ import annotations

import re
from collections import deque
from collections.abc import Iterator
from pathlib import Path
from urllib.parse import urlsplit

import axe_playwright_python
from playwright.sync_api import Browser, ConsoleMessage, Page

from tests.browser.running import DESK, PHONE, DemoSite, signed_in

LANGUAGES = {
    "nobody": "en",
    "holder": "es",
    "employer": "es",
    "center": "en",
    "provider": "es",
    "sponsor": "en",
    "staff": "en",
    "admin": "es",
}
"""The language in which each role's pages are seen."""
FILLED = {
    "holder": {"/account/certifications/{}/points", "/account/activities/{}"},
    "employer": {"/employer/workers/{}"},
    "staff": {f"/desk/{name}/{{}}" for name in ("reviews", "renewals", "appeals", "discrepancies")},
}
"""Pages that a walk reaches because the demo has something to show on them."""
AXE = (Path(axe_playwright_python.__file__).parent / "axe.min.js").read_text(encoding="utf-8")
NO_PAGE = re.compile(
    r"/(api|docs(?!/errors)|static|healthz|readyz|metrics)(/|$)"
    r"|\.(ics|csv|xlsx|pdf|zip|json)$|/(archive|file)$|^/desk/evidence/"
)
"""Addresses that lead to files, and to the documentation, which is another program's page."""
ID = re.compile(r"(?<=/)(?=[^/]*\d)[0-9A-Za-z_.-]{8,}(?=/|$)")
"""What tells pages of one kind apart: a name that has a digit in it."""
TOO_WIDE = """() => {
  const width = document.documentElement.clientWidth;
  const apart = one => one.closest("details:not([open]), .scroll");
  const all = [...document.querySelectorAll("body *")];
  return document.documentElement.scrollWidth <= width ? [] : ["wider than the window", ...all
    .filter(one => one.getBoundingClientRect().right > width + 1 && !apart(one))
    .map(one => one.outerHTML.slice(0, 120)).slice(0, 5)];
}"""
TOO_SMALL = """() => [...document.querySelectorAll("button, input, select, textarea, summary")]
  .map(one => [one, one.getBoundingClientRect()])
  .filter(([one, box]) => box.width && box.height && one.type !== "hidden"
    && Math.max(box.height, one.labels?.[0]?.getBoundingClientRect().height ?? 0) < 24)
  .map(([one, box]) => `${one.outerHTML.slice(0, 120)} is ${box.height} high`)"""


def kind(address: str) -> str:
    """The path of an address without what tells one record from another."""
    return ID.sub("{}", urlsplit(address).path)


def links(page: Page, site: DemoSite) -> Iterator[str]:
    for address in page.evaluate("[...document.links].map(link => link.href)"):
        if address.startswith(f"{site.url}/") and not NO_PAGE.search(urlsplit(address).path):
            yield address.partition("#")[0]


def pages(page: Page, site: DemoSite, first: str, known: set[str]) -> Iterator[str]:
    """Open every page that can be reached, one of each kind that is not ``known``."""
    waiting = deque([first])
    known.add(kind(first))
    while waiting:
        address = waiting.popleft()
        answer = page.goto(address)
        assert answer is not None
        assert answer.ok, f"{address} answers {answer.status}"
        if "html" not in answer.headers["content-type"]:
            continue
        yield kind(address)
        for found in links(page, site):
            if kind(found) not in known:
                known.add(kind(found))
                waiting.append(found)


def violations(page: Page, *rules: str) -> list[str]:
    """What axe, once it is in the page, finds wrong as it is shown now, by all rules or these."""
    only = {"runOnly": list(rules)} if rules else {}
    found = page.evaluate("options => axe.run(options)", {"resultTypes": ["violations"], **only})
    return [
        f"{one['id']}: {one['help']}: {node['html'][:160]}"
        for one in found["violations"]
        for node in one["nodes"][:3]
    ]


def wrong(page: Page) -> list[str]:
    """What is wrong with an open page: seen by axe, too wide, too small to press."""
    page.set_viewport_size(PHONE)  # type: ignore[arg-type]
    page.evaluate(AXE)
    found = [*violations(page), *page.evaluate(TOO_SMALL)]
    found += [f"360 px: {one}" for one in page.evaluate(TOO_WIDE)]
    page.emulate_media(color_scheme="dark")
    found += [f"dark: {one}" for one in violations(page, "color-contrast")]
    page.emulate_media(color_scheme="light", media="print")
    found += [f"printed: {one}" for one in page.evaluate(TOO_WIDE)]
    page.emulate_media(media="screen")
    page.add_style_tag(content="html { font-size: 200% !important }")
    found += [f"large letters: {one}" for one in page.evaluate(TOO_WIDE)]
    page.set_viewport_size(DESK)  # type: ignore[arg-type]
    found += [f"1200 px, large letters: {one}" for one in page.evaluate(TOO_WIDE)]
    if page.locator("h1").count() != 1:
        found.append("a page has one heading of the first level")
    return found


def test_each_page_of_each_person_is_sound(browser: Browser, site: DemoSite) -> None:
    """A kind of page that several people have is looked at as the first of them sees it."""
    seen: set[str] = set()
    walks = {role: _walk(browser, site, role, seen) for role in LANGUAGES}
    faults = [f"{role}: {one}" for role, (_, found) in walks.items() for one in found]

    assert not faults, "\n".join(faults)
    for role, (walked, _) in walks.items():
        assert walked >= FILLED.get(role, set()), role


def _walk(
    browser: Browser, site: DemoSite, role: str, seen: set[str]
) -> tuple[set[str], list[str]]:
    """The kinds of pages that somebody reached and nobody had before, and what is wrong there."""
    language = LANGUAGES[role]
    how = {"viewport": PHONE, "bypass_csp": True, "locale": "en-US", "reduced_motion": "reduce"}
    if role == "nobody":
        page, first = browser.new_context(**how).new_page(), f"{site.url}/"  # type: ignore[arg-type]
        page.goto(first)
    else:
        page, first = signed_in(browser, site, role, **how), f"{site.url}/account"
    if language == "es":
        page.get_by_role("button", name="Español").click()
    said: list[str] = []

    def hear(one: ConsoleMessage) -> None:
        if one.type == "error":
            said.append(f"{one.text} {one.location}")

    page.on("console", hear)
    page.on("pageerror", lambda one: said.append(str(one)))
    walked, faults = set(), []
    for name in pages(page, site, first, seen):
        assert page.locator("html").get_attribute("lang") == language, name
        walked.add(name)
        faults += [f"{name}: {one}" for one in wrong(page)]
    if language == "es":  # whoever signs in next as this person is addressed as before
        page.goto(first)
        page.get_by_role("button", name="English").click()
    page.context.close()
    return walked, faults + said
