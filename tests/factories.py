"""People and certifications for tests, made through the services that make real ones."""

from __future__ import annotations

import itertools
from datetime import date
from typing import Any

from factory.base import DictFactory
from factory.declarations import Sequence

from tracker.domain.permissions import SYSTEM, Role
from tracker.services.core import tokens
from tracker.services.core.context import Container, UnitOfWork
from tracker.services.credentials import assessments, certifications
from tracker.services.credentials.assessments import AttemptToRecord
from tracker.services.people import holders
from tracker.services.standings.snapshots import ZonedCertification

REQUIRED = ("safety", "quality", "processes", "maintenance")
_numbers = itertools.count(1)


class HolderValues(DictFactory):
    """What a new holder's record says."""

    given_name = Sequence(lambda n: f"Ana {n}")
    family_name = "Peña"
    email = Sequence(lambda n: f"ana{n}@example.org")
    language = "en"
    time_zone = "America/New_York"


def holder(work: UnitOfWork, **values: Any) -> str:
    """A person on record; returns the id."""
    return str(holders.register(work, HolderValues.build(**values)).id)


def passed(
    work: UnitOfWork, holder_id: str, on: date, *, modules: tuple[str, ...] = REQUIRED
) -> None:
    """Pass modules of the CPT, all on one day."""
    for module in modules:
        attempt = AttemptToRecord(scheme="cpt", module=module, taken_on=on, passed=True)
        assessments.record(work, holder_id, attempt)


def certified(container: Container, on: date, **values: Any) -> tuple[str, str]:
    """A person certified as CPT on a day; returns the ids of holder and certification."""
    with container.work(SYSTEM) as work:
        holder_id = holder(work, **values)
        passed(work, holder_id, on)
        return holder_id, certification(work, holder_id, "cpt").id


def certification(work: UnitOfWork, holder_id: str, scheme: str) -> ZonedCertification:
    """The certification that a holder has in a scheme."""
    row = certifications.of_holder(work, holder_id, scheme)
    assert row is not None
    return row


def secret(container: Container, role: Role, **subject: str) -> str:
    """A token's secret; ``subject`` is holder_id or employer_id."""
    with container.work(SYSTEM) as work:
        name = subject.pop("name", f"{role}-{next(_numbers)}")
        return tokens.create(work, name=name, role=role, **subject)[1]  # type: ignore[arg-type]
