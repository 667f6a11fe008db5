"""services/desk/merges.py: two records become one, and two again, whatever was on them."""

from __future__ import annotations

import itertools
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, replace
from datetime import UTC, date, datetime
from decimal import Decimal
from typing import Any

import pytest
from hypothesis import HealthCheck, Phase, given, settings
from hypothesis import strategies as st
from sqlalchemy import delete, select, update

from tests import factories
from tests.conftest import examples
from tests.services.imports.importing import bring
from tests.services.points import attendance_cases
from tracker.db import new_id
from tracker.domain.credentials import certifications
from tracker.domain.credentials.fees import FeeChange, FeeState
from tracker.domain.errors import (
    AlreadyMerged,
    CannotBeUndone,
    Conflict,
    IllegalTransition,
    Invalid,
    NotFound,
    SelfReview,
    TooBusy,
    WaitsInBoth,
)
from tracker.domain.permissions import SYSTEM, Actor
from tracker.models import (
    Account,
    Activity,
    Adjustment,
    AdjustmentBatch,
    Appeal,
    Apprenticeship,
    Assessment,
    Base,
    Center,
    CenterResult,
    Certification,
    Course,
    Employer,
    EmployerBar,
    EmployerLook,
    Erasure,
    Holder,
    HolderRequest,
    ManagedCase,
    Message,
    ModuleCertificate,
    Notice,
    OtherCredential,
    PathwayChoice,
    Preference,
    Provider,
    Recovery,
    Renewal,
    RosterEntry,
    Sharing,
    Span,
    Sponsor,
    StandingChange,
    WorkerSeen,
)
from tracker.services.credentials import (
    awards,
    certificate_numbers,
    fees,
    module_certificates,
    timelines,
    verification,
)
from tracker.services.desk import merge_awards, merge_images, merges
from tracker.services.employers import naming
from tracker.services.employers.naming import NamedWorker
from tracker.services.imports import ImportRefused
from tracker.services.overview import integrity
from tracker.services.people import accounts, holders
from tracker.services.points import attendance_codes
from tracker.services.standings import snapshots

NOW = datetime(2026, 11, 21, 17, tzinfo=UTC)
PAGE: Any = {"after": None, "limit": 9}
MODULES = ("safety", "quality", "processes", "maintenance")
SAM = Actor(role="staff", name="Sam")
_numbers = itertools.count(1)


def test_every_table_that_refers_to_a_holder_has_its_way_in_a_merge():
    referring = {
        name
        for name, table in Base.metadata.tables.items()
        if any(key.column.table.name == "holder" for key in table.foreign_keys)
    }
    ways = {table.__tablename__: way for table, way in merge_images.TABLES.items()}

    assert referring <= ways.keys()
    assert all(way.moves or way.why for way in ways.values())


@dataclass(frozen=True)
class Facts:
    """What is on a record: passes, an award from a file, and what else may collide."""

    passes: tuple[tuple[str, date], ...] = ()
    imported: tuple[date, int] | None = None
    employers: frozenset[int] = frozenset()
    barred: frozenset[int] = frozenset()
    wants: bool | None = None
    renamed: bool = False
    activities: int = 0
    signed_in: bool = False
    credentials: frozenset[str] = frozenset()
    pathway: bool = False
    extended: int = 0


DAYS = st.dates(date(2019, 1, 1), date(2026, 6, 1))
PASSES = st.dictionaries(st.sampled_from(MODULES), DAYS).map(lambda days: tuple(days.items()))
ALL_PASSED = DAYS.map(lambda day: tuple((module, day) for module in MODULES))
FACTS = st.builds(
    Facts,
    passes=st.one_of(PASSES, ALL_PASSED),
    imported=st.none() | st.tuples(DAYS, st.integers(1, 9)),
    employers=st.frozensets(st.integers(0, 1)),
    barred=st.frozensets(st.integers(0, 1)),
    wants=st.none() | st.booleans(),
    renamed=st.booleans(),
    activities=st.integers(0, 2),
    signed_in=st.booleans(),
    credentials=st.frozensets(st.sampled_from(("osha_10", "nims"))),
    pathway=st.booleans(),
    extended=st.integers(0, 2),
)


