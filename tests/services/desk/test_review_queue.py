"""The review queue: its order, its pages, its filters and flags, and what they cost."""

from __future__ import annotations

import random
import re
from dataclasses import replace
from datetime import date, timedelta
from decimal import Decimal
from itertools import product
from typing import Any

import pytest
from sqlalchemy import update

from tests import factories
from tests.backends import SQLITE
from tests.benchmarks import people
from tests.services.desk.queue_cases import CLOSED, DONE, OPEN, TODAY, Desk
from tests.statements import counted
from tracker.domain.errors import NotFound, UnknownScheme
from tracker.domain.permissions import SYSTEM
from tracker.models import Activity, Certification, Holder, RosterEntry
from tracker.services.desk import queue_order, review_queue, reviews
from tracker.services.desk.queue_order import FLAGS, QueueFilter
from tracker.services.employers import employers


@pytest.fixture
def desk(container):
    return Desk(container)


def look(desk, limit=200, after=None, **asked):
    with desk.container.reading(SYSTEM) as reading:
        return review_queue.page(reading, QueueFilter(**asked), after=after, limit=limit)


def named(desk, **asked):
    """The names of the activities in the order of the queue."""
    return [desk.names[item.activity.id] for item in look(desk, **asked).items]


def through(desk, limit, between=lambda _: None, **asked):
    """The items of all pages."""
    items, after = [], None
    while True:
        page = look(desk, limit, after, **asked)
        assert len(page.items) <= limit
        items += page.items
        if page.next is None:
            return items
        after = page.next
        between(items)


def by_id(desk, **asked):
    return {desk.names[item.activity.id]: item for item in look(desk, **asked).items}


def test_an_empty_queue_is_an_empty_page(desk):
    page = look(desk)

    assert (page.items, page.next) == ([], None)


def test_what_would_complete_a_renewal_comes_first_the_soonest_expiry_first(desk):
    desk.person("later", date(2022, 1, 20))
    desk.person("sooner", date(2021, 12, 1))
    desk.person("closed", CLOSED)
    desk.waits("old", "closed", submitted_on=date(2024, 5, 1))
    desk.waits("later", "later", submitted_on=date(2026, 1, 1))
    desk.waits("sooner", "sooner", submitted_on=date(2026, 11, 20))

    assert named(desk) == ["sooner", "later", "old"]
    assert [item.urgent for item in look(desk).items] == [True, True, False]


def test_everything_of_the_holder_that_waits_counts_together(desk):
    desk.person("ana")
    desk.person("bob")
    desk.waits("bob 40", "bob", "40", submitted_on=date(2026, 1, 1))
    desk.waits("ana 40", "ana", "40", submitted_on=date(2026, 11, 2))
    desk.waits("ana 60", "ana", "60", submitted_on=date(2026, 11, 1))

    assert named(desk) == ["ana 60", "ana 40", "bob 40"]


def test_approved_points_and_what_waits_are_added_up(desk):
    desk.person("ana")
    desk.approved("ana", "70")
    desk.waits("30", "ana", "30")
    [item] = look(desk).items

    assert (item.urgent, item.points.now, item.points.if_approved) == (True, 70, 100)


URGENT = {
    "too few": False,
    "complete already": False,
    "window closed": False,
    "expired": False,
    "applied and expired": True,
    "applied": True,
    "suspended": False,
    "reinstated": True,
    "revoked": False,
    "deceased": False,
    "withdrawn": False,
    "no points": False,
    "open": True,
    "last day": True,
    "first day": True,
    "day before it opens": False,
}
AWARDED = {
    "window closed": CLOSED,
    "expired": date(2021, 11, 20),
    "applied and expired": date(2021, 11, 20),
    "last day": date(2021, 11, 21),
    "first day": date(2022, 2, 19),
    "day before it opens": date(2022, 2, 20),
}
CHANGES = {"suspended": ["suspend"], "reinstated": ["suspend", "reinstate"], "revoked": ["revoke"]}


