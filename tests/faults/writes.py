"""A request for every kind of write: those of the table of access, and those of people's pages.

The requests are ready to be sent: whom they need and what they change is on record before.
"""

from __future__ import annotations

import io
from collections.abc import Callable, Iterator
from dataclasses import dataclass, replace
from datetime import date
from decimal import Decimal
from typing import Any

from flask import Flask

from tests import factories
from tests.api.access import access_cases
from tests.api.access import test_access_table as table
from tests.api.conftest import Caller
from tests.api.credentials.test_adjustments import batch, body
from tests.api.credentials.test_renewals import earn
from tests.api.employers import employer_cases
from tests.browsers import Browser
from tests.conftest import office_of
from tests.members import PASSWORD, member, set_up_code
from tests.services.credentials.test_adjustments import HALF, RULE, under
from tests.services.delivery import reminder_cases as cases
from tests.services.imports.importing import HOLDERS, bring
from tests.web.people.test_password_pages import ask_for_reset, reset_link
from tracker.domain.permissions import SYSTEM
from tracker.services.core.context import Container
from tracker.services.credentials import timelines
from tracker.services.people import invitations
from tracker.services.people.invitations import PersonToInvite

KEY = "the-same-request"
NEW = "another horse entirely"
ASKED_OF = ("holder", "employer", "staff", "admin")  # in this order: who may, does
# Of the table: a question, and what is as it would be already.
CHANGE_NOTHING = frozenset(
    {
        "POST /certifications/{certification_id}/evaluation",
        "POST /messages/{message_id}/requeue",
        "DELETE /queue/renewals/{renewal_id}/review",
        "DELETE /queue/{activity_id}/review",
        "POST /sign-out",
        "POST /unsubscribe/{topic}/{proof}/undo",
    }
)
FILES = {
    "holders": "holder_ref,given_name,family_name,email\nN-1,Eva,Soto,eva@example.org\n",
    "assessments": "attempt_ref,holder_ref,scheme,module,taken_on,result\n"
    "a-1,B,cpt,safety,2026-03-04,pass\n",
    "certifications": "holder_ref,scheme,certificate_number,awarded_on,expires_on,edition,source\n"
    "B,cpt,OLD-0018,2022-03-15,2027-03-15,CPT 3.0,Registry\n",
    "roster": "employer,employee_id,email,site\nAcme,77,w77@example.org,Greer\n",
}


@dataclass
class Write:
    """A request that changes something; who sends it may have cookies."""

    name: str
    send: Callable[[Flask], Any]


def ruled(app: Flask) -> None:
    """Let certifications be extended and requirements be reduced, as a scheme may allow."""
    rule = replace(RULE, share_earned=None)
    app.extensions["tracker"] = under(office_of(app), extension=rule, reduction=HALF)


def of_everybody(app: Flask) -> list[Write]:
    """Put on record whoever is needed; the writes, each as if it were the only one."""
    container = office_of(app)
    bring(container, "holders", HOLDERS)
    return [*_of_table(app, container), *_of_interface(container), *_of_pages(app, container)]


def _asked(secret: str, method: str, path: str, **options: Any) -> Callable[[Flask], Any]:
    def send(app: Flask) -> Any:
        return Caller(app.test_client(), secret).call(method, path, key=KEY, **options)

    return send


