"""Organizations for which people act, and their directories: one mechanism for all four kinds.

A directory has a row for each organization, which people find by its name. No two have the same
name, whatever the spelling (``domain.values.folded_name``). What only one kind has is in the module
of that kind, such as ``services.employers.employers``.
"""

from __future__ import annotations

import difflib
from collections.abc import Callable, Collection, Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Any, Generic, NamedTuple, Protocol, TypeVar

from rapidfuzz import process
from sqlalchemy import ColumnElement, Select, false, func, select
from sqlalchemy.exc import IntegrityError
from sqlalchemy.orm.exc import StaleDataError

from tracker.db import new_id
from tracker.domain.errors import AlreadyRecorded, Invalid, NotAllowed, NotFound, Stale
from tracker.domain.permissions import (
    ORGANIZATIONS,
    Actor,
    OrganizationRole,
    check_own_organization,
)
from tracker.domain.values import folded_name
from tracker.models import Center, Employer, Provider, Sponsor
from tracker.models.organizations import ContactOrganization, OfOrganization, Organization
from tracker.services.core import bulk, history
from tracker.services.core.context import ReadContext, UnitOfWork, columns_of

TABLES: Mapping[OrganizationRole, type[Organization]] = {
    "employer": Employer,
    "center": Center,
    "provider": Provider,
    "sponsor": Sponsor,
}
"""The table of each kind of organization."""
_CONTACTS: Mapping[OrganizationRole, type[ContactOrganization]] = {
    "employer": Employer,
    "provider": Provider,
    "sponsor": Sponsor,
}
NOUNS: Mapping[OrganizationRole, str] = {
    "employer": "an employer",
    "center": "an assessment center",
    "provider": "a training provider",
    "sponsor": "a sponsor of apprenticeships",
}
_SIMILAR = 0.85  # similarity of two names from which one may be meant for the other
_NEAREST, _ALIKE = 3, 75  # maximum number of suggestions, and minimum similarity in percent
_STALE = "The record has changed since you read it; read it again."

R = TypeVar("R")


class ContactRow(Protocol):
    """An organization with an address, as a directory shows it, perhaps with more."""

    @property
    def id(self) -> str:
        """The organization's id."""

    @property
    def version(self) -> int:
        """The version of its record."""

    def _asdict(self) -> dict[str, Any]: ...


C = TypeVar("C", bound=ContactRow)


class OrganizationName(NamedTuple):
    """An organization as those who act for it see it."""

    id: str
    name: str


class OrganizationRow(NamedTuple):
    """An organization on record, with the address to which the issuer writes."""

    id: str
    name: str
    email: str | None
    recorded_at: datetime
    version: int


class NamesLike(NamedTuple):
    """The name on record that is the same in another spelling, and one that is similar."""

    same: str | None
    similar: str | None


def role_of(role: str) -> OrganizationRole | None:
    """The role as that of an organization's people; None if it is none."""
    return next((one for one in ORGANIZATIONS if one == role), None)


def named(reading: ReadContext, actor: Actor) -> OrganizationName | None:
    """The organization for which an actor acts, if they act for one."""
    role = role_of(actor.role)
    if role is None:
        return None
    table = TABLES[role]
    found = select(table.id, table.name).where(table.id == actor.organization_id)
    return reading.row_as(OrganizationName, found)


def faults(reading: ReadContext, role: str, organization_id: str | None) -> dict[str, str]:
    """What is wrong with the organization that somebody with a role is to act for, by the field."""
    kind = role_of(role)
    if kind is None and organization_id is None:
        return {}
    if kind is None:
        return {"organization_id": f"must be empty for the role {role}"}
    field = f"{kind}_id"
    if organization_id is None:
        return {field: f"is required for the role {kind} and must be empty for other roles"}
    table = TABLES[kind]
    if reading.row(select(table.id).where(table.id == organization_id)) is None:
        return {field: f"is not {NOUNS[kind]} on record"}
    return {}


