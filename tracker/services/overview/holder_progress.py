"""How far a holder has come: modules, pathways, apprenticeships."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from tracker.domain.errors import NotFound
from tracker.domain.schemes.pathways import Pathway
from tracker.services.core.context import ReadContext
from tracker.services.credentials import apprenticeships, module_certificates, pathways
from tracker.services.credentials.apprenticeships import ApprenticeshipProgress
from tracker.services.credentials.module_certificates import Progress
from tracker.services.credentials.pathways import ChosenPathway


@dataclass(frozen=True, slots=True)
class HolderProgress:
    """Where a holder stands; ``others`` are the pathways that they are not on."""

    modules: Sequence[Progress]
    chosen: Sequence[ChosenPathway]
    others: Mapping[str, Pathway]
    apprenticeships: Sequence[ApprenticeshipProgress]


def mine(reading: ReadContext) -> HolderProgress:
    """Where the acting holder stands. Raises NotFound for other actors."""
    holder_id = reading.actor.holder_id
    if holder_id is None:
        raise NotFound
    chosen = pathways.of_holder(reading, holder_id)
    on = {one.choice.pathway for one in chosen}
    return HolderProgress(
        modules=module_certificates.progress(reading, holder_id),
        chosen=chosen,
        others={code: one for code, one in reading.pathways.items() if code not in on},
        apprenticeships=apprenticeships.page(reading, holder_id=holder_id),
    )