def waiting(desk, case):
    """Somebody of this case with an activity that waits; its id."""
    desk.person(case, AWARDED.get(case, OPEN))
    holder_id, certification_id = desk.people[case]
    if case == "complete already":
        desk.approved(case, "100")
    kind = {"category": "X", "type": "volunteer"} if case == "no points" else {}
    id_ = desk.waits(case, case, "99.99" if case == "too few" else "100", **kind)
    if case.startswith("applied"):
        desk.applied(case)
    for change in CHANGES.get(case, []):
        desk.changed(case, change)
    with desk.container.work(SYSTEM) as work:
        if case == "deceased":
            work.session.get_one(Holder, holder_id).deceased_on = TODAY
        if case == "withdrawn":
            work.session.get_one(Certification, certification_id).withdrawn_at = work.now
    return id_


def test_who_comes_first_and_who_does_not(desk):
    ids = {case: waiting(desk, case) for case in URGENT}
    with desk.container.reading(SYSTEM) as reading:
        opened = {case: reviews.of_activity(reading, id_) for case, id_ in ids.items()}

    assert {name: item.urgent for name, item in by_id(desk).items() if name in ids} == URGENT
    assert {case: one.waiting.urgent for case, one in opened.items()} == URGENT


def test_of_one_expiry_and_of_one_day_the_older_comes_first(desk):
    desk.person("ana")
    desk.person("bob")
    desk.person("closed", CLOSED)
    same = {"submitted_on": date(2026, 11, 1)}
    for n in range(3):
        desk.waits(f"bob {n}", "bob", **same)
        desk.waits(f"ana {n}", "ana", **same)
        desk.waits(f"closed {n}", "closed", **same)
    desk.waits("ana oldest", "ana", submitted_on=date(2026, 10, 1))

    assert named(desk) == [
        "ana oldest",
        "bob 0",
        "ana 0",
        "bob 1",
        "ana 1",
        "bob 2",
        "ana 2",
        "closed 0",
        "closed 1",
        "closed 2",
    ]


def crowd(desk, people=12, seed=1):
    """People of every kind, with many ties."""
    chance = random.Random(seed)
    awards = [OPEN, OPEN, date(2021, 12, 1), CLOSED, date(2021, 11, 1)]
    for n in range(people):
        desk.person(f"p{n}", chance.choice(awards))
        if chance.random() < 0.3:
            desk.approved(f"p{n}", "60")
        for k in range(chance.randint(0, 4)):
            day = date(2026, 11, 1) + timedelta(chance.randint(0, 2))
            desk.waits(f"{n}/{k}", f"p{n}", chance.choice(["20", "50", "100"]), submitted_on=day)


def test_paging_through_gives_every_row_once_in_the_order_of_one_page(desk):
    crowd(desk)
    whole = [item.activity.id for item in look(desk).items]

    for limit in (1, 2, 3, 7):
        assert [item.activity.id for item in through(desk, limit)] == whole, limit
    assert sorted(whole) == sorted(id_ for id_, name in desk.names.items() if "/" in name)


@SQLITE
def test_the_bounds_change_what_is_urgent_but_lose_nothing(desk, monkeypatch):
    crowd(desk, seed=2)
    whole = look(desk).items
    for candidates, batch in [(2_000, 1), (3, 1), (1, 250), (3, 2)]:
        monkeypatch.setattr(queue_order, "CANDIDATES", candidates)
        monkeypatch.setattr(queue_order, "BATCH", batch)
        some = through(desk, 3)

        assert sorted(i.activity.id for i in some) == sorted(i.activity.id for i in whole)
        assert sum(i.urgent for i in some) <= sum(i.urgent for i in whole)
        if candidates == 2_000:
            assert [i.activity.id for i in some] == [i.activity.id for i in whole]
        urgent = [i for i in some if i.urgent]
        assert some[: len(urgent)] == urgent, (candidates, batch)


def test_what_is_decided_between_pages_is_not_shown_and_nothing_else_is_lost(desk):
    for n in range(4):
        desk.person(f"p{n}", CLOSED)
        desk.waits(f"{n}/a", f"p{n}", "10")
        desk.waits(f"{n}/b", f"p{n}", "10")
    order = [item.activity.id for item in look(desk).items]

    def decide(items):
        if len(items) == 2:
            desk.decide(order[1])  # shown already
            desk.decide(order[2], "rejected")  # on the next page
            desk.decide(order[6])

    shown = [item.activity.id for item in through(desk, 2, decide)]

    assert shown == [id_ for id_ in order if id_ not in {order[2], order[6]}]