def of_name(reading: ReadContext, role: OrganizationRole, name: str) -> str | None:
    """The id of the organization of that kind with exactly this name."""
    table = TABLES[role]
    row = reading.row(select(table.id).where(table.name == name))
    return str(row.id) if row else None


def meant(reading: ReadContext, role: str, given: Mapping[str, str | None]) -> str | None:
    """The organization whose name was given for a role, among names by their role.

    None for a role that acts for none. Raises Invalid, which names the field, for a name that is
    missing, unknown, or of another role.
    """
    names = {kind: name for kind, name in given.items() if name is not None}
    wrong = dict.fromkeys(names.keys() - {role}, f"must be empty for the role {role}")
    if wrong:
        raise Invalid("Nobody acts for two organizations.", fields=wrong)
    kind = role_of(role)
    if kind is None:
        return None
    name = names.get(kind, "")
    found = of_name(reading, kind, name)
    if found is None:
        alike = " or ".join(repr(one) for one in names_near(reading, role, name or ""))
        rule = f"is not on record{f'; did you mean {alike}?' if alike else ''}"
        rule = rule if name else f"is required for the role {kind}"
        raise Invalid(f"There is no {kind} {name!r}.", fields={kind: rule})
    return found


def names_near(reading: ReadContext, role: str, name: str) -> list[str]:
    """The names on record for which an unknown one may be meant, the most alike first.

    Empty for a role that acts for none, and for a name that is on record.
    """
    kind, asked = role_of(role), folded_name(name)
    if kind is None or not asked:
        return []
    rows = reading.rows(select(TABLES[kind].name))
    known = {str(row.name): folded_name(str(row.name)) for row in rows}
    if asked in known.values():
        return []
    found = process.extract(asked, known, limit=_NEAREST, score_cutoff=_ALIKE)
    return [one for _, _, one in found]


def is_of(table: type[OfOrganization], actor: Actor) -> ColumnElement[bool]:
    """The condition that a row names the organization for which the actor acts."""
    return is_named(table, actor.role, actor.organization_id)


def is_named(
    table: type[OfOrganization], role: str, organization_id: object
) -> ColumnElement[bool]:
    """The condition that a row names this organization, of the kind that the role says.

    No row does for a role that acts for none.
    """
    kind = role_of(role)
    if kind is None or organization_id is None:
        return false()
    column: ColumnElement[str | None] = getattr(table, f"{kind}_id")
    return column == organization_id


def name_of(table: type[OfOrganization]) -> ColumnElement[str | None]:
    """The name of the organization that a row names, null if it names none."""
    names = (
        select(TABLES[role].name)
        .where(TABLES[role].id == getattr(table, f"{role}_id"))
        .scalar_subquery()
        for role in ORGANIZATIONS
    )
    return func.coalesce(*names)


