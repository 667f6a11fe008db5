"""Clearances: who of an employer's workers meets a requirement on a day, and until when.

However many are asked about, three statements answer: the requirement, and the two of
``worker_proofs``. A number that is not shared, not on the list or not on record is ``UNKNOWN``
alike.
"""

from __future__ import annotations

from collections.abc import Collection, Sequence
from dataclasses import dataclass
from datetime import date

from tracker.domain.employers import requirements as rules
from tracker.domain.employers.requirements import Clearance, JobNeeds
from tracker.models import RosterEntry
from tracker.services.core.context import ReadContext
from tracker.services.employers import employers, requirements, worker_proofs
from tracker.services.employers.consents import EMPLOYED
from tracker.services.employers.requirements import RequirementOnRecord
from tracker.services.employers.worker_proofs import WorkerWithProofs

MOST_PEOPLE = 200
"""How many may be asked about at once."""


@dataclass(frozen=True, slots=True)
class ClearedWorker:
    """The answer about one who was asked about as ``said``.

    ``shares_dates``: a last day that is missing is one that there is not.
    """

    said: str
    clearance: Clearance
    employee_id: str | None = None
    name: str | None = None
    shares_dates: bool = False
    holder_id: str | None = None


@dataclass(frozen=True, slots=True)
class ClearanceCheck:
    """The answers in the order of the questions, for a requirement and a day."""

    requirement: RequirementOnRecord
    on: date
    workers: Sequence[ClearedWorker]

    @property
    def seen(self) -> set[str]:
        """The holders about whom something was told."""
        return {one.holder_id for one in self.workers if one.holder_id}

    @property
    def schemes(self) -> Collection[str]:
        """The schemes that the requirement names."""
        return schemes_of(self.requirement.needs)


def schemes_of(needs: JobNeeds) -> set[str]:
    """The schemes that needs name."""
    return {one.scheme for one in rules.proofs_of(needs) if one.scheme}


def check(
    reading: ReadContext,
    employer_id: str,
    requirement_id: str,
    people: Sequence[str],
    *,
    on: date | None = None,
) -> ClearanceCheck:
    """Whether each of these people is cleared on a day; today if it is not given.

    ``people`` are employee ids, certificate numbers, or addresses as the codes on certificates give
    them. An employee id goes before a number. Raises NotFound.
    """
    asked = requirements.get(reading, employer_id, requirement_id)
    on = on or employers.today(reading)
    named = worker_proofs.meant(reading, employer_id, people)
    found = worker_proofs.find(reading, named, set(rules.proofs_of(asked.needs)), on=on)
    answers = []
    for said in people:
        fitting = (found[key] for key in worker_proofs.keys_of(said) if key in found)
        answers.append(_answer(asked.needs, said, next(fitting, None)))
    return ClearanceCheck(asked, on, answers)


def everybody(
    reading: ReadContext, employer_id: str, requirement_id: str, *, most: int
) -> ClearanceCheck:
    """The same today for the employer's workers, by employee id; one more than ``most``, if any.

    Raises NotFound.
    """
    asked = requirements.get(reading, employer_id, requirement_id)
    on = employers.today(reading)
    named = worker_proofs.listed(employer_id, EMPLOYED).order_by(RosterEntry.employee_id)
    needed = set(rules.proofs_of(asked.needs))
    found = worker_proofs.find(reading, named.limit(most + 1), needed, on=on)
    answers = [_answer(asked.needs, said, one) for (_, said), one in found.items()]
    return ClearanceCheck(asked, on, answers)


def _answer(needs: JobNeeds, said: str, worker: WorkerWithProofs | None) -> ClearedWorker:
    if worker is None:
        return ClearedWorker(said, rules.UNKNOWN)
    row = worker.row
    if not worker.is_shared:
        return ClearedWorker(said, rules.NOT_SHARED, row.employee_id)
    return ClearedWorker(
        said,
        rules.judge(needs, worker.proofs),
        row.employee_id,
        row.name,
        shares_dates=bool(row.with_dates),
        holder_id=row.holder_id,
    )