def test_the_row_after_which_a_page_begins_may_be_decided(desk):
    desk.person("ana")
    ids = [desk.waits(f"{n}", "ana", "30", submitted_on=date(2026, 11, n)) for n in (1, 2, 3, 4)]
    first = look(desk, 2)
    desk.decide(ids[1])
    rest = look(desk, 2, first.next)

    assert [i.activity.id for i in first.items + rest.items] == ids


@SQLITE
def test_a_row_says_all_that_a_reviewer_needs(desk):
    desk.person("ana", given_name="Ana", family_name="Soto", ref="H1")
    desk.approved("ana", "55")
    id_ = desk.waits("it", "ana", "30", title="Lean", submitted_on=date(2026, 11, 11))
    desk.waits("other", "ana", "20")
    desk.file(id_, "a")
    item = by_id(desk)["it"]
    row, points = item.activity, item.points

    assert (row.holder_ref, row.given_name, row.certification_id) == (
        "H1",
        "Ana",
        desk.people["ana"][1],
    )
    assert row.certificate_number.startswith("CPT-")
    assert (item.standing.status, item.standing.expires_on) == ("renewal_open", date(2026, 12, 25))
    assert (item.days_left, item.days_waiting, item.evidence) == (34, 10, 1)
    assert (points.now, points.if_approved, points.if_all_approved, points.required) == (
        55,
        85,
        105,
        100,
    )
    assert (points.complete_now, points.complete_if_approved, points.complete_if_all_approved) == (
        False,
        False,
        True,
    )
    assert (item.claimed, item.counts, item.urgent) == (30, 30, True)


@SQLITE
def test_what_a_cap_leaves_is_told_beside_what_was_claimed(desk):
    desk.person("ana")
    desk.approved("ana", "15", category="X", type="volunteer")
    desk.waits("it", "ana", "12", category="X", type="volunteer")
    [item] = look(desk).items

    assert (item.claimed, item.counts) == (12, 5)


def test_holders_without_an_award_in_force_and_the_dead_stay_in_the_queue(desk):
    for name in ("dead", "withdrawn", "revoked"):
        desk.person(name)
        desk.waits(name, name)
    desk.changed("revoked", "revoke")
    with desk.container.work(SYSTEM) as work:
        dead, gone = desk.people["dead"][0], desk.people["withdrawn"][1]
        work.connection.execute(
            update(Holder).where(Holder.id == dead).values(deceased_on=date(2026, 11, 1))
        )
        work.connection.execute(
            update(Certification).where(Certification.id == gone).values(withdrawn_at=work.now)
        )
    found = by_id(desk)

    assert set(found) == {"dead", "withdrawn", "revoked"}
    assert found["dead"].activity.deceased_on == date(2026, 11, 1)
    assert found["withdrawn"].activity.certificate_number is not None
    assert found["revoked"].standing.status == "revoked"


@SQLITE
def test_somebody_who_never_had_an_award_stays_in_the_queue(desk):
    with desk.container.work(SYSTEM) as work:
        desk.people["ana"] = (factories.holder(work), "")
    desk.waits("it", "ana")
    [item] = look(desk).items

    assert (item.standing, item.points, item.claimed, item.counts, item.days_left) == (None,) * 5
    assert item.activity.certification_id is None


FILTERED = {
    "scheme": ("cpt", 4),
    "category": ("X", 1),
    "type": ("volunteer", 1),
    "submitted_before": (date(2026, 11, 2), 2),
    "expires_before": (date(2026, 12, 26), 3),
}


def test_a_filter_keeps_what_was_asked_for_in_the_same_order(desk):
    desk.person("ana")
    desk.person("closed", CLOSED)
    desk.waits("1", "ana", submitted_on=date(2026, 11, 1))
    desk.waits("2", "ana", submitted_on=date(2026, 11, 2))
    desk.waits("3", "closed", submitted_on=date(2026, 11, 1))
    desk.waits("4", "ana", "3", category="X", type="volunteer", submitted_on=date(2026, 11, 3))
    order = named(desk)
    for (key, (value, number)), limit in product(FILTERED.items(), [1, 200]):
        found = [desk.names[i.activity.id] for i in through(desk, limit, **{key: value})]

        assert len(found) == number, (key, limit)
        assert found == [name for name in order if name in found], (key, limit)


