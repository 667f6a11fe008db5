"""web/desk/duplicates.py: two records compared, merged by two people, and taken apart again."""

from __future__ import annotations

import re
from datetime import date

import pytest
from sqlalchemy import select

from tests import factories
from tests.browsers import content
from tests.rows import count
from tests.statements import counted
from tracker.domain.permissions import SYSTEM
from tracker.models import ActApproval, Holder, LikelyDuplicate, RecordMerge
from tracker.services.people import duplicates

HERE = "/desk/duplicates"

pytestmark = pytest.mark.parametrize("backend", ["sqlite"], indirect=True)


def two(container, email="ana@example.org"):
    """Two records with one address, the first one certified; their ids."""
    kept, _ = factories.certified(
        container, date(2021, 12, 25), given_name="Ana", family_name="Ruiz", email=email
    )
    with container.work(SYSTEM) as work:
        other = factories.holder(work, given_name="Anna", family_name="Ruiz", email=email)
        factories.passed(work, other, date(2026, 10, 5), modules=("safety",))
        duplicates.look_for(work, [other])
    return kept, other


def pair(container):
    with container.reading(SYSTEM) as reading:
        return reading.row(select(LikelyDuplicate.id, LikelyDuplicate.settled_at))


def test_two_records_become_one_by_two_people_and_the_merge_is_undone(enter, container):
    kept, other = two(container)
    _, sam = enter("staff", email="sam@example.org")
    listed = content(sam.get(HERE))
    assert "Same email address" in listed
    (here,) = re.findall(r'role="button" href="(/desk/people/[^"]+)"', listed)
    shown = content(sam.get(f"/desk/people/{kept}/merge/{other}"))
    assert here in {f"/desk/people/{kept}/merge/{other}", f"/desk/people/{other}/merge/{kept}"}
    assert f'href="/desk/people/{other}/merge/{kept}"' in shown
    assert shown.index("Ana Ruiz</a>") < shown.index("Anna Ruiz</a>")

    here = f"/desk/people/{kept}/merge/{other}"
    assert sam.send_form(f"{here}/preview").status_code == 422
    previewed = content(sam.send_form(f"{here}/preview", reason="One passport."))
    assert "Nothing has been stored yet." in previewed
    assert "<dt>Moved: assessment</dt><dd>1</dd>" in previewed
    assert count(container, ActApproval) == 0
    assert sam.send_form(here, reason="One passport.").location == here
    assert "waits for a second person" in content(sam.get(here))

    _, pat = enter("staff", email="pat@example.org")
    approve = re.findall(r'action="([^"]+/approve)"', pat.get("/account/approvals").text)[0]
    pat.send_form(approve)
    assert count(container, RecordMerge) == 1
    gone = content(pat.get(f"/desk/people/{other}"))
    assert f'<a href="/desk/people/{kept}">This record was merged' in gone
    (merge,) = re.findall(r'href="(/desk/merges/[^"]+)"', pat.get(f"/desk/people/{kept}").text)
    assert "One passport." in content(pat.get(merge))
    pat.send_form(f"{merge}/undo", reason="Two sisters.")
    undone = content(pat.get(merge))
    assert "Two sisters." in undone
    assert "Undo the merge</button>" not in undone
    with container.reading(SYSTEM) as reading:
        assert reading.row(select(Holder.merged_into_id).where(Holder.id == other))[0] is None


def test_two_people_are_settled_as_such_with_a_reason_and_listed_again(enter, container):
    kept, other = two(container)
    _, me = enter("staff")
    id_ = pair(container).id
    assert me.send_form(f"{HERE}/{id_}/settle").status_code == 422
    me.send_form(f"{HERE}/{id_}/settle", reason="Twins.")
    assert "No pair waits." in content(me.get(HERE))
    assert "Settle as two people" not in content(me.get(f"/desk/people/{kept}/merge/{other}"))
    assert "Twins." in content(me.get(f"{HERE}?settled=yes"))
    me.send_form(f"{HERE}/{id_}/reopen", reason="A typing error.")
    assert pair(container).settled_at is None


def test_the_other_record_is_found_from_a_person_and_not_the_person_itself(enter, container):
    kept, other = two(container)
    _, me = enter("staff")
    found = content(me.get(f"/desk/people/{kept}/merge?q=ruiz"))
    assert f"/merge/{other}" in found
    assert f"/merge/{kept}" not in found
    assert me.get(f"/desk/people/{kept}/merge?q=nobody").status_code == 422
    assert me.get(f"/desk/people/{kept}/merge/{kept}").status_code == 404
    spanish = me.get(f"/desk/people/{kept}/merge/{other}", headers={"Accept-Language": "es"})
    assert "¿Son una sola persona?" in spanish.text
    form = {"headers": {"Accept-Language": "es"}, "data": {"csrf_token": me.csrf()}}
    refused = me.post(f"/desk/people/{kept}/merge/{other}/preview", **form)
    assert "Motivo: revise este dato (falta este dato)" in content(refused)


def test_more_pairs_cost_no_more_statements(enter, container):
    two(container)
    _, me = enter("staff")
    costs = []
    for _ in range(2):
        with counted(container) as sent:
            me.get(HERE)
        costs.append(len(sent))
        two(container, "bo@example.org")
        two(container, "cy@example.org")
    assert costs[0] == costs[1]
