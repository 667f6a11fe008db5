"""A worker of the demo, for whom a history is written row by row.

Rows have the columns of the import files. Evidence and reviewers' reasons, for which files have no
column, are kept separately by ``activity_ref``.
"""

from __future__ import annotations

import random
from collections import defaultdict
from dataclasses import dataclass, field
from datetime import date, timedelta

from tracker.demo import names
from tracker.demo.names import DemoEmployer, Department, Rejection, Training

Rows = dict[str, list[dict[str, object]]]

_MODULES = ("safety", "quality", "processes", "maintenance")
_FUNDINGS = ("self", "employer", "wioa", "apprenticeship", "college", "state_program")
_PRICES = {"in_person": 45, "remote": 60, "paper": 40}  # of one attempt, in dollars
_OWN_SHARE = 15  # of it, where WIOA leaves some to the candidate
_KEYS = {
    "assessments": "attempt_ref",
    "activities": "activity_ref",
    "renewals": "renewal_ref",
    "standing-changes": "change_ref",
}
_REVIEW_DAYS = 60  # older activities have been decided
_EVIDENCE_DAYS = {"submitted": 400, "approved": 90, "rejected": 500}
"""How far back the demo keeps evidence, by state: each file takes time at the start."""


@dataclass(frozen=True, slots=True)
class DemoDocument:
    """A piece of evidence, as the lines of a page."""

    filename: str
    lines: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class History:
    """Everything that the demo records about its workers."""

    rows: Rows
    documents: dict[str, DemoDocument]
    reasons: dict[str, Rejection]


@dataclass(frozen=True, slots=True)
class Person:
    """The identity of a worker."""

    ref: str
    given_name: str
    family_name: str
    employer: DemoEmployer
    department: Department

    @property
    def name(self) -> str:
        """Given and family name."""
        return f"{self.given_name} {self.family_name}"


