"""Organizations for which people act: what all four directories have, and what names one of them.

Employers and assessment centers have more and are in modules of their own.
"""

from __future__ import annotations

from datetime import datetime

from sqlalchemy import CheckConstraint, ColumnElement, ForeignKey, String, func
from sqlalchemy.ext.hybrid import hybrid_property
from sqlalchemy.orm import Mapped, MappedAsDataclass, mapped_column

from tracker.db import Base, Id, Instant, new_id, written
from tracker.domain.permissions import ORGANIZATIONS, organization_ids

OF_ORGANIZATION = written("role", *ORGANIZATIONS)
"""The condition that a row with a role is of somebody who acts for an organization."""


class Organization(Base, kw_only=True):
    """An organization of a directory. No two of one directory have the same name."""

    __abstract__ = True

    id: Mapped[str] = mapped_column(Id, primary_key=True, default_factory=new_id)
    name: Mapped[str] = mapped_column(String(200), unique=True)
    recorded_at: Mapped[datetime] = mapped_column(Instant)
    version: Mapped[int] = mapped_column(default=1, nullable=False)

    __mapper_args__ = {"version_id_col": version}  # noqa: RUF012 - SQLAlchemy reads it from the class


class ContactOrganization(Organization, kw_only=True):
    """An organization with an address to which the issuer writes."""

    __abstract__ = True

    email: Mapped[str | None] = mapped_column(String(254), default=None)


class Provider(ContactOrganization, kw_only=True):
    """An organization whose courses count for points, such as a college or a trainer."""

    __tablename__ = "provider"


class Sponsor(ContactOrganization, kw_only=True):
    """Who runs apprenticeships or manages cases: a union, an employer, a workforce board."""

    __tablename__ = "sponsor"


class OfOrganization(MappedAsDataclass, kw_only=True):
    """The columns of a row that may name an organization: at most one, of the kind of its role."""

    employer_id: Mapped[str | None] = mapped_column(ForeignKey("employer.id"), default=None)
    center_id: Mapped[str | None] = mapped_column(ForeignKey("center.id"), default=None)
    provider_id: Mapped[str | None] = mapped_column(ForeignKey("provider.id"), default=None)
    sponsor_id: Mapped[str | None] = mapped_column(ForeignKey("sponsor.id"), default=None)

    def name_organization(self, role: str, organization_id: str | None) -> None:
        """Name the organization, of the kind that the role says, and no other."""
        for name, id_ in organization_ids(role, organization_id).items():
            setattr(self, name, id_)

    @hybrid_property
    def organization_id(self) -> str | None:
        """The one that is named, whatever its kind."""
        return self.employer_id or self.center_id or self.provider_id or self.sponsor_id

    @organization_id.inplace.expression
    @classmethod
    def _organization_id(cls) -> ColumnElement[str | None]:
        ids = (cls.employer_id, cls.center_id, cls.provider_id, cls.sponsor_id)
        return func.coalesce(*ids).label("organization_id")  # type: ignore[return-value]


def names_organization() -> CheckConstraint:
    """A check that a row with a role names the organization of that role, and no other."""
    pairs = (f"(role = '{one}') = ({one}_id is not null)" for one in ORGANIZATIONS)
    return CheckConstraint(" and ".join(pairs), name="organization")