def recorded(container, facts, employers):
    """Somebody with these facts; the id, and the facts that were taken."""
    number = next(_numbers)
    with container.work(SYSTEM) as work:
        id_ = factories.holder(work, ref=f"M{number}", email=f"m{number}@example.org")
        if facts.renamed:
            holder = work.session.get(Holder, id_)
            holders.write(work, holder, {"family_name": f"Ruiz {number}"}, reason="Married.")
        common = {"holder_id": id_, "recorded_at": work.now}
        for module, day in facts.passes:
            row = {"module": module, "taken_on": day, "passed": True, "recorded_by": "x"}
            work.session.add(Assessment(scheme="cpt", warnings=[], **row, **common))
        work.session.add_all(
            Activity(scheme="cpt", category="CE", type="third_party", title=f"Course {n}", **common)
            for n in range(facts.activities)
        )
        for n in sorted(facts.employers):
            entry = {"employer_id": employers[n], "employee_id": f"{number}"}
            work.session.add(RosterEntry(**entry, **common))
            consent = {"employer_id": employers[n], "consented_on": date(2026, 1, 1)}
            work.session.add(Sharing(**consent, recorded_by="x", **common))
        for n in sorted(facts.barred):
            work.session.add(EmployerBar(employer_id=employers[n], **common))
        if facts.wants is not None:
            row = {"type": "decisions", "wanted": facts.wants, "changed_at": work.now}
            work.session.add(Preference(holder_id=id_, **row))
        work.session.add_all(around(facts, common))
        work.session.flush()
        if facts.signed_in:
            accounts.claim(work, id_, f"m{number}@example.org")
        awards.settle(work, work.schemes["cpt"], [id_])
        module_certificates.settle(work, work.schemes["cpt"], [id_])
    extend(container, id_, facts.extended)
    if facts.imported is not None:
        day, years = facts.imported
        ends = date(day.year + years, day.month, 1)
        head = "holder_ref,scheme,certificate_number,awarded_on,cycle_starts_on,expires_on"
        line = f"M{number},cpt,OLD-{number},{day},{day},{ends}"
        try:
            bring(container, "certifications", f"{head}\n{line}")
        except ImportRefused:  # it contradicts the passes
            facts = replace(facts, imported=None)
    return id_, facts


def extend(container, holder_id, times):
    """Extend the award of somebody, and reduce what its last cycle asks for."""
    with container.work(SYSTEM) as work:
        held = snapshots.cycles(
            work,
            [
                row.id
                for row in work.rows(
                    select(Certification.id).where(Certification.holder_id == holder_id)
                )
            ],
        )
        for id_, record in held.items():
            last = record.cycles[-1]
            for number in range(times):
                ends_on = last.expires_on or date.max
                day = ends_on.replace(year=ends_on.year + 1 + number, day=1)
                values = {"extended_to": day} if number == 0 else {"points_required": Decimal(70)}
                work.session.add(
                    Adjustment(
                        certification_id=id_,
                        ordinal=last.ordinal,
                        number=number + 1,
                        effective_on=date(2026, 6, 1),
                        reason_code="illness",
                        reason="x",
                        decided_by="Sam",
                        recorded_at=work.now,
                        **values,
                    )
                )
            work.session.flush()
            timelines.lay_out_again(work, work.schemes["cpt"], [id_])


def around(facts, common):
    """Other credentials, and a pathway."""
    made = {"recorded_by": "x", **common}
    for credential in sorted(facts.credentials):
        day = date(2025, 1, 1)
        yield OtherCredential(credential=credential, level="1", issued_on=day, **made)
    if facts.pathway:
        yield PathwayChoice(pathway="career_changer", **made)


def companies(container):
    """Two new employers."""
    with container.work(SYSTEM) as work:
        rows = [Employer(name=f"E{next(_numbers)}", recorded_at=work.now) for _ in range(2)]
        work.session.add_all(rows)
        work.session.flush()
        return [row.id for row in rows]


def image(container, ids):
    """All rows of these people, without their versions, and without what was told."""
    with container.reading(SYSTEM) as reading:
        found = merge_images.of_people(reading, ids)
    told = {"message", "notice", "likely_duplicate"}
    return {
        key: {name: value for name, value in row.items() if name != "version"}
        for key, row in found.items()
        if key[0] not in told
    }


def pages(container, ids):
    """What the public page of each certificate of these people says, by its address."""
    with container.reading(SYSTEM) as reading:
        found = {
            row.public_id: verification.by_address(reading, row.public_id)
            for table in (Certification, ModuleCertificate)
            for row in reading.rows(select(table.public_id).where(table.holder_id.in_(ids)))
        }
    return {public: (one.number, one.standing, one.holder) for public, one in found.items()}


def is_sound(container):
    with container.reading(SYSTEM) as reading:
        return not integrity.timelines(reading).wrong


