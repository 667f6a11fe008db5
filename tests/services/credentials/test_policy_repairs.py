"""Repairing the cycles that a wrong version governs."""

from collections import Counter
from dataclasses import replace
from datetime import date
from decimal import Decimal

import pytest
from sqlalchemy import select, update

from tests.backends import SQLITE
from tests.services.credentials.policy_cases import (
    DAY,
    everything,
    expected,
    found,
    installed,
    next_version,
    populate,
    renewed,
)
from tracker.domain.credentials import certifications as rules
from tracker.domain.errors import NotACorrection, UnknownScheme, UnknownVersion
from tracker.domain.permissions import SYSTEM
from tracker.models import Certification, Cycle, HistoryEntry, Holder, Renewal
from tracker.services.credentials import policy_impact, timelines
from tracker.services.credentials.policy_impact import Compared, PolicyRepair
from tracker.services.overview import integrity
from tracker.services.standings import standings

CORRECTION = PolicyRepair("cpt", "2015", "2015b", DAY)


@pytest.fixture
def changed(container):
    """The container with the corrected version installed."""
    return installed(container, next_version(container))


def repaired(container, asked=CORRECTION, **options):
    with container.work(SYSTEM) as work:
        return policy_impact.repair(work, asked, **options)


def history(container):
    table = HistoryEntry
    with container.reading(SYSTEM) as reading:
        statement = select(table.action, table.subject, table.subject_id, table.detail)
        statement = statement.where(table.action.in_(["reassign", "repair"])).order_by(table.id)
        return [tuple(row) for row in reading.rows(statement)]


def governing(container):
    """How many cycles each version governs."""
    with container.reading(SYSTEM) as reading:
        return Counter(row.policy for row in reading.rows(select(Cycle.policy)))


@SQLITE
def test_a_repair_reassigns_every_cycle_and_says_of_whom_what_changed(changed, container):
    people = populate(container, 130)
    with changed.reading(SYSTEM) as reading:
        foretold: list[Compared] = []
        foreseen = policy_impact.foresee(reading, CORRECTION, tell=foretold.append)
    told: list[Compared] = []
    seen: list[int] = []

    done = repaired(changed, tell=told.append, on_progress=seen.append)

    assert told == foretold
    assert done == foreseen
    assert governing(changed) == {"2015b": 130}
    assert done.cycles == done.tally.examined == seen[-1] == 130
    by_number = {one.number: one for one in told}
    for person in people:
        awaited = expected(person) if person.awarded_on <= DAY else {}
        assert found(by_number[person.number]) == awaited
    with changed.reading(SYSTEM) as reading:
        assert integrity.timelines(reading).wrong == ()
        held = standings.of_certification(reading, people[0].certification_id, on=DAY)
    assert held is not None
    assert held.standing.window_opens_on == by_number[people[0].number].after.window_opens_on


def test_history_has_a_line_for_each_certification_and_one_for_the_act(changed, container):
    people = populate(container, 25)

    done = repaired(changed)

    *lines, act = history(changed)
    assert [line[:3] for line in lines] == [
        ("reassign", "certification", p.certification_id) for p in people
    ]
    person = next(p for p in people if p.awarded_on <= DAY)
    detail = next(line[3] for line in lines if line[2] == person.certification_id)
    assert (detail["before"], detail["after"], detail["cycles"]) == ("2015", "2015b", [1])
    assert detail["differences"]["required"] == ["100.00", "60.00"]
    assert detail["differences"]["grace_ends_on"][0] is None
    assert act[:3] == ("repair", "scheme", "cpt")
    assert act[3]["certifications"] == act[3]["cycles"] == 25
    assert act[3]["differences"] == done.tally.kinds
    assert len(act[3]["sha256"]) == 64


@SQLITE
def test_a_second_repair_changes_nothing(changed, container):
    populate(container, 20)
    repaired(changed)
    before = everything(changed)

    again = repaired(changed)

    assert (again.cycles, again.tally.examined) == (0, 0)
    assert everything(changed) == before


@pytest.mark.parametrize("chunks", [1, 2, 3])
def test_an_interrupted_repair_leaves_nothing(changed, monkeypatch, chunks, container):
    monkeypatch.setattr(policy_impact, "CHUNK", 10)
    populate(container, 30)
    before = everything(changed)

    def interrupt(rows):
        if rows == 10 * chunks:
            raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        repaired(changed, on_progress=interrupt)

    assert everything(changed) == before


