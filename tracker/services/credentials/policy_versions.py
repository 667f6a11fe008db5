"""Publish policy versions, and detect that a published one was edited.

Publishing is an explicit act: shipping or installing a version does not publish it. A version that
was never published may still be edited.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from datetime import datetime
from typing import Literal

from sqlalchemy import select

from tracker.db import new_id
from tracker.domain.errors import PublishedOtherwise, UnknownVersion
from tracker.domain.schemes import policy_versions
from tracker.domain.schemes.policies import Policy
from tracker.domain.schemes.schemes import Scheme, Schemes
from tracker.models import PolicyPublication
from tracker.services.core import history
from tracker.services.core.context import ReadContext, UnitOfWork

_PUBLISHED = select(
    PolicyPublication.scheme,
    PolicyPublication.version,
    PolicyPublication.sha256,
    PolicyPublication.published_at,
)


@dataclass(frozen=True, slots=True)
class Published:
    """A published version; ``new`` says whether it was published just now."""

    scheme: str
    version: str
    sha256: str
    at: datetime
    new: bool = False


@dataclass(frozen=True, slots=True)
class Breach:
    """A published version that the scheme files no longer hold as it was published."""

    scheme: str
    version: str
    published_at: datetime
    what: Literal["edited", "missing"]

    def __str__(self) -> str:
        edited = self.what == "edited"
        happened = "has since been edited in its file" if edited else "is no longer in any file"
        return (
            f"scheme {self.scheme}, version {self.version}: published on "
            f"{self.published_at:%Y-%m-%d}, {happened}"
        )


def version(scheme: Scheme, name: str) -> Policy:
    """The version with that name. Raises UnknownVersion, which lists the existing ones."""
    for policy in scheme.policies:
        if policy.version == name:
            return policy
    choices = ", ".join(policy.version for policy in scheme.policies) or "none"
    raise UnknownVersion(
        f"Scheme {scheme.code} has no policy version {name!r}; its versions are: {choices}.",
        fields={"version": f"must be one of: {choices}"},
    )


def publish(work: UnitOfWork, code: str, name: str, *, note: str) -> Published:
    """Record that this version, as its file now states it, is published.

    Publishing an unchanged version again has no effect. Raises UnknownScheme, UnknownVersion, and
    PublishedOtherwise if its content has changed since it was published.
    """
    publication = Published(
        code, name, policy_versions.digest(version(work.schemes[code], name)), work.now, new=True
    )
    statement = work.upsert(PolicyPublication).values(
        id=new_id(),
        scheme=code,
        version=name,
        sha256=publication.sha256,
        note=note,
        published_by=work.actor.name,
        published_at=work.now,
    )
    statement = statement.on_conflict_do_nothing()
    if work.row(statement.returning(PolicyPublication.id)) is not None:
        history.record(
            work, "publish", "scheme", code, version=name, sha256=publication.sha256, note=note
        )
        return publication
    before = _of_version(work, code, name)
    if before.sha256 != publication.sha256:
        raise PublishedOtherwise(
            f"Version {name} of scheme {code} was published on {before.at:%Y-%m-%d} with a "
            "different text. Put the new rules in a new version; with "
            f'`corrects = "{name}"` it can repair the cycles that this one governs.',
            published_at=before.at.isoformat(),
        )
    return before


def _of_version(work: UnitOfWork, code: str, name: str) -> Published:
    table = PolicyPublication
    [row] = work.rows(_PUBLISHED.where(table.scheme == code, table.version == name))
    return Published(*row)


def published(reading: ReadContext) -> list[Published]:
    """Every published version, by scheme, in the order of publishing."""
    table = PolicyPublication
    rows = reading.rows(_PUBLISHED.order_by(table.scheme, table.published_at, table.version))
    return [Published(*row) for row in rows]


def breaches(reading: ReadContext, schemes: Schemes) -> Iterator[Breach]:
    """The published versions that the given schemes hold with other content, or not at all."""
    for publication in published(reading):
        scheme = schemes.by_code.get(publication.scheme)
        held = {p.version: p for p in scheme.policies} if scheme else {}
        if publication.version not in held:
            yield Breach(publication.scheme, publication.version, publication.at, "missing")
        elif policy_versions.digest(held[publication.version]) != publication.sha256:
            yield Breach(publication.scheme, publication.version, publication.at, "edited")
