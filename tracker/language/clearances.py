"""Whether somebody is cleared, and whether a place has enough of them, in one sentence each."""

from __future__ import annotations

from collections.abc import Iterable, Sequence

from tracker.domain.employers.requirements import (
    Clearance,
    ClearanceState,
    NeededProof,
    ProofKind,
    WorkerProof,
)
from tracker.domain.employers.staffing import StaffingBreak
from tracker.domain.schemes.activity_types import translated
from tracker.domain.schemes.credentials import CredentialCatalog
from tracker.domain.schemes.schemes import Schemes
from tracker.language import catalogues
from tracker.language.voice import in_words

_ANSWERS = catalogues.sentences("clearances", "answers")
_LACKING = catalogues.sentences("clearances", "lacking")
_STAFFING = catalogues.sentences("clearances", "staffing")
_JOINED = catalogues.sentences("clearances", "joined")


def answer(
    clearance: Clearance, language: str, *, schemes: Schemes, catalog: CredentialCatalog
) -> str:
    """The answer about one worker."""
    words = _ANSWERS[language]
    if clearance.state == ClearanceState.CLEARED and clearance.last_day:
        return words["cleared_until"].format(day=in_words(clearance.last_day, language))
    reasons = _JOINED[language]["and"].join(
        _need(need, language, schemes, catalog) for need in clearance.lacking
    )
    return words[clearance.state].format(reasons=reasons)


def name(
    needed: NeededProof, language: str, *, schemes: Schemes, catalog: CredentialCatalog
) -> str:
    """What a proof is called; one that no file describes any more, by its code."""
    if needed.kind == ProofKind.CREDENTIAL:
        kind = catalog.by_code.get(needed.credential)
        return kind.name if kind else needed.credential
    scheme = schemes.by_code.get(needed.scheme)
    if scheme is None:
        return needed.module or needed.scheme
    modules = {module.code: module for module in scheme.modules}
    if needed.module in modules:
        return translated(modules[needed.module].name, language)
    return needed.module or scheme.full_name(language)


def _need(
    need: Sequence[WorkerProof], language: str, schemes: Schemes, catalog: CredentialCatalog
) -> str:
    """Why a need is not met: what is so of each alternative."""
    return _JOINED[language]["or"].join(
        _lacking(proof, language, name(proof.needed, language, schemes=schemes, catalog=catalog))
        for proof in need
    )


def _lacking(proof: WorkerProof, language: str, called: str) -> str:
    words, key = _LACKING[language], str(proof.status)
    if proof.last_day is None:
        return words[key].format(proof=called)
    return words[f"{key}_on"].format(proof=called, day=in_words(proof.last_day, language))


def staffing(
    place: Iterable[str], count: int, least: int, breaks: StaffingBreak | None, language: str
) -> str:
    """How a place stands: "Line 3, night shift: 1 of 2 from May 14, 2027".

    ``place`` is what is required, and where; ``breaks`` is the first day with too few.
    """
    words = _STAFFING[language]
    given = {"place": ", ".join(filter(None, place)), "count": count, "least": least}
    if count < least:
        return words["short"].format(**given)
    if breaks is None:
        return words["enough"].format(**given)
    first = {"then": breaks.count, "day": in_words(breaks.on, language)}
    return words["breaks"].format(**given, **first)
