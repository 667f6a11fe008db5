"""Random histories over HTTP and by file: what is corrected keeps what hangs on it.

A story test of ``awards``, ``certifications``, ``activities`` and ``renewals`` together.
After every step number and public address are what they were, nothing that staff decided is
lost, and a changed standing has a message or a named reason for silence; a step that is undone
leaves the standing as it was, byte for byte.
"""

from __future__ import annotations

import contextlib
from collections.abc import Callable
from dataclasses import dataclass, field
from datetime import date, timedelta
from typing import Any

import orjson
import pytest
from hypothesis import HealthCheck, given, note, settings
from hypothesis import strategies as st
from sqlalchemy import delete, func, select

from tests.conftest import Frozen, examples
from tests.services.imports.importing import as_csv, bring
from tracker.models import (
    Activity,
    Adjustment,
    Base,
    Certification,
    Decision,
    FormerRenewalDecision,
    Notice,
    Renewal,
    StandingChange,
    Token,
)
from tracker.services.core.context import Container
from tracker.services.imports import ImportRefused

MODULES = ("safety", "quality", "processes", "maintenance")
REFUSED = {403, 404, 409, 412, 422}
SILENT = {
    "surrender": "it is the holder's own act",
    "apply": "it is the holder's own act",
    "wait": "reminders tell of days that pass",
}