# Without shrinking, which takes minutes here: what is on a record is small already.
@settings(
    examples(8),
    phases=[Phase.generate],
    suppress_health_check=[HealthCheck.function_scoped_fixture],
)
@given(facts=st.tuples(FACTS, FACTS))
def test_nothing_is_lost_by_a_merge_and_everything_is_as_before_once_it_is_undone(container, facts):
    employers = companies(container)
    ids, facts = zip(*(recorded(container, one, employers) for one in facts), strict=True)
    kept, merged = ids
    before, seen = image(container, ids), pages(container, ids)

    with container.work(SAM) as work:
        merge_id = merges.merge(work, kept, merged, reason="One person.")

    after = image(container, ids)
    here = {(table, *(kept if part == merged else part for part in key)) for table, key in after}
    there = {(table, *(kept if part == merged else part for part in key)) for table, key in before}
    assert there <= here
    left = {key[0] for key, row in after.items() if row.get("holder_id") == merged}
    assert left <= {"account", "employer_bar", "preference"}
    now = pages(container, ids)
    assert seen.keys() <= now.keys()
    assert {name for _, _, name in now.values()} <= {full_name(container, kept)}
    told = {(row["number"], row["leads_to"]) for row in summary(container, merge_id)}
    lost = [one for one in adjustments(container, merge_id) if one["fate"] == "left"]
    with container.reading(SYSTEM) as reading:
        counting = select(Certification.id).where(
            Certification.holder_id == kept, Certification.merged_into_id.is_(None)
        )
        ends = [
            certifications.extended(one.cycles[-1], one.adjustments, date.max).expires_on
            for one in snapshots.records(
                reading, [row.id for row in reading.rows(counting)]
            ).values()
        ]
    for one in adjustments(container, merge_id):
        if one["extended_to"] and one not in lost:
            last_day = max(day or date.max for day in ends).isoformat()
            assert last_day >= one["extended_to"], "no extension is lost in silence"
    whole = {number for number, *_ in now.values() if "-M-" not in number}
    assert {(number, None) for number in whole} <= told
    assert is_sound(container)
    assert first_award(after) == expected_award(before, facts)

    with container.work(SAM) as work:
        merges.undo(work, merge_id, reason="Two people.")

    again = image(container, ids)
    new = again.keys() - before.keys()
    assert {key[0] for key in new} <= {"certification", "cycle", "module_certificate"}
    assert all(again[key]["withdrawn_at"] for key in new if key[0] == "certification")
    assert different(before, again) == []
    assert {public: page for public, page in pages(container, ids).items() if public in seen} == (
        seen
    )
    assert is_sound(container)


def different(before, again):
    """The values of rows that are not as before: table, column, before and now."""
    return [
        (key[0], name, value, again.get(key, {}).get(name))
        for key, row in before.items()
        for name, value in row.items()
        if again.get(key, {}).get(name) != value
    ]


def full_name(container, holder_id):
    with container.reading(SYSTEM) as reading:
        row = holders.get(reading, holder_id)
    return f"{row.given_name} {row.family_name}"


def summary(container, merge_id):
    with container.reading(SYSTEM) as reading:
        return merges.get(reading, merge_id).summary["certifications"]


def adjustments(container, merge_id):
    with container.reading(SYSTEM) as reading:
        return merges.get(reading, merge_id).summary["adjustments"]


def first_award(rows):
    """The day of the first award that stands."""
    days = [
        row["awarded_on"]
        for (table, _), row in rows.items()
        if table == "certification" and not row["withdrawn_at"]
    ]
    return min(days, default=None)


def expected_award(before, facts):
    """The earlier award of the two; without one from a file, that of the passes of both."""
    days = [day for day in (first_award(before),) if day is not None]
    first: dict[str, date] = {}
    for module, day in facts[0].passes + facts[1].passes:
        first[module] = min(first.get(module, day), day)
    if first.keys() == set(MODULES) and not any(one.imported for one in facts):
        days.append(max(first.values()))
    return min(days, default=None)


def pair(container, *facts):
    """Two people, certified or not, and the id of an employer."""
    (employer, _) = employers = companies(container)
    ids = [recorded(container, one, employers)[0] for one in facts or (Facts(), Facts())]
    return (*ids, employer)


def merged(container, kept, other):
    with container.work(SAM) as work:
        return merges.merge(work, kept, other, reason="One person.")


def refused(container, kind, kept, other, by=SAM):
    with pytest.raises(kind) as raised, container.work(by) as work:
        merges.merge(work, kept, other, reason="One person.")
    return raised.value


DAY = date(2026, 11, 1)
BY_SOMEBODY = {"proposed_by": "x", "proposer_role": "staff", "reason": "x", "recorded_at": NOW}


def waiting(what, holder_id, certification_id):
    """The rows of something that waits for a decision."""
    about: dict[str, Any] = {"certification_id": certification_id, "recorded_at": NOW}
    asks = {"holder_id": holder_id, "proposer_id": new_id(), **BY_SOMEBODY}
    change = {"reason_code": "other", "reason": "x", "decided_by": "x", **about}
    suspended = StandingChange(kind="suspend", effective_on=DAY, **change)
    days: dict[str, Any] = {"statement": "x", "filed_on": DAY, "due_on": DAY, "fee": Decimal(0)}
    proposal: dict[str, Any] = {"kind": "name_change", "proposal": {}, "requested_on": DAY}
    return {
        "application for renewal": [Renewal(cycle=1, submitted_on=DAY, **about)],
        "appeal": [suspended, Appeal(change_id=suspended.id, **days, **about)],
        "request of one kind": [HolderRequest(holder_id=holder_id, recorded_at=NOW, **proposal)],
        "erasure": [Erasure(due_on=DAY, **asks)],
        "recovery": [Recovery(kind="address", email="x@x.org", **asks)],
    }[what]


