"""Mass extensions: one act for many, told before it is done, and never done twice."""

from __future__ import annotations

import threading
from dataclasses import replace
from datetime import date
from decimal import Decimal

import pytest
from sqlalchemy import func, select

from tests.api.employers import employer_cases
from tests.backends import SQLITE
from tests.services.credentials.test_adjustments import EXPIRES, RULE, detail, history, sound, under
from tests.services.delivery import reminder_cases as cases
from tests.statements import counted
from tracker import jobs
from tracker.domain.errors import Conflict, Invalid, NotFound
from tracker.domain.periods import Duration, Period
from tracker.domain.permissions import SYSTEM, Actor
from tracker.models import Adjustment, AdjustmentBatch
from tracker.services.credentials import adjustments
from tracker.services.delivery import ledger
from tracker.services.employers import mass_extensions
from tracker.services.employers.mass_extensions import MassExtension, Selection

ADMIN = Actor(role="admin", name="director")
SOON = Period(date(2026, 12, 1), date(2026, 12, 31))
SIX_MONTHS = Duration(6, "months")


def asked(ref="storm", **values):
    chosen = {
        key: values.pop(key) for key in ("expiring", "holder_refs", "employer_id") if key in values
    }
    selection = Selection("cpt", **{"expiring": SOON, **chosen})
    given = {"by": SIX_MONTHS, "override_reason": "The board decided so.", **values}
    return MassExtension(
        ref=ref, selection=selection, reason_code="disaster", reason="The storm.", **given
    )


def extend(container, wanted=None, actor=ADMIN, **more):
    with container.work(actor) as work:
        return mass_extensions.extend(work, wanted or asked(), **more)


def foresee(container, wanted=None, actor=ADMIN):
    with container.reading(actor) as reading:
        return mass_extensions.foresee(reading, wanted or asked())


def rows(container, table=Adjustment):
    with container.reading(SYSTEM) as reading:
        return reading.connection.execute(select(func.count()).select_from(table)).scalar_one()


@pytest.fixture
def crowd(container):
    """Three that expire in December 2026, one in November, one in January."""
    days = (date(2026, 12, 1), EXPIRES, date(2026, 12, 31), date(2026, 11, 30), date(2027, 1, 1))
    return [cases.certified(container, day)[0] for day in days]


@SQLITE
def test_who_would_be_extended_is_who_is(container, crowd):
    told = foresee(container)
    assert (rows(container), rows(container, AdjustmentBatch), history(container)) == (0, 0, [])
    done = extend(container)

    assert (told.fates, told.extended, told.dry_run) == (done.fates, 3, True)
    assert {fate.certification_id for fate in done.fates} == set(crowd[:3])
    by_id = {fate.certification_id: fate for fate in done.fates}
    assert (by_id[crowd[1]].expires_on, by_id[crowd[1]].extended_to) == (
        EXPIRES,
        date(2027, 6, 25),
    )
    assert [detail(container, id_).standing.expires_on for id_ in crowd] == [
        date(2027, 6, 1),
        date(2027, 6, 25),
        date(2027, 6, 30),
        date(2026, 11, 30),
        date(2027, 1, 1),
    ]
    assert sound(container)


@SQLITE
def test_history_tells_each_certification_and_the_act(container, crowd):
    done = extend(container)

    lines = history(container)
    assert {line[1] for line in lines} == set(crowd[:3])
    assert {line[0] for line in lines} == {"extend"}
    assert {line[2]["batch"] for line in lines} == {"storm"}
    [(action, subject, told)] = history(container, "adjustment_batch")
    assert (action, subject) == ("extend", done.batch_id)
    assert (told["ref"], told["extended"], told["refused"], told["by"]) == (
        "storm",
        3,
        0,
        "6 months",
    )


@SQLITE
def test_run_again_it_changes_nothing_and_says_so(container, crowd):
    first = extend(container)
    before = [detail(container, id_).standing for id_ in crowd], history(container)
    again = extend(container)

    assert (again.repeated, again.extended, again.unchanged) == (True, 0, 3)
    assert again.batch_id == first.batch_id
    assert ([detail(container, id_).standing for id_ in crowd], history(container)) == before
    assert rows(container) == 3
    told = foresee(container)
    assert (told.repeated, told.dry_run, told.unchanged) == (True, True, 3)


