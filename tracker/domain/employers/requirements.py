"""Requirements: what an employer asks of whoever does a job, and who is cleared for it.

A requirement is a list of needs, all of which must be met. A need is a list of alternatives, of
which one is enough: a certification in force, a module that was passed, or a credential of another
issuer that has not expired.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import date
from enum import StrEnum

from tracker.domain.credentials.certifications import Status
from tracker.domain.employers.workforce import NEVER, NOT_CERTIFIED
from tracker.domain.errors import Invalid
from tracker.domain.schemes.credentials import CredentialCatalog
from tracker.domain.schemes.schemes import Schemes

LONGEST_NAME = 100
MOST_NEEDS = 10
MOST_ALTERNATIVES = 10
PASSED, NOT_PASSED = "passed", "not_passed"
CURRENT, MISSING, OVER = "current", "missing", "over"
PROOF_STATUSES = (
    *(status for status in Status if status != Status.IN_PROGRESS),
    NOT_CERTIFIED,
    PASSED,
    NOT_PASSED,
    CURRENT,
    MISSING,
    OVER,
)
"""What is told of a proof: the status of a certification, of a module or of another credential."""


class RequirementKind(StrEnum):
    """What a requirement is for."""

    ROLE = "role"
    LINE = "line"
    TASK = "task"


class ProofKind(StrEnum):
    """What a proof is."""

    CERTIFICATION = "certification"
    MODULE = "module"
    CREDENTIAL = "credential"


@dataclass(frozen=True, slots=True, order=True)
class NeededProof:
    """What a worker must have: a scheme's certification, one of its modules, or another credential.

    Either ``scheme`` is given, or ``credential``, a code of the catalog of other credentials.
    """

    scheme: str = ""
    module: str = ""
    credential: str = ""

    @property
    def kind(self) -> ProofKind:
        """What it is."""
        if self.credential:
            return ProofKind.CREDENTIAL
        return ProofKind.MODULE if self.module else ProofKind.CERTIFICATION


JobNeeds = tuple[tuple[NeededProof, ...], ...]
"""Of each need, its alternatives."""


class ClearanceState(StrEnum):
    """Whether a worker is cleared.

    ``NOT_SHARED``: the worker does not share what would decide it. ``UNKNOWN``: nobody whom the
    employer may see has this number.
    """

    CLEARED = "cleared"
    NOT_CLEARED = "not_cleared"
    NOT_SHARED = "not_shared"
    UNKNOWN = "unknown"


@dataclass(frozen=True, slots=True)
class WorkerProof:
    """What is known of one proof of a worker on a day.

    ``is_held`` is None if it is not shared. ``last_day`` is the last day on which it holds if
    nothing changes, or on which it held; None if there is none, or the dates are not shared.
    """

    needed: NeededProof
    is_held: bool | None
    status: str | None = None
    last_day: date | None = None


@dataclass(frozen=True, slots=True)
class Clearance:
    """Whether a worker is cleared: through which day if so, and if not, what is lacking.

    ``lacking`` has, of each need that is not met, what is known of its alternatives.
    """

    state: ClearanceState
    last_day: date | None = None
    lacking: tuple[tuple[WorkerProof, ...], ...] = ()


NOT_SHARED = Clearance(ClearanceState.NOT_SHARED)
UNKNOWN = Clearance(ClearanceState.UNKNOWN)


def proofs_of(needs: JobNeeds) -> Iterator[NeededProof]:
    """Every proof that the needs name."""
    for need in needs:
        yield from need


def judge(needs: JobNeeds, proofs: Mapping[NeededProof, WorkerProof]) -> Clearance:
    """Whether a worker with these proofs is cleared.

    One need that is certainly not met decides, whatever else is not shared.
    """
    known = [tuple(proofs[needed] for needed in need) for need in needs]
    lacking = tuple(need for need in known if all(proof.is_held is False for proof in need))
    if lacking:
        return Clearance(ClearanceState.NOT_CLEARED, lacking=lacking)
    if not all(any(proof.is_held for proof in need) for need in known):
        return NOT_SHARED
    last = min((_last_day(need) for need in known), default=NEVER)
    return Clearance(ClearanceState.CLEARED, None if last == NEVER else last)


def _last_day(need: Sequence[WorkerProof]) -> date:
    """The last day on which one of the alternatives holds that hold now."""
    return max(proof.last_day or NEVER for proof in need if proof.is_held)


def check_needs(needs: JobNeeds, schemes: Schemes, catalog: CredentialCatalog) -> None:
    """Refuse needs that nobody could meet, or that say the same twice.

    Raises Invalid, UnknownScheme, UnknownModule.
    """
    for needed in proofs_of(needs):
        if needed.kind == ProofKind.CREDENTIAL:
            catalog.kind(needed.credential)
        elif needed.kind == ProofKind.MODULE:
            schemes[needed.scheme].module(needed.module)
        else:
            schemes[needed.scheme]
    if any(len(set(need)) < len(need) for need in needs) or len(set(needs)) < len(needs):
        raise Invalid("A need is named twice.", fields={"needs": "must not name the same twice"})