def test_the_size_of_chunks_changes_no_repair(changed, monkeypatch, container):
    populate(container, 23)
    with changed.reading(SYSTEM) as reading:
        whole: list[Compared] = []
        policy_impact.foresee(reading, CORRECTION, tell=whole.append)
    monkeypatch.setattr(policy_impact, "CHUNK", 5)
    told: list[Compared] = []

    repaired(changed, tell=told.append)

    assert told == whole
    assert governing(changed) == {"2015b": 23}


def without_policy(cycles):
    """Rows of cycles without the version that governs them."""
    place = [column.name for column in Cycle.__table__.columns].index("policy")
    return [cycle[:place] + cycle[place + 1 :] for cycle in cycles]


def test_cycles_of_other_versions_and_decided_renewals_stay(changed, container):
    person, other = (p for p in populate(container, 40, seed=2) if p.awarded_on < date(2021, 11, 1))
    renewed(container, person, date(2026, 9, 1))
    with changed.work(SYSTEM) as work:
        cycle = Cycle.certification_id == person.certification_id
        work.connection.execute(
            update(Cycle).where(cycle, Cycle.ordinal == 2).values(policy="2015b")
        )
        work.session.add(
            Renewal(
                certification_id=person.certification_id,
                cycle=1,
                submitted_on=date(2026, 8, 30),
                points_counted=Decimal("123.00"),
                decision="approved",
                decided_on=date(2026, 9, 1),
                decided_by="x",
                recorded_at=work.now,
                closed_at=work.now,
            )
        )
    before = everything(changed)
    told: list[Compared] = []

    repaired(changed, tell=told.append)

    after = everything(changed)
    assert after["renewal"] == before["renewal"]
    assert without_policy(after["cycle"]) == without_policy(before["cycle"])
    assert governing(changed) == {"2015b": 41}
    lines = {line[2]: line[3] for line in history(changed) if line[0] == "reassign"}
    assert lines[person.certification_id]["cycles"] == [1]
    assert other.certification_id in lines
    # Its cycle on the day was governed by the other version before, and still is.
    assert next(found(one) for one in told if one.number == person.number) == {}


def test_cycles_of_another_scheme_stay_though_its_version_has_the_same_name(changed, container):
    person = populate(container, 3)[0]
    with container.work(SYSTEM) as work:
        holder = work.row(select(Holder.id).where(Holder.ref == person.ref)).id
        other = Certification(
            public_id="clt",
            number="CLT-1",
            holder_id=holder,
            scheme="clt",
            awarded_on=person.awarded_on,
            recorded_at=work.now,
        )
        work.session.add(other)
        work.session.flush()
        first = rules.first_cycle(work.schemes["clt"], person.awarded_on)
        work.session.add(Cycle(**timelines.cycle_row(work, other.id, first)))

    done = repaired(changed)

    assert done.cycles == 3
    assert governing(changed) == {"2015b": 3, "2015": 1}
    assert other.id not in {line[2] for line in history(changed)}


@SQLITE
def test_only_what_corrects_a_version_repairs_it(container):
    wrong = installed(
        container,
        next_version(container, corrects=""),
        next_version(container, version="2016"),
        next_version(container, version="2017", corrects="2016"),
    )
    before = everything(wrong)

    for new, says in (("2015b", "corrects no version"), ("2017", "corrects '2016'")):
        with pytest.raises(NotACorrection, match=says):
            repaired(wrong, PolicyRepair("cpt", "2015", new))
    with pytest.raises(UnknownVersion, match="its versions are: 2015, 2015b, 2016, 2017"):
        repaired(wrong, PolicyRepair("cpt", "2014", "2015b"))
    with pytest.raises(UnknownVersion), wrong.reading(SYSTEM) as reading:
        policy_impact.foresee(reading, PolicyRepair("cpt", "2015", "2018"))
    with pytest.raises(UnknownScheme):
        repaired(wrong, PolicyRepair("xyz", "2015", "2015b"))

    assert everything(wrong) == before


@SQLITE
def test_results_are_compared_today_unless_a_day_is_given(changed, container):
    populate(container, 10)
    asked = replace(CORRECTION, on=None)
    with changed.reading(SYSTEM) as reading:
        today, then = (
            policy_impact.foresee(reading, asked),
            policy_impact.foresee(reading, CORRECTION),
        )

    assert today == then
    assert today.cycles == 10
