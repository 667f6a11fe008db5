"""Extensions and reductions on record: the expiry moves at once, and everything follows it."""

from __future__ import annotations

import io
import threading
from dataclasses import replace
from datetime import date, timedelta
from decimal import Decimal

import pytest
from sqlalchemy import insert, select
from sqlalchemy.exc import IntegrityError

from tests import factories
from tests.backends import SQLITE
from tests.services.delivery import reminder_cases as cases
from tracker import jobs
from tracker.domain.credentials.certifications import span_on, standing_on, timeline
from tracker.domain.credentials.renewals import RenewalVerdict
from tracker.domain.errors import (
    AlreadyRecorded,
    ExtensionTooLate,
    ExtensionTooLong,
    Invalid,
    NotExtendable,
    ReductionRefused,
    SelfReview,
    TooLittleEarned,
)
from tracker.domain.periods import Duration
from tracker.domain.permissions import SYSTEM, Actor
from tracker.domain.schemes.policies import ExtensionRule, LateStep, Reduction
from tracker.domain.schemes.schemes import Schemes
from tracker.models import Adjustment, Certification, HistoryEntry, Span
from tracker.services import imports
from tracker.services.credentials import adjustments, renewals
from tracker.services.credentials.adjustments import AdjustmentToRecord
from tracker.services.delivery import ledger
from tracker.services.overview import exports, integrity
from tracker.services.points import evaluations
from tracker.services.standings import snapshots, standings

AWARDED, EXPIRES = date(2021, 12, 25), date(2026, 12, 25)
LATER = date(2027, 6, 25)
RULE = ExtensionRule(
    at_most=Duration(1, "years"),
    moves_cycle=True,
    request_by=Duration(30, "days"),
    share_earned=Decimal("0.50"),
    reasons=("illness",),
    exempt=("military",),
)
HALF = Reduction(reasons=("unemployment",), share=Decimal("0.50"))
STAFF = Actor(role="staff", name="reviewer")


def under(container, **policy):
    """The container with a CPT whose policy has other rules."""
    cpt = container.schemes["cpt"]
    changed = replace(cpt, policies=(replace(cpt.policies[0], **policy),))
    return replace(container, schemes=Schemes({**container.schemes.by_code, "cpt": changed}))


@pytest.fixture
def ruled(container):
    """A container whose CPT may be extended and reduced, and has a late step."""
    grace = LateStep(until=Duration(60, "days"), name={"en": "late", "es": "tarde"}, title=True)
    return under(container, extension=RULE, reduction=HALF, late=(grace,))


@pytest.fixture
def ids(container):
    return factories.certified(container, AWARDED)


def wanted(extended_to=LATER, reason_code="military", **values):
    return AdjustmentToRecord(
        reason_code=reason_code, reason="In service.", extended_to=extended_to, **values
    )


def adjust(container, id_, asked=None, actor=STAFF):
    with container.work(actor) as work:
        return adjustments.adjust(work, id_, asked or wanted())


def detail(container, id_, on=None, known_at=None):
    with container.reading(SYSTEM) as reading:
        return evaluations.detail(reading, id_, on=on, known_at=known_at)


def history(container, subject="certification"):
    with container.reading(SYSTEM) as reading:
        statement = select(HistoryEntry.action, HistoryEntry.subject_id, HistoryEntry.detail)
        statement = statement.where(HistoryEntry.subject == subject).order_by(HistoryEntry.id)
        return [tuple(row) for row in reading.rows(statement) if row.action != "award"]


def sound(container):
    with container.reading(SYSTEM) as reading:
        return integrity.timelines(reading).wrong == ()


def test_the_expiry_moves_at_once_and_everything_follows(ruled, ids):
    made = adjust(ruled, ids[1])

    found = detail(ruled, ids[1])
    assert (found.standing.expires_on, found.standing.status) == (LATER, "active")
    [cycle] = found.cycles
    assert (cycle.expires_on, found.expires_on(cycle)) == (EXPIRES, LATER)
    [row] = found.adjustments
    assert (row.id, row.cycle, row.number, row.extended_to) == (made, 1, 1, LATER)
    assert (row.decided_by, row.override_reason, row.batch_id) == ("reviewer", None, None)
    assert cases.cursor(ruled, ids[1]).expires_on == LATER
    assert sound(ruled)
    [(action, subject, told)] = history(ruled)
    assert (action, subject) == ("extend", ids[1])
    assert (told["before"], told["extended_to"], told["reason_code"]) == (
        "2026-12-25",
        "2027-06-25",
        "military",
    )
    assert "overrode" not in told


