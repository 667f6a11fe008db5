"""The frame of every page: the links at its top, for whom they are, and their words."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass

from flask import request

from tracker.domain.permissions import OF_THE_BODY, ORGANIZATIONS, Actor, Role
from tracker.language import catalogues


@dataclass(frozen=True, slots=True)
class FrameWords:
    """One language's words."""

    skip: str
    error: str
    navigation: str
    menu: str
    home: str
    workers: str
    center: str
    courses: str
    apprentices: str
    operations: str
    sharing: str
    data: str
    people: str
    security: str
    passkeys: str
    tokens: str
    events: str
    sign_in: str
    sign_out: str
    verify: str
    parts: str
    overview: str
    points: str
    activities: str
    renewal: str
    appeals: str
    progress: str
    credentials: str
    employment: str
    attendance: str
    messages: str
    preferences: str
    details: str
    problems: str
    language: str
    choose_language: str
    desk: str
    desk_parts: str
    reviews: str
    renewals: str
    records: str
    records_parts: str
    record_people: str
    record_modules: str
    record_duplicates: str
    record_requests: str
    record_centers: str
    record_employers: str
    record_reminders: str
    record_history: str
    certificates: str
    figures: str
    discrepancies: str
    audits: str


WORDS = {lang: FrameWords(**catalogues.topic(lang, "frame")) for lang in catalogues.LANGUAGES}


@dataclass(frozen=True, slots=True)
class NavigationLink:
    """A link at the top of a page; ``is_current``: it leads to this page, or to one above it."""

    href: str
    text: str
    is_current: bool


@dataclass(frozen=True, slots=True)
class Navigation:
    """What stands at the top of a page; without a ``menu`` nobody is signed in."""

    links: Sequence[NavigationLink]
    menu: Sequence[NavigationLink] = ()
    csrf_token: str = ""


@dataclass(frozen=True, slots=True)
class LanguageSwitch:
    """The other languages, each by its own name; ``back`` is the page to show again."""

    others: Sequence[tuple[str, FrameWords]]
    back: str


def switch(language: str, address: str) -> LanguageSwitch:
    """The switch to the other languages on the page at an address."""
    others = [(code, words) for code, words in WORDS.items() if code != language]
    return LanguageSwitch(others, address)


_PLACES: tuple[tuple[str, str, frozenset[Role] | None], ...] = (
    ("/account", "home", None),
    ("/employer", "workers", frozenset({"employer"})),
    ("/desk", "desk", OF_THE_BODY),
    ("/center", "center", frozenset({"center"})),
    ("/provider", "courses", frozenset({"provider"})),
    ("/sponsor", "apprentices", frozenset({"sponsor"})),
    ("/ops", "operations", frozenset({"admin"})),
    ("/desk/people", "records", frozenset({"staff", "admin"})),
    ("/account/people", "people", (OF_THE_BODY - {"reviewer"}) | {*ORGANIZATIONS}),
)
"""The address, the word, and who sees the link; None: everybody who is signed in."""
_MENU: tuple[tuple[str, str, frozenset[Role] | None], ...] = (
    ("/account/messages", "messages", frozenset({"holder"})),
    ("/account/details", "details", frozenset({"holder"})),
    ("/account/problems", "problems", frozenset({"staff", "admin"})),
    ("/account/sharing", "sharing", frozenset({"holder"})),
    ("/account/data", "data", frozenset({"holder"})),
    ("/account/security", "security", None),
    ("/account/passkeys", "passkeys", None),
    ("/account/tokens", "tokens", None),
    ("/account/events", "events", None),
)
"""What people seldom need: their data, and how they sign in."""
_OF_CERTIFICATION = (
    ("", "overview"),
    ("/points", "points"),
    ("/activities", "activities"),
    ("/renewal", "renewal"),
    ("/appeals", "appeals"),
)
"""The pages of one certification, below its own."""
_OF_DESK: tuple[tuple[str, str, bool], ...] = (
    ("/desk", "overview", False),
    ("/desk/reviews", "reviews", False),
    ("/desk/renewals", "renewals", True),
    ("/desk/appeals", "appeals", True),
    ("/desk/audits", "audits", False),
    ("/desk/discrepancies", "discrepancies", True),
    ("/desk/certificates", "certificates", True),
    ("/desk/figures", "figures", True),
)
"""The pages of the desk; True: those that reviewers do not have."""
_OF_RECORDS = (
    ("/desk/people", "record_people"),
    ("/desk/modules", "record_modules"),
    ("/desk/duplicates", "record_duplicates"),
    ("/desk/requests", "record_requests"),
    ("/desk/centers", "record_centers"),
    ("/desk/employers", "record_employers"),
    ("/desk/reminders", "record_reminders"),
    ("/desk/history", "record_history"),
)
"""The pages of the staff about people and their records."""
_PUBLIC = (("/verify", "verify"), ("/sign-in", "sign_in"))


def of_person(actor: Actor, language: str, csrf_token: str) -> Navigation:
    """The links of somebody who is signed in."""
    places, menu = (
        [(href, name) for href, name, roles in all_ if roles is None or actor.role in roles]
        for all_ in (_PLACES, _MENU)
    )
    shown = _links([*places, *menu], language)
    return Navigation(shown[: len(places)], shown[len(places) :], csrf_token)


def work_of(actor: Actor, language: str) -> NavigationLink | None:
    """Where somebody does their work, the first link after their own page; None for holders."""
    for href, name, roles in _PLACES:
        if roles is not None and actor.role in roles:
            return NavigationLink(href, getattr(WORDS[language], name), is_current=False)
    return None


def of_anybody(language: str) -> Navigation:
    """The links of somebody who is not signed in."""
    return Navigation(_links(_PUBLIC, language))


def of_places(places: Sequence[tuple[str, str]]) -> list[NavigationLink]:
    """The links between pages that belong together, from their addresses and words."""
    current = _nearest(href for href, _ in places)
    return [NavigationLink(href, text, href == current) for href, text in places]


def of_certification(certification_id: str, language: str) -> list[NavigationLink]:
    """The links between the pages of one certification."""
    here = f"/account/certifications/{certification_id}"
    return _links([(f"{here}{path}", name) for path, name in _OF_CERTIFICATION], language)


def of_desk(actor: Actor, language: str) -> list[NavigationLink]:
    """The links between the pages of the desk."""
    seen = [(href, name) for href, name, of_staff in _OF_DESK if actor.is_staff or not of_staff]
    return _links(seen, language)


def of_records(language: str) -> list[NavigationLink]:
    """The links between the staff's pages about people and their records."""
    return _links(_OF_RECORDS, language)


_OF_RECORD = (
    ("/account/messages", "messages"),
    ("/account/preferences", "preferences"),
    ("/account/details", "details"),
    ("/account/progress", "progress"),
    ("/account/credentials", "credentials"),
    ("/account/employment", "employment"),
    ("/account/attendance", "attendance"),
    ("/account/sharing", "sharing"),
    ("/account/data", "data"),
)
"""The pages of a holder that are about all of their record."""


def of_record(language: str) -> list[NavigationLink]:
    """The links to what a holder has beside certifications."""
    return _links(_OF_RECORD, language)


def _links(places: Sequence[tuple[str, str]], language: str) -> list[NavigationLink]:
    return of_places([(href, getattr(WORDS[language], name)) for href, name in places])


def _nearest(addresses: Iterable[str]) -> str | None:
    """The address of this page, or else of the nearest one above it."""
    above = (href for href in addresses if f"{request.path}/".startswith(f"{href}/"))
    return max(above, key=len, default=None)
