"""Policies and claims drawn from the whole rules language, for the tests of its invariants."""

from __future__ import annotations

from dataclasses import replace
from datetime import date, timedelta
from decimal import Decimal
from typing import Any

from hypothesis import strategies as st

from tests.domain.examples import nouns
from tracker.domain.periods import Duration, Period
from tracker.domain.points.claims import Claim
from tracker.domain.schemes.activity_types import (
    ActivityType,
    Category,
    Limits,
    Provenance,
    Tag,
)
from tracker.domain.schemes.policies import (
    ApplicationWindow,
    CarryOver,
    Duplicates,
    Kinds,
    Policy,
    WindowMinimum,
)

CYCLE = Period(date(2021, 3, 1), date(2024, 2, 29))
NAME = {"en": "Name", "es": "Nombre"}
SOURCE = Provenance("made up", verified=True)
TYPES = {"course": "A", "talk": "A", "exam": "B", "help": "C", "job": "C", "part_job": "C"}
JOBS = ("job", "part_job")
TAGS = ("safety", "ethics")
YEAR = Duration(1, "years")
KEYS = st.sampled_from([("title",), ("provider", "title"), ("type", "title", "completed_on")])
DUPLICATES = st.none() | st.builds(Duplicates, KEYS, st.sampled_from([None, YEAR]))
KINDS = st.none() | st.builds(Kinds, st.integers(1, 3), st.sampled_from(["category", "type"]))
WINDOWS = st.sampled_from(
    [
        (),
        (WindowMinimum(YEAR, Decimal("0.03")),),
        (WindowMinimum(YEAR, Decimal("0.03"), category="A"),),
        (
            WindowMinimum(YEAR, Decimal("0.02"), tag="safety"),
            WindowMinimum(YEAR, Decimal("0.02"), type="talk"),
        ),
    ]
)


def hundredths(most: int, least: int = 0) -> st.SearchStrategy[Decimal]:
    """Amounts of up to so many hundredths."""
    return st.integers(least, most).map(lambda n: Decimal(n).scaleb(-2))


@st.composite
def limits(draw: Any, most: int) -> Limits:
    """Any limits of a group, mostly none."""
    bound = st.none() | st.none() | hundredths(most)
    return Limits(
        per_event=draw(bound),
        per_year=draw(bound),
        maximum=draw(bound),
        minimum=draw(bound),
        minimum_per_year=draw(st.none() | bound),
    )


def _of_tag(found: Limits, rounding_of: str) -> Limits:
    """The limits of a tag, which bears no cap where sums are rounded."""
    return found if rounding_of == "claim" else replace(found, per_year=None, maximum=None)


@st.composite
def types(draw: Any, code: str, most: int) -> ActivityType:
    """An activity type; those counted by months have rates of their own."""
    is_job = code in JOBS
    return ActivityType(
        code=code,
        category=TYPES[code],
        name=NAME,
        basis="months" if is_job else draw(st.sampled_from(["quantity", "quantity", "event"])),
        unit=nouns("hour/hours", "hora/horas", feminine=True),
        rate=Decimal("0.30") if code == "job" else Decimal(1),
        provenance=SOURCE,
        increment=None if is_job else draw(st.none() | st.just(Decimal("0.02"))),
        units={"hour": Decimal(1), "ceu": Decimal(2)},
        roles=draw(st.sampled_from([{}, {"taught": Decimal("1.125")}])),
        limits=draw(limits(most)),
        threshold=draw(st.none() | hundredths(most, 1)) if code in ("exam", "talk") else None,
        threshold_over=draw(st.sampled_from(["claim", "year"])) if code == "exam" else "claim",
        unapproved=draw(st.none() | st.sampled_from([Decimal("0.5"), Decimal("0.3333")])),
        outside_duties=draw(st.booleans()),
        tags=draw(st.sampled_from([frozenset(), frozenset({"safety"})])),
        date_basis=draw(st.sampled_from(["completion", "start", "award", "whole"])),
        counts_from=draw(st.sampled_from([None, None, date(2022, 3, 1)])),
        counts_until=draw(st.sampled_from([None, None, date(2023, 7, 31)])),
    )