def test_filters_narrow_each_other_down(desk):
    desk.person("ana")
    desk.waits("1", "ana", submitted_on=date(2026, 11, 1))
    desk.waits("2", "ana", "3", category="X", type="volunteer", submitted_on=date(2026, 11, 1))

    assert named(desk, category="X", submitted_before=date(2026, 11, 2)) == ["2"]
    assert named(desk, category="X", submitted_before=date(2026, 11, 1)) == []
    assert named(desk, category="X", type="third_party") == []
    assert named(desk, scheme="clt") == []


def test_what_waits_for_its_holder_is_asked_for_by_its_state(desk):
    desk.person("ana")
    desk.waits("waits", "ana", "10")
    asked = desk.decided("more_information", "ana", "10")
    desk.decided("rejected", "ana", "10")
    items = look(desk, state="more_information").items

    assert named(desk) == ["waits"]
    assert [item.activity.id for item in items] == [asked]


def test_an_employers_workers_are_those_on_its_list_today(desk):
    for name in ("listed", "left", "leaving", "elsewhere", "unlisted"):
        desk.person(name)
        desk.waits(name, name)
    with desk.container.work(SYSTEM) as work:
        ids = [employers.register(work, name=n).id for n in ("Acme", "Other")]
        for n, (name, employer, ended_on) in enumerate(
            [
                ("listed", 0, None),
                ("left", 0, TODAY),
                ("leaving", 0, TODAY + timedelta(1)),
                ("elsewhere", 1, None),
                ("listed", 1, None),
            ]
        ):
            entry = RosterEntry(
                employer_id=ids[employer],
                employee_id=f"W{n}",
                holder_id=desk.people[name][0],
                ended_on=ended_on,
                recorded_at=work.now,
            )
            work.session.add(entry)

    assert named(desk, employer_id=ids[0]) == ["listed", "leaving"]
    assert sorted(named(desk, employer_id=ids[1])) == ["elsewhere", "listed"]
    with pytest.raises(NotFound):
        look(desk, employer_id="01900000-0000-7000-8000-000000000000")


@SQLITE
def test_an_unknown_scheme_is_refused_by_name(desk):
    with pytest.raises(UnknownScheme):
        look(desk, scheme="cptt")


# Flags.
@SQLITE
def test_no_flag_is_raised_for_a_plain_claim(desk):
    desk.person("ana")
    desk.file(desk.waits("it", "ana", "20"), "a")

    assert by_id(desk)["it"].flags == ()


def test_a_missing_file_is_flagged_where_the_type_asks_for_one(desk):
    types = dict(desk.container.schemes["cpt"].policies[0].types)
    types["volunteer"] = replace(types["volunteer"], evidence="none")
    cpt = desk.container.schemes["cpt"]
    policy = replace(cpt.policies[0], types=types)
    schemes = replace(
        desk.container.schemes,
        by_code={**desk.container.schemes.by_code, "cpt": replace(cpt, policies=(policy,))},
    )
    desk.container = replace(desk.container, schemes=schemes)
    desk.person("ana")
    desk.waits("asks", "ana", "20")
    desk.waits("asks not", "ana", "2", category="X", type="volunteer")

    assert {name: item.flags for name, item in by_id(desk).items()} == {
        "asks": ("no_evidence",),
        "asks not": (),
    }
    assert named(desk, flag="no_evidence") == ["asks"]


def test_a_file_that_came_after_the_submission_is_flagged(desk):
    desk.person("ana")
    late = desk.waits("late", "ana", "10")
    desk.file(late, "a")
    desk.file(late, "b", late=True, slot=2)
    desk.file(desk.waits("in time", "ana", "20"), "c")

    assert by_id(desk)["late"].flags == ("late_evidence",)
    assert by_id(desk)["in time"].flags == ()
    assert named(desk, flag="late_evidence") == ["late"]


def test_the_same_file_elsewhere_is_flagged_whoever_bears_it_and_in_whatever_state(desk):
    desk.person("ana")
    desk.person("bob", CLOSED)
    mine, theirs = desk.waits("mine", "ana", "10"), desk.approved("bob", "20")
    alone = desk.waits("alone", "ana", "20")
    desk.file(mine, "a")
    desk.file(theirs, "a")
    desk.file(alone, "b")
    desk.file(alone, "c", slot=2)
    found = by_id(desk)

    assert (found["mine"].flags, found["alone"].flags) == (("same_file_elsewhere",), ())
    assert named(desk, flag="same_file_elsewhere") == ["mine"]