CERTIFIED = Facts(passes=tuple((module, date(2024, 3, 1)) for module in MODULES))


@pytest.mark.parametrize(
    "what", ["application for renewal", "appeal", "request of one kind", "erasure", "recovery"]
)
def test_nothing_may_wait_in_both_records(container, what):
    kept, other, _ = pair(container, CERTIFIED, CERTIFIED)
    with container.work(SYSTEM) as work:
        for holder_id in (kept, other):
            held = work.row(select(Certification.id).where(Certification.holder_id == holder_id))
            for row in waiting(what, holder_id, held.id):
                work.session.add(row)
                work.session.flush()

    assert what in refused(container, WaitsInBoth, kept, other).detail


def test_an_extension_of_an_award_that_leads_on_is_carried_and_shown_in_the_preview(container):
    """By a mass extension, whose reference goes along."""
    later = replace(CERTIFIED, passes=tuple((m, date(2024, 6, 1)) for m in MODULES), extended=2)
    kept, other, _ = pair(container, CERTIFIED, later)
    before = image(container, (kept, other))
    with container.reading(SYSTEM) as reading:
        mine = select(Certification.id, Certification.number).where(
            Certification.holder_id == other
        )
        [(certification_id, number)] = reading.rows(mine)
    with container.work(SYSTEM) as work:
        act: dict[str, Any] = {"ref": "storm", "scheme": "cpt", "request": {}, "decided_by": "Sam"}
        batch = AdjustmentBatch(**act, recorded_at=work.now)
        work.session.add(batch)
        work.session.flush()
        batch_id = batch.id
        first = update(Adjustment).where(Adjustment.number == 1)
        work.execute(first.values(batch_id=batch_id))
    before = image(container, (kept, other))
    told = [
        {"number": number, "extended_to": "2030-06-01", "points_required": None, "fate": "carried"},
        {"number": number, "extended_to": None, "points_required": "70.00", "fate": "carried"},
    ]
    with container.work(SAM) as work:
        assert merges.preview(work, kept, other)["adjustments"] == told
    assert image(container, (kept, other)) == before

    merge_id = merged(container, kept, other)

    with container.reading(SYSTEM) as reading:
        rows = reading.rows(
            select(Adjustment.certification_id, Adjustment.extended_to, Adjustment.batch_id)
            .where(Adjustment.certification_id != certification_id)
            .order_by(Adjustment.number)
        )
        assert [row[1:] for row in rows] == [(date(2030, 6, 1), batch_id), (None, None)]
        spans = reading.rows(select(Span.expires_on).where(Span.certification_id == rows[0][0]))
        assert date(2030, 6, 1) in {row.expires_on for row in spans}
    with container.work(SAM) as work:
        merges.undo(work, merge_id, reason="Two people.")
    assert different(before, image(container, (kept, other))) == []


def test_an_adjustment_that_says_both_goes_along_for_what_it_says_last(container):
    """It reduced what is asked for, too, and another one extended the award again since."""
    later = replace(CERTIFIED, passes=tuple((m, date(2024, 6, 1)) for m in MODULES))
    kept, other, _ = pair(container, CERTIFIED, later)
    with container.work(SYSTEM) as work:
        mine = select(Certification.id).where(Certification.holder_id == other)
        id_ = work.row(mine).id
        last = snapshots.cycles(work, [id_])[id_].cycles[-1]
        both: dict[str, Any] = {
            "extended_to": date(2030, 1, 1),
            "points_required": Decimal(70),
        }
        for number, said in enumerate((both, {"extended_to": date(2030, 6, 1)}), 1):
            row = Adjustment(
                certification_id=id_,
                ordinal=last.ordinal,
                number=number,
                effective_on=date(2026, 6, 1),
                reason_code="illness",
                reason="x",
                decided_by="Sam",
                recorded_at=work.now,
                **said,
            )
            work.session.add(row)
        work.session.flush()
        timelines.lay_out_again(work, work.schemes["cpt"], [id_])

    merge_id = merged(container, kept, other)

    assert [one["fate"] for one in adjustments(container, merge_id)] == ["carried", "carried"]
    with container.reading(SYSTEM) as reading:
        leading = select(Certification.id).where(Certification.merged_into_id.is_(None))
        [record] = snapshots.records(reading, [row.id for row in reading.rows(leading)]).values()
    cycle, made = record.cycles[-1], record.adjustments
    assert certifications.extended(cycle, made, date.max).expires_on == date(2030, 6, 1)
    assert certifications.requirement_of(cycle, made, date.max) == Decimal(70)


