"""People with waiting activities, for the tests of the review queue. Today is 21 November 2026."""

from __future__ import annotations

from dataclasses import dataclass, field
from datetime import date, timedelta
from decimal import Decimal
from typing import Any

from tests import factories
from tracker.db import new_id
from tracker.domain.permissions import SYSTEM
from tracker.models import Activity, Decision, Evidence, Renewal
from tracker.services.core.context import Container, UnitOfWork
from tracker.services.credentials import certifications
from tracker.services.standings import snapshots

TODAY = date(2026, 11, 21)
OPEN = date(2021, 12, 25)  # awarded then: expires on 25 December 2026, so the window is open
CLOSED = date(2024, 3, 15)  # expires in 2029
DONE = date(2026, 2, 1)


@dataclass
class Desk:
    """A container whose people and activities are written straight into the tables."""

    container: Container
    people: dict[str, tuple[str, str]] = field(default_factory=dict)
    names: dict[str, str] = field(default_factory=dict)

    def person(self, name: str, awarded_on: date = OPEN, **values: Any) -> None:
        """Someone certified on a day."""
        self.people[name] = factories.certified(self.container, awarded_on, **values)

    def waits(self, name: str, of: str, hours: str = "100", **values: Any) -> str:
        """An activity of someone that waits for a decision; returns its id."""
        with self.container.work(SYSTEM) as work:
            made = self.row(work, of, hours=hours, **values)
            work.session.add(Activity(**made))
        self.names[made["id"]] = name
        return str(made["id"])

    def row(self, work: UnitOfWork, of: str, *, hours: str | None = "100", **values: Any) -> Any:
        """The values of a waiting activity's row."""
        submitted_on = values.get("submitted_on", date(2026, 11, 1))
        return {
            "id": new_id(),
            "holder_id": self.people[of][0],
            "scheme": "cpt",
            "category": "CE",
            "type": "third_party",
            "title": f"Course {new_id()}",
            "provider": "Amatrol",
            "quantity": Decimal(hours) if hours else None,
            "completed_on": DONE,
            "state": "submitted",
            "submitted_on": submitted_on,
            "recorded_at": work.now,
            "submitted_at": work.now,
            **values,
        }

    def approved(self, of: str, hours: str, **values: Any) -> str:
        """An activity of someone that was approved."""
        return self.decided("approved", of, hours, **values)

    def decided(self, verdict: str, of: str, hours: str = "100", **values: Any) -> str:
        """An activity of someone with an answer."""
        id_ = self.waits(verdict, of, hours, state=verdict, **values)
        self.decide(id_, verdict)
        return id_

    def decide(self, activity_id: str, verdict: str = "approved") -> None:
        """Answer an activity that waits."""
        with self.container.work(SYSTEM) as work:
            activity = work.session.get(Activity, activity_id)
            assert activity is not None
            activity.state = verdict
            made = Decision(
                activity_id=activity_id,
                verdict=verdict,
                decided_on=TODAY,
                decided_by="x",
                recorded_at=work.now,
            )
            work.session.add(made)

    def applied(self, of: str, on: date = date(2026, 11, 10)) -> str:
        """An application of someone that waits for a decision."""
        certification_id = self.people[of][1]
        with self.container.work(SYSTEM) as work:
            cycle = snapshots.records(work, [certification_id])[certification_id].cycles[-1].ordinal
            made = Renewal(
                certification_id=certification_id,
                cycle=cycle,
                submitted_on=on,
                recorded_at=work.now,
            )
            work.session.add(made)
            work.session.flush()
            certifications.refresh(work, work.schemes["cpt"], [certification_id])
            return made.id

    def changed(self, of: str, kind: Any, on: date = date(2026, 11, 1)) -> None:
        """Suspend, revoke, reinstate or surrender someone's certification."""
        with self.container.work(SYSTEM) as work:
            certifications.change(
                work,
                self.people[of][1],
                kind=kind,
                effective_on=on,
                reason_code="conduct",
                reason="So.",
            )

    def file(self, activity_id: str, sha256: str, *, late: bool = False, slot: int = 1) -> None:
        """A file of an activity; a late one came after its submission."""
        with self.container.work(SYSTEM) as work:
            activity = work.session.get(Activity, activity_id)
            assert activity is not None
            assert activity.submitted_at is not None
            moved = timedelta(seconds=1 if late else -1)
            made = Evidence(
                activity_id=activity_id,
                slot=slot,
                filename="scan.png",
                content_type="image/png",
                size=1,
                sha256=sha256.ljust(64, "0"),
                key=new_id(),
                uploaded_by="x",
                recorded_at=activity.submitted_at + moved,
            )
            work.session.add(made)
