"""Timelines and standings against a naive reading of the same facts, day by day."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date, timedelta
from itertools import pairwise
from typing import Any

from hypothesis import given
from hypothesis import strategies as st

from tests.domain.examples import grace, policy, scheme_of, window
from tracker.domain.credentials.certifications import (
    Application,
    ChangeKind,
    ChangeOfStanding,
    CycleTerm,
    cycle_on,
    days_of,
    first_cycle,
    next_cycle,
    span_on,
    standing_on,
    timeline,
    valid_through,
)
from tracker.domain.periods import Duration, nth_expiry
from tracker.domain.schemes.policies import Policy
from tracker.domain.schemes.schemes import Scheme

DAY = timedelta(1)
MONTH, TWO_MONTHS = Duration(30, "days"), Duration(2, "months")
LADDERS = [
    (),
    grace(MONTH),
    grace(TWO_MONTHS, title=True),
    (*grace(MONTH, title=True), *grace(TWO_MONTHS)),
]


@dataclass(frozen=True)
class History:
    """Everything on record about one certification."""

    scheme: Scheme
    cycles: tuple[CycleTerm, ...]
    applications: tuple[Application, ...]
    changes: tuple[ChangeOfStanding, ...]

    @property
    def policy(self) -> Policy:
        return self.scheme.policies[0]

    def spans(self) -> Any:
        return timeline(
            self.scheme, self.cycles, applications=self.applications, changes=self.changes
        )

    def days(self) -> list[date]:
        """The days on which something may change, each with its neighbours."""
        marks = {c.starts_on for c in self.cycles} | {c.opened_on for c in self.cycles}
        marks |= {c.expires_on for c in self.cycles if c.expires_on}
        window = self.policy.window.length
        marks |= {window.before(c.expires_on) for c in self.cycles if c.expires_on}
        for step in self.policy.late:
            marks |= {step.until.after(c.expires_on) for c in self.cycles if c.expires_on}
        marks |= {c.effective_on for c in self.changes}
        marks |= {a.submitted_on for a in self.applications}
        marks |= {a.closed_on for a in self.applications if a.closed_on}
        begin = self.cycles[0].starts_on
        around = {mark + DAY * n for mark in marks for n in (-1, 0, 1)}
        return sorted(day for day in around if day >= begin)


@st.composite
def histories(draw: Any) -> History:
    """A certification renewed up to three times, with applications and changes in between."""
    scheme = scheme_of(
        policy(
            next_cycle=draw(st.sampled_from(["old_expiry", "decision", "decision_to_old_end"])),
            late=draw(st.sampled_from(LADDERS)),
            window=draw(st.sampled_from([window(90), window(3, "months")])),
            valid_while_pending=draw(st.booleans()),
        ),
        validity=draw(st.sampled_from([Duration(5, "years"), Duration(8, "months"), None])),
    )
    awarded_on = draw(st.dates(date(2016, 1, 1), date(2024, 12, 31)) | st.just(date(2024, 2, 29)))
    cycles = [first_cycle(scheme, awarded_on)]
    applications = []
    for _ in range(draw(st.integers(0, 3)) if scheme.award.validity else 0):
        expires_on = cycles[-1].expires_on
        assert expires_on
        decided_on = expires_on + DAY * draw(st.integers(-90, 100))
        submitted_on = min(expires_on, decided_on) - DAY * draw(st.integers(0, 60))
        applications.append(Application(submitted_on, decided_on))
        cycles.append(next_cycle(scheme, cycles[-1], decided_on=decided_on, awarded_on=awarded_on))
    end = (cycles[-1].expires_on or awarded_on) + DAY * 200
    some_day = st.dates(awarded_on, end)
    for submitted_on in draw(st.lists(some_day, max_size=2)):
        closed = draw(st.none() | st.integers(0, 90))
        applications.append(
            Application(submitted_on, None if closed is None else submitted_on + DAY * closed)
        )
    changes = [
        ChangeOfStanding(kind, day)
        for day, kind in sorted(
            draw(st.lists(st.tuples(some_day, st.sampled_from(ChangeKind)), max_size=5)),
            key=lambda change: change[0],
        )
    ]
    return History(scheme, tuple(cycles), tuple(applications), tuple(changes))


def naive(history: History, day: date) -> tuple[str, bool, int, date | None, date | None]:
    """Status, validity, cycle, expiry and pending date of a day, from the facts alone."""
    known = [c for c in history.cycles if c.opened_on <= day]
    holding = [c for c in known if c.starts_on <= day <= (c.expires_on or date.max)]
    cycle = holding[-1] if holding else known[-1]
    expires_on = known[-1].expires_on
    ladder = history.policy.late
    last_day = ladder[-1].until.after(expires_on) if ladder and expires_on else expires_on
    under_review = [
        a.submitted_on
        for a in history.applications
        if a.submitted_on <= day
        if a.closed_on is None or a.closed_on > day
        if last_day is None or a.submitted_on <= last_day
    ]
    pending_since = min(under_review) if under_review else None
    status = _held(history.changes, day) or _dated(
        history.policy, day, expires_on=expires_on, pending=pending_since is not None
    )
    valid = {
        "active": True,
        "renewal_open": True,
        "grace": any(
            step.title and expires_on and day <= step.until.after(expires_on) for step in ladder
        ),
        "pending_renewal": history.policy.valid_while_pending,
    }.get(status, False)
    return status, valid, cycle.ordinal, expires_on, pending_since


def _held(changes: Sequence[ChangeOfStanding], day: date) -> str | None:
    so_far = [change.kind for change in changes if change.effective_on <= day]
    while "reinstate" in so_far:
        so_far = so_far[so_far.index(ChangeKind.REINSTATE) + 1 :]
    if "revoke" in so_far:
        return "revoked"
    if "surrender" in so_far:
        return "surrendered"
    return "suspended" if "suspend" in so_far else None


def _dated(rules: Policy, day: date, *, expires_on: date | None, pending: bool) -> str:
    if expires_on is None:
        return "active"
    if day <= expires_on:
        return "renewal_open" if rules.window.length.before(expires_on) <= day else "active"
    if pending:
        return "pending_renewal"
    if rules.late and day <= rules.late[-1].until.after(expires_on):
        return "grace"
    return "expired"


@given(histories())
def test_the_timeline_says_of_every_day_what_the_facts_say(history):
    """worked_cases.md S1 to S4."""
    spans = history.spans()
    for day in history.days():
        span = span_on(spans, day)
        assert span is not None
        told = standing_on(span, day)
        assert (
            told.status,
            told.valid,
            told.cycle,
            told.expires_on,
            told.pending_since,
        ) == naive(history, day)
        assert told.on == day


@given(histories())
def test_spans_adjoin_and_cover_every_day_from_the_award_without_end(history):
    spans = history.spans()

    assert spans[0].from_on == history.cycles[0].starts_on
    assert [span.until_on for span in spans] == [*(s.from_on for s in spans[1:]), None]
    assert all(span.until_on is None or span.from_on < span.until_on for span in spans)


@given(histories())
def test_no_span_says_the_same_as_the_one_before_it(history):
    spans = history.spans()

    for left, right in pairwise(spans):
        assert [getattr(left, name) for name in left.__slots__[2:]] != [
            getattr(right, name) for name in right.__slots__[2:]
        ]


@given(histories())
def test_no_day_lies_in_two_cycles(history):
    """worked_cases.md D2."""
    for day in history.days():
        within = [c for c in history.cycles if day in days_of(history.cycles, c)]
        assert len(within) <= 1
        if within and within[0].opened_on <= day:
            assert cycle_on(history.cycles, day) == within[0]


@given(histories())
def test_every_expiry_is_an_anniversary_of_its_anchor(history):
    """worked_cases.md D3: never chained."""
    validity = history.scheme.award.validity
    for cycle in history.cycles:
        if validity is None:
            assert cycle.expires_on is None
        else:
            assert cycle.expires_on == nth_expiry(cycle.anchor_on, validity, cycle.nth)
            if history.policy.next_cycle == "old_expiry":
                assert cycle.anchor_on == history.cycles[0].starts_on
                assert cycle.nth == cycle.ordinal


@given(histories())
def test_what_is_decided_later_changes_nothing_on_the_days_before(history):
    """worked_cases.md S1: with what was decided on or before the day."""
    if len(history.cycles) == 1:
        return
    last = history.cycles[-1]
    earlier = History(history.scheme, history.cycles[:-1], history.applications, history.changes)
    for day in history.days():
        if day < last.opened_on:
            assert naive(earlier, day) == naive(history, day)
            with_it, without = span_on(history.spans(), day), span_on(earlier.spans(), day)
            assert with_it is not None
            assert without is not None
            assert standing_on(with_it, day) == standing_on(without, day)


@given(histories())
def test_a_certification_is_valid_through_the_last_of_the_valid_days_in_a_row(history):
    spans = history.spans()

    def is_valid(day):
        span = span_on(spans, day)
        return span is not None and standing_on(span, day).valid

    for day in history.days():
        last = valid_through(spans, day)
        assert (last is not None) == is_valid(day)
        if last is None or last == date.max:
            continue
        assert not is_valid(last + DAY)
        between = [mark for mark in history.days() if day <= mark <= last]
        assert all(map(is_valid, (*between, last)))


@given(histories())
def test_nothing_is_valid_before_the_award(history):
    assert valid_through(history.spans(), history.cycles[0].starts_on - DAY) is None