@st.composite
def policies(draw: Any, most: int = 8_000, *, jobs: tuple[str, ...] = JOBS) -> Policy:
    """A policy of any features."""
    rounding_of = draw(st.sampled_from(["claim", "claim", "category"]))
    overlap = draw(st.sampled_from(["highest", "sum", "capped_sum"]))
    return Policy(
        version="drawn",
        effective_from=None,
        points_required=draw(hundredths(most, 1)),
        categories={code: Category(code, NAME, draw(limits(most)), SOURCE) for code in "ABC"},
        types={code: draw(types(code, most)) for code in TYPES if code not in JOBS or code in jobs},
        tags={
            code: Tag(code, NAME, _of_tag(draw(limits(most)), rounding_of), SOURCE) for code in TAGS
        },
        window=ApplicationWindow(Duration(90, "days")),
        provenance=SOURCE,
        year=draw(st.sampled_from(["cycle", "calendar"])),
        minimum_per_year=draw(st.none() | st.none() | hundredths(most)),
        stop_at_requirement=draw(st.booleans()),
        kinds=draw(KINDS),
        windows=draw(WINDOWS),
        duplicates=draw(DUPLICATES),
        carry_over=draw(
            st.none()
            | st.builds(
                CarryOver,
                hundredths(most),
                st.just(frozenset({"A"})),
                st.none() | st.just(Duration(6, "months")),
                st.sampled_from(["counted", "earned"]),
            )
        ),
        rounding=draw(st.sampled_from(["half_up", "half_even", "down", "up"])),
        month_rule=draw(st.sampled_from(["completed", "pro_rata", "fifteen_days"])),
        overlap=overlap,
        overlap_maximum=Decimal("0.45") if overlap == "capped_sum" else None,
        rounding_of=rounding_of,
    )


DAYS = st.dates(CYCLE.starts_on - timedelta(40), CYCLE.ends_on + timedelta(40))
INSIDE = st.dates(CYCLE.starts_on, CYCLE.ends_on)


@st.composite
def dated(draw: Any, most: int = 4_000, days: st.SearchStrategy[date] = DAYS) -> Claim:
    """A course or the like, often alike another."""
    kind = draw(st.sampled_from([code for code in TYPES if code not in JOBS]))
    done = draw(st.sampled_from([CYCLE.starts_on, CYCLE.ends_on]) | days)
    return Claim(
        ref="",
        category=TYPES[kind],
        type=kind,
        title=draw(st.sampled_from("XYZ")),
        provider=draw(st.sampled_from(["", "P"])),
        quantity=draw(hundredths(most, 1)),
        starts_on=draw(st.none() | st.just(done - timedelta(20))),
        completed_on=done,
        limit=draw(st.none() | st.none() | hundredths(most)),
        unit=draw(st.sampled_from(["", "", "hour", "ceu"])),
        role=draw(st.sampled_from(["", "", "", "taught"])),
        tags=draw(st.sampled_from([frozenset(), frozenset({"safety"}), frozenset(TAGS)])),
        duty=draw(st.sampled_from([False, False, True])),
        approved=draw(st.booleans()),
    )


@st.composite
def employed(draw: Any, jobs: tuple[str, ...]) -> Claim:
    """A job of some length, one that goes on included."""
    starts_on = draw(DAYS)
    length = draw(st.none() | st.integers(0, 500))
    return Claim(
        ref="",
        category="C",
        type=draw(st.sampled_from(jobs)),
        title="Technician",
        provider="Plant",
        quantity=None,
        starts_on=starts_on,
        completed_on=None if length is None else starts_on + timedelta(length),
        limit=draw(st.none() | st.none() | hundredths(900)),
        approved=draw(st.booleans()),
        duty=draw(st.sampled_from([False, False, True])),
    )


def several(*claims: st.SearchStrategy[Claim], most: int = 7) -> st.SearchStrategy[list[Claim]]:
    """Some claims with references of their own."""
    return st.lists(st.one_of(*claims), max_size=most).map(
        lambda found: [replace(claim, ref=f"c{n}") for n, claim in enumerate(found)]
    )