@SQLITE
def test_two_copies_of_a_file_at_one_activity_are_nothing_to_tell(desk):
    desk.person("ana")
    id_ = desk.waits("it", "ana", "10")
    desk.file(id_, "a")
    desk.file(id_, "a", slot=2)

    assert (by_id(desk)["it"].flags, by_id(desk)["it"].evidence) == ((), 2)


QUANTITIES = [
    ("200", "third_party", False),
    ("200.01", "third_party", True),
    ("24.5", "college_credit", True),
    ("9000", "volunteer", False),
]


def test_an_unusual_quantity_is_flagged_by_the_types_bound(desk):
    for n, (hours, kind, _) in enumerate(QUANTITIES):
        desk.person(f"{n}")
        category = "X" if kind == "volunteer" else "CE"
        desk.file(desk.waits(f"{n}", f"{n}", hours, type=kind, category=category), f"{n}f")
    unusual = {f"{n}" for n, (*_, is_unusual) in enumerate(QUANTITIES) if is_unusual}

    assert {name: item.flags for name, item in by_id(desk).items()} == {
        f"{n}": ("unusual_quantity",) if f"{n}" in unusual else () for n in range(len(QUANTITIES))
    }
    assert set(named(desk, flag="unusual_quantity")) == unusual


DAYS_DONE = [(date(2021, 12, 24), True), (OPEN, False), (DONE, False), (TODAY + timedelta(1), True)]


@SQLITE
def test_what_lies_outside_the_cycle_is_flagged(desk):
    for n, (done, _) in enumerate(DAYS_DONE):
        desk.person(f"{n}")
        desk.file(desk.waits(f"{n}", f"{n}", "10", completed_on=done), f"{n}f")
    found = by_id(desk)

    for n, (_, is_outside) in enumerate(DAYS_DONE):
        assert found[f"{n}"].flags == (("outside_cycle",) if is_outside else ()), n
        assert found[f"{n}"].counts == (0 if is_outside else 10), n
    assert set(named(desk, flag="outside_cycle")) == {"0", "3"}


OTHERS: list[tuple[dict[str, Any], bool]] = [
    ({"title": "robot  SAFETY", "provider": "amatrol inc."}, True),
    ({"title": "Robot Safety", "completed_on": DONE + timedelta(1)}, True),
    ({"title": "Robot Safety", "scheme": "clt"}, True),
    ({"title": "Robot Safety", "state": "approved"}, True),
    ({"title": "Robot Safety", "state": "more_information"}, True),
    ({"title": "Robot Safety", "state": "rejected"}, False),
    ({"title": "Robot Safety", "state": "withdrawn", "withdrawn_on": TODAY}, False),
    (
        {"title": "Robot Safety", "state": "draft", "submitted_on": None, "submitted_at": None},
        False,
    ),
    ({"title": "Robot Safety 2"}, False),
    ({"title": "Welding"}, False),
    ({"title": "Robot Safety", "completed_on": date(2025, 2, 1)}, False),
]


@SQLITE
def test_a_likely_duplicate_is_flagged_across_states_and_schemes(desk):
    """Of one holder: all of them bear one title, and each has one other activity."""
    for n, (other, _) in enumerate(OTHERS):
        desk.person(f"{n}")
        desk.file(desk.waits(f"{n}", f"{n}", "10", title="Robot Safety"), f"{n}f")
        if other.get("state") in {"approved", "rejected", "more_information"}:
            desk.decided(other["state"], f"{n}", "12", title=other["title"])
        else:
            desk.waits(f"other {n}", f"{n}", "12", **other)
    found, flagged = by_id(desk), named(desk, flag="likely_duplicate")

    for n, (other, alike) in enumerate(OTHERS):
        assert found[f"{n}"].flags == (("likely_duplicate",) if alike else ()), other
        assert (f"{n}" in flagged) is alike, other


@SQLITE
def test_the_same_industry_certification_twice_is_flagged_however_far_apart(desk):
    desk.person("ana", CLOSED)
    kind = {"category": "IC", "type": "industry_certification"}
    desk.waits("2026", "ana", "1", title="SMSCP Level 1", provider="Siemens", **kind)
    desk.waits(
        "2024",
        "ana",
        "1",
        title="smscp level 1",
        provider="",
        **kind,
        completed_on=date(2024, 6, 1),
    )
    desk.waits("level 2", "ana", "1", title="SMSCP Level 2", provider="Siemens", **kind)
    flagged = {n for n, item in by_id(desk).items() if "likely_duplicate" in item.flags}

    assert flagged == {"2026", "2024"}