@dataclass
class Story:
    """One person's history, told over HTTP by staff and the holder, and by files."""

    container: Container
    clock: Frozen
    staff: Any
    make_caller: Callable[..., Any]
    holder_id: str = ""
    holder: Any = None
    numbers: dict[str, str] = field(default_factory=dict)  # certificate number by public id

    def begin(self, day: date) -> None:
        """Put the person on record and pass all modules."""
        self.clock.set(f"{day + timedelta(days=1)}")
        body = {"ref": "A", "given_name": "Ana", "family_name": "Soto", "email": "a@example.org"}
        self.holder_id = self.staff.post("/holders", body).json["id"]
        self.holder = self.make_caller("holder", holder_id=self.holder_id)
        for module in MODULES:
            self.record(module, day)
        self.look()

    @property
    def today(self) -> date:
        return self.clock.now.date()

    # What is on record.
    def certifications(self) -> list[dict[str, Any]]:
        with self.container.engine.connect() as connection:
            table = Certification.__table__
            rows = connection.execute(
                select(table.c.id, table.c.number, table.c.public_id).order_by(table.c.sequence)
            )
            return [dict(row._mapping) for row in rows]

    def standings(self) -> dict[str, bytes]:
        """Every certification as it is shown, to the byte."""
        return {
            one["number"]: self.staff.get(f"/certifications/{one['id']}").data
            for one in self.certifications()
        }

    def told(self) -> int:
        return self.count(Notice)

    def count(self, table: type[Base], *conditions: Any) -> int:
        with self.container.engine.connect() as connection:
            statement = select(func.count()).select_from(table).where(*conditions)
            return int(connection.execute(statement).scalar_one())

    def decided(self) -> dict[str, int]:
        """How much staff decided, by kind; none of it may ever be fewer."""
        return {
            "changes": self.count(StandingChange),
            "adjustments": self.count(Adjustment),
            "decisions": self.count(Decision),
            "renewals": self.count(Renewal, Renewal.decision.is_not(None))
            + self.count(FormerRenewalDecision),
        }

    def look(self) -> None:
        """Every certificate ever given answers at its address, under its number."""
        for one in self.certifications():
            known = self.numbers.setdefault(one["public_id"], one["number"])
            assert known == one["number"]
        for public_id, number in self.numbers.items():
            answer = self.staff.get(f"/verify/{public_id}")
            assert answer.status_code == 200
            assert answer.json["number"] == number

    # Acts. Each returns the answer's status, or None where there was nothing to do.
    def record(self, module: str, day: date) -> int:
        body = {"scheme": "cpt", "module": module, "taken_on": str(day), "result": "pass"}
        return self._done(self.staff.post(f"/holders/{self.holder_id}/assessments", body))

    def _assessment(self, pick: int) -> dict[str, Any] | None:
        items = self.staff.get(f"/holders/{self.holder_id}/assessments?limit=200").json["items"]
        live = [one for one in items if one["voided_at"] is None]
        return live[pick % len(live)] if live else None

    def _done(self, answer: Any) -> int:
        self.clock.advance(seconds=1)  # no two acts at one instant
        assert answer.status_code < 500, answer.data
        assert answer.status_code < 400 or answer.status_code in REFUSED, answer.data
        return int(answer.status_code)

    def amend(self, pick: int, days: int, *, preview: bool = False) -> tuple[int, str, str] | int:
        """Date a pass again; the id of the attempt and its day before, for the way back."""
        one = self._assessment(pick)
        if one is None:
            return 404
        day = min(date.fromisoformat(one["taken_on"]) + timedelta(days=days), self.today)
        body = {"taken_on": str(day), "reason": "mistyped", "preview": preview}
        status = self._done(self.staff.post(f"/assessments/{one['id']}/amendment", body))
        return status if status >= 400 else (status, one["id"], one["taken_on"])

    def fail(self, pick: int) -> tuple[int, str] | int:
        """Correct a pass to a fail."""
        one = self._assessment(pick)
        if one is None or one["result"] == "fail":
            return 404
        body = {"result": "fail", "reason": "the wrong person"}
        status = self._done(self.staff.post(f"/assessments/{one['id']}/amendment", body))
        return status if status >= 400 else (status, one["id"])

    def change(self, act: str, on: date) -> int:
        held = self.current()
        if held is None:
            return 404
        body = {"reason_code": "other", "reason": "because", "effective_on": str(on)}
        who = self.holder if act == "surrender" else self.staff
        return self._done(who.by_two(f"/certifications/{held['id']}/{act}", body))

    def current(self) -> dict[str, Any] | None:
        found = self.certifications()
        return found[-1] if found else None

    def log(self, hours: int) -> int:
        held = self.current()
        if held is None:
            return 404
        body = {
            "category": "CE",
            "type": "third_party",
            "title": f"Robots {hours}",
            "provider": "X",
            "quantity": str(hours),
            "completed_on": str(self.today),
        }
        made = self.holder.post(f"/certifications/{held['id']}/activities", body)
        if made.status_code != 201:
            return self._done(made)
        path = f"/activities/{made.json['id']}"
        return self._done(self.holder.post(f"{path}/submission", {}))

    def _activity(self, pick: int) -> str | None:
        with self.container.engine.connect() as connection:
            table = Activity.__table__
            ids = [row.id for row in connection.execute(select(table.c.id).order_by(table.c.id))]
        return ids[pick % len(ids)] if ids else None

    def decide(self, pick: int, verdict: str) -> str | None:
        """Decide an activity, for the first time or again; its path if it was done."""
        id_ = self._activity(pick)
        if id_ is None:
            return None
        path = f"/activities/{id_}"
        body = {"verdict": verdict, "reason": "looked again"}
        if verdict != "approved":
            body["reason_code"] = "other"
        done = self._versioned(f"{path}/decision", path, body)
        return path if done < 400 else None

    def _versioned(self, address: str, path: str, body: dict[str, Any]) -> int:
        etag = self.staff.get(path).headers["ETag"]
        return self._done(self.staff.post(address, body, version=etag))

    def undo(self, path: str) -> int:
        return self._versioned(f"{path}/decision/undo", path, {"reason": "by mistake"})

    def apply(self) -> int:
        held = self.current()
        if held is None:
            return 404
        return self._done(self.holder.post(f"/certifications/{held['id']}/renewals"))

    def renew(self, pick: int, decision: str) -> str | None:
        with self.container.engine.connect() as connection:
            table = Renewal.__table__
            ids = [row.id for row in connection.execute(select(table.c.id).order_by(table.c.id))]
        if not ids:
            return None
        path = f"/renewals/{ids[pick % len(ids)]}"
        body = {"decision": decision, "reason": "decided"}
        return path if self._versioned(f"{path}/decision", path, body) < 400 else None

    # Steps that are taken back at once must leave everything as it was, to the byte.
    def is_as_before(self, before: dict[str, bytes]) -> None:
        assert self.standings() == before

    def wait(self, days: int) -> None:
        self.clock.advance(days=days)

    def amend_and_back(self, pick: int, days: int) -> None:
        before, done = self.standings(), self.amend(pick, days)
        if isinstance(done, tuple):
            body = {"taken_on": done[2], "reason": "it was right"}
            if self._done(self.staff.post(f"/assessments/{done[1]}/amendment", body)) < 400:
                self.is_as_before(before)

    def preview(self, pick: int, days: int) -> None:
        before = self.standings()
        self.amend(pick, days, preview=True)
        self.is_as_before(before)

    def fail_and_pass(self, pick: int) -> None:
        before, done = self.standings(), self.fail(pick)
        if isinstance(done, tuple):
            body = {"result": "pass", "reason": "it was right"}
            if self._done(self.staff.post(f"/assessments/{done[1]}/amendment", body)) < 400:
                self.is_as_before(before)

    def sit(self, *modules: str) -> None:
        for module in modules:
            self.record(module, self.today)

    def suspend(self, days: int) -> None:
        self.change("suspension", self.today - timedelta(days=days))

    def suspend_and_undo(self) -> None:
        before = self.standings()
        if self.change("suspension", self.today) < 400:
            assert self.change("reinstatement", self.today) < 400
            self.is_as_before(before)

    def revoke(self, days: int) -> None:
        self.change("revocation", self.today - timedelta(days=days))

    def reinstate(self, days: int) -> None:
        self.change("reinstatement", self.today - timedelta(days=days))

    def surrender(self) -> None:
        self.change("surrender", self.today)

    def decide_and_undo(self, pick: int, verdict: str) -> None:
        before, path = self.standings(), self.decide(pick, verdict)
        if path is not None and self.undo(path) < 400:
            self.is_as_before(before)

    def renew_and_undo(self, pick: int, decision: str) -> None:
        before, path = self.standings(), self.renew(pick, decision)
        if path is not None and self.undo(path) < 400:
            self.is_as_before(before)

    def bring_passes(self, days: int) -> None:
        """Import passes of all modules by file; the same refs with another day correct them."""
        day = min(self.today + timedelta(days=days), self.today)
        rows = [
            {
                "attempt_ref": f"F-{module}",
                "holder_ref": "A",
                "scheme": "cpt",
                "module": module,
                "taken_on": str(day),
                "result": "pass",
            }
            for module in MODULES
        ]
        with contextlib.suppress(ImportRefused):
            bring(self.container, "assessments", as_csv(rows))


