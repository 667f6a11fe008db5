"""A company with workers for the tests: put on record in bulk, certified by the real services."""

from __future__ import annotations

from dataclasses import dataclass, field
from datetime import date
from typing import Any
from urllib.parse import parse_qsl

from marshmallow import RAISE, Schema
from sqlalchemy import insert, select, update

from tracker.db import new_id
from tracker.domain.employers.consents import ConsentAnswer
from tracker.domain.names import FoldedName
from tracker.domain.permissions import SYSTEM
from tracker.models import Assessment, Employer, Holder, RosterEntry, Sharing
from tracker.services.core.context import Container
from tracker.services.credentials import awards
from tracker.services.people import names

MODULES = ("safety", "quality", "processes", "maintenance")


@dataclass
class Company:
    """An employer and its workers by employee_id; ``holders`` and ``entries`` give their ids."""

    container: Container
    id: str
    holders: dict[str, str] = field(default_factory=dict)
    entries: dict[str, str] = field(default_factory=dict)

    def path(self, rest: str = "") -> str:
        """A path of the employer's."""
        return f"/employers/{self.id}{rest}"

    def hire(
        self,
        *employee_ids: str,
        awarded_on: date | None = date(2023, 5, 1),
        shared: bool = True,
        known: bool = True,
        with_points: bool = True,
        with_dates: bool = True,
        with_modules: bool = False,
        purpose: str = "employment",
        until_on: date | None = None,
        **entry: Any,
    ) -> None:
        """Workers with the same facts: certified on a day, consenting, on record or not at all."""
        with self.container.work(SYSTEM) as work:
            people = {e: new_id() for e in employee_ids} if known else {}
            if people:
                work.connection.execute(insert(Holder), [_holder(work, h) for h in people.values()])
            rows = [self._entry(work, e, people.get(e), entry) for e in employee_ids]
            work.connection.execute(insert(RosterEntry), rows)
            if awarded_on is not None and people:
                passes = [_pass(work, h, m, awarded_on) for h in people.values() for m in MODULES]
                work.connection.execute(insert(Assessment), passes)
                awards.settle(work, work.schemes["cpt"], set(people.values()))
            if shared and people:
                terms = {
                    "with_points": with_points,
                    "with_dates": with_dates,
                    "with_modules": with_modules,
                    "purpose": purpose,
                    "until_on": until_on,
                }
                consents = [self._consent(work, h) | terms for h in people.values()]
                work.connection.execute(insert(Sharing), consents)
                answered = update(RosterEntry).where(RosterEntry.holder_id.in_(people.values()))
                accepted = {"answer": ConsentAnswer.ACCEPTED, "answered_at": work.now}
                work.connection.execute(answered.values(accepted))
        self.holders |= people

    def _entry(
        self, work: Any, employee_id: str, holder_id: str | None, given: dict[str, Any]
    ) -> dict[str, Any]:
        self.entries[employee_id] = id_ = new_id()
        plain = {"site": None, "department": None, "shift": None, "ended_on": None}
        return (
            plain
            | given
            | {
                "id": id_,
                "employer_id": self.id,
                "employee_id": employee_id,
                "holder_id": holder_id,
                "recorded_at": work.now,
            }
        )

    def _consent(self, work: Any, holder_id: str) -> dict[str, Any]:
        return {
            "id": new_id(),
            "holder_id": holder_id,
            "employer_id": self.id,
            "consented_on": work.today(work.schemes["cpt"]),
            "recorded_at": work.now,
            "recorded_by": "test",
        }

    def sharing_of(self, employee_id: str) -> str:
        """The id of a worker's live consent."""
        with self.container.reading(SYSTEM) as reading:
            holder_id = self.holders[employee_id]
            statement = select(Sharing.id).where(
                Sharing.holder_id == holder_id, Sharing.ended_at.is_(None)
            )
            return str(reading.row(statement).id)


def company(container: Container, name: str = "Acme") -> Company:
    """An employer on record."""
    with container.work(SYSTEM) as work:
        id_ = new_id()
        row = {"id": id_, "name": name, "recorded_at": work.now, "version": 1}
        work.connection.execute(insert(Employer), [row])
    return Company(container, id_)


def _holder(work: Any, holder_id: str) -> dict[str, Any]:
    name = holder_id[-6:]
    return {
        "id": holder_id,
        "ref": holder_id,
        **names.columns(FoldedName("Ana", name)),
        "email": f"Ana.{name}@example.org",
        "second_email": None,
        "language": "en",
        "time_zone": "America/New_York",
        "recorded_at": work.now,
        "version": 1,
    }


def _pass(work: Any, holder_id: str, module: str, on: date) -> dict[str, Any]:
    return {
        "id": new_id(),
        "holder_id": holder_id,
        "scheme": "cpt",
        "module": module,
        "taken_on": on,
        "passed": True,
        "warnings": [],
        "recorded_at": work.now,
        "recorded_by": "test",
    }


def read(schema: type[Schema], answer: Any, status: int = 200) -> Any:
    """The answer's JSON, which must load through the schema that documents it, extras refused."""
    assert answer.status_code == status, answer.json
    schema(unknown=RAISE, many=isinstance(answer.json, list)).load(answer.json)
    return answer.json


def everything(who: Any, path: str, **query: Any) -> list[dict[str, Any]]:
    """All items of a list, page by page."""
    items: list[dict[str, Any]] = []
    cursor = None
    path, _, asked = path.partition("?")
    query |= dict(parse_qsl(asked))
    while True:
        given = query | ({"after": cursor} if cursor else {})
        page = who.get(path, query_string=given)
        assert page.status_code == 200, page.json
        items += page.json["items"]
        cursor = page.json["next"]
        if cursor is None:
            return items
