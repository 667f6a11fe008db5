"""Records the invented people, through the same imports and services as real ones."""

from __future__ import annotations

import io
from collections.abc import Iterator, Mapping, Sequence
from datetime import date, timedelta

from sqlalchemy import Select, select

from tracker import files, tabular
from tracker.demo import disputes, documents, names, pathways, people
from tracker.demo.workers import DemoDocument, History
from tracker.domain.credentials.assessments import Approval
from tracker.domain.permissions import ORGANIZATIONS, OrganizationRole, Role
from tracker.domain.points.activities import ActivityState
from tracker.files import Checked
from tracker.files.kinds import content_type
from tracker.models import (
    Activity,
    Apprenticeship,
    Center,
    Certification,
    Decision,
    Holder,
    Provider,
    RosterEntry,
)
from tracker.services import imports
from tracker.services.core import bulk, tokens
from tracker.services.core.context import UnitOfWork
from tracker.services.credentials import centers
from tracker.services.people import accounts, sign_in
from tracker.services.points import evidence, providers

_LINKS_LAST = timedelta(days=30)
_PHOTOS = 2  # one in so many documents of activities that wait is a photo


def load(work: UnitOfWork, today: date) -> Iterator[str]:
    """Record everything; yields a line for each file."""
    history = people.generate(today)
    _approve_centers(work)
    providers.DIRECTORY.enter(work, name=names.PROVIDER)
    for kind, rows in history.rows.items():
        if kind == "activities":
            _add_evidence(work, history)
        _import(work, kind, rows)
        yield f"{kind}: {len(rows)} rows"
    _give_reasons(work, history)
    yield f"evidence: {len(history.documents)} files"
    yield f"pathways: {pathways.travel(work, today)} people"
    yield "disputes: {} appeals, a list of {} people who attended".format(
        *disputes.arise(work, today)
    )


def _approve_centers(work: UnitOfWork) -> None:
    """Fill the directory of centers; one approval lapsed, so that some assessments warn."""
    saluda, wabash, brazos, maumee, _, northgate = names.CENTERS
    for name, category, lapses_on in (
        (saluda, "community_college", None),
        (wabash, "community_college", None),
        (brazos, "community_college", None),
        (maumee, "adult_education", None),
        (northgate, "secondary_school", date(2025, 6, 30)),
        (f"{names.EMPLOYERS[0].name} Training Center", "employer", None),
    ):
        approval = Approval(approved_on=date(2010, 1, 1), lapses_on=lapses_on)
        centers.add_center(work, name=name, category=category, approvals=[approval])


def _import(work: UnitOfWork, kind: str, rows: Sequence[Mapping[str, object]]) -> None:
    imports.run(work, kind, _file(rows), filename=f"{kind}.csv", new_centers=True)


def _file(rows: Sequence[Mapping[str, object]]) -> io.BytesIO:
    """Rows as the CSV file that an import reads."""
    header = list(dict.fromkeys(name for row in rows for name in row))
    stream = io.BytesIO()
    tabular.write_csv(stream, header, ([row.get(name) for name in header] for row in rows))
    stream.seek(0)
    return stream


def _add_evidence(work: UnitOfWork, history: History) -> None:
    """Import the activities that have evidence as submitted, and add the files.

    An approved activity takes no more files, so its decision is imported afterwards.
    """
    undecided = [
        {**row, "status": ActivityState.SUBMITTED, "decided_on": None}
        for row in history.rows["activities"]
        if row["activity_ref"] in history.documents
    ]
    _import(work, "activities", undecided)
    waiting = {
        str(row["activity_ref"])
        for row in history.rows["activities"]
        if row["status"] == ActivityState.SUBMITTED
    }
    for number, row in enumerate(work.rows(select(Activity.id, Activity.ref))):
        is_photo = row.ref in waiting and number % _PHOTOS == 0
        made = _checked(work, history.documents[row.ref], is_photo=is_photo)
        evidence.add(work, row.id, made)


