"""Invented people with a few years of history, as the rows that imports read.

The same seed and day give the same rows. Careers are drawn around the day, so that every
standing and every reminder stage is there, and the odd cases are added by hand at the end.
"""

from __future__ import annotations

import random
from collections import defaultdict
from collections.abc import Iterator
from dataclasses import dataclass, field
from datetime import date, timedelta
from typing import Any

from tracker.domain.periods import add_months

Rows = dict[str, list[dict[str, Any]]]

EMPLOYERS = (
    "Palmetto Motors",
    "Buckeye Foods",
    "Hoosier Pharma",
    "Lone Star Aero",
    "Great Lakes Castings",
    "Piedmont Polymers",
    "Sonora Electronics",
    "Cascade Packaging",
    "Bluegrass Bearings",
    "Chesapeake Chemicals",
    "Prairie Tractor",
    "Delta Textiles",
)
_SPANISH = 0.3  # the share of holders who prefer Spanish
_GIVEN = (
    "Ana",
    "María",
    "Guadalupe",
    "José",
    "Luis",
    "Ximena",
    "Deshawn",
    "Marcus",
    "Fatima",
    "Ivan",
    "Ngọc",
    "Wanjiru",
    "Łukasz",
    "Zoë",
    "Chloë",
    "Björn",
    "Siobhán",
    "Aiyana",
    "Thu",
    "Priya",
)
_FAMILY = (
    "Peña",
    "García",
    "Hernández",
    "Castillo",
    "Ruiz",
    "Nguyễn",
    "Dvořák",
    "Müller",
    "Okafor",
    "O'Brien",
    "Smith-Jones",
    "Williams",
    "Johnson",
    "Yamamoto",
    "Kowalski",
    "Begaye",
    "Brown",
)
_ZONES = (
    "America/New_York",
    "America/Chicago",
    "America/Denver",
    "America/Phoenix",
    "America/Los_Angeles",
    "Pacific/Honolulu",
)
_CENTERS = (
    "Ivy Tech Community College",
    "Greenville Technical College",
    "Lone Star College",
    "Cuyahoga Community College",
    "American Job Center 14",
    "Northside High School CTE",
)
_COURSES = (
    "Robot Safety",
    "Blueprint Reading",
    "GD&T Fundamentals",
    "Statistics for Quality",
    "Industrial Electricity",
    "Lockout/Tagout Refresher",
    "Lean Six Sigma Yellow Belt",
)
_CERTIFICATES = ("OSHA 10-hour General Industry", "NIMS Machining I", "Siemens SMSCP Level 1")
_PROVIDERS = ("Ivy Tech", "Amatrol", "Tooling U-SME", "Siemens", "Plant training department")
_MODULES = ("safety", "quality", "processes", "maintenance")
_FUNDINGS = ("self", "employer", "wioa", "apprenticeship", "college", "state_program")

_KEYS = {
    "assessments": "attempt_ref",
    "activities": "activity_ref",
    "renewals": "renewal_ref",
    "standing-changes": "change_ref",
}

# What share of the workers is in which part of a career, and how many days before (negative:
# after) its expiry a certification then is.
_CAREERS: tuple[tuple[str, int, tuple[int, int]], ...] = (
    ("in_progress", 14, (0, 0)),
    ("active", 38, (100, 1800)),
    ("renewed", 18, (120, 1700)),
    ("window", 14, (1, 89)),
    ("pending", 3, (-40, -1)),
    ("expired", 9, (-900, -1)),
    ("suspended", 1, (100, 1500)),
    ("revoked", 2, (100, 1500)),
    ("surrendered", 1, (100, 1500)),
)