def test_before_its_effective_day_and_before_it_was_recorded_the_old_expiry_stands(
    ruled, ids, clock
):
    before = clock()
    clock.advance(days=1)
    adjust(ruled, ids[1], wanted(effective_on=date(2026, 11, 10)))

    assert detail(ruled, ids[1], on=date(2026, 11, 9)).standing.expires_on == EXPIRES
    assert detail(ruled, ids[1], on=date(2026, 11, 10)).standing.expires_on == LATER
    then = detail(ruled, ids[1], on=date(2026, 12, 26), known_at=before)
    assert (then.standing.expires_on, then.standing.status) == (EXPIRES, "grace")
    assert (then.adjustments, then.expires_on(then.cycles[0])) == ([], EXPIRES)
    now = detail(ruled, ids[1], on=date(2026, 12, 26), known_at=clock())
    assert (now.standing.expires_on, now.standing.status) == (LATER, "active")
    assert [row.extended_to for row in now.adjustments] == [LATER]


def test_a_later_one_supersedes_and_the_own_expiry_takes_it_back(ruled, ids):
    adjust(ruled, ids[1])
    sooner = date(2027, 3, 1)
    adjust(ruled, ids[1], wanted(sooner))
    assert detail(ruled, ids[1]).standing.expires_on == sooner
    adjust(ruled, ids[1], wanted(EXPIRES))

    found = detail(ruled, ids[1])
    assert found.standing.expires_on == EXPIRES
    assert [row.number for row in found.adjustments] == [1, 2, 3]
    assert cases.cursor(ruled, ids[1]).expires_on == EXPIRES
    assert sound(ruled)


NOT_LET: list[tuple[AdjustmentToRecord, type[Exception]]] = [
    (wanted(reason_code="holidays"), NotExtendable),
    (wanted(date(2027, 12, 26)), ExtensionTooLong),
    (wanted(reason_code="illness"), TooLittleEarned),
    (wanted(EXPIRES), Invalid),
    (wanted(requested_on=date(2026, 11, 22)), Invalid),
    (wanted(effective_on=date(2021, 12, 24)), Invalid),
    (AdjustmentToRecord("illness", "x", points_required=Decimal(60)), ReductionRefused),
    (AdjustmentToRecord("unemployment", "x", points_required=Decimal(49)), ReductionRefused),
    (AdjustmentToRecord("unemployment", "x", points_required=Decimal(100)), Invalid),
]


@SQLITE
def test_what_the_rule_or_the_values_do_not_let_is_refused_by_name(ruled, ids):
    for asked, refused in NOT_LET:
        with pytest.raises(refused):
            adjust(ruled, ids[1], asked)
        assert detail(ruled, ids[1]).adjustments == [], asked
        assert history(ruled) == [], asked


@SQLITE
def test_it_is_asked_for_in_time_unless_the_reason_is_exempt(ruled, ids, clock):
    clock.set("2026-11-26")
    with pytest.raises(ExtensionTooLate):
        adjust(ruled, ids[1], wanted(reason_code="illness"))
    cases.complete(ruled, ids[1], date(2026, 11, 1))
    adjust(ruled, ids[1], wanted(reason_code="illness", requested_on=date(2026, 11, 25)))
    assert detail(ruled, ids[1]).standing.expires_on == LATER


@SQLITE
def test_staff_grant_it_all_the_same_with_a_reason_that_history_keeps(container, ids):
    with pytest.raises(NotExtendable):
        adjust(container, ids[1])  # the shipped policy extends nothing
    adjust(container, ids[1], wanted(override_reason="The board decided so."))

    found = detail(container, ids[1])
    assert found.standing.expires_on == LATER
    assert found.adjustments[0].override_reason == "The board decided so."
    [(_, _, told)] = history(container)
    assert (told["override"], told["overrode"]) == ("The board decided so.", "not_extendable")


@SQLITE
def test_an_override_that_was_not_needed_is_not_told(ruled, ids):
    adjust(ruled, ids[1], wanted(override_reason="To be safe."))
    assert detail(ruled, ids[1]).adjustments[0].override_reason is None
    assert "override" not in history(ruled)[0][2]


@SQLITE
def test_no_reason_extends_what_was_revoked(ruled, ids):
    cases.change(ruled, ids[1], "revoke", date(2026, 11, 1))
    with pytest.raises(NotExtendable):
        adjust(ruled, ids[1], wanted(override_reason="But still."))


@SQLITE
def test_nobody_adjusts_their_own_certification(ruled, ids):
    with pytest.raises(SelfReview):
        adjust(ruled, ids[1], actor=Actor(role="staff", name="ana", holder_id=ids[0]))


@SQLITE
def test_the_same_again_is_on_record_already(ruled, ids):
    adjust(ruled, ids[1])
    with pytest.raises(AlreadyRecorded):
        adjust(ruled, ids[1])