@dataclass(frozen=True, slots=True)
class Directory(Generic[R]):
    """The directory of one kind of organization; ``row`` is how a service shows one of it."""

    role: OrganizationRole
    row: Callable[..., R]

    @property
    def _table(self) -> type[Organization]:
        return TABLES[self.role]

    @property
    def _one(self) -> Select[*tuple[Any, ...]]:
        return select(*columns_of(self.row, self._table))

    def register(self, work: UnitOfWork, organization: Organization, **detail: object) -> str:
        """Add an organization; returns its id. Raises AlreadyRecorded if the name is taken."""
        self._check_name(work, organization.name)
        work.session.add(organization)
        self._flush(work, organization.name)
        told = {"name": organization.name, **detail}
        history.record(work, "register", self.role, organization.id, **told)
        return organization.id

    def get(self, reading: ReadContext, organization_id: str) -> R:
        """One organization. Raises NotFound, also for an actor who acts for another one."""
        if not reading.actor.is_of_the_body:
            check_own_organization(reading.actor, self.role, organization_id)
        found = reading.row_as(self.row, self._one.where(self._table.id == organization_id))
        if found is None:
            raise NotFound
        return found

    def page(
        self, reading: ReadContext, *, after: str | None, limit: int, name: str | None
    ) -> list[R]:
        """A page of the directory in the order of the ids.

        Names match by their beginning, ignoring case, accents and punctuation.
        """
        table = self._table
        statement = self._one.order_by(table.id).limit(limit)
        if after:
            statement = statement.where(table.id > after)
        if name:
            called = self._called(reading, name)
            statement = statement.where(bulk.among(reading, table.id, called))
        return reading.rows_as(self.row, statement)

    def _called(self, reading: ReadContext, start: str) -> set[str]:
        """The ids of those whose name begins with this."""
        begins = folded_name(start)
        rows = reading.rows(select(self._table.id, self._table.name))
        return {row.id for row in rows if folded_name(row.name).startswith(begins)}

    def near(self, reading: ReadContext, names: Collection[str]) -> dict[str, NamesLike]:
        """For each name, the one on record in another spelling, and a similar one."""
        names_on_record = reading.rows(select(self._table.name))
        by_key = {folded_name(row.name): str(row.name) for row in names_on_record}
        return {
            name: NamesLike(by_key.get(folded_name(name)), _similar(name, by_key)) for name in names
        }

    def correct(
        self,
        work: UnitOfWork,
        organization_id: str,
        values: Mapping[str, str | None],
        version: int,
    ) -> history.Changes:
        """Change a record; returns what changed.

        Raises NotFound; NotAllowed for people who change the name of their own organization, which
        appears in messages that we sign; Stale; AlreadyRecorded if another one has the name.
        """
        check_own_organization(work.actor, self.role, organization_id)
        found = work.session.get(self._table, organization_id)
        if found is None:
            raise NotFound
        if found.version != version:
            raise Stale(_STALE)
        name = values.get("name") or found.name
        if name != found.name:
            self._check_may_rename(work.actor)
            self._check_name(work, name, own=found.name)
        changed = history.changes({key: getattr(found, key) for key in values}, values)
        for key, value in values.items():
            setattr(found, key, value)
        self._flush(work, name)
        history.record(work, "correct", self.role, organization_id, changes=changed)
        return changed

    def _check_may_rename(self, actor: Actor) -> None:
        if not actor.is_staff:
            noun = NOUNS[self.role]
            raise NotAllowed(
                f"Only staff can change the name of {noun}; ask the issuer to change it."
            )

    def _check_name(self, reading: ReadContext, name: str, *, own: str | None = None) -> None:
        """Raise AlreadyRecorded if another one has the name; ``own`` may be respelled."""
        same = self.near(reading, [name])[name].same
        if same is not None and same != own:
            raise AlreadyRecorded(f"There is already {NOUNS[self.role]} named {same!r}.")

    def _flush(self, work: UnitOfWork, name: str) -> None:
        try:
            work.session.flush()
        except IntegrityError as error:
            raise AlreadyRecorded(f"There is already {NOUNS[self.role]} named {name!r}.") from error
        except StaleDataError as error:
            raise Stale(_STALE) from error


@dataclass(frozen=True, slots=True)
class ContactDirectory(Directory[C]):
    """The directory of a kind of organization that is entered by its name and an address."""

    def enter(self, work: UnitOfWork, *, name: str, email: str | None = None) -> C:
        """Add an organization. Raises AlreadyRecorded if the name is taken, in any spelling."""
        made = _CONTACTS[self.role](id=new_id(), name=name, email=email, recorded_at=work.now)
        return self.get(work, self.register(work, made))

    def change(
        self,
        work: UnitOfWork,
        organization_id: str,
        values: Mapping[str, str | None],
        version: int,
    ) -> C:
        """The same as ``correct()``, but returns the record."""
        self.correct(work, organization_id, values, version)
        return self.get(work, organization_id)


def _similar(name: str, by_key: Mapping[str, str]) -> str | None:
    matches = difflib.get_close_matches(folded_name(name), by_key, n=1, cutoff=_SIMILAR)
    return by_key[matches[0]] if matches else None
