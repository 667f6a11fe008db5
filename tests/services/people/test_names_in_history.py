"""The history keeps names where they can be erased (services/core/history.py), of members too."""

from __future__ import annotations

from sqlalchemy import select

from tests.members import member
from tracker.domain.permissions import SYSTEM
from tracker.models import HistoryEntry, HistoryValue, SignIn
from tracker.services.people import invitations, password_changes, password_sign_in, sign_in
from tracker.services.people.invitations import PersonToInvite


def proof_of(container, link, *facts):
    with container.reading(SYSTEM) as reading:
        return link(reading, container.message_key, *facts).rpartition("/")[2]


def test_no_entry_names_who_accepts_signs_in_or_resets(container):
    kim = member(container, "admin", name="Kim Quux")
    kim.set_up()
    with container.work(SYSTEM) as work:
        sign_in.begin_reset(work, kim.email)
        secret = password_sign_in.begin_factor(work, kim.id, kim.email)
        lou = invitations.invite(work, PersonToInvite("staff", "Lou Quux", "lou@example.org"))
    with container.work(SYSTEM) as work:
        assert password_sign_in.enter(work, secret, kim.code(), agent="")
        sign_in.look_up(work)
    with container.reading(SYSTEM) as reading:
        waits = reading.row(select(SignIn.id).where(SignIn.purpose == "reset"))
    proof = proof_of(container, invitations.link, lou.id, 1)
    reset = proof_of(container, password_changes.link, waits.id)
    with container.work(SYSTEM) as work:
        assert invitations.accept(work, proof, "x")
        assert password_changes.reset(work, reset, "y")

    with container.reading(SYSTEM) as reading:
        entries = reading.rows(select(HistoryEntry.__table__))
        names = {row.after for row in reading.rows(select(HistoryValue.after))}
    assert {entry.action for entry in entries} >= {"accept", "open", "sign_in", "reset_password"}
    assert "Quux" not in str(entries)
    assert names >= {"Kim Quux", "Lou Quux"}