DAYS = st.integers(-900, 900)
PICK = st.integers(0, 5)
BACK = st.integers(0, 30)
VERDICTS = st.sampled_from(("approved", "rejected"))
DECISIONS = st.sampled_from(("approved", "approved", "denied"))
STEP = st.one_of(
    *(
        st.tuples(st.just(name), *arguments)
        for name, *arguments in (
            (Story.wait, st.sampled_from((1, 11, 40, 200, 700))),
            (Story.amend, PICK, DAYS),
            (Story.amend_and_back, PICK, DAYS),
            (Story.preview, PICK, DAYS),
            (Story.fail, PICK),
            (Story.fail_and_pass, PICK),
            (Story.sit, st.sampled_from(MODULES)),
            (Story.sit, *map(st.just, MODULES)),
            (Story.suspend, BACK),
            (Story.suspend_and_undo,),
            (Story.revoke, BACK),
            (Story.reinstate, BACK),
            (Story.surrender,),
            (Story.log, st.sampled_from((20, 60, 100))),
            (Story.decide, PICK, VERDICTS),
            (Story.decide_and_undo, PICK, VERDICTS),
            (Story.apply,),
            (Story.renew, PICK, DECISIONS),
            (Story.renew_and_undo, PICK, DECISIONS),
            (Story.bring_passes, DAYS),
        )
    )
)


def check_told(story: Story, step: tuple[Any, ...], before: dict[str, bytes], told: int) -> None:
    """A standing that changed by an act has a message, or a reason for silence."""
    if step[0].__name__ in SILENT:
        return
    after = story.standings()
    changed = {
        number
        for number, shown in after.items()
        if number in before and standing(shown) != standing(before[number])
    }
    assert not changed or story.told() > told, (step, changed)


def standing(shown: bytes) -> tuple[Any, ...]:
    found = orjson.loads(shown)["standing"]
    return found["status"], found["valid"], found["expires_on"]


def emptied(container: Container) -> None:
    """Forget everyone; who may call as staff is kept, and the history, which nobody can delete."""
    tables = [
        table
        for table in reversed(Base.metadata.sorted_tables)
        if table.name != "token" and not table.name.startswith("history")
    ]
    with container.engine.begin() as connection:
        for table in tables:
            if table.name == "holder":
                connection.execute(delete(Token).where(Token.holder_id.is_not(None)))
            connection.execute(table.delete())


@pytest.mark.owner
@settings(
    examples(10),
    suppress_health_check=[HealthCheck.function_scoped_fixture, HealthCheck.too_slow],
)
@given(day=st.dates(date(2016, 1, 1), date(2021, 12, 31)), steps=st.lists(STEP, max_size=12))
def test_nothing_that_hangs_on_a_record_is_lost_by_what_is_corrected(  # noqa: PLR0917 - the order is the meaning
    container, clock, staff, caller, day, steps
):
    emptied(container)
    story = Story(container, clock, staff, caller)
    story.begin(day)
    for step in steps:
        decided, before, told = story.decided(), story.standings(), story.told()
        act, *arguments = step
        note(f"{story.today} {act.__name__}{tuple(arguments)}")
        act(story, *arguments)
        story.look()
        after = story.decided()
        assert all(after[kind] >= count for kind, count in decided.items()), (step, decided, after)
        check_told(story, step, before, told)