def test_records_that_cannot_be_of_one_person_are_refused(container):
    passed = Facts(passes=(("safety", date(2024, 3, 1)),))
    kept, other, _ = pair(container, passed, passed)
    refused(container, Invalid, kept, kept)
    refused(container, NotFound, kept, new_id())
    for own in (kept, other):
        refused(container, SelfReview, kept, other, by=Actor("staff", "x", holder_id=own))
    with container.work(SYSTEM) as work:
        attempt = select(Assessment).where(Assessment.holder_id == other)
        work.session.scalar(attempt).passed = False
    assert "contradict" in refused(container, Conflict, kept, other).detail
    with container.work(SYSTEM) as work:
        work.session.get(Holder, other).deceased_on = date(2026, 1, 1)
    assert "death" in refused(container, Conflict, kept, other).detail


def test_a_message_that_is_being_sent_is_waited_for(container):
    kept, other, _ = pair(container)
    with container.work(SYSTEM) as work:
        row = Message(
            dedupe_key="x",
            message_id="<x@x>",
            kind="notice",
            holder_id=other,
            address="x@x.org",
            state="transmitting",
            created_at=work.now,
            next_at=work.now,
            useful_until=work.now,
        )
        work.session.add(row)

    refused(container, TooBusy, kept, other)


def test_what_a_person_has_once_is_left_once(container):
    facts = replace(CERTIFIED, employers=frozenset({0}), barred=frozenset({1}), wants=True)
    kept, other, employer = pair(container, facts, replace(facts, wants=False))

    merge_id = merged(container, kept, other)

    with container.reading(SYSTEM) as reading:
        live = {
            "attempts": select(Assessment.id).where(Assessment.voided_at.is_(None)),
            "consents": select(Sharing.id).where(Sharing.ended_at.is_(None)),
            "entries": select(RosterEntry.id).where(RosterEntry.ended_on.is_(None)),
        }
        counts = {name: len(reading.rows(statement)) for name, statement in live.items()}
        wants = select(Preference.wanted).where(Preference.holder_id == kept)
        assert reading.row(wants).wanted is False
        assert reading.rows(select(Sharing.employer_id).distinct()) == [(employer,)]
        held = select(Certification.number).where(Certification.holder_id == kept)
        numbers = [row.number for row in reading.rows(held.order_by(Certification.sequence))]
        found = {certificate_numbers.certification_of(reading, number) for number in numbers}
    assert counts == {"attempts": 4, "consents": 1, "entries": 1}
    assert (len(numbers), len(found)) == (2, 1)
    leads = {row["number"]: row["leads_to"] for row in summary(container, merge_id)}
    assert leads == {numbers[0]: None, numbers[1]: numbers[0]}


def test_the_account_goes_on_if_it_is_the_only_one(container):
    signed_in = Facts(signed_in=True)
    kept, other, _ = pair(container, Facts(), signed_in)
    first, second, _ = pair(container, signed_in, signed_in)

    told = {
        name: accounts_after(container, *ids)
        for name, ids in {"one": (kept, other), "two": (first, second)}.items()
    }
    assert told == {
        "one": ("moved", [(kept, True)]),
        "two": ("closed", [(first, True), (second, False)]),
    }


def accounts_after(container, kept, other):
    merge_id = merged(container, kept, other)
    with container.reading(SYSTEM) as reading:
        account = merges.get(reading, merge_id).summary["account"]
        columns = (Account.holder_id, Account.deactivated_at)
        rows = reading.rows(select(*columns).where(Account.holder_id.in_([kept, other])))
    return account, sorted((row[0], row[1] is None) for row in rows)


def test_merges_of_merged_records_are_undone_last_one_first(container):
    a, b, _ = pair(container, CERTIFIED, CERTIFIED)
    c, *_ = pair(container, CERTIFIED)
    before = image(container, [a, b, c])
    first = merged(container, b, a)
    refused(container, AlreadyMerged, c, a)
    second = merged(container, c, b)

    with container.reading(SYSTEM) as reading:
        rows = reading.rows(select(Holder.id, Holder.merged_into_id).where(Holder.id.in_([a, b])))
        assert dict(rows) == {a: c, b: c}
        leads = select(Certification.merged_into_id).where(
            Certification.merged_into_id.is_not(None)
        )
        assert len({row[0] for row in reading.rows(leads)}) == 1
    with pytest.raises(CannotBeUndone), container.work(SAM) as work:
        merges.undo(work, first, reason="x")
    for merge_id in (second, first):
        with container.work(SAM) as work:
            merges.undo(work, merge_id, reason="Two people.")
    assert different(before, image(container, [a, b, c])) == []
    with pytest.raises(IllegalTransition), container.work(SAM) as work:
        merges.undo(work, first, reason="x")