@dataclass
class _Worker:
    """A person while their history is written."""

    ref: str
    random: random.Random
    rows: Rows
    today: date
    _counters: dict[str, int] = field(default_factory=lambda: defaultdict(int))

    def add(self, file: str, **values: Any) -> None:
        """Add a row to a file, keyed by the worker and a running number."""
        key = _KEYS[file]
        self._counters[file] += 1
        ref = f"{self.ref}-{file[0]}{self._counters[file]}"
        row = {key: ref, "holder_ref": self.ref, "scheme": "cpt", **values}
        self.rows[file].append(row)

    def attempt(self, module: str, on: date, result: str = "pass", **values: Any) -> None:
        """Sit one assessment."""
        draw = self.random
        score = draw.randint(76, 99) if result == "pass" else draw.randint(40, 72)
        given = {
            "delivery": draw.choice(("in_person", "in_person", "remote", "paper")),
            "center": draw.choice(_CENTERS),
            "funding": draw.choice(_FUNDINGS),
            **values,
        }
        self.add("assessments", module=module, taken_on=on, result=result, score=score, **given)

    def certify(self, awarded_on: date) -> None:
        """Pass the four required modules, the last on the day of the award."""
        modules = list(_MODULES)
        self.random.shuffle(modules)
        for before, module in enumerate(reversed(modules)):
            day = awarded_on - timedelta(days=before * self.random.randint(5, 25))
            if before and self.random.random() < 0.25:  # noqa: PLR2004
                self.attempt(module, day - timedelta(days=self.random.randint(16, 60)), "fail")
            self.attempt(module, day)
        if self.random.random() < 0.3:  # noqa: PLR2004
            self.attempt("green", awarded_on - timedelta(days=self.random.randint(0, 60)))

    def course(self, hours: Any, on: date, status: str = "approved") -> None:
        """Take a course of so many contact hours, a point each."""
        self._activity(
            "CE", "third_party", self.random.choice(_COURSES), quantity=hours, on=on, status=status
        )

    def certificate(self, on: date, status: str = "approved") -> None:
        """Earn another industry certification."""
        title = self.random.choice(_CERTIFICATES)
        self._activity("IC", "industry_certification", title, quantity=1, on=on, status=status)

    def volunteer(self, hours: int, on: date, status: str = "approved") -> None:
        """Judge at a skills competition."""
        self._activity("X", "volunteer", "SkillsUSA judge", quantity=hours, on=on, status=status)

    def _activity(
        self, category: str, kind: str, title: str, *, quantity: Any, on: date, status: str
    ) -> None:
        submitted = min(on + timedelta(days=self.random.randint(1, 30)), self.today)
        decided = min(submitted + timedelta(days=self.random.randint(1, 12)), self.today)
        self.add(
            "activities",
            category=category,
            type=kind,
            title=title,
            quantity=quantity,
            provider=self.random.choice(_PROVIDERS),
            completed_on=on,
            status=status,
            submitted_on=submitted if status != "draft" else None,
            decided_on=decided if status in {"approved", "rejected"} else None,
        )

    def job(self, starts_on: date, ends_on: date | None = None, *, full_time: bool = True) -> None:
        """Hold a job in the field, perhaps still."""
        submitted = min((ends_on or starts_on) + timedelta(days=20), self.today)
        self.add(
            "activities",
            category="E",
            title="Production technician",
            status="approved",
            type="employment_full_time" if full_time else "employment_part_time",
            provider=self.random.choice(EMPLOYERS),
            starts_on=starts_on,
            completed_on=ends_on,
            submitted_on=submitted,
            decided_on=min(submitted + timedelta(days=6), self.today),
        )

    def earn(self, since: date, until: date) -> None:
        """Spend a cycle as people do: a job, some courses, now and then something else."""
        days = max((until - since).days, 1)
        if self.random.random() < 0.7:  # noqa: PLR2004
            self.job(since + timedelta(days=self.random.randint(0, min(300, days))))
        for _ in range(self.random.randint(0, 5)):
            on = since + timedelta(days=self.random.randint(0, days - 1))
            status = self.random.choice(("approved",) * 6 + ("submitted", "rejected", "draft"))
            pick = self.random.random()
            if pick < 0.6:  # noqa: PLR2004
                self.course(self.random.choice((4, 8, 12, 16, 24)), on, status)
            elif pick < 0.8:  # noqa: PLR2004
                self.volunteer(self.random.randint(2, 12), on, status)
            else:
                self.certificate(on, status)

    def complete(self, since: date, until: date) -> None:
        """Earn the hundred points that a cycle needs."""
        self.job(since)
        for _ in range(3):
            days = (until - since).days
            self.course(24, since + timedelta(days=self.random.randint(days // 4, days)))
        self.certificate(since + timedelta(days=200))
        self.certificate(since + timedelta(days=500))

    def renew(self, submitted_on: date, decided_on: date | None, decision: str | None) -> None:
        """Apply to recertify."""
        self.add("renewals", submitted_on=submitted_on, decided_on=decided_on, decision=decision)

    def change(self, kind: str, on: date, reason: str) -> None:
        """Change the standing."""
        self.add("standing-changes", kind=kind, effective_on=on, reason=reason)


def generate(today: date, *, workers: int = 400, seed: int = 40) -> Rows:
    """The rows of all six kinds, in no state that a real one could not be in."""
    rows: Rows = {
        kind: []
        for kind in (
            "holders",
            "assessments",
            "activities",
            "renewals",
            "standing-changes",
            "roster",
        )
    }
    draw = random.Random(seed)  # noqa: S311 - invented people, not secrets
    careers = [career for career in _CAREERS for _ in range(career[1])]
    people = _people(rows, draw, today, workers)
    for index, (special, worker) in enumerate(zip(_specials(), people, strict=False)):
        special(worker)
        _employ(rows, worker, index)
    for index, worker in enumerate(people, start=len(rows["roster"])):
        name, _, (soonest, latest) = draw.choice(careers)
        _CAREER[name](worker, today + timedelta(days=draw.randint(soonest, latest)))
        _employ(rows, worker, index)
    return rows


def _people(rows: Rows, draw: random.Random, today: date, count: int) -> Iterator[_Worker]:
    for number in range(1, count + 1):
        ref = f"D-{number:04d}"
        given, family = draw.choice(_GIVEN), draw.choice(_FAMILY)
        rows["holders"].append(
            {
                "holder_ref": ref,
                "given_name": given,
                "family_name": family,
                "email": f"{ref.lower()}@example.org",
                "second_email": f"{ref.lower()}@work.example" if number % 9 == 0 else None,
                "language": "es" if draw.random() < _SPANISH else "en",
                "time_zone": draw.choice(_ZONES),
            }
        )
        yield _Worker(ref, random.Random(f"{ref}/{count}"), rows, today)  # noqa: S311


def _employ(rows: Rows, worker: _Worker, index: int) -> None:
    draw = worker.random
    shared = draw.random() < 0.8  # noqa: PLR2004
    rows["roster"].append(
        {
            "employer": EMPLOYERS[index % len(EMPLOYERS)],
            "employee_id": f"E{index + 1:05d}",
            "holder_ref": worker.ref,
            "site": draw.choice(("Plant 1", "Plant 2", "DC North")),
            "department": draw.choice(("Assembly", "Packaging", "Maintenance")),
            "shift": draw.choice("ABC"),
            "consented_on": worker.today - timedelta(days=draw.randint(1, 700)) if shared else None,
        }
    )


def _awarded(expires_on: date, cycles: int = 1) -> date:
    return add_months(expires_on, -60 * cycles)


def _in_progress(worker: _Worker, _: date) -> None:
    started = worker.today - timedelta(days=worker.random.randint(30, 900))
    for number in range(worker.random.randint(1, 3)):
        worker.attempt(_MODULES[number], started + timedelta(days=7 * number))
    if worker.random.random() < 0.4:  # noqa: PLR2004
        worker.attempt(_MODULES[3], started + timedelta(days=25), "fail")


def _active(worker: _Worker, expires_on: date) -> None:
    worker.certify(_awarded(expires_on))
    worker.earn(_awarded(expires_on), min(worker.today, expires_on))


def _renewed(worker: _Worker, expires_on: date) -> None:
    first, middle = _awarded(expires_on, 2), _awarded(expires_on)
    worker.certify(first)
    worker.complete(first, middle - timedelta(days=60))
    worker.renew(middle - timedelta(days=50), middle - timedelta(days=40), "approved")
    worker.earn(middle + timedelta(days=1), worker.today)


def _window(worker: _Worker, expires_on: date) -> None:
    worker.certify(_awarded(expires_on))
    if worker.random.random() < 0.5:  # noqa: PLR2004
        worker.complete(_awarded(expires_on), worker.today - timedelta(days=40))
    else:
        worker.earn(_awarded(expires_on), worker.today)


def _pending(worker: _Worker, expires_on: date) -> None:
    worker.certify(_awarded(expires_on))
    worker.complete(_awarded(expires_on), expires_on - timedelta(days=50))
    worker.renew(expires_on - timedelta(days=10), None, None)


def _held(kind: str, reason: str) -> Any:
    def live(worker: _Worker, expires_on: date) -> None:
        _active(worker, expires_on)
        since = _awarded(expires_on)
        days = max((worker.today - since).days, 1)
        worker.change(kind, since + timedelta(days=worker.random.randint(days // 2, days)), reason)

    return live


_CAREER: dict[str, Any] = {
    "in_progress": _in_progress,
    "active": _active,
    "renewed": _renewed,
    "window": _window,
    "pending": _pending,
    "expired": _active,
    "suspended": _held("suspend", "exam code of conduct under review"),
    "revoked": _held("revoke", "exam code of conduct"),
    "surrendered": _held("surrender", "holder's request"),
}


def _specials() -> Iterator[Any]:
    """The cases that a demonstration should not leave to chance."""
    yield _ready_to_apply
    yield _half_a_point_short
    yield _leap_day
    for days in (0, 1, 7, 14, 30, 60, 90, 180, 365, 730, -1, -30):
        yield _at_stage(days)
    yield _two_certifications
    yield _reinstated
    yield _four_failures


def _ready_to_apply(worker: _Worker) -> None:
    expires_on = worker.today + timedelta(days=60)
    worker.certify(_awarded(expires_on))
    worker.complete(_awarded(expires_on), worker.today - timedelta(days=30))
    worker.course(8, worker.today - timedelta(days=3), "submitted")


def _half_a_point_short(worker: _Worker) -> None:
    """99.5 points, a month before the expiry."""
    expires_on = worker.today + timedelta(days=30)
    since = _awarded(expires_on)
    worker.certify(since)
    worker.job(since, add_months(since, 45) - timedelta(days=1), full_time=False)
    worker.certificate(since + timedelta(days=100))
    worker.certificate(since + timedelta(days=900))
    for hours, days in ((24, 300), (13, 600)):
        worker.course(hours, since + timedelta(days=days))


def _leap_day(worker: _Worker) -> None:
    worker.certify(date(2024, 2, 29))
    worker.course(8, date(2025, 2, 28))


def _at_stage(days: int) -> Any:
    def live(worker: _Worker) -> None:
        _active(worker, worker.today + timedelta(days=days))

    return live


def _two_certifications(worker: _Worker) -> None:
    """CPT and CLT that expire 60 days apart: one fee for both."""
    expires_on = worker.today + timedelta(days=25)
    worker.certify(_awarded(expires_on))
    logistics = _awarded(expires_on + timedelta(days=60))
    worker.attempt("associate", logistics - timedelta(days=30), scheme="cla")
    worker.attempt("technician", logistics, scheme="clt")
    worker.complete(_awarded(expires_on), worker.today - timedelta(days=30))


def _reinstated(worker: _Worker) -> None:
    _active(worker, worker.today + timedelta(days=700))
    worker.change("suspend", worker.today - timedelta(days=90), "under review")
    worker.change("reinstate", worker.today - timedelta(days=45), "cleared")


def _four_failures(worker: _Worker) -> None:
    """Three failures, then the long wait, then a fourth try."""
    day = worker.today - timedelta(days=300)
    for wait in (0, 16, 32, 93):
        result = "pass" if wait == 93 else "fail"  # noqa: PLR2004
        worker.attempt("safety", day + timedelta(days=wait), result)