def test_paging_through_a_flag_gives_each_that_bears_it_once(desk, monkeypatch):
    crowd(desk, seed=3)
    for n, id_ in enumerate(sorted(desk.names)):
        if n % 3 == 0:
            desk.file(id_, f"{n % 2}", late=n % 2 == 0)
    whole = look(desk).items
    for flag, (limit, scanned) in product(FLAGS, [(1, 2), (2, 5), (200, 200)]):
        monkeypatch.setattr(review_queue, "SCANNED", scanned)
        borne = [item.activity.id for item in whole if flag in item.flags]
        paged = [item.activity.id for item in through(desk, limit, flag=flag)]
        assert paged == borne, (flag, limit)


# What it costs.
def _statements(desk, **asked):
    with counted(desk.container) as sent:
        look(desk, **asked)
    return len(sent)


@pytest.mark.parametrize(
    "asked", [{}, {"flag": "no_evidence"}, {"category": "CE"}, {"expires_before": date(2027, 1, 1)}]
)
def test_a_page_costs_the_same_number_of_statements_whatever_its_size(desk, asked):
    for n in range(2):
        desk.person(f"a{n}")
        desk.waits("x", f"a{n}")
        desk.person(f"b{n}", CLOSED)
        desk.waits("x", f"b{n}")
    before = [_statements(desk, limit=limit, **asked) for limit in (2, 200)]
    crowd(desk, people=25)
    after = [_statements(desk, limit=limit, **asked) for limit in (2, 200)]

    assert before == [before[0]] * 2 or asked == {} or before[0] <= before[1]
    assert max(after + before) <= 9, (before, after)
    assert after[1] == before[1]


def test_points_are_counted_in_batches_only_as_far_as_a_page_needs(desk, monkeypatch):
    monkeypatch.setattr(queue_order, "BATCH", 2)
    for n in range(8):
        desk.person(f"p{n}", date(2021, 12, 1) + timedelta(n))
        desk.waits(f"{n}", f"p{n}")
    one, all_ = _statements(desk, limit=1), _statements(desk, limit=7)

    assert one < all_ <= one + 9


def test_the_oldest_and_the_candidates_are_found_through_indexes(desk, backend):
    """No one reads through all activities or all certifications to show fifty of them."""
    with desk.container.work(SYSTEM) as work:
        made = people.certify(work, 3000, prefix="P", activities=1, awarded=OPEN)
        few = [person.holder_id for person in made[:30]]
        waiting = {"state": "submitted", "submitted_on": TODAY, "submitted_at": work.now}
        work.connection.execute(
            update(Activity).where(Activity.holder_id.in_(few)).values(**waiting)
        )
        people.analyze(work)
    with desk.container.reading(SYSTEM) as reading:
        after = queue_order.QueuePlace(None, date(2026, 11, 1), few[0])
        by_age = queue_order.statement_of_others(QueueFilter(), after=after, most=51)
        candidates = queue_order.statement_of_candidates(QueueFilter())
        plans = [_plan(reading, backend, each) for each in (by_age, candidates)]

    for plan in plans:
        assert "ix_activity_state" in plan, plan
        assert not re.search(r"SCAN activity|SCAN certification|Seq Scan on activity", plan), plan
    assert "Sort" not in plans[0]
    assert "TEMP B-TREE" not in plans[0]


def _plan(reading, backend, statement) -> str:
    """How the database would run a statement of the queue."""
    dialect = reading.connection.dialect
    told = statement.params(on=TODAY, today=TODAY).compile(
        dialect=dialect, compile_kwargs={"literal_binds": True}
    )
    begin = "explain query plan " if backend == "sqlite" else "explain "
    found = reading.connection.exec_driver_sql(begin + str(told)).fetchall()
    return "\n".join(" ".join(map(str, row)) for row in found)


def test_amounts_are_exact(desk):
    desk.person("ana")
    desk.waits("it", "ana", "33.33")

    assert look(desk).items[0].points.if_approved == Decimal("33.33")