def test_two_who_merge_at_once_make_one_merge(container):
    kept, other, _ = pair(container, CERTIFIED, CERTIFIED)

    def act(_):
        try:
            return merged(container, kept, other)
        except AlreadyMerged:
            return None

    with ThreadPoolExecutor(4) as pool:
        made = [one for one in pool.map(act, range(4)) if one is not None]
    assert len(made) == 1


def test_a_preview_leaves_no_trace(container):
    kept, other, _ = pair(container, CERTIFIED, CERTIFIED)
    before = image(container, [kept, other])
    with container.work(SAM) as work:
        brought = merges.preview(work, kept, other)
    assert brought["moved"]["assessment"] == 4
    assert image(container, [kept, other]) == before


def test_a_file_and_a_list_that_know_a_former_ref_or_number_mean_the_person(container):
    imported = Facts(imported=(date(2024, 3, 1), 5))
    kept, other, employer = pair(container, imported, imported)
    with container.reading(SYSTEM) as reading:
        held = select(Certification.number, Holder.ref).join(Holder)
        number, ref = reading.row(held.where(Holder.id == other))
    merged(container, kept, other)

    head = "holder_ref,scheme,certificate_number,awarded_on,cycle_starts_on,expires_on"
    line = f"{ref},cpt,{number},2024-03-01,2024-03-01,2029-03-01"
    report = bring(container, "certifications", f"{head}\n{line}\n")
    assert (report.unchanged, report.created, len(report.warnings)) == (1, 0, 1)
    with container.reading(SYSTEM) as reading:
        for named in (NamedWorker(ref, None, None), NamedWorker(None, number, None)):
            assert naming.meant(reading, [named]).of(named) == kept
        words = naming.words_of(reading, [kept])[kept]
    assert {("ref", ref), ("number", number.replace("-", "").lower())} <= words
    assert employer


def test_what_one_course_brought_to_both_goes_along_and_back(container):
    attendance_cases.course(container)
    kept, other, _ = pair(container, CERTIFIED, CERTIFIED)
    with container.reading(SYSTEM) as reading:
        refs = [holders.get(reading, id_).ref for id_ in (kept, other)]
    attendance_cases.attend(container, *({"holder_ref": ref} for ref in refs))
    statement = select(Activity.holder_id, Activity.state, Activity.course_id.is_not(None))

    merge_id = merged(container, kept, other)

    with container.reading(SYSTEM) as reading:
        found = sorted(tuple(row) for row in reading.rows(statement))
    assert found == [(kept, "approved", False), (kept, "approved", True)]
    with container.work(SAM) as work:
        merges.undo(work, merge_id, reason="Two people.")
    with container.reading(SYSTEM) as reading:
        again = {tuple(row) for row in reading.rows(statement)}
    assert again == {(kept, "approved", True), (other, "approved", True)}


def test_who_entered_a_code_before_a_merge_has_entered_it(container):
    course_id = attendance_cases.course(container)
    kept, other, _ = pair(container, CERTIFIED, CERTIFIED)
    with container.work(SYSTEM) as work:
        day, ends_at = work.now.date(), work.now.replace(day=25)
        _, code = attendance_codes.make(work, course_id, held_on=day, most=1, ends_at=ends_at)

    def entered(holder_id):
        with container.work(Actor(role="holder", name="Ana", holder_id=holder_id)) as work:
            return attendance_codes.enter(work, code)

    before = entered(other)
    merged(container, kept, other)

    assert before is not None
    assert entered(kept) == before


COURSE: dict[str, Any] = {
    "scheme": "cpt",
    "category": "CE",
    "type": "third_party",
    "title": "Course",
}
RESULT: dict[str, Any] = {"scheme": "cpt", "module": "safety", "taken_on": DAY, "passed": True}


def twice(work, holder_ids):
    """Rows of which a person has one, on each record; the last record's are worth more."""
    provider, sponsor = (table(name="X", recorded_at=NOW) for table in (Provider, Sponsor))
    work.session.add_all([provider, sponsor])
    work.session.flush()
    named: dict[str, Any] = {"code": "c", "title_key": "course", "proposed_by": "x"}
    course = Course(provider_id=provider.id, **named, **COURSE, recorded_at=NOW)
    work.session.add(course)
    work.session.flush()
    terms: dict[str, Any] = {
        "sponsor_id": sponsor.id,
        "scheme": "cpt",
        "program_code": "1",
        "occupation": "x",
    }
    for place, id_ in enumerate(holder_ids):
        common: dict[str, Any] = {"holder_id": id_, "recorded_at": NOW}
        made: dict[str, Any] = {"recorded_by": "x", **common}
        credential = OtherCredential(credential="nims", level="", issued_on=DAY, **made)
        if place:
            credential.verified_at, credential.verified_by = NOW, "x"
        work.session.add_all(
            [
                Activity(course_id=course.id, completed_on=DAY, **COURSE, **common),
                credential,
                PathwayChoice(pathway="career_changer", **made),
                Apprenticeship(started_on=DAY, consented_at=NOW, **terms, **made),
            ]
        )