def test_a_reference_stands_for_one_act(container, crowd):
    extend(container)
    other = asked(by=Duration(7, "months"))
    for act in (extend, foresee):
        with pytest.raises(Conflict, match="'storm'"):
            act(container, other)
    assert detail(container, crowd[1]).standing.expires_on == date(2027, 6, 25)


@SQLITE
def test_another_act_extends_from_the_expiry_in_force(container, crowd):
    extend(container)
    june = Period(date(2027, 6, 20), date(2027, 6, 30))
    done = extend(container, asked("flood", expiring=june, by=Duration(10, "days")))
    assert done.extended == 2
    assert detail(container, crowd[1]).standing.expires_on == date(2027, 7, 5)


def test_ten_at_once_are_one_act(container, crowd):
    gate, found = threading.Barrier(10), []

    def run():
        gate.wait()
        done = extend(container)
        found.append((done.repeated, done.extended, done.unchanged))

    threads = [threading.Thread(target=run) for _ in range(10)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert sorted(found) == [(False, 3, 0), *[(True, 0, 3)] * 9]
    assert rows(container) == 3
    assert sound(container)
    assert detail(container, crowd[0]).standing.expires_on == date(2027, 6, 1)


def test_two_acts_at_once_extend_one_after_the_other(container, crowd):
    gate, found = threading.Barrier(2), []

    def run(ref):
        gate.wait()
        found.append(extend(container, asked(ref, by=Duration(20, "days"))).extended)

    threads = [threading.Thread(target=run, args=(ref,)) for ref in ("storm", "flood")]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    # Twenty days later only the first of December is still in December.
    assert sorted(found) == [1, 3]
    assert detail(container, crowd[0]).standing.expires_on == date(2027, 1, 10)
    assert sound(container)


@SQLITE
def test_those_that_the_rule_refuses_are_named_and_left_alone(container, crowd):
    ruled = under(container, extension=replace(RULE, reasons=(), request_by=None))
    cases.complete(ruled, crowd[0], date(2026, 11, 1))
    cases.change(ruled, crowd[2], "revoke", date(2026, 11, 1))
    done = extend(ruled, asked(override_reason=None))

    told = {fate.certification_id: fate.refused for fate in done.fates}
    assert told == {crowd[0]: None, crowd[1]: "too_little_earned", crowd[2]: "not_extendable"}
    assert (done.extended, done.refused) == (1, 2)
    assert detail(ruled, crowd[1]).standing.expires_on == EXPIRES
    assert extend(ruled, asked(override_reason=None)).unchanged == 1


@SQLITE
def test_without_an_override_the_shipped_policy_extends_nobody(container, crowd):
    done = extend(container, asked(override_reason=None))
    assert (done.extended, done.refused, len(crowd)) == (0, 3, 5)
    assert {fate.detail for fate in done.fates} == {"Policy 2015 does not allow extensions."}


@SQLITE
def test_an_admin_who_holds_one_is_left_out(container, crowd):
    holder_id = detail(container, crowd[1]).holder_id
    done = extend(container, actor=Actor(role="admin", name="ana", holder_id=holder_id))
    assert {f.certification_id for f in done.fates if f.refused == "self_review"} == {crowd[1]}
    assert done.extended == 2


@SQLITE
def test_one_expiry_for_all(container, crowd):
    extend(container, asked(by=None, until=date(2027, 3, 31), effective_on=date(2026, 11, 1)))
    assert {detail(container, id_).standing.expires_on for id_ in crowd[:3]} == {date(2027, 3, 31)}
    on = date(2026, 10, 31)
    assert detail(container, crowd[1], on=on).standing.expires_on == EXPIRES


def test_it_can_be_for_certain_people(container, crowd):
    holder_id = detail(container, crowd[1]).holder_id  # its ref is the id
    done = extend(container, asked(holder_refs=(holder_id,)))
    assert [fate.certification_id for fate in done.fates] == [crowd[1]]
    assert done.fates[0].holder_ref == holder_id


def test_it_can_be_for_the_workers_who_share_with_an_employer(container, crowd):
    acme = employer_cases.company(container)
    acme.hire("1", "2", awarded_on=date(2021, 12, 10))
    acme.hire("3", awarded_on=date(2021, 12, 10), shared=False)
    acme.hire("4", awarded_on=date(2021, 12, 10), ended_on=date(2026, 11, 1))
    done = extend(container, asked(employer_id=acme.id))
    assert {fate.holder_ref for fate in done.fates} == {acme.holders["1"], acme.holders["2"]}
    assert detail(container, crowd[1]).standing.expires_on == EXPIRES


NO_SENSE: list[tuple[dict[str, object], str]] = [
    ({"by": None}, "until"),
    ({"until": date(2027, 3, 1)}, "until"),
    ({"by": None, "until": date(2026, 12, 31)}, "until"),
    ({"by": Duration(0, "days")}, "by"),
    ({"by": Duration(11, "years")}, "by"),
    ({"expiring": Period(date(2026, 12, 2), date(2026, 12, 1))}, "expiring_to"),
    ({"holder_refs": ("nobody",)}, "holder_refs"),
    ({"employer_id": "01900000-0000-7000-8000-000000000000"}, "employer_id"),
]


@SQLITE
def test_values_that_make_no_sense_are_named(container):
    for values, field in NO_SENSE:
        for act in (extend, foresee):
            with pytest.raises(Invalid) as refusal:
                act(container, asked(**values))
            assert list(refusal.value.fields) == [field], values


def test_what_breaks_off_leaves_nothing_behind(container, crowd):
    def interrupt(_done):
        raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        extend(container, on_progress=interrupt)
    assert (rows(container), rows(container, AdjustmentBatch), history(container)) == (0, 0, [])
    assert detail(container, crowd[1]).standing.expires_on == EXPIRES
    done: list[int] = []
    extend(container, on_progress=done.append)
    assert done == [3]


@SQLITE
def test_the_reminders_follow(container, crowd):
    jobs.plan(container)
    extend(container)
    jobs.plan(container)
    with container.reading(SYSTEM) as reading:
        assert ledger.identity_violations(reading) == []
        fates = ledger.fates(reading, crowd[1])
    later = [f for f in fates if f.expires_on == date(2027, 6, 25)]
    assert [f.fate for f in later if f.offset == 180] == ["ahead"]


def test_many_cost_as_many_statements_as_few(container):
    ruled = under(container, extension=replace(RULE, reasons=(), request_by=None))
    cases.certified(ruled, EXPIRES, 3)
    with counted(ruled) as few:
        extend(ruled, asked("few"))
    cases.certified(ruled, EXPIRES, 17)
    with counted(ruled) as many:
        done = extend(ruled, asked("many"))
    assert done.extended == 17
    assert len(many) <= len(few)


def test_acts_and_what_they_adjusted_are_listed(container, crowd):
    done = extend(container)
    with container.reading(SYSTEM) as reading:
        [batch] = mass_extensions.page(reading, after=None, limit=9)
        assert (batch.ref, batch.extended, batch.decided_by) == ("storm", 3, "director")
        assert mass_extensions.page(reading, after=batch.id, limit=9) == []
        made = mass_extensions.members(reading, done.batch_id, after=None, limit=2)
        rest = mass_extensions.members(reading, done.batch_id, after=made[-1].id, limit=2)
        assert {row.certification_id for row in [*made, *rest]} == set(crowd[:3])
        assert {row.batch for row in made} == {"storm"}
        assert adjustments.get(reading, made[0].id).batch_id == done.batch_id
        for unknown in (mass_extensions.get, adjustments.get):
            with pytest.raises(NotFound):
                unknown(reading, crowd[0])


@SQLITE
def test_the_share_earned_is_that_of_the_requirement(container, crowd):
    ruled = under(
        container,
        extension=replace(RULE, share_earned=Decimal("1.00"), request_by=None, reasons=()),
    )
    cases.complete(ruled, crowd[1], date(2026, 11, 1))
    done = extend(ruled, asked(override_reason=None))
    assert [f.certification_id for f in done.fates if f.refused is None] == [crowd[1]]