# The table of access: whatever somebody may change with the ids of their own.
def _of_table(app: Flask, container: Container) -> Iterator[Write]:
    ids = access_cases.person(container, employer_cases.company(container, "Acme"))
    with container.work(SYSTEM) as work:  # its acts are rows that no service has followed yet
        timelines.lay_out_again(work, work.schemes["cpt"], [ids["certification_id"]])
    secrets = {
        "holder": factories.secret(container, "holder", holder_id=ids["holder_id"]),
        "employer": factories.secret(container, "employer", employer_id=ids["employer_id"]),
        "staff": factories.secret(container, "staff"),
        "admin": factories.secret(container, "admin"),
    }
    own = Caller(app.test_client(), secrets["holder"])
    ids |= {"batch_id": access_cases.batch(container), "code": "cpt", "topic": "reminders"}
    ids["token_id"] = own.post("/tokens", {}).json["id"]
    centers = Caller(app.test_client(), secrets["staff"])
    made = centers.post("/centers", {"name": "Ada", "category": "community_college"})
    ids["center_id"] = made.json["id"]
    for line in table.TABLE.read_text().splitlines():
        method, path, *page, kind, statuses = *line[:66].split(), line[66:76].strip(), line[76:]
        if method in {"#", "GET"} or kind not in {"own", "-"}:
            continue
        if f"{method} {path}" in CHANGE_NOTHING:
            continue
        by_role = dict(zip(table.COLUMNS, statuses.split(), strict=True))
        may = [role for role in ASKED_OF if by_role[role][0] == "2"]
        if may:
            given = table.ids_of(kind, method, path, (ids, ids)) if kind == "own" else {}
            yield Write(f"{method} {path}", _of_line(secrets[may[0]], method, path, given, page))


def _of_line(
    secret: str, method: str, path: str, ids: dict[str, str], page: list[str]
) -> Callable[[Flask], Any]:
    def send(app: Flask) -> Any:
        who = Keyed(app.test_client(), secret)
        return table.ask(who, method, path, ids, is_api=not page)

    return send


class Keyed(Caller):
    """Somebody who sends every request with the same key."""

    def call(self, method: str, path: str, **options: Any) -> Any:
        """Send a request."""
        return super().call(method, path, key=KEY, **options)


# What the table's ids are in no state for.
def _of_interface(container: Container) -> Iterator[Write]:
    holder_id, certification_id = factories.certified(container, date(2021, 12, 25))
    earn(container, (holder_id, certification_id), Decimal(100))
    globex = employer_cases.company(container, "Globex").id
    holder = factories.secret(container, "holder", holder_id=holder_id)
    staff, admin = factories.secret(container, "staff"), factories.secret(container, "admin")
    of = f"/certifications/{certification_id}"
    yield Write("apply for renewal", _asked(holder, "POST", f"{of}/renewals"))
    yield Write("extend", _asked(staff, "POST", f"{of}/adjustments", json=body()))
    yield Write(
        "extend many", _asked(admin, "POST", "/adjustments/batches", json=batch(ref="flood"))
    )
    for path in ("/me/sharing", "/me/bars"):
        yield Write(f"POST {path}", _asked(holder, "POST", path, json={"employer_id": globex}))
    lost = {"holder_id": holder_id, "email": "new@example.org", "reason": "Lost the mailbox."}
    yield Write("propose a recovery", _asked(staff, "POST", "/recoveries", json=lost))
    yield from _of_revoked(container)
    yield from _of_passes(container, staff)
    yield from _of_imports(staff)


def _of_revoked(container: Container) -> Iterator[Write]:
    holder_id, certification_id = factories.certified(container, date(2024, 3, 1))
    cases.change(container, certification_id, "revoke", date(2026, 11, 20))
    holder = factories.secret(container, "holder", holder_id=holder_id)
    path = f"/certifications/{certification_id}/appeals"
    yield Write("appeal", _asked(holder, "POST", path, json={"statement": "It was not me."}))


def _of_passes(container: Container, staff: str) -> Iterator[Write]:
    with container.work(SYSTEM) as work:
        holder_id = factories.holder(work)
        factories.passed(work, holder_id, date(2026, 3, 1), modules=factories.REQUIRED[1:])
    attempt = {"scheme": "cpt", "module": "safety", "taken_on": "2026-11-02", "result": "pass"}
    path = f"/holders/{holder_id}/assessments"
    yield Write("a pass that awards", _asked(staff, "POST", path, json=attempt))