def test_what_both_records_have_ends_on_one_of_them_until_the_merge_is_undone(container):
    kept, other, _ = pair(container)
    with container.work(SYSTEM) as work:
        twice(work, [kept, other])
    before = image(container, [kept, other])

    merge_id = merged(container, kept, other)

    living = (
        (Activity.holder_id, Activity.course_id.is_not(None)),
        (OtherCredential.holder_id, OtherCredential.withdrawn_at.is_(None)),
        (PathwayChoice.holder_id, PathwayChoice.left_at.is_(None)),
        (Apprenticeship.holder_id, Apprenticeship.consent_ended_at.is_(None)),
    )
    with container.reading(SYSTEM) as reading:
        for owner, lives in living:
            assert reading.rows(select(owner).where(lives)) == [(kept,)], str(owner)
        verified = select(OtherCredential.verified_by).where(living[1][1])
        assert reading.rows(verified) == [("x",)]
    with container.work(SAM) as work:
        merges.undo(work, merge_id, reason="Two people.")
    assert different(before, image(container, [kept, other])) == []


def test_a_result_that_a_center_sent_for_both_is_decided_first(container):
    kept, other, _ = pair(container)
    with container.work(SYSTEM) as work:
        center = Center(name="C", recorded_at=NOW)
        work.session.add(center)
        work.session.flush()
        sent: dict[str, Any] = {
            "center_id": center.id,
            "sent_at": NOW,
            "sent_by": "x",
            "state": "waiting",
        }
        ids = {}
        for id_ in (kept, other):
            row = CenterResult(holder_id=id_, ref=id_, **sent, **RESULT)
            work.session.add(row)
            work.session.flush()
            ids[id_] = row.id

    assert "same result" in refused(container, WaitsInBoth, kept, other).detail

    with container.work(SYSTEM) as work:
        mine = work.session.get(CenterResult, ids[kept])
        mine.state, mine.decided_at, mine.reason = "sent_back", NOW, "Not ours."
    merged(container, kept, other)
    with container.reading(SYSTEM) as reading:
        assert reading.rows(select(CenterResult.holder_id).distinct()) == [(kept,)]


def test_who_renewed_on_both_records_has_renewed_once(container):
    kept, other, _ = pair(container, CERTIFIED, CERTIFIED)
    with container.work(SYSTEM) as work:
        for holder_id in (kept, other):
            held = select(Certification.id).where(Certification.holder_id == holder_id)
            decided: dict[str, Any] = {"decision": "approved", "decided_on": DAY, "decided_by": "x"}
            row = Renewal(
                certification_id=work.row(held).id,
                cycle=1,
                submitted_on=DAY,
                recorded_at=NOW,
                **decided,
            )
            work.session.add(row)
        work.session.flush()
        merge_awards.settle_all(work, [kept, other])
    before = image(container, [kept, other])

    merge_id = merged(container, kept, other)

    stays, leads = sorted(summary(container, merge_id), key=lambda row: row["leads_to"] or "")
    assert stays["after"]["expires_on"] == stays["before"]["expires_on"]
    assert leads["after"]["status"] == "withdrawn"
    assert is_sound(container)
    with container.work(SAM) as work:
        merges.undo(work, merge_id, reason="Two people.")
    assert different(before, image(container, [kept, other])) == []


def test_a_merge_is_undone_without_what_is_kept_for_a_while_only(container):
    kept, other, employer = pair(container)
    with container.work(SYSTEM) as work:
        what: dict[str, Any] = {
            "kind": "list",
            "scheme": "cpt",
            "as_of": DAY,
            "name": "x",
            "workers": 1,
        }
        look = EmployerLook(employer_id=employer, at=NOW, **what)
        work.session.add(look)
        work.session.flush()
        work.session.add(WorkerSeen(look_id=look.id, holder_id=other))
        look_id = look.id
    merge_id = merged(container, kept, other)
    with container.work(SYSTEM) as work:
        work.execute(delete(EmployerLook).where(EmployerLook.id == look_id))

    with container.work(SAM) as work:
        assert merges.undo(work, merge_id, reason="Two people.").undone_at is not None


def test_a_merge_is_not_undone_if_what_it_ended_was_recorded_anew(container):
    shares = Facts(employers=frozenset({0}))
    kept, other, employer = pair(container, shares, shares)
    merge_id = merged(container, kept, other)
    with container.work(SYSTEM) as work:
        lasts = update(Sharing).where(Sharing.ended_at.is_(None))
        work.execute(lasts.values(ended_at=NOW, end_reason="withdrawn"))
        again: dict[str, Any] = {"holder_id": kept, "employer_id": employer, "consented_on": DAY}
        work.session.add(Sharing(**again, recorded_at=NOW, recorded_by="x"))

    with pytest.raises(CannotBeUndone), container.work(SAM) as work:
        merges.undo(work, merge_id, reason="x")


