"""The frame of every page: the links at its top, for whom they are, and their words."""

from __future__ import annotations

from collections.abc import Sequence
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
    desk: str
    desk_parts: str
    reviews: str
    renewals: str
    certificates: str
    figures: str
    discrepancies: str


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


_PLACES: tuple[tuple[str, str, frozenset[Role] | None], ...] = (
    ("/account", "home", None),
    ("/desk", "desk", OF_THE_BODY),
    ("/account/sharing", "sharing", frozenset({"holder"})),
    ("/account/data", "data", frozenset({"holder"})),
    ("/account/people", "people", (OF_THE_BODY - {"reviewer"}) | {*ORGANIZATIONS}),
)
"""The address, the word, and who sees the link; None: everybody who is signed in."""
_MENU = (
    ("/account/security", "security"),
    ("/account/passkeys", "passkeys"),
    ("/account/tokens", "tokens"),
    ("/account/events", "events"),
)
"""What people seldom need, about how they sign in."""
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
    ("/desk/discrepancies", "discrepancies", True),
    ("/desk/certificates", "certificates", True),
    ("/desk/figures", "figures", True),
)
"""The pages of the desk; True: those that reviewers do not have."""
_PUBLIC = (("/verify", "verify"), ("/sign-in", "sign_in"))


def of_person(actor: Actor, language: str, csrf_token: str) -> Navigation:
    """The links of somebody who is signed in."""
    places = [(href, name) for href, name, roles in _PLACES if roles is None or actor.role in roles]
    shown = _links([*places, *_MENU], language)
    return Navigation(shown[: len(places)], shown[len(places) :], csrf_token)


def of_anybody(language: str) -> Navigation:
    """The links of somebody who is not signed in."""
    return Navigation(_links(_PUBLIC, language))


def of_certification(certification_id: str, language: str) -> list[NavigationLink]:
    """The links between the pages of one certification."""
    here = f"/account/certifications/{certification_id}"
    return _links([(f"{here}{path}", name) for path, name in _OF_CERTIFICATION], language)


def of_desk(actor: Actor, language: str) -> list[NavigationLink]:
    """The links between the pages of the desk."""
    seen = [(href, name) for href, name, of_staff in _OF_DESK if actor.is_staff or not of_staff]
    return _links(seen, language)


def _links(places: Sequence[tuple[str, str]], language: str) -> list[NavigationLink]:
    above = [href for href, _ in places if f"{request.path}/".startswith(f"{href}/")]
    nearest = max(above, key=len, default=None)
    return [
        NavigationLink(href, getattr(WORDS[language], name), href == nearest)
        for href, name in places
    ]
