"""The first pages of each kind of person, each against bare Flask with one statement.

Whoever asks is signed in by the cookie of a session. The public page is that of a certificate.
"""

from __future__ import annotations

from functools import cache
from typing import Any

from sqlalchemy import select

from tests.benchmarks import workforces
from tests.benchmarks.measurements import Measured, at_least, measures
from tests.benchmarks.requests import BARE, against_one_select
from tests.benchmarks.workshop import Workshop
from tracker.domain.permissions import SYSTEM, Role
from tracker.models import Certification, Holder
from tracker.services.core import signed_links
from tracker.services.people import accounts, sessions

_GOAL = at_least(0.35)
_AS_PAGE = {"Accept": "text/html"}


@cache
def _holder(shop: Workshop) -> dict[str, str]:
    """The headers of a holder with ten activities, who is signed in."""
    id_ = shop.people[0].holder_id
    email = _address(shop, id_)
    with shop.container.work(SYSTEM) as work:
        account_id, _ = accounts.claim(work, id_, email)
        _, secret = sessions.start(work, account_id, email=email, agent="Firefox")
    return _cookie(shop, secret)


def _address(shop: Workshop, holder_id: str) -> str:
    with shop.container.reading(SYSTEM) as reading:
        return str(reading.row(select(Holder.email).where(Holder.id == holder_id)).email)


@cache
def _member(shop: Workshop, role: Role, organization_id: str | None = None) -> dict[str, str]:
    """The headers of somebody in a role who is signed in."""
    email = f"{role}@example.com"
    values: dict[str, Any] = {"organization_id": organization_id} if organization_id else {}
    with shop.container.work(SYSTEM) as work:
        account_id = accounts.open_account(work, role=role, name="Kim", email=email, **values)
        _, secret = sessions.start(work, account_id, email=email, agent="Firefox")
    return _cookie(shop, secret)


def _cookie(shop: Workshop, secret: str) -> dict[str, str]:
    sealed = signed_links.proof(shop.container.message_key, "session", secret)
    return _AS_PAGE | {"Cookie": f"session={sealed}"}


def _page(shop: Workshop, path: str, headers: dict[str, str]) -> Measured:
    return against_one_select(shop, [path], headers)


def _own(shop: Workshop, path: str) -> Measured:
    """A page of the holder about their certification."""
    here = f"/account/certifications/{shop.people[0].certification_id}"
    return _page(shop, f"{here}{path}", _holder(shop))


@measures("page-home", _GOAL, against=BARE)
def home(shop: Workshop) -> Measured:
    """GET /account: a holder's first page, 10 activities."""
    return _page(shop, "/account", _holder(shop))


@measures("page-points", _GOAL, against=BARE)
def points(shop: Workshop) -> Measured:
    """GET a holder's points, 10 activities explained."""
    return _own(shop, "/points")


@measures("page-activities", _GOAL, against=BARE)
def activities(shop: Workshop) -> Measured:
    """GET a holder's list of 10 activities."""
    return _own(shop, "/activities")


@measures("page-renewal", _GOAL, against=BARE)
def renewal(shop: Workshop) -> Measured:
    """GET a holder's page to renew."""
    return _own(shop, "/renewal")


@measures("page-employer", _GOAL, against=BARE)
def employer(shop: Workshop) -> Measured:
    """GET /employer: 50 of its workers."""
    employer_id = workforces.company_of(shop).employer_id
    return _page(shop, "/employer", _member(shop, "employer", employer_id))


@measures("page-desk", _GOAL, against=BARE)
def desk(shop: Workshop) -> Measured:
    """GET /desk: the first page of staff."""
    assert shop.people
    return _page(shop, "/desk", _member(shop, "staff"))


@measures("page-reviews", _GOAL, against=BARE)
def reviews(shop: Workshop) -> Measured:
    """GET /desk/reviews: the queue."""
    assert shop.people
    return _page(shop, "/desk/reviews", _member(shop, "staff"))


@measures("page-person", _GOAL, against=BARE)
def person(shop: Workshop) -> Measured:
    """GET /desk/people/{id}: all of a person's record."""
    return _page(shop, f"/desk/people/{shop.people[0].holder_id}", _member(shop, "staff"))


@measures("page-verify", _GOAL, against=BARE)
def verify(shop: Workshop) -> Measured:
    """GET /verify/{id} as a page."""
    held = Certification.id == shop.people[0].certification_id
    with shop.container.reading(SYSTEM) as reading:
        public_id = reading.row(select(Certification.public_id).where(held)).public_id
    return _page(shop, f"/verify/{public_id}", _AS_PAGE)


@measures("page-start", _GOAL, against=BARE)
def start(shop: Workshop) -> Measured:
    """GET /: the start page."""
    return _page(shop, "/", _AS_PAGE)