def _of_imports(staff: str) -> Iterator[Write]:
    def sent(kind: str) -> Callable[[Flask], Any]:
        def send(app: Flask) -> Any:
            form = {"kind": kind, "file": (io.BytesIO(FILES[kind].encode()), f"{kind}.csv")}
            return Caller(app.test_client(), staff).call("POST", "/imports", data=form, key=KEY)

        return send

    for kind in FILES:
        yield Write(f"import {kind}", sent(kind))


# Pages: who signs in, with which secrets, and what they do to their accounts.
@dataclass
class Visit:
    """A request of a browser with what it keeps; ``browser`` began at another application."""

    browser: Browser
    path: str
    form: dict[str, str]

    def __call__(self, app: Flask) -> Any:
        """Send it to an application."""
        self.browser.app = self.browser.client.application = app
        return self.browser.post(self.path, self.form)


def _of_pages(app: Flask, container: Container) -> Iterator[Write]:
    yield from _of_holders_pages(app, container)
    yield from _of_members_pages(app, container)
    with container.work(SYSTEM) as work:
        wanted = PersonToInvite("staff", "Max Moreno", "max@example.org")
        row = invitations.invite(work, wanted)
        link = invitations.link(work, work.message_key, row.id, row.sendings)
    path = link.removeprefix(container.settings.app.base_url)
    yield Write("accept an invitation", Visit(Browser(app), path, {"new_password": NEW}))


def _of_holders_pages(app: Flask, container: Container) -> Iterator[Write]:
    emails = [f"w{n}@example.org" for n in range(3)]
    for email in emails:
        factories.certified(container, date(2024, 3, 1), email=email)
    coming, linked, here = (Browser(app, address=f"10.0.1.{n}") for n in range(3))
    coming.ask(emails[0])
    yield Write("sign in by code", Visit(coming, "/sign-in/code", {"code": coming.mailed()}))
    linked.ask(emails[1])
    yield Write("sign in by link", Visit(Browser(app, "10.0.1.9"), linked.link(), {}))
    here.sign_in(emails[2])
    yield Write("sign out", Visit(here, "/sign-out", {"csrf_token": here.csrf()}))
    asks = Visit(Browser(app, address="10.0.1.8"), "/sign-in", {"identifier": emails[0]})
    yield Write("ask for a code", asks)


def _of_members_pages(app: Flask, container: Container) -> Iterator[Write]:
    sam, lee, eve = (member(container, email=f"{name}@x.org") for name in ("sam", "lee", "eve"))
    kim = member(container, "admin")
    for who in (sam, kim, lee):
        who.set_up()
    entering, waiting, first, here = (Browser(app, address=f"10.0.2.{n}") for n in range(4))
    password = {"email": sam.email, "password": PASSWORD}
    yield Write("enter a password", Visit(entering, "/sign-in/password", password))
    lee.enter_password(waiting)
    yield Write("enter a second factor", Visit(waiting, "/sign-in/factor", {"code": lee.code()}))
    kim.sign_in(here)
    token = {"csrf_token": here.csrf()}
    changed = token | {"new_password": NEW}
    yield Write("change a password", Visit(here, "/account/password", changed))
    yield Write("new recovery codes", Visit(here, "/account/recovery-codes", token))
    invited = token | {"name": "Max", "email": "max2@x.org", "role": "staff"}
    yield Write("invite", Visit(here, "/account/people/invitations", invited))
    gone = token | {"reason": "Left"}
    yield Write("deactivate", Visit(here, f"/account/people/{sam.id}/deactivate", gone))
    yield from _of_resets(app, container, lee.email)
    eve.enter_password(first)
    code = {"code": set_up_code(container)}
    yield Write("set up a second factor", Visit(first, "/sign-in/factor", code))


def _of_resets(app: Flask, container: Container, email: str) -> Iterator[Write]:
    browser = Browser(app, address="10.0.2.9")
    ask_for_reset(browser, container, email)
    path = reset_link(container).removeprefix(container.settings.app.base_url)
    yield Write("reset a password", Visit(browser, path, {"new_password": NEW}))
