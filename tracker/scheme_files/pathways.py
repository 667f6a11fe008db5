"""Reads config/pathways/*.toml; mistakes name file, line, key and rule."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from pathlib import Path

from marshmallow import ValidationError

from tracker.domain.schemes.credentials import CredentialCatalog
from tracker.domain.schemes.pathways import CostRange, Pathway, StepCompletion
from tracker.domain.schemes.schemes import Schemes
from tracker.scheme_files import tomls
from tracker.scheme_files.mistakes import Mistake, SchemesRefusedError
from tracker.scheme_files.raw import LocatedMistake
from tracker.scheme_files.tables import Special, Tables
from tracker.scheme_files.values import Data

_WAYS = ("modules", "certification", "credential", "funding", "apprenticeship")


def _completion(data: Data) -> StepCompletion:
    """One way to complete a step, with what goes with it."""
    ways = [name for name in _WAYS if data.get(name)]
    if len(ways) != 1:
        raise ValidationError(f"must have exactly one of {', '.join(_WAYS)}")
    if bool(data.get("scheme")) != (ways == ["modules"]):
        raise ValidationError("goes with modules", "scheme")
    if data.get("level") and ways != ["credential"]:
        raise ValidationError("goes with a credential", "level")
    return StepCompletion(**data)


def _cost(data: Data) -> CostRange:
    """A range whose ends are in order."""
    if data["at_least"] > data["at_most"]:
        raise ValidationError("must not be less than at_least", "at_most")
    return CostRange(**data)


_PATHWAY = Tables({StepCompletion: Special(_completion), CostRange: Special(_cost)}).of(Pathway)


def load(directory: Path, schemes: Schemes, catalog: CredentialCatalog) -> Mapping[str, Pathway]:
    """Read every pathway of a directory, by code.

    One that is about schemes of which the installation has none is left out. Raises
    SchemesRefusedError with every mistake.
    """
    pathways: dict[str, Pathway] = {}
    found: list[Mistake] = []
    for path in sorted(directory.glob("*.toml")):
        file = tomls.parse(path, found)
        pathway: Pathway | None = tomls.build(_PATHWAY(), file, found) if file else None
        if file is None or pathway is None or _is_of_others(pathway, schemes):
            continue
        mistakes = [*_steps(pathway, schemes, catalog)]
        if pathway.code in pathways:
            mistakes.append((("code",), "is the code of another file"))
        found += [file.mistake(*each) for each in mistakes]
        pathways[pathway.code] = pathway
    if found:
        raise SchemesRefusedError(found)
    return pathways


def _is_of_others(pathway: Pathway, schemes: Schemes) -> bool:
    ways = [step.completed_by for step in pathway.steps]
    named = {code for by in ways for code in (by.scheme, by.certification) if code}
    return bool(named) and named.isdisjoint(scheme.code for scheme in schemes)


def _steps(
    pathway: Pathway, schemes: Schemes, catalog: CredentialCatalog
) -> Iterator[LocatedMistake]:
    """Steps that are named twice, or completed by what there is not."""
    seen: set[str] = set()
    for place, step in enumerate(pathway.steps):
        at = ("steps", place)
        if step.code in seen:
            yield (*at, "code"), "stands twice"
        seen.add(step.code)
        for key, rule in _unknown(step.completed_by, schemes, catalog):
            yield (*at, "completed_by", key), rule


def _unknown(
    by: StepCompletion, schemes: Schemes, catalog: CredentialCatalog
) -> Iterator[tuple[str, str]]:
    codes = {scheme.code for scheme in schemes}
    for key, code in (("scheme", by.scheme), ("certification", by.certification)):
        if code is not None and code not in codes:
            yield key, "is not the code of a scheme"
    if by.scheme in codes and by.scheme is not None:
        modules = {module.code for module in schemes[by.scheme].modules}
        if not modules.issuperset(by.modules):
            yield "modules", f"must be among {', '.join(sorted(modules))}"
    if by.credential is None:
        return
    kind = catalog.by_code.get(by.credential)
    if kind is None:
        yield "credential", "is not a code of the catalog of credentials"
    elif by.level is not None and by.level not in kind.levels:
        yield "level", f"must be among {', '.join(kind.levels) or 'none: it has no levels'}"
