"""How a version of a policy is built of the keys of ``[[policies]]``.

Units, categories, tags and types stand under their codes, and tell their source where that is not
the policy's.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import replace
from typing import TypeVar, get_args

from tracker.domain.schemes.activity_types import ActivityType, Category, Provenance, Tag, Unit
from tracker.domain.schemes.policies import LateRequirement, Policy
from tracker.language import catalogues
from tracker.scheme_files import units
from tracker.scheme_files.values import Data

LATE = get_args(LateRequirement)
GROUPS: Mapping[str, type] = {
    "units": Unit,
    "tags": Tag,
    "categories": Category,
    "types": ActivityType,
}
_NOUNS = catalogues.nouns("voice", "nouns")
_POINTS, _MONTHS, _EVENTS = (_NOUNS[key] for key in ("points", "months", "events"))
_Entries = Mapping[str, Data]
_Group = TypeVar("_Group", Category, Tag)


def build(data: Data) -> Policy:
    """The version, its groups under their codes, with every open value listed."""
    own: Provenance = data["provenance"]
    data["unverified"] = _open_values(data, own)
    if data.get("credit", {}).items() <= _POINTS.items():
        data.pop("credit", None)  # no word of its own
    given: Mapping[str, _Entries] = {key: data.pop(key, {}) for key in GROUPS}
    known = {code: Unit(code=code, **entry) for code, entry in given["units"].items()}
    return Policy(
        units=known,
        tags=_groups(Tag, given["tags"], own),
        categories=_groups(Category, given["categories"], own),
        types={
            code: _activity_type(code, _with_source(entry, own), known)
            for code, entry in given["types"].items()
        },
        **data,
    )


def _open_values(data: Data, own: Provenance) -> tuple[str, ...]:
    """What was not checked: the policy, single values, then whatever says so of itself."""
    found = [] if own.verified else ["points_required"]
    found += data.get("unverified", ())
    for group in ("categories", "types", "tags"):
        for code, entry in data.get(group, {}).items():
            if entry["provenance"].get("verified") is False:
                found.append(f"{group}.{code}")
    return tuple(found)


def _groups(make: Callable[..., _Group], entries: _Entries, own: Provenance) -> dict[str, _Group]:
    return {code: make(code=code, **_with_source(entry, own)) for code, entry in entries.items()}


def _with_source(entry: Data, own: Provenance) -> Data:
    """The entry; what it does not say of its source is that of the policy."""
    return {**entry, "provenance": replace(own, **entry["provenance"])}


def _activity_type(code: str, entry: Data, known: Mapping[str, Unit]) -> ActivityType:
    """The activity type, with every unit that it may be claimed in."""
    unit = entry.pop("unit", _MONTHS if entry["basis"] == "months" else _EVENTS)
    if isinstance(unit, str) and unit in known:
        steps = {other: units.UnitStep(each.equals, each.of) for other, each in known.items()}
        entry |= {"unit_code": unit, "units": units.conversions(unit, steps)}
        unit = known[unit].name
    return ActivityType(code=code, unit=unit, **entry)