def _checked(work: UnitOfWork, document: DemoDocument, *, is_photo: bool) -> Checked:
    """A document in the form in which evidence is kept; ours, so it is checked in this process."""
    made = documents.photo(document) if is_photo else documents.pdf(document)
    data = files.checked(made, maximum_pixels=work.settings.evidence.maximum_pixels)
    kind = content_type(data)
    return Checked(data, kind, files.safe_name(document.filename, kind))


def _give_reasons(work: UnitOfWork, history: History) -> None:
    """Record why activities were rejected, for which the files have no column."""
    rows = [
        {"activity_id": row.id, "reason_code": why.reason_code, "reason": why.reason}
        for row in work.rows(
            select(Activity.id, Activity.ref).where(Activity.state == ActivityState.REJECTED)
        )
        if (why := history.reasons.get(row.ref))
    ]
    bulk.update_by(work, Decision, "activity_id", rows)


def credentials(work: UnitOfWork) -> dict[str, str]:
    """A token for each role, and the ids that the README's tour uses."""
    holder = work.row(select(Holder.id).where(Holder.ref == people.TOUR_HOLDER))
    held = work.row(
        select(Certification.id, Certification.public_id).where(
            Certification.holder_id == holder.id, Certification.scheme == "cpt"
        )
    )
    organizations = _organizations(work)
    acting = {
        role.upper(): _token(work, role, organization_id=id_) for role, id_ in organizations.items()
    }
    return {
        "ADMIN": _token(work, "admin"),
        "STAFF": _token(work, "staff"),
        **acting,
        "HOLDER": _token(work, "holder", holder_id=holder.id),
        "HOLDER_ID": holder.id,
        "CERTIFICATION_ID": held.id,
        "PUBLIC_ID": held.public_id,
        "EMPLOYER_ID": organizations["employer"],
    }


def sign_in_links(work: UnitOfWork) -> dict[str, str]:
    """A link for each role that signs in once, within a month of the demo's clock.

    Only holders sign in by a mailed code; the other accounts exist in the demo alone. An app on a
    phone would not show their codes, because it knows another time than the demo's clock.
    """
    holder = work.row(select(Holder.id, Holder.email).where(Holder.ref == people.TOUR_HOLDER))
    acting: dict[str, tuple[str, str]] = {
        role: _account(work, role, organization_id=id_)
        for role, id_ in _organizations(work).items()
    }
    accounts_of = {
        "holder": (accounts.claim(work, holder.id, holder.email)[0], holder.email),
        **acting,
        "staff": _account(work, "staff"),
        "admin": _account(work, "admin"),
    }
    until = work.now + _LINKS_LAST
    return {
        role: sign_in.link_for(work, account_id, email, until=until)
        for role, (account_id, email) in accounts_of.items()
    }


def _organizations(work: UnitOfWork) -> dict[OrganizationRole, str]:
    """An organization of each kind: the tour holder's employer, the sponsor of an apprentice."""
    holder_id = select(Holder.id).where(Holder.ref == people.TOUR_HOLDER).scalar_subquery()
    found: dict[OrganizationRole, Select[str]] = {
        "employer": select(RosterEntry.employer_id).where(RosterEntry.holder_id == holder_id),
        "center": select(Center.id).where(Center.name == names.CENTERS[0]),
        "provider": select(Provider.id).where(Provider.name == names.PROVIDER),
        "sponsor": select(Apprenticeship.sponsor_id),
    }
    return {role: work.row(found[role].limit(1))[0] for role in ORGANIZATIONS}


def _account(work: UnitOfWork, role: Role, organization_id: str | None = None) -> tuple[str, str]:
    email = f"{role}@tracker.example"
    made = accounts.open_account(
        work, role=role, name=f"demo {role}", email=email, organization_id=organization_id
    )
    return made, email


def _token(work: UnitOfWork, role: Role, **subject: str) -> str:
    return tokens.create(
        work,
        name=f"demo {role}",
        role=role,
        holder_id=subject.get("holder_id"),
        organization_id=subject.get("organization_id"),
    )[1]
