"""A person at a browser: what they press, type and wait for is counted."""

from __future__ import annotations

import re
from dataclasses import dataclass
from pathlib import Path

from playwright.sync_api import Locator, Page, expect

SLOW_3G = {
    "offline": False,
    "latency": 400,
    "downloadThroughput": 50_000,
    "uploadThroughput": 50_000,
}
"""Milliseconds and bytes a second of a phone with a bad connection."""
_A_PRESS, _A_LETTER = 2.5, 0.45
"""Seconds that somebody takes to find and press something, and to type a letter on a phone.

The sum of the keystroke-level model (Card, Moran and Newell, 1980): 1.35 to think, 1.1 to point; a
letter on a phone takes an average person 0.3 to 0.4.
"""
_PATIENCE = 30_000  # milliseconds
_TABS = 80  # keys until somebody gives up
_FOCUS = """() => {
  const one = document.activeElement;
  const label = one.labels?.[0]?.cloneNode(true);
  label?.querySelectorAll("input, select, textarea").forEach(inner => inner.remove());
  return {
    text: one.matches("a, button, summary") ? one.innerText : "",
    label: one.getAttribute("aria-label") ?? label?.textContent ?? "",
  };
}"""
"""What the focus is on: the text of a button or link, the label of a field."""


@dataclass
class Person:
    """Somebody at an open page. They find things by the words that they read."""

    page: Page
    presses: int = 0
    letters: int = 0

    @property
    def seconds(self) -> float:
        """How long they took to press and type, beside what the site made them wait."""
        return self.presses * _A_PRESS + self.letters * _A_LETTER

    def press(self, words: str, *, inside: Locator | None = None) -> None:
        """Press a button or a link, the first one with exactly these words."""
        place = inside or self.page.locator("body")
        named = re.compile(rf"^\s*{re.escape(words)}\s*$")
        pressable = place.locator("a, button, summary").filter(has_text=named)
        pressable.first.click()
        self.presses += 1

    def press_at(self, place: Locator) -> None:
        """Press what has no words of its own, such as a part of a picture."""
        place.click()
        self.presses += 1

    def tab_to(self, said: str, words: str) -> None:
        """Go on by Tab to where the focus ``said``, a text or a label, ends with these words."""
        named = re.compile(rf"(^|\s){re.escape(words)}\s*$")
        for _ in range(_TABS):
            self.page.keyboard.press("Tab")
            self.presses += 1
            if named.search(str(self.page.evaluate(_FOCUS)[said])):
                return
        raise AssertionError(f"Tab does not lead to {words}.")

    def press_by_keyboard(self, words: str) -> None:
        """Go on by Tab to a button or a link that ends with these words, and press Enter."""
        self.tab_to("text", words)
        with self.page.expect_navigation():
            self.page.keyboard.press("Enter")
        self.presses += 1

    def type_by_keyboard(self, label: str, text: str) -> None:
        """Go on by Tab to the field with this label, and type; into a list, how an option begins.

        What stands in the field is replaced, since Tab selects it.
        """
        self.tab_to("label", label)
        self.page.keyboard.type(text)
        self.letters += len(text)

    def attach_by_keyboard(self, label: str, *files: Path) -> None:
        """Go on by Tab to the field for files with this label, and open it with the space bar."""
        self.tab_to("label", label)
        with self.page.expect_file_chooser() as choice:
            self.page.keyboard.press("Space")
        choice.value.set_files([str(one) for one in files])
        self.presses += 2

    def type(self, label: str, text: str, *, inside: Locator | None = None) -> None:
        """Type into the field that has this label, in place of what it says."""
        place = inside or self.page.locator("body")
        place.get_by_label(label, exact=True).first.fill(text)
        self.presses += 1
        self.letters += len(text)

    def choose(self, label: str, option: str, *, inside: Locator | None = None) -> None:
        """Choose an option of the list that has this label."""
        place = inside or self.page.locator("body")
        place.get_by_role("combobox", name=label, exact=True).first.select_option(label=option)
        self.presses += 2

    def attach(self, label: str, *files: Path) -> None:
        """Choose files, or take a photo."""
        self.page.get_by_label(label, exact=True).first.set_input_files([str(one) for one in files])
        self.presses += 2

    def reads(self, *words: str) -> None:
        """See each of these words on the page, perhaps only when it has come whole."""
        for one in words:
            expect(self.page.locator("main")).to_contain_text(one, timeout=_PATIENCE)

    @property
    def fits(self) -> bool:
        """Whether the page is no wider than the window."""
        root = "document.documentElement"
        return bool(self.page.evaluate(f"{root}.scrollWidth <= {root}.clientWidth"))
