"""web/overview/history.py: who changed what, by person, act and day; a broken chain is said."""

from __future__ import annotations

import pytest
from sqlalchemy import select

from tests import factories
from tests.browsers import content
from tests.history_attacks import tamper
from tests.statements import counted
from tracker.domain.permissions import SYSTEM, Actor
from tracker.models import HistoryEntry
from tracker.services.desk import corrections
from tracker.services.people import holders

HERE = "/desk/history"

pytestmark = pytest.mark.parametrize("backend", ["sqlite"], indirect=True)


def corrected(container, count=1):
    """Somebody whose name was corrected so many times by a clerk; the id."""
    with container.work(SYSTEM) as work:
        holder_id = factories.holder(work, given_name="Ana", family_name="Ruiz")
    for number in range(count):
        with container.work(Actor(role="staff", name="clerk")) as work:
            version = holders.get(work, holder_id).version
            change = {"given_name": f"Ana {number}"}
            corrections.change(work, holder_id, change, version=version, reason="Passport.")
    return holder_id


def test_the_history_is_searched_by_person_act_and_day(enter, container):
    holder_id = corrected(container)
    _, me = enter("staff")
    person = content(me.get(f"{HERE}?q=ruiz"))
    assert "History of Ana 0 Ruiz" in person
    assert "Given name: <del>Ana</del> → <ins>Ana 0</ins>" in person
    assert "clerk" in person
    assert f'<input type="hidden" name="holder_id" value="{holder_id}">' in person
    act = content(me.get(f"{HERE}?action=correct&actor=clerk"))
    assert act.count("person: corrected") == 1
    day = content(me.get(f"{HERE}?from=2026-11-22"))
    assert "Nothing found" in day
    wrong = me.get(f"{HERE}?from=tomorrow&holder_id={holder_id}")
    assert wrong.status_code == 422
    assert '<a href="#from">From: can' in wrong.text
    assert 'value="tomorrow"' in wrong.text
    assert me.get(f"{HERE}?after=x").status_code == 422
    corrected(container)
    assert "Who is meant?" in content(me.get(f"{HERE}?q=ruiz"))


def test_pages_follow_each_other_and_cost_the_same(enter, container):
    corrected(container, 60)
    _, me = enter("staff")
    costs, page = [], HERE + "?action=correct"
    seen = 0
    for _ in range(2):
        with counted(container) as sent:
            text = content(me.get(page))
        costs.append(len(sent))
        seen += text.count("person: corrected")
        page = text.rpartition('<p><a href="')[2].partition('"')[0].replace("&amp;", "&")
    assert seen == 60
    assert costs[0] == costs[1]


def test_a_whole_chain_and_a_broken_one_are_said_in_words(enter, container):
    corrected(container)
    _, me = enter("staff")
    assert "The end of the chain is whole" in content(me.get(HERE))
    assert "The whole chain was followed" in content(me.get(f"{HERE}/check"))
    spanish = content(me.get(HERE, headers={"Accept-Language": "es"}))
    assert "El final de la cadena está completo" in spanish

    with container.reading(SYSTEM) as reading:
        newest = select(HistoryEntry.id).where(HistoryEntry.action == "correct")
        id_ = reading.row(newest).id
    tamper(container, f"update history set actor = 'nobody' where id = {id_}")
    broken = content(me.get(HERE))
    assert "The history was edited" in broken
    assert f"Entry {id_} of block" in broken
    assert "tracker history verify" in content(me.get(f"{HERE}/check"))


def test_reviewers_find_no_such_page(enter):
    _, me = enter("reviewer")
    assert me.get(HERE).status_code == 404
    assert me.get(f"{HERE}/check").status_code == 404
