"""Generated certifications, and versions to compare over them."""

from __future__ import annotations

import random
from collections import defaultdict
from dataclasses import dataclass, replace
from datetime import date, timedelta
from decimal import Decimal
from typing import Any

from sqlalchemy import select

from tracker.domain.credentials import certifications as rules
from tracker.domain.names import FoldedName
from tracker.domain.periods import Duration
from tracker.domain.permissions import SYSTEM
from tracker.domain.schemes.policies import ApplicationWindow, LateStep, Policy
from tracker.domain.schemes.schemes import Schemes
from tracker.models import Activity, Base, Certification, Cycle, Decision, Holder
from tracker.services.core.context import Container, UnitOfWork
from tracker.services.credentials import certifications, timelines
from tracker.services.credentials.policy_impact import Compared
from tracker.services.people import names

DAY = date(2026, 11, 21)
_KINDS = {
    "volunteer": "X",
    "college_noncredit": "CE",
    "college_credit": "CE",
    "industry_certification": "IC",
}


@dataclass(frozen=True)
class Person:
    """A certified person, and the approved quantities by type: those of the cycle, by the day."""

    certification_id: str
    number: str
    ref: str
    awarded_on: date
    counted: dict[str, Decimal]


def installed(
    container: Container, *policies: Policy, code: str = "cpt", **award: Any
) -> Container:
    """A container whose scheme has these versions beside its own, and another award rule."""
    scheme = container.schemes[code]
    changed = replace(
        scheme, policies=(*scheme.policies, *policies), award=replace(scheme.award, **award)
    )
    return replace(container, schemes=Schemes({**container.schemes.by_code, code: changed}))


def next_version(container: Container, **changes: Any) -> Policy:
    """The shipped version corrected: fewer points for volunteering, a later window, grace."""
    old = container.schemes["cpt"].policies[0]
    kinds, groups = old.types, old.categories
    given: dict[str, Any] = {
        "version": "2015b",
        "corrects": "2015",
        "points_required": Decimal("60.00"),
        "types": {**kinds, "volunteer": replace(kinds["volunteer"], rate=Decimal("0.50"))},
        "categories": {
            **groups,
            "IC": replace(groups["IC"], limits=replace(groups["IC"].limits, maximum=Decimal(40))),
        },
        "window": ApplicationWindow(Duration(60, "days")),
        "late": (
            LateStep(Duration(30, "days"), {"en": "Late", "es": "Tarde"}, title=True),
            LateStep(Duration(60, "days"), {"en": "Later", "es": "Más tarde"}),
        ),
    }
    return replace(old, **given | changes)


def populate(container: Container, count: int, *, seed: int = 1) -> list[Person]:
    """Certified people, of whom some were awarded after the day, and what they did for points."""
    chance = random.Random(seed)
    with container.work(SYSTEM) as work:
        people = [_certify(work, chance, n) for n in range(count)]
        work.session.flush()
        certifications.refresh(work, work.schemes["cpt"], [p.certification_id for p in people])
    return people


def _certify(work: UnitOfWork, chance: random.Random, n: int) -> Person:
    awarded_on = date(2021, 8, 1) + timedelta(days=chance.randrange(2_000))
    name: Any = names.columns(FoldedName("Ana", "Peña"))
    holder = Holder(
        ref=f"H{n:04}",
        email=f"h{n}@example.org",
        language="en",
        time_zone="America/New_York",
        recorded_at=work.now,
        **name,
    )
    work.session.add(holder)
    work.session.flush()
    held = Certification(
        public_id=f"p{n}",
        number=f"CPT-{n:05}",
        holder_id=holder.id,
        scheme="cpt",
        awarded_on=awarded_on,
        recorded_at=work.now,
    )
    work.session.add(held)
    work.session.flush()
    first = rules.first_cycle(work.schemes["cpt"], awarded_on)
    work.session.add(Cycle(**timelines.cycle_row(work, held.id, first)))
    counted: dict[str, Decimal] = {}
    for number in range(chance.randrange(7)):
        if done := _log(work, chance, holder.id, number, awarded_on):
            counted[done[0]] = counted.get(done[0], Decimal(0)) + done[1]
    return Person(held.id, held.number, holder.ref, awarded_on, counted)


def _log(
    work: UnitOfWork, chance: random.Random, holder_id: str, number: int, awarded_on: date
) -> tuple[str, Decimal] | None:
    """Put an activity on record; gives what counts of it: type and quantity."""
    kind = chance.choice(list(_KINDS))
    quantity = Decimal(chance.randrange(1, 21 if kind == "volunteer" else 9))
    done_on = awarded_on + timedelta(days=chance.randrange(-100, 1_500))
    verdict = chance.choice(["approved", "approved", "approved", "rejected"])
    activity = Activity(
        holder_id=holder_id,
        scheme="cpt",
        category=_KINDS[kind],
        type=kind,
        title=f"Course {number}",
        provider="Ivy Tech",
        quantity=quantity,
        completed_on=done_on,
        state=verdict,
        submitted_on=done_on,
        submitted_at=work.now,
        recorded_at=work.now,
    )
    work.session.add(activity)
    work.session.flush()
    work.session.add(
        Decision(
            activity_id=activity.id,
            verdict=verdict,
            decided_on=done_on,
            decided_by="somebody",
            recorded_at=work.now,
        )
    )
    counts = verdict == "approved" and awarded_on <= done_on <= DAY
    return (kind, quantity) if counts else None


def renewed(container: Container, person: Person, decided_on: date) -> None:
    """Open the person's next cycle."""
    with container.work(SYSTEM) as work:
        scheme = work.schemes["cpt"]
        last = rules.first_cycle(scheme, person.awarded_on)
        following = rules.next_cycle(
            scheme, last, decided_on=decided_on, awarded_on=person.awarded_on
        )
        work.session.add(Cycle(**timelines.cycle_row(work, person.certification_id, following)))
        work.session.flush()
        certifications.refresh(work, scheme, [person.certification_id])


def everything(container: Container) -> dict[str, list[tuple[Any, ...]]]:
    """Every row of every table."""
    with container.engine.connect() as connection:
        return {
            table.name: sorted(map(tuple, connection.execute(select(table))), key=repr)
            for table in Base.metadata.sorted_tables
        }


def expected(person: Person) -> dict[str, tuple[Any, Any]]:
    """Each fact that changes for a person, by plain arithmetic and not by the rules."""
    done: dict[str, Decimal] = defaultdict(Decimal, person.counted)
    study = done["college_noncredit"] + 5 * done["college_credit"]
    exams = 20 * done["industry_certification"]
    before = study + min(exams, Decimal(60)) + min(done["volunteer"], Decimal(20))
    after = study + min(exams, Decimal(40)) + min(done["volunteer"] / 2, Decimal(20))
    expiry = person.awarded_on.replace(year=person.awarded_on.year + 5)
    facts = {
        "total": (before, after),
        "required": (100, 60),
        "complete": (before >= 100, after >= 60),
        "window_opens_on": (expiry - timedelta(days=90), expiry - timedelta(days=60)),
        "grace_ends_on": (None, expiry + timedelta(days=60)),
        "title_ends_on": (None, expiry + timedelta(days=30)),
    }
    return {fact: pair for fact, pair in facts.items() if pair[0] != pair[1]}


def found(one: Compared) -> dict[str, tuple[Any, Any]]:
    """Each fact that changes, before and after."""
    return {each.fact: (each.before, each.after) for each in one.differences}
