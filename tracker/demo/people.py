"""Invented people with years of history, as the rows that imports read.

The same seed and day give the same people.
"""

from __future__ import annotations

import random
import unicodedata
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import date, timedelta

from tracker.demo import names
from tracker.demo.careers import CAREERS, specials
from tracker.demo.names import EMPLOYERS, NAME_GROUPS, NameGroup
from tracker.demo.workers import DemoWorker, History, Person

TOUR_HOLDER = "D-0001"
"""The reference of the holder whom the README's tour follows."""

_FILES = ("holders", "assessments", "activities", "renewals", "standing-changes", "roster")
_MAILBOXES = ("example.com", "example.net", "example.org")
_SHARES = 0.8  # the share of workers who let their employer see their standing


@dataclass(frozen=True, slots=True)
class _FullName:
    """A name, with the person's preferred language."""

    given: str
    family: str
    language: str

    def address(self, number: int) -> str:
        """An email address made of the name."""
        given, family = _plain(self.given), _plain(self.family)
        return f"{given}.{family}{number % 90 + 10}@{_MAILBOXES[number % 3]}"


def generate(today: date, *, workers: int = 400, seed: int = 40) -> History:
    """The history of ``workers`` workers, without states that could not occur in reality."""
    history = History({file: [] for file in _FILES}, {}, {})
    draw = random.Random(seed)  # noqa: S311 - invented people, not secrets
    careers = [career for career in CAREERS for _ in range(career.percent)]
    people = _workers(history, draw, today, workers)
    for special, worker in zip(specials(), people, strict=False):
        special(worker)
    for worker in people:
        career = draw.choice(careers)
        career.live(worker, today + timedelta(days=draw.randint(*career.days)))
    return history


def _workers(
    history: History, draw: random.Random, today: date, count: int
) -> Iterator[DemoWorker]:
    """Workers one by one, each a holder on record and on an employer's roster."""
    weights = [employer.weight for employer in EMPLOYERS]
    for number, name in enumerate(_full_names(draw, count), start=1):
        ref = f"D-{number:04d}"
        on_tour = ref == TOUR_HOLDER
        employer = EMPLOYERS[0] if on_tour else draw.choices(EMPLOYERS, weights)[0]
        department = names.DEPARTMENTS[0] if on_tour else draw.choice(names.DEPARTMENTS)
        person = Person(ref, name.given, name.family, employer, department)
        _put_on_record(history, person, name, number)
        worker = DemoWorker(person, random.Random(f"{ref}/{count}"), history, today)  # noqa: S311 - it makes data and guards nothing
        _employ(worker, number, shares=on_tour or draw.random() < _SHARES)
        yield worker


def _full_names(draw: random.Random, count: int) -> Iterator[_FullName]:
    """``count`` different names; the first is that of the tour's holder."""
    yield _FullName("Marcus", "Bennett", "en")
    used = {("Marcus", "Bennett")}
    weights = [group.per_thousand for group in NAME_GROUPS]
    while len(used) < count:
        group: NameGroup = draw.choices(NAME_GROUPS, weights)[0]
        given, family = draw.choice(group.given.split()), draw.choice(group.family.split())
        if (given, family) not in used:
            used.add((given, family))
            yield _FullName(given, family, "es" if draw.random() < group.prefer_spanish else "en")


def _put_on_record(history: History, person: Person, name: _FullName, number: int) -> None:
    at_work = f"{_plain(person.given_name)[0]}{_plain(person.family_name)}{number}"
    history.rows["holders"].append(
        {
            "holder_ref": person.ref,
            "given_name": person.given_name,
            "family_name": person.family_name,
            "email": name.address(number),
            "second_email": f"{at_work}@{person.employer.domain}" if number % 9 == 0 else None,
            "language": name.language,
            "time_zone": person.employer.time_zone,
        }
    )


def _employ(worker: DemoWorker, number: int, *, shares: bool) -> None:
    draw, person = worker.random, worker.person
    worker.history.rows["roster"].append(
        {
            "employer": person.employer.name,
            "employee_id": f"{100_000 + 37 * number}",
            "holder_ref": person.ref,
            "site": draw.choice(person.employer.sites),
            "department": person.department.name,
            "shift": draw.choice(names.SHIFTS),
            "consented_on": worker.today - timedelta(days=draw.randint(1, 700)) if shares else None,
        }
    )


def _plain(name: str) -> str:
    """A name in lower case as an email address spells it: ``Peña`` gives ``pena``."""
    decomposed = unicodedata.normalize("NFKD", name).lower()
    return "".join(c for c in decomposed if c.isascii() and c.isalnum())
