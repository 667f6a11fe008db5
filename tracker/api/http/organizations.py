"""How routes name the organization for which somebody acts: by the id of its kind."""

from __future__ import annotations

from marshmallow import Schema, fields

from tracker.api.http.schemas import Loaded
from tracker.domain.permissions import organization_ids


class OrganizationIdsSchema(Schema):
    """The organization for which somebody acts; all null for people who act for none."""

    employer_id = fields.UUID(required=True, allow_none=True)
    center_id = fields.UUID(required=True, allow_none=True)
    provider_id = fields.UUID(required=True, allow_none=True)
    sponsor_id = fields.UUID(required=True, allow_none=True)


class OrganizationFilterSchema(Schema):
    """Only those of this organization."""

    employer_id = fields.UUID()
    center_id = fields.UUID()
    provider_id = fields.UUID()
    sponsor_id = fields.UUID()


NAMES = tuple(organization_ids("", None))
"""The names of these fields."""


def given(loaded: Loaded, *more: str) -> dict[str, str]:
    """The ids that were given, as text, and those of other fields."""
    names = (*NAMES, *more)
    return {name: str(loaded[name]) for name in names if loaded.get(name) is not None}


def shown(row: dict[str, object]) -> dict[str, object]:
    """A row with a role and an ``organization_id``, which is shown as the id of its kind."""
    found = row.pop("organization_id")
    return row | organization_ids(str(row["role"]), None if found is None else str(found))
