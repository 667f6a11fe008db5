"""People and certifications for tests, made through the services that make real ones."""

from __future__ import annotations

import itertools
from collections.abc import Mapping
from datetime import date
from typing import Any

from factory.base import DictFactory
from factory.declarations import Sequence

from tracker.domain.credentials.assessments import AttemptToRecord
from tracker.domain.permissions import SYSTEM, Role, organization_ids, organization_of
from tracker.models import Assessment
from tracker.services.core import history, tokens
from tracker.services.core.context import Container, UnitOfWork
from tracker.services.credentials import assessments, certifications
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
    *earlier, last = REQUIRED
    with container.work(SYSTEM) as work:
        holder_id = holder(work, **values)
        _first_passes(work, holder_id, on, modules=earlier)
        passed(work, holder_id, on, modules=(last,))
        return holder_id, certification(work, holder_id, "cpt").id


def _first_passes(work: UnitOfWork, holder_id: str, on: date, *, modules: list[str]) -> None:
    """The rows of passes that complete nothing, of a person who has nothing on record.

    As `assessments.record` writes them, but at once: what it would ask and settle for each is two
    thirds of the time that a certified person takes, and a third of all tests begin with one.
    """
    rows = [
        Assessment(
            holder_id=holder_id,
            scheme="cpt",
            module=module,
            taken_on=on,
            passed=True,
            warnings=[],
            recorded_at=work.now,
            recorded_by=work.actor.name,
        )
        for module in modules
    ]
    work.session.add_all(rows)
    work.session.flush()
    told = {"holder_id": holder_id, "taken_on": on, "passed": True, "override": None}
    lines = [(row.id, {**told, "module": row.module}) for row in rows]
    history.record_many(work, "record", "assessment", lines)


def certification(work: UnitOfWork, holder_id: str, scheme: str) -> ZonedCertification:
    """The certification that a holder has in a scheme."""
    row = certifications.of_holder(work, holder_id, scheme)
    assert row is not None
    return row


def acting_for(role: Role, subject: Mapping[str, Any]) -> dict[str, Any]:
    """Values in which the id of an organization, such as ``employer_id``, is that of the role."""
    own = {key: value for key, value in subject.items() if key not in organization_ids(role, None)}
    return own | {"organization_id": organization_of(role, subject)}


def secret(container: Container, role: Role, **subject: str) -> str:
    """A token's secret; ``subject`` is holder_id, or the id of an organization: employer_id..."""
    with container.work(SYSTEM) as work:
        values = {"name": f"{role}-{next(_numbers)}", **acting_for(role, subject)}
        return tokens.create(work, role=role, **values)[1]
