"""What would close a gap, held to the evaluation itself: it does, and less or fewer does not."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace
from datetime import date, timedelta
from decimal import Decimal
from itertools import combinations
from typing import Any

from hypothesis import given
from hypothesis import strategies as st

from tests.conftest import examples
from tests.domain.examples import POLICY, nouns
from tracker.domain.periods import DAY, Duration, Period
from tracker.domain.points import constraints, evaluations, gap
from tracker.domain.points.claims import ZERO, Claim, Evaluation, Terms
from tracker.domain.points.evaluations import NO_TERMS
from tracker.domain.points.options import Option, Portion, Program, SuggestedActivity
from tracker.domain.schemes.activity_types import (
    ActivityType,
    Category,
    Limits,
    Provenance,
    Tag,
)
from tracker.domain.schemes.policies import CarryOver, Duplicates, Kinds, Policy, WindowMinimum
from tracker.domain.schemes.schemes import AwardRule, DayOfYear

AWARDED_ON = date(2024, 3, 15)
CYCLE = Period(AWARDED_ON, date(2026, 9, 30))  # as a fixed day in September makes it
YEAR = Duration(1, "years")
D = Decimal
SEEN = Provenance("made up", verified=True)
MOST = 18  # points: as many as anything asks for here


def text(words: str) -> dict[str, str]:
    return {"en": words, "es": words}


def amounts(most: int = 30) -> st.SearchStrategy[Decimal]:
    return st.integers(1, most * 2).map(lambda n: D(n) / 2)


@st.composite
def limits(draw: Any, *, yearly: bool) -> Limits:
    """Limits of a group, mostly none."""
    odd = st.integers(0, 3).map(bool)  # True in three of four
    return Limits(
        per_event=None if draw(odd) else D(draw(st.integers(3, 12))),
        per_year=None if not yearly or draw(odd) else draw(amounts(15)),
        maximum=None if draw(st.booleans()) else draw(amounts()),
        minimum=None if draw(odd) else draw(amounts(8)),
    )


@st.composite
def types(draw: Any, code: str, *, tags: bool, yearly: bool) -> ActivityType:
    basis = draw(st.sampled_from(["quantity", "quantity", "event", "months"]))
    return ActivityType(
        code=code,
        category=draw(st.sampled_from("AB")),
        name=text(code),
        basis=basis,
        unit=nouns("hour/hours", "hora/horas", feminine=True),
        rate=D(4) if basis == "event" else draw(st.sampled_from([D("0.5"), D(1), D("1.5"), D(4)])),
        increment=draw(st.sampled_from([None, None, D("0.25"), D(2)]))
        if basis == "quantity"
        else None,
        threshold=D(3) if basis == "event" and draw(st.booleans()) else None,
        provenance=SEEN,
        limits=draw(limits(yearly=yearly)),
        tags=frozenset({"t"}) if tags and draw(st.booleans()) else frozenset(),
    )


@st.composite
def policies(draw: Any, *, timely: bool = False, tagged: bool = False) -> Policy:
    """A small policy of two categories and up to three types."""
    codes = [f"k{n}" for n in range(draw(st.integers(1, 3)))]
    yearly = timely and draw(st.booleans())
    tag = Tag("t", text("t"), draw(limits(yearly=False)), SEEN)
    return replace(
        POLICY,
        points_required=draw(amounts(18)),
        categories={c: Category(c, text(c), draw(limits(yearly=yearly)), SEEN) for c in "AB"},
        types={c: draw(types(c, tags=tagged, yearly=yearly)) for c in codes},
        tags={"t": tag} if tagged else {},
        month_rule=draw(st.sampled_from(["completed", "pro_rata"])),
        overlap=draw(st.sampled_from(["highest", "sum"])),
        rounding=draw(st.sampled_from(["half_up", "down"])),
        kinds=draw(st.sampled_from([None, None, Kinds(2, "category"), Kinds(2, "type")])),
        stop_at_requirement=not timely and draw(st.booleans()),
        minimum_per_year=draw(amounts(5)) if timely and draw(st.booleans()) else None,
        year=draw(st.sampled_from(["cycle", "calendar"])),
        windows=(WindowMinimum(Duration(8, "months"), draw(amounts(8))),)
        if timely and draw(st.booleans())
        else (),
        duplicates=draw(
            st.sampled_from(
                [
                    None,
                    Duplicates(("provider", "title")),
                    Duplicates(("provider", "title"), YEAR),
                    Duplicates(("type",)),
                    Duplicates(("type",), YEAR),
                ]
            )
        ),
    )


@st.composite
def cycles(draw: Any) -> Period:
    """A first cycle of two years, or longer or shorter if it ends on a fixed day."""
    rule = AwardRule(
        date_basis="last_required_pass",
        validity=Duration(2, "years"),
        prerequisites=(),
        provenance=SEEN,
        valid_through=draw(st.sampled_from(["anniversary", "fixed_day", "fixed_day"])),
        fixed_day=DayOfYear(draw(st.integers(1, 12)), draw(st.integers(1, 28))),
        first_cycle=draw(st.sampled_from(["longer", "shorter"])),
    )
    expiry = rule.expiry(AWARDED_ON, 1)
    assert expiry is not None
    return Period(AWARDED_ON, expiry)


@st.composite
def situations(
    draw: Any, *, timely: bool = False, tagged: bool = False
) -> tuple[Policy, list[Claim], date, Period]:
    """A policy, what was done by a day, the day, and the cycle."""
    under, cycle = draw(policies(timely=timely, tagged=tagged)), draw(cycles())
    on = draw(st.dates(cycle.starts_on + timedelta(40), cycle.ends_on - timedelta(1)))
    claims = [
        _claim(
            under,
            kind,
            n,
            D(draw(st.integers(1, 12))),
            draw(st.dates(AWARDED_ON, on - 2 * DAY)),
        )
        for n, kind in enumerate(draw(st.lists(st.sampled_from(sorted(under.types)), max_size=4)))
    ]
    return under, claims, on, cycle


def _claim(under: Policy, kind: str, number: int, quantity: Decimal, day: date) -> Claim:
    """An activity done by a day; a job is one of up to thirty days that end on it."""
    known = under.types[kind]
    started = max(AWARDED_ON, day - timedelta(int(quantity) * 15))
    return Claim(
        ref=f"done-{number}",
        category=known.category,
        type=kind,
        title=f"Done {number}",
        provider="Ivy Tech",
        quantity=None if known.basis == "months" else quantity,
        starts_on=started if known.basis == "months" else None,
        completed_on=day,
        approved=True,
    )


@st.composite
def limits_of_years(draw: Any, found: Limits) -> Limits:
    """The same limits, with a minimum of each year in one of four."""
    least = draw(amounts(3)) if draw(st.integers(0, 3)) == 0 else None
    return replace(found, minimum_per_year=least)


@st.composite
def types_of_days(draw: Any, kind: ActivityType) -> ActivityType:
    """The same type, of its own days in one of four; events of a year that count once."""
    often = st.integers(0, 3).map(bool)
    shared = kind.basis == "event" and draw(st.booleans())
    return replace(
        kind,
        threshold=D(8) if shared else kind.threshold,
        threshold_over="year" if shared else "claim",
        counts_from=None if draw(often) else date(2025, 7, 10),
        counts_until=None if draw(often) else date(2026, 5, 20),
        unapproved=None if draw(often) else D("0.3333"),
    )


@st.composite
def rich(draw: Any) -> tuple[Policy, list[Claim], date, Period, Terms, date]:
    """A situation under what the language learned later, on terms of its own.

    The last is the day on which the window closes.
    """
    timely = draw(st.booleans())
    under, claims, on, cycle = draw(situations(timely=timely, tagged=draw(st.booleans())))
    sums = not any(tag.limits.maximum or tag.limits.per_event for tag in under.tags.values())
    group = draw(st.sampled_from([*under.categories, *under.types, *under.tags]))
    of, code = under.group_of(group)
    windows = (WindowMinimum(Duration(8, "months"), draw(amounts(4)), **{of: code}),)
    minima = {under.group_of(g): draw(amounts(5)) for g in [group] if draw(st.booleans())}
    categories = under.categories
    if timely:
        categories = {
            code: replace(found, limits=draw(limits_of_years(found.limits)))
            for code, found in categories.items()
        }
    under = replace(
        under,
        categories=categories,
        types={code: draw(types_of_days(kind)) for code, kind in under.types.items()},
        windows=under.windows + (windows if draw(st.booleans()) else ()),
        rounding_of=draw(st.sampled_from(["claim", "category"])) if sums else "claim",
        carry_over=draw(st.sampled_from([None, CarryOver(D(5), of="earned")])),
    )
    terms = Terms(
        required=draw(st.none() | amounts(MOST)),
        extra_points=draw(st.sampled_from([ZERO, D(2)])),
        minima=minima,
        carried_over=draw(st.sampled_from([ZERO, ZERO, D("1.25")])),
        earns_until=draw(st.sampled_from([None, None, cycle.ends_on + timedelta(60)])),
    )
    closes_on = draw(st.sampled_from([date.max, date.max, cycle.ends_on - timedelta(90)]))
    return under, claims, on, cycle, terms, closes_on


def evaluated(
    under: Policy,
    claims: list[Claim],
    on: date = date.max,
    cycle: Period = CYCLE,
    terms: Terms = NO_TERMS,
) -> Evaluation:
    """What some claims come to by a day, if not by the last."""
    last = terms.earns_until or cycle.ends_on
    return evaluations.evaluate(under, claims, cycle=cycle, on=min(on, last), terms=terms)


def proposed(way: tuple[SuggestedActivity, ...], near: date = date.min) -> list[Claim]:
    """The claims that a way comes to, done as near to a day as it says."""
    portions = [portion for activity in way for portion in activity.portions]
    return [claim for portion in portions for claim in portion.claims(near)]


def closes(before: Evaluation, under: Policy, chosen: Any, by: date = date.max) -> bool:
    """Whether any amount of the chosen kinds of activity completes the evaluation."""
    on, last, cycle = before.on, min(before.earning.ends_on, by), before.cycle
    found = Program(before, under, Period(on, last), list(under.tags))
    options = [o for o in found.options if (o.kind.code, tuple(sorted(o.marks))) in chosen]
    marks = {s.starts_on for s in constraints.years(under, cycle).values()}
    marks |= {w.last.before(cycle.ends_on + DAY) for w in under.windows}
    marks |= {kind.counts_from for kind in under.types.values() if kind.counts_from}
    starts = [on, *sorted(mark for mark in marks if on < mark <= last)]
    claims = [
        claim
        for option in options
        for n, start in enumerate(starts)
        for claim in _supply(option, start, last, first=n == 0)
    ]
    return evaluated(under, [*before.claims, *claims], last, cycle, before.terms).complete


def _supply(option: Option, start: date, last: date, *, first: bool) -> Iterator[Claim]:
    """As much of a kind of activity as the time from a day on takes; jobs begin tomorrow."""
    if option.kind.is_job:
        if first and start < last:
            yield from Portion(option, Period(start + DAY, last), (ZERO,)).claims()
        return
    most = option.event or D(200)
    if option.kind.basis == "event":
        most = min(most, option.kind.rate)
    times = 1 if option.once else int(2 * MOST / most) + 1
    yield from Portion(option, Period(start, start), times * (D(200),)).claims()


def exclude(under: Policy, chosen: Any) -> bool:
    """Whether two jobs take the same days, or two activities are the one that counts."""
    if under.duplicates is not None and under.duplicates.key == ("type",):
        types = [kind for kind, _ in chosen if under.types[kind].basis != "months"]
        if len(types) > len(set(types)):
            return True
    of_years = [kind for kind, _ in chosen if under.types[kind].threshold_over == "year"]
    if len(of_years) > len(set(of_years)):
        return True
    jobs = [under.types[kind] for kind, _ in chosen if under.types[kind].basis == "months"]
    return under.overlap != "sum" and len(jobs) > len({job.category for job in jobs})


def kinds_of(
    before: Evaluation, under: Policy, found: gap.Gap
) -> list[tuple[str, tuple[str, ...]]]:
    """The kinds of activity, each also with a mark that is lacking, if it bears it not.

    Marks that are needed and there already are tried where nothing else does: no way asks for one
    that is not lacking while there are others, so that with it nothing is told twice.
    """
    lacking = {short.group[1] for short in before.shortfalls if short.group[0] == "tag"}
    needed = {code for of, code in before.terms.minima if of == "tag"}
    needed |= {window.tag for window in under.windows if window.tag}
    needed |= {tag.code for tag in under.tags.values() if tag.limits.minimum is not None}
    return [
        (code, marks)
        for code, kind in under.types.items()
        for marks in [(), *((tag,) for tag in (lacking if found.ways else needed))]
        if not kind.tags & set(marks)
    ]


def check(
    under: Policy,
    done: list[Claim],
    on: date,
    cycle: Period = CYCLE,
    *,
    terms: Terms = NO_TERMS,
    by: date = date.max,
) -> None:
    before = evaluated(under, done, on, cycle, terms)
    found = gap.close(before, under, by=by)

    assert not (found.ways and found.obstacles)
    assert before.complete or found.ways or found.obstacles
    assert found == gap.close(before, under, by=by)
    for way in found.ways:
        middle = on + (found.days.ends_on - on) / 2
        for near in (date.min, middle, date.max):
            assert evaluated(under, [*done, *proposed(way, near)], by, cycle, terms).complete
        claims = proposed(way)
        for claim in claims:
            rest = [one for one in claims if one is not claim]
            assert not evaluated(under, [*done, *rest], by, cycle, terms).complete
    if not before.complete:
        check_sets(before, under, found, by)


def _holds(chosen: Any, way: Any) -> bool:
    """Whether a set has all the kinds of a way, with more marks or not."""
    return all(any(c == code and set(marks) <= set(m) for c, m in chosen) for code, marks in way)


def check_sets(before: Evaluation, under: Policy, found: gap.Gap, by: date) -> None:
    """The ways are sets of which no smaller one will do; where there is none, nothing does."""
    told = [frozenset((a.kind.code, tuple(sorted(a.marks))) for a in way) for way in found.ways]
    assert len(set(told)) == len(told)
    assert [len(way) for way in told] == sorted(len(way) for way in told)
    for way in told:
        assert not any(closes(before, under, less, by) for less in combinations(way, len(way) - 1))
    if len(told) < gap.ENOUGH_WAYS:
        for chosen in (
            c for size in range(4) for c in combinations(kinds_of(before, under, found), size)
        ):
            if not any(_holds(chosen, way) for way in told) and not exclude(under, chosen):
                assert not closes(before, under, chosen, by), chosen


@examples(15)
@given(situation=situations())
def test_a_gap_is_closed_by_what_is_told_and_by_no_less(situation):
    check(*situation)


@examples(15)
@given(situation=situations(timely=True))
def test_so_is_one_that_years_and_stretches_of_the_cycle_make(situation):
    check(*situation)


@examples(15)
@given(situation=situations(tagged=True))
def test_so_is_one_that_marks_make(situation):
    check(*situation)


@examples(15)
@given(situation=rich())
def test_so_is_one_under_whatever_else_the_language_says(situation):
    """Sums rounded once, days and years of types, minima of groups in time, terms of the cycle."""
    under, claims, on, cycle, terms, by = situation
    check(under, claims, on, cycle, terms=terms, by=by)


def test_an_allocation_is_found_that_presolving_once_hid():
    """HiGHS 1.15.1 said of this program that it has no solution."""
    bounds = {"k0": {"maximum": "10.5"}, "k1": {"maximum": "0.5"}, "k2": {"maximum": "24"}}
    kinds = {
        code: ActivityType(
            code=code,
            category="B" if code != "k0" else "A",
            name=text(code),
            basis="quantity" if code != "k0" else "event",
            unit=nouns("hour/hours", "hora/horas", feminine=True),
            rate=D(1) if code != "k0" else D(4),
            increment=D("0.25") if code != "k0" else None,
            threshold=None if code != "k0" else D(3),
            provenance=SEEN,
            limits=Limits(maximum=D(bounds[code]["maximum"])),
        )
        for code in bounds
    }
    under = replace(
        POLICY,
        points_required=D("2.5"),
        types=kinds,
        minimum_per_year=D("3.5"),
        rounding="down",
        categories={
            "A": Category("A", text("A"), Limits(per_year=D("13.5"), minimum=D("4.5")), SEEN),
            "B": Category("B", text("B"), Limits(per_event=D(8), minimum=D(1)), SEEN),
        },
        kinds=Kinds(2, "type"),
        year="cycle",
        windows=(),
        tags={},
        duplicates=None,
        stop_at_requirement=False,
        overlap="sum",
        month_rule="pro_rata",
    )
    days = (
        ("k1", 8, date(2025, 5, 3)),
        ("k0", 2, date(2025, 12, 3)),
        ("k2", 2, date(2025, 2, 22)),
        ("k2", 1, date(2025, 10, 22)),
    )
    done = [_claim(under, kind, n, D(count), day) for n, (kind, count, day) in enumerate(days)]

    before = evaluated(under, done, date(2026, 1, 30))
    assert not closes(before, under, [("k1", ()), ("k2", ())])


def test_no_more_is_told_than_the_least_that_will_do():
    """HiGHS 1.15.1 took more than twice the least effort for the least, and a year too many."""

    def kind(code: str, category: str, **more: Any) -> ActivityType:
        return ActivityType(
            code=code,
            category=category,
            name=text(code),
            unit=nouns("hour/hours", "hora/horas", feminine=True),
            increment=None,
            provenance=SEEN,
            **more,
        )

    kinds = [
        kind(
            "k0",
            "B",
            basis="event",
            rate=D(4),
            threshold=D(8),
            threshold_over="year",
            limits=Limits(minimum=D(1)),
        ),
        kind(
            "k1",
            "A",
            basis="quantity",
            rate=D(4),
            limits=Limits(per_event=D(4)),
            tags=frozenset({"t"}),
            counts_from=date(2025, 7, 10),
        ),
        kind("k2", "A", basis="quantity", rate=D(1)),
    ]
    under = replace(
        POLICY,
        points_required=D("9.5"),
        duplicates=None,
        types={one.code: one for one in kinds},
        minimum_per_year=D(5),
        rounding="down",
        kinds=Kinds(2, "type"),
        year="cycle",
        windows=(),
        categories={
            "A": Category("A", text("A"), Limits(per_event=D(5), per_year=D("8.5")), SEEN),
            "B": Category("B", text("B"), Limits(minimum=D(1)), SEEN),
        },
        tags={"t": Tag("t", text("t"), Limits(minimum=D(3)), SEEN)},
    )
    days = (
        ("k1", 7, date(2025, 2, 15)),
        ("k1", 10, date(2025, 2, 1)),
        ("k0", 7, date(2024, 6, 28)),
    )
    done = [_claim(under, kind, n, D(count), day) for n, (kind, count, day) in enumerate(days)]
    terms = Terms(earns_until=date(2026, 11, 29), extra_points=D(2), minima={("type", "k1"): D(3)})

    check(under, done, date(2025, 2, 20), terms=terms)