@dataclass
class DemoWorker:
    """A person with the history that is being written for them."""

    person: Person
    random: random.Random
    history: History
    today: date
    _counters: dict[str, int] = field(default_factory=lambda: defaultdict(int))
    _used: set[Training] = field(default_factory=set)
    _is_employed: bool = False

    def add(self, file: str, **values: object) -> str:
        """Add a row to a file, keyed by the worker and a running number; returns the key."""
        self._counters[file] += 1
        ref = f"{self.person.ref}-{file[0]}{self._counters[file]}"
        row = {_KEYS[file]: ref, "holder_ref": self.person.ref, "scheme": "cpt", **values}
        self.history.rows[file].append(row)
        return ref

    # Assessments.
    def attempt(self, module: str, on: date, result: str = "pass", **values: object) -> None:
        """Take one assessment."""
        draw = self.random
        score = draw.randint(76, 99) if result == "pass" else draw.randint(40, 72)
        given = {
            "delivery": draw.choice(("in_person", "in_person", "remote", "paper")),
            "center": draw.choice(names.CENTERS),
            "funding": draw.choice(_FUNDINGS),
            **values,
        }
        given["amount"] = _PRICES[str(given["delivery"])]
        if given["funding"] == "wioa":
            given["funding_reference"] = f"ITA {self.person.ref}"
            if score % 2:
                given["amount"] = _PRICES[str(given["delivery"])] - _OWN_SHARE
                given |= {"funding_2": "self", "amount_2": _OWN_SHARE}
        self.add("assessments", module=module, taken_on=on, result=result, score=score, **given)

    def start(self, begun_on: date) -> None:
        """Pass some of the required modules, and perhaps fail the last."""
        for number in range(self.random.randint(1, 3)):
            self.attempt(_MODULES[number], begun_on + timedelta(days=7 * number))
        if self.random.random() < 0.4:  # noqa: PLR2004 - two in five
            self.attempt(_MODULES[3], begun_on + timedelta(days=25), "fail")

    def certify(self, awarded_on: date) -> None:
        """Pass the four required modules, the last on the day of the award."""
        modules = list(_MODULES)
        self.random.shuffle(modules)
        for before, module in enumerate(reversed(modules)):
            day = awarded_on - timedelta(days=before * self.random.randint(5, 25))
            if before and self.random.random() < 0.25:  # noqa: PLR2004 - one in four
                self.attempt(module, day - timedelta(days=self.random.randint(16, 60)), "fail")
            self.attempt(module, day)
        if self.random.random() < 0.3:  # noqa: PLR2004 - three in ten
            self.attempt("green", awarded_on - timedelta(days=self.random.randint(0, 60)))

    # Activities.
    def course(
        self, hours: int, on: date, status: str = "approved", training: Training | None = None
    ) -> None:
        """Take a course of ``hours`` contact hours, one point each."""
        chosen = training or self._pick(names.COURSES)
        ref = self._claim("CE", "third_party", chosen, quantity=hours, on=on, status=status)
        self._add_document(ref, chosen, on, status=status, shown=f"{hours} contact hours")

    def credential(
        self, on: date, status: str = "approved", training: Training | None = None
    ) -> None:
        """Earn another industry certification."""
        chosen = training or self._pick(names.CREDENTIALS)
        ref = self._claim("IC", "industry_certification", chosen, quantity=1, on=on, status=status)
        number = f"Number {self.random.randint(100_000, 999_999)}"
        self._add_document(ref, chosen, on, status=status, shown=number)

    def volunteer(
        self, hours: int, on: date, status: str = "approved", training: Training | None = None
    ) -> None:
        """Volunteer outside work with skills of the trade."""
        chosen = training or self._pick(names.VOLUNTEERING)
        self._claim("X", "volunteer", chosen, quantity=hours, on=on, status=status)

    def rejected(self, on: date, rejection: Rejection | None = None) -> None:
        """Claim something that a reviewer rejects, with the reason."""
        chosen = rejection or self.random.choice(names.REJECTIONS)
        ref = self._claim(
            chosen.category,
            chosen.type,
            chosen.training,
            quantity=chosen.quantity,
            on=on,
            status="rejected",
        )
        self.history.reasons[ref] = chosen
        if chosen.shown is not None:
            self._add_document(ref, chosen.training, on, status="rejected", shown=chosen.shown)

    def job(self, starts_on: date, ends_on: date | None = None, *, full_time: bool = True) -> None:
        """Hold a job in the field; without an end it goes on."""
        self._is_employed = ends_on is None
        submitted = min((ends_on or starts_on) + timedelta(days=20), self.today)
        self.add(
            "activities",
            category="E",
            title=self.person.department.job,
            status="approved",
            type="employment_full_time" if full_time else "employment_part_time",
            provider=self.person.employer.name,
            starts_on=starts_on,
            completed_on=ends_on,
            submitted_on=submitted,
            decided_on=min(submitted + timedelta(days=6), self.today),
        )

    def _pick(self, trainings: tuple[Training, ...]) -> Training:
        """A training that the worker has not had yet, if there is one."""
        new = [one for one in trainings if one not in self._used]
        chosen = self.random.choice(new or trainings)
        self._used.add(chosen)
        return chosen

    def _claim(
        self, category: str, kind: str, training: Training, *, quantity: int, on: date, status: str
    ) -> str:
        submitted = min(on + timedelta(days=self.random.randint(1, 30)), self.today)
        decided = min(submitted + timedelta(days=self.random.randint(1, 12)), self.today)
        return self.add(
            "activities",
            category=category,
            type=kind,
            title=training.title,
            quantity=quantity,
            provider=training.provider,
            completed_on=on,
            status=status,
            submitted_on=submitted if status != "draft" else None,
            decided_on=decided if status in {"approved", "rejected"} else None,
        )

    def _add_document(
        self, ref: str, training: Training, on: date, *, status: str, shown: str
    ) -> None:
        """Attach a certificate of completion to an activity, unless it is too long ago."""
        if (self.today - on).days > _EVIDENCE_DAYS.get(status, 0):
            return
        day = f"{on:%B} {on.day}, {on.year}"
        self.history.documents[ref] = DemoDocument(
            f"{_slug(training.title)}.pdf",
            (training.provider, training.title, self.person.name, day, shown),
        )

    # Whole periods of a career.
    def earn(self, since: date, until: date) -> None:
        """Spend a cycle as people do: a job, some courses, now and then something else."""
        days = max((until - since).days, 1)
        if self.random.random() < 0.7 and not self._is_employed:  # noqa: PLR2004 - seven in ten
            self.job(since + timedelta(days=self.random.randint(0, min(300, days))))
        for _ in range(self.random.randint(0, 5)):
            on = since + timedelta(days=self.random.randint(0, days - 1))
            status = self._status(on)
            pick = self.random.random()
            if status == "rejected":
                self.rejected(on)
            elif pick < 0.6:  # noqa: PLR2004 - three in five
                self.course(self.random.choice((4, 8, 12, 16, 24)), on, status)
            elif pick < 0.8:  # noqa: PLR2004 - one in five
                self.volunteer(self.random.randint(2, 12), on, status)
            else:
                self.credential(on, status)

    def _status(self, on: date) -> str:
        """The state of an activity of that day; old ones have been decided."""
        if (self.today - on).days <= _REVIEW_DAYS:
            return self.random.choice(("submitted", "submitted", "draft"))
        return self.random.choice((*["approved"] * 9, "rejected"))

    def train_lately(self) -> None:
        """Take a course in the last weeks, which is waiting for review or still a draft."""
        on = self.today - timedelta(days=self.random.randint(1, _REVIEW_DAYS))
        self.course(self.random.choice((4, 8, 12, 16)), on, self._status(on))

    def complete(self, since: date, until: date) -> None:
        """Earn the hundred points that a cycle needs."""
        self.job(since)
        for _ in range(3):
            days = (until - since).days
            self.course(24, since + timedelta(days=self.random.randint(days // 4, days)))
        self.credential(since + timedelta(days=200))
        self.credential(since + timedelta(days=500))

    def renew(self, submitted_on: date, decided_on: date | None, decision: str | None) -> None:
        """Apply to recertify."""
        self.add("renewals", submitted_on=submitted_on, decided_on=decided_on, decision=decision)

    def change(self, kind: str, on: date, reason: str) -> None:
        """Change the standing."""
        self.add("standing-changes", kind=kind, effective_on=on, reason=reason)


def _slug(title: str) -> str:
    """A title as part of a file's name: ``lockout-tagout-for-authorized-employees``."""
    return "-".join("".join(c if c.isalnum() else " " for c in title.lower()).split())