def test_a_reduction_is_what_counts_from_then_on(ruled, ids):
    less = AdjustmentToRecord("unemployment", "Plant closed.", points_required=Decimal("60.00"))
    adjust(ruled, ids[1], less)
    with pytest.raises(AlreadyRecorded):
        adjust(ruled, ids[1], less)

    with ruled.reading(SYSTEM) as reading:
        today = evaluations.explain(reading, ids[1], on=None)
        before = evaluations.explain(reading, ids[1], on=date(2026, 11, 20))
    assert today.points.evaluation.required == Decimal("60.00")
    assert before.points.evaluation.required == Decimal("100.00")
    assert detail(ruled, ids[1]).standing.expires_on == EXPIRES
    assert history(ruled)[0][0] == "reduce"
    adjust(
        ruled,
        ids[1],
        AdjustmentToRecord("unemployment", "Hired.", points_required=Decimal("100.00")),
    )
    with ruled.reading(SYSTEM) as reading:
        again = evaluations.explain(reading, ids[1], on=None)
    assert again.points.evaluation.required == Decimal("100.00")


def at_once(*acts):
    """Do these at once; the names of what they raised, sorted, empty for what worked."""
    gate, told = threading.Barrier(len(acts)), []

    def run(act):
        gate.wait()
        try:
            act()
        except Exception as error:  # noqa: BLE001 - that is what is looked at
            told.append(type(error).__name__)
        else:
            told.append("")

    threads = [threading.Thread(target=run, args=(act,)) for act in acts]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    return sorted(told)


def test_two_clicks_at_once_are_one_extension(ruled, ids):
    click = [lambda: adjust(ruled, ids[1])] * 6
    assert at_once(*click) == ["", *["AlreadyRecorded"] * 5]
    assert [row.number for row in detail(ruled, ids[1]).adjustments] == [1]
    assert sound(ruled)


def test_two_different_ones_at_once_are_both_on_record_in_some_order(ruled, ids):
    days = [LATER + timedelta(days=n) for n in range(4)]
    acts = [lambda day=day: adjust(ruled, ids[1], wanted(day)) for day in days]
    assert at_once(*acts) == [""] * 4
    found = detail(ruled, ids[1])
    assert [row.number for row in found.adjustments] == [1, 2, 3, 4]
    assert found.standing.expires_on == found.adjustments[-1].extended_to
    assert sound(ruled)


def test_an_extension_and_a_revocation_at_once_leave_it_revoked(ruled, ids):
    told = at_once(
        lambda: adjust(ruled, ids[1]),
        lambda: cases.change(ruled, ids[1], "revoke", date(2026, 11, 21)),
    )
    assert told in (["", ""], ["", "NotExtendable"])
    assert detail(ruled, ids[1]).standing.status == "revoked"
    assert sound(ruled)


def test_the_constraint_has_the_last_word_about_two_next_ones(ruled, ids):
    adjust(ruled, ids[1])
    with ruled.reading(SYSTEM) as reading:
        row = reading.row(select(*Adjustment.__table__.c))._asdict()
    assert (row["ordinal"], row["number"]) == (1, 1)
    with pytest.raises(IntegrityError), ruled.work(SYSTEM) as work:
        work.connection.execute(insert(Adjustment), {**row, "id": ids[0]})


# What follows from the moved expiry.
@SQLITE
def test_the_stages_begin_anew_for_the_later_expiry(ruled, ids):
    jobs.plan(ruled)
    assert cases.stages(ruled)[-1] == (60, "planned", None)
    adjust(ruled, ids[1])
    jobs.plan(ruled)

    with ruled.reading(SYSTEM) as reading:
        told = ledger.fates(reading, ids[1])
        assert ledger.identity_violations(reading) == []
    of_later = {f.offset: f.fate for f in told if f.expires_on == LATER}
    assert (of_later[365], of_later[180], of_later[90]) == ("planned", "ahead", "ahead")
    assert {f.fate for f in told if f.expires_on == EXPIRES} <= {"planned", "superseded"}


@SQLITE
def test_an_expired_certification_is_valid_again(ruled, ids, clock):
    clock.set("2027-03-01")
    assert detail(ruled, ids[1]).standing.status == "expired"
    adjust(ruled, ids[1])
    assert detail(ruled, ids[1]).standing.valid
    assert not detail(ruled, ids[1], on=date(2027, 2, 28)).standing.valid


def decided(container, id_):
    with container.work(STAFF) as work:
        made = renewals.apply(work, id_)
        version = renewals.get(work, made).version
        renewals.decide(work, made, decision=RenewalVerdict.APPROVED, reason=None, version=version)