def test_of_two_certificates_for_a_module_one_correction_is_told(container):
    passed = Facts(passes=(("safety", date(2024, 3, 1)),))
    kept, other, _ = pair(container, passed, passed)
    merged(container, kept, other)

    with container.work(SYSTEM) as work:
        work.execute(update(Assessment).values(voided_at=NOW, void_reason="x"))
        module_certificates.settle(work, work.schemes["cpt"], [kept])

    with container.reading(SYSTEM) as reading:
        withdrawn = select(ModuleCertificate.id).where(ModuleCertificate.withdrawn_at.is_not(None))
        told = select(Notice.event).where(Notice.event.startswith("withdraw:"))
        counts = [len(reading.rows(statement)) for statement in (withdrawn, told)]
    assert counts == [2, 1]


def test_the_fee_of_an_attempt_on_both_records_goes_to_the_one_that_stays(container):
    """Of two fees the one of the attempt that is voided is not owed; all is undone."""
    passed = Facts(passes=(("safety", date(2024, 3, 1)), ("quality", date(2024, 3, 1))))
    kept, other, _ = pair(container, passed, passed)
    with container.work(SAM) as work:
        mine = select(Assessment.id, Assessment.holder_id, Assessment.module)
        ids = {(row.holder_id, row.module): row.id for row in work.rows(mine)}
        carried = fees.owe_for_attempt(work, ids[other, "safety"], Decimal(45))
        double = fees.owe_for_attempt(work, ids[other, "quality"], Decimal(45))
        own = fees.owe_for_attempt(work, ids[kept, "quality"], Decimal(45))
    before = image(container, (kept, other))

    merge_id = merged(container, kept, other)

    with container.reading(SYSTEM) as reading:
        found = {one.id: one.state for one in fees.page(reading, **PAGE)}
        living = select(Assessment.module, Assessment.fee_id).where(Assessment.voided_at.is_(None))
        owed = {row.module: row.fee_id for row in reading.rows(living)}
    assert found == {carried: "quoted", double: "waived", own: "quoted"}
    assert owed == {"safety": carried, "quality": own}
    with container.work(SAM) as work:
        merges.undo(work, merge_id, reason="Two people.")
    assert different(before, image(container, (kept, other))) == []


@pytest.mark.parametrize("paid", ["mine", "own"])
def test_of_two_fees_of_an_attempt_the_one_that_was_paid_stays(container, paid):
    passed = Facts(passes=(("safety", date(2024, 3, 1)),))
    kept, other, _ = pair(container, passed, passed)
    with container.work(SAM) as work:
        ids = {row.holder_id: row.id for row in work.rows(select(Assessment))}
        made = {
            name: fees.owe_for_attempt(work, ids[holder_id], Decimal(45))
            for name, holder_id in (("mine", other), ("own", kept))
        }
        fees.change(work, made[paid], FeeChange(FeeState.PAID, reference="B-1"), version=1)
    before = image(container, (kept, other))

    merge_id = merged(container, kept, other)

    with container.reading(SYSTEM) as reading:
        found = {one.id: (one.state, one.refund_due) for one in fees.page(reading, **PAGE)}
        [[living]] = reading.rows(select(Assessment.fee_id).where(Assessment.voided_at.is_(None)))
    unpaid = next(id_ for name, id_ in made.items() if name != paid)
    assert found == {made[paid]: ("paid", False), unpaid: ("waived", False)}
    assert living == made[paid]
    with container.work(SAM) as work:
        merges.undo(work, merge_id, reason="Two people.")
    assert different(before, image(container, (kept, other))) == []


def test_of_two_managed_cases_of_a_sponsor_one_is_left_and_shares(container):
    kept, other, _ = pair(container)
    with container.work(SYSTEM) as work:
        sponsor = Sponsor(name=f"Board {next(_numbers)}", recorded_at=work.now)
        work.session.add(sponsor)
        work.session.flush()
        for holder_id in (kept, other):
            row = {"holder_id": holder_id, "sponsor_id": sponsor.id, "recorded_by": "x"}
            work.session.add(ManagedCase(recorded_at=work.now, consented_at=work.now, **row))
    before = image(container, (kept, other))
    merge_id = merged(container, kept, other)
    with container.reading(SYSTEM) as reading:
        live = select(ManagedCase.holder_id).where(ManagedCase.consent_ended_at.is_(None))
        assert [row.holder_id for row in reading.rows(live)] == [kept]
    with container.work(SAM) as work:
        merges.undo(work, merge_id, reason="Two people.")
    assert different(before, image(container, (kept, other))) == []
