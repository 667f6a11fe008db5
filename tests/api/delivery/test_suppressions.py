"""Addresses that are not written to: the holder's banner, the staff's list, lifting one."""

from __future__ import annotations

from datetime import date, timedelta

import pytest
from sqlalchemy import insert, select

from tests import factories
from tests.statements import counted
from tracker import row_security
from tracker.api.access.me import MeSchema
from tracker.api.delivery.suppressions import SuppressionSchema
from tracker.api.http.schemas import page_of
from tracker.domain.permissions import SYSTEM
from tracker.models import Bounce, HistoryEntry, HistoryValue
from tracker.services.outbox import suppressions
from tracker.services.people import preferences

FIRST, SECOND = "Ana@example.org", "ana@second.example"


@pytest.fixture
def ids(container):
    return factories.certified(container, date(2021, 12, 25), email=FIRST, second_email=SECOND)


@pytest.fixture
def ana(caller, ids):
    return caller("holder", holder_id=ids[0])


@pytest.fixture
def suppress(container):
    def run(address, days=None):
        with container.work(SYSTEM) as work:
            until = None if days is None else work.now + timedelta(days=days)
            reason = "hard_bounce" if days is None else "soft_bounces"
            suppressions.suppress(work, [address], reason, until=until)

    return run


@pytest.fixture
def complained(container, ids):
    with container.work(SYSTEM) as work:
        work.connection.execute(
            insert(Bounce),
            {
                "digest": "d",
                "message_id": ids[1],
                "address": FIRST.lower(),
                "kind": "complaint",
                "status": "",
                "diagnostic": "abuse",
                "at": work.now,
            },
        )
        preferences.put(work, "reminders", [ids[0]], {"wanted": False}, by="complaint")


def mail(who):
    answer = who.get("/me")
    assert answer.status_code == 200
    MeSchema().load(answer.json)
    return answer.json["mail"]


def test_a_holder_sees_that_letters_arrive(ana):
    assert mail(ana) == {"deliverable": True, "problem": "none", "address": None, "since": None}


def test_a_holder_sees_which_address_letters_come_back_from(ana, suppress):
    since = "2026-11-21T17:00:00Z"
    suppress(SECOND)
    assert mail(ana) == {
        "deliverable": True,
        "problem": "bounced",
        "address": SECOND,
        "since": since,
    }
    suppress(FIRST, days=30)
    assert mail(ana) == {
        "deliverable": False,
        "problem": "bounced",
        "address": FIRST,
        "since": since,
    }


def test_a_rest_that_is_over_is_no_problem(ana, suppress, clock):
    suppress(FIRST, days=30)
    assert mail(ana)["problem"] == "bounced"
    clock.advance(days=31)
    assert mail(ana)["problem"] == "none"


@pytest.mark.usefixtures("complained")
def test_a_holder_sees_that_a_complaint_ended_letters_until_they_want_them_again(ana):
    assert mail(ana) == {
        "deliverable": True,
        "problem": "complained",
        "address": FIRST,
        "since": "2026-11-21T17:00:00Z",
    }
    ana.patch("/me/preferences", {"reminders": {"wanted": True}})
    assert mail(ana)["problem"] == "none"


def test_who_is_no_holder_has_no_banner(staff):
    assert mail(staff) is None


@pytest.mark.parametrize("address", ["ana@münchen.example", "josé@example.org"])
def test_an_address_that_the_database_compares_otherwise_is_found_too(
    container, caller, suppress, address
):
    id_, _ = factories.certified(container, date(2021, 12, 25), email=address)
    suppress(address)

    assert mail(caller("holder", holder_id=id_))["problem"] == "bounced"


def test_who_am_i_costs_two_statements_whatever_is_amiss(container, ana, suppress):
    """The caller, and the rest; policies of the tables keep a holder from seeing suppressions."""
    mail(ana)
    with counted(container) as well:
        mail(ana)
    suppress(FIRST)
    suppress(SECOND)
    with counted(container) as amiss:
        assert mail(ana)["deliverable"] is False

    with container.reading(SYSTEM) as reading:
        separate = 2 if row_security.is_restricted(reading.connection) else 0
    assert len(well) == len(amiss) == 2 + separate


def test_staff_see_the_addresses_that_are_not_written_to_in_pages(staff, suppress):
    for address in ("c@x.example", "A@x.example", "b@x.example"):
        suppress(address)
    suppress("over@x.example", days=-1)
    first = staff.get("/suppressions?limit=2")
    page_of(SuppressionSchema)().load(first.json)
    rest = staff.get(f"/suppressions?limit=2&after={first.json['next']}").json
    found = [one["address"] for one in (*first.json["items"], *rest["items"])]
    assert found == ["a@x.example", "b@x.example", "c@x.example"]
    assert rest["next"] is None
    (one,) = staff.get("/suppressions?address=B@x.example").json["items"]
    assert (one["reason"], one["until_at"]) == ("hard_bounce", None)


def test_a_suppression_is_found_and_lifted_by_an_address_copied_from_a_link(staff, suppress):
    suppress("a@x.example")
    suppress("b@x.example")
    found = staff.get("/suppressions", query_string={"address": "mailto:A@x.example"}).json
    assert [one["address"] for one in found["items"]] == ["a@x.example"]
    body = {"address": "mailto:a@x.example", "reason": "The mailbox is there again."}
    assert staff.post("/suppressions/lift", body).status_code == 204
    assert [one["address"] for one in staff.get("/suppressions").json["items"]] == ["b@x.example"]


def test_staff_lift_a_suppression_and_say_why(container, staff, ana, suppress):
    suppress(FIRST)
    body = {"address": FIRST, "reason": "The mailbox is there again."}
    assert staff.post("/suppressions/lift", body).status_code == 204
    assert mail(ana)["problem"] == "none"
    assert staff.post("/suppressions/lift", body).status_code == 404
    assert staff.post("/suppressions/lift", {"address": FIRST}).status_code == 422
    with container.reading(SYSTEM) as reading:
        statement = select(HistoryEntry.id, HistoryEntry.subject_id, HistoryEntry.detail)
        (line,) = reading.rows(statement.where(HistoryEntry.action == "lift"))
        (value,) = reading.rows(select(HistoryValue).where(HistoryValue.history_id == line.id))
    assert FIRST.lower() not in f"{line.subject_id}{line.detail}", "the address can be erased"
    assert (value.field, value.before, value.after) == ("address", FIRST.lower(), None)
    assert line.detail["reason"] == "The mailbox is there again."


def test_holders_cannot_lift_it_themselves(ana, anonymous):
    body = {"address": FIRST, "reason": "x"}
    for path, method in (("/suppressions", "GET"), ("/suppressions/lift", "POST")):
        assert ana.call(method, path, json=body).status_code == 403
        assert anonymous.call(method, path, json=body).status_code == 401