@SQLITE
@pytest.mark.parametrize(
    ("moves", "days"),
    [
        (True, (date(2027, 6, 26), date(2032, 6, 25))),
        (False, (date(2026, 12, 26), date(2031, 12, 25))),
    ],
)
def test_the_next_cycle_follows_as_the_policy_says(container, ids, clock, moves, days):
    chosen = under(container, extension=replace(RULE, moves_cycle=moves))
    adjust(chosen, ids[1])
    cases.complete(chosen, ids[1], date(2026, 11, 1))
    clock.set("2027-05-01")
    decided(chosen, ids[1])

    found = detail(chosen, ids[1])
    assert [c.ordinal for c in found.cycles] == [1, 2]
    assert (found.cycles[1].starts_on, found.cycles[1].expires_on) == days
    assert found.standing.expires_on == days[1]
    assert found.expires_on(found.cycles[0]) == LATER
    assert sound(chosen)
    with pytest.raises(Invalid):  # the next cycle's own expiry counts from now on
        adjust(chosen, ids[1])


@SQLITE
def test_a_file_of_renewals_opens_the_same_next_cycle(ruled, ids, clock):
    adjust(ruled, ids[1])
    clock.set("2027-05-01")
    with ruled.work(SYSTEM) as work:
        file = (
            "renewal_ref,holder_ref,scheme,submitted_on,decided_on,decision\n"
            f"R1,{ids[0]},cpt,2027-04-20,2027-05-01,approved\n"
        )
        imports.run(work, "renewals", io.BytesIO(file.encode()), filename="r.csv")
    found = detail(ruled, ids[1])
    assert found.cycles[1].starts_on == date(2027, 6, 26)
    assert sound(ruled)


def test_sql_and_the_rule_say_the_same_of_every_day(ruled, clock):
    made = [factories.certified(ruled, date(2021, 12, 1 + n))[1] for n in range(4)]
    for n, id_ in enumerate(made[:3]):
        adjust(ruled, id_, wanted(LATER + timedelta(days=n), effective_on=date(2026, 11, 1 + n)))
    adjust(ruled, made[1], wanted(date(2027, 3, 1)))
    cases.change(ruled, made[2], "suspend", date(2027, 1, 1))
    cases.complete(ruled, made[0], date(2026, 11, 1))
    clock.set("2027-06-20")
    cases.apply(ruled, made[0], date(2027, 6, 20))
    asked = (
        select(Certification.id, standings.STATUS.label("status"), standings.VALID.label("valid"))
        .join(Span, Span.certification_id == Certification.id)
        .where(standings.ON_SPAN)
    )
    with ruled.reading(SYSTEM) as reading:
        records = snapshots.records(reading, made)
        spans = {
            id_: timeline(
                ruled.schemes["cpt"],
                record.cycles,
                applications=record.applications,
                changes=record.changes,
                adjustments=record.adjustments,
            )
            for id_, record in records.items()
        }
        day, seen = date(2026, 10, 30), set()
        while day < date(2027, 10, 1):
            for row in reading.rows(asked, {"on": day}):
                span = span_on(spans[row.id], day)
                assert span is not None
                rule = standing_on(span, day)
                assert (row.status, bool(row.valid)) == (rule.status, rule.valid), (row.id, day)
                seen.add(row.status)
            day += timedelta(days=1)
    assert seen == {
        "active",
        "renewal_open",
        "grace",
        "expired",
        "suspended",
        "pending_renewal",
    }


@SQLITE
def test_the_export_of_standings_tells_the_expiry_of_its_day(ruled, ids):
    adjust(ruled, ids[1], wanted(effective_on=date(2026, 11, 10)))
    less = AdjustmentToRecord("unemployment", "x", points_required=Decimal("70.00"))
    adjust(ruled, ids[1], less)
    with ruled.reading(SYSTEM) as reading:
        told = {
            day: next(row for row in standings.export(reading, on=day) if row.certificate_number)
            for day in (date(2026, 11, 9), date(2026, 11, 21))
        }
    before, after = told.values()
    assert (before.expires_on, before.status) == (EXPIRES, "renewal_open")
    assert (after.expires_on, after.status, after.window_opens_on) == (
        LATER,
        "active",
        date(2027, 3, 27),
    )
    assert (before.points_required, after.points_required) == (Decimal("100.00"), Decimal("70.00"))


def test_a_persons_record_holds_what_was_adjusted(ruled, ids):
    adjust(ruled, ids[1])
    with ruled.reading(SYSTEM) as reading:
        ref = reading.row(select(Certification.holder_id)).holder_id
        told = exports.record(reading, ref)
    [certification] = told["certifications"]
    [one] = certification["adjustments"]
    assert (one["extended_to"], one["reason_code"]) == ("2027-06-25", "military")
    assert "extend" in [line["action"] for line in told["history"]]
