"""Pathways as values: the steps that people of one kind usually take, as a file says them.

The files are ``config/pathways/*.toml``. Where somebody stands on one is a rule of
``domain.credentials.pathways``.
"""

from __future__ import annotations

from dataclasses import dataclass
from decimal import Decimal
from typing import Annotated, Literal

from tracker.domain.schemes.activity_types import Provenance, Translated
from tracker.domain.schemes.keys import INLINE, AtLeast, Code, Longest, SchemeCode

Payer = Literal[
    "self",
    "employer",
    "wioa",
    "apprenticeship",
    "college",
    "state_program",
    "reimbursement",
    "gi_bill",
]
ApprenticeshipMark = Literal["registered", "completed"]


@dataclass(frozen=True, slots=True)
class StepCompletion:
    """What completes a step: exactly one of a module or more, and the other four."""

    scheme: Annotated[SchemeCode | None, "With modules: their scheme."] = None
    modules: Annotated[tuple[Code, ...], "The modules to pass, all of them."] = ()
    certification: Annotated[SchemeCode | None, "The scheme whose certification is awarded."] = None
    credential: Annotated[Code | None, "The credential of the catalog."] = None
    level: Annotated[str | None, "With a credential: its level.", Longest(32)] = None
    funding: Annotated[Payer | None, "The funding of any assessment on record."] = None
    apprenticeship: Annotated[ApprenticeshipMark | None, "How far an apprenticeship has come."] = (
        None
    )


@dataclass(frozen=True, slots=True)
class CostRange:
    """What a step usually costs, both ends included, in US dollars."""

    at_least: Annotated[Decimal, "The least."]
    at_most: Annotated[Decimal, "The most."]


@dataclass(frozen=True, slots=True, kw_only=True)
class PathwayStep:
    """One step of a pathway."""

    code: Annotated[Code, "Its code."]
    name: Annotated[Translated, "What to do."]
    completed_by: Annotated[StepCompletion, "What completes it."]
    typical_time: Annotated[Translated | None, "When it is usually taken; absent: unknown."] = None
    cost: Annotated[CostRange | None, "What it usually costs; absent: unknown."] = None
    paid_by: Annotated[
        tuple[Annotated[Payer, "A source of funding."], ...], "Who usually pays; absent: unknown."
    ] = ()
    provenance: Annotated[Provenance, INLINE]


@dataclass(frozen=True, slots=True)
class Pathway:
    """The steps that people of one kind usually take, in order."""

    code: Annotated[Code, "Its code."]
    name: Annotated[Translated, "Its name."]
    steps: Annotated[tuple[PathwayStep, ...], "Its steps, in order.", AtLeast(1)]
