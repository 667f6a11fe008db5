"""Records for the table of access: Ana and Bea, alike, each with an organization of each kind."""

from __future__ import annotations

import io
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import fields, replace
from datetime import date, timedelta
from decimal import Decimal
from typing import Any

from flask import Flask
from PIL import Image
from sqlalchemy import select
from sqlalchemy.orm import Session

from tests.api.employers import employer_cases
from tracker.db import new_id
from tracker.domain.people.accounts import OrganizationAccess
from tracker.domain.people.sign_in import AttemptPurpose
from tracker.domain.permissions import SYSTEM, Actor
from tracker.domain.points.activities import ActivityVerdict
from tracker.models import (
    Adjustment,
    AdjustmentBatch,
    Appeal,
    Apprenticeship,
    Assessment,
    Attendance,
    AttendanceCode,
    AuditItem,
    Center,
    Certification,
    ClaimAudit,
    Course,
    Decision,
    DigestOrder,
    Discrepancy,
    EmploymentConfirmation,
    Evidence,
    Fee,
    Holder,
    HolderRequest,
    HolderWord,
    ImportRun,
    JobRequirement,
    LikelyDuplicate,
    ManagedCase,
    Message,
    ModuleCertificate,
    OtherCredential,
    Passkey,
    PathwayChoice,
    ProblemReport,
    Provider,
    RecordMerge,
    Renewal,
    RequestProof,
    Sharing,
    SignIn,
    Sponsor,
    StaffingMinimum,
    StandingChange,
    WorkPermission,
)
from tracker.services.core import signed_links
from tracker.services.core.context import Container, UnitOfWork
from tracker.services.desk import merge_images
from tracker.services.employers import digest_links
from tracker.services.overview import erasures, two_person_acts
from tracker.services.people import (
    accounts,
    holders,
    invitations,
    password_changes,
    recoveries,
    sessions,
    sign_in,
)
from tracker.services.people.invitations import PersonToInvite
from tracker.services.people.recoveries import NewRecovery
from tracker.services.points import activities, activity_decisions, activity_rows, evidence

UNKNOWN = "01900000-0000-7000-8000-000000000000"
TODAY = date(2026, 11, 21)
Ids = dict[str, str]


class Undoing(Container):
    """A container that takes back whatever a request did, so that the next finds all as it was."""

    @contextmanager
    def work(self, actor: Actor) -> Iterator[UnitOfWork]:
        """One transaction, rolled back when the block ends."""
        with Session(self.engine, expire_on_commit=False) as session:
            session.begin()
            try:
                yield self._work(session.connection(), session, actor)
            finally:
                session.rollback()


def undoing(app: Flask, container: Container) -> None:
    """Have the application's requests leave no trace."""
    given = {field.name: getattr(container, field.name) for field in fields(Container)}
    app.extensions = app.extensions | {"tracker": Undoing(**given)}


def person(container: Container, company: employer_cases.Company) -> Ids:
    """A holder with one record of every kind, listed and seen by the company; their ids."""
    company.hire("1", awarded_on=date(2021, 12, 25))
    ids = {
        "holder_id": company.holders["1"],
        "employer_id": company.id,
        "entry_id": company.entries["1"],
    }
    with container.work(SYSTEM) as work:
        ids |= _of_holder(work, ids["holder_id"]) | _of_employer(work, company.id)
        ids |= _organizations(work, company.id)
        ids |= _claims(work, ids["certification_id"])
        ids |= _around(work, ids)
        ids |= _acts(work, ids)
        ids |= _course(work, ids)
        ids["approval_id"] = _proposal(work, ids["certification_id"])
        sam = replace(work, actor=Actor(role="staff", name="Sam", person_id=new_id()))
        ids["erasure_id"] = erasures.ask(sam, ids["holder_id"], reason="Asked for by mail.").id
        ids |= _twice(work, ids["holder_id"])
    return ids


def _organizations(work: UnitOfWork, name: str) -> Ids:
    """A center, a provider and a sponsor, the only ones with the name."""
    rows = {
        "center_id": Center(name=name, recorded_at=work.now),
        "provider_id": Provider(name=name, recorded_at=work.now),
        "sponsor_id": Sponsor(name=name, recorded_at=work.now),
    }
    work.session.add_all(rows.values())
    work.session.flush()
    return {key: row.id for key, row in rows.items()}


def _of_holder(work: UnitOfWork, holder_id: str) -> Ids:
    held = work.row(select(Certification).where(Certification.holder_id == holder_id))
    passed = select(Assessment.id).where(Assessment.holder_id == holder_id)
    sharing = select(Sharing.id).where(Sharing.holder_id == holder_id)
    return {
        "certification_id": held.id,
        "public_id": held.public_id,
        "number": held.number,
        "assessment_id": work.row(passed).id,
        "sharing_id": work.row(sharing).id,
        **_session(work, holder_id),
        "proof": signed_links.proof(work.message_key, "u-reminders", holder_id),
    }


def _session(work: UnitOfWork, holder_id: str) -> Ids:
    """A browser of the holder's, signed in: its session, the secret, and a link to sign in."""
    email = work.row(select(Holder.email).where(Holder.id == holder_id)).email
    account_id, _ = accounts.claim(work, holder_id, email)
    session_id, secret = sessions.start(work, account_id, email=email, agent="Firefox")
    link = sign_in.link_for(work, account_id, email, until=work.now + timedelta(hours=1))
    passkey = Passkey(
        account_id=account_id,
        credential_id=account_id,
        public_key=b"",
        sign_count=0,
        name="Phone",
        email=email,
        recorded_at=work.now,
    )
    work.session.add(passkey)
    work.session.flush()
    return {
        "session_id": session_id,
        "session": secret,
        "passkey_id": passkey.id,
        "sign_in": link.rpartition("/")[2],
        "reset": _reset(work, account_id, email),
    }


def _reset(work: UnitOfWork, account_id: str, email: str) -> str:
    """The proof in a link to choose a new password."""
    row = SignIn(
        account_id=account_id,
        email=email,
        recorded_at=work.now,
        expires_at=work.now + timedelta(hours=1),
        purpose=AttemptPurpose.RESET,
    )
    work.session.add(row)
    work.session.flush()
    return password_changes.link(work, work.message_key, row.id).rpartition("/")[2]


def _of_employer(work: UnitOfWork, employer_id: str) -> Ids:
    run = ImportRun(
        kind="roster",
        filename="f.csv",
        dry_run=True,
        outcome="checked",
        report={},
        actor="hr",
        employer_id=employer_id,
        recorded_at=work.now,
    )
    order = DigestOrder(
        employer_id=employer_id, every="week", address="hr@example.org", changed_at=work.now
    )
    job = JobRequirement(
        employer_id=employer_id,
        name="Line 3",
        kind="line",
        needs=[[{"scheme": "cpt"}]],
        recorded_at=work.now,
    )
    work.session.add_all([run, order, job])
    work.session.flush()
    minimum = StaffingMinimum(
        employer_id=employer_id, requirement_id=job.id, least=2, recorded_at=work.now
    )
    work.session.add(minimum)
    work.session.flush()
    link = digest_links.link(work, work.message_key, employer_id, order.address)
    return {
        "run_id": run.id,
        "requirement_id": job.id,
        "minimum_id": minimum.id,
        "digest": link,
        **_invitation(work, employer_id),
        **_members(work, employer_id),
    }


def _members(work: UnitOfWork, employer_id: str) -> Ids:
    """Two managers of the employer, the id of one, and one of the sessions of that one."""
    ids = [
        accounts.open_account(
            work,
            role="employer",
            name=f"Member {n}",
            email=f"{n}.{employer_id}@x.org",
            organization_id=employer_id,
        )
        for n in range(2)
    ]
    session_id, _ = sessions.start(work, ids[0], email="x@x.org", agent="Firefox")
    proposer = replace(work, actor=Actor(role="staff", name="Sam", person_id=new_id()))
    lost = NewRecovery("Lost the phone.", account_id=ids[1])
    recovery = recoveries.propose(proposer, lost)
    return {"account_id": ids[0], "members_session": session_id, "recovery_id": recovery.id}


def _invitation(work: UnitOfWork, employer_id: str) -> Ids:
    """Somebody whom the employer invited, and the proof in the link."""
    wanted = PersonToInvite(
        "employer", "Hal", f"{employer_id}@x.org", employer_id, OrganizationAccess.VIEW
    )
    row = invitations.invite(work, wanted)
    link = invitations.link(work, work.message_key, row.id, row.sendings)
    return {"invitation_id": row.id, "invitation": link.rpartition("/")[2]}


def _claims(work: UnitOfWork, certification_id: str) -> Ids:
    """A draft with a file, one that waits, one that was decided."""
    course = {
        "category": "CE",
        "type": "third_party",
        "title": "Course",
        "quantity": Decimal(5),
        "completed_on": date(2026, 1, 5),
    }
    draft, waiting, decided = (activities.log(work, certification_id, course) for _ in range(3))
    key = evidence.store(work.settings).put(b"x")
    file = Evidence(
        activity_id=draft,
        slot=1,
        filename="f.pdf",
        content_type="application/pdf",
        size=1,
        sha256="0" * 64,
        key=key,
        uploaded_by="ana",
        recorded_at=work.now,
    )
    work.session.add(file)
    work.session.flush()
    for id_ in (waiting, decided):
        activities.submit(work, id_)
    version = activity_rows.get(work, decided).version
    activity_decisions.decide(
        work,
        decided,
        activity_decisions.ReviewerDecision(ActivityVerdict.APPROVED),
        version=version,
    )
    return {"draft": draft, "waiting": waiting, "decided": decided, "evidence_id": file.id}


def _around(work: UnitOfWork, ids: Ids) -> Ids:
    """What stands beside a certification: a credential, a pathway, an apprenticeship and a case.

    And the certificate of a module.
    """
    number = ids["holder_id"].replace("-", "")
    of_module = ModuleCertificate(
        public_id=number,
        number=number,
        number_key=number,
        holder_id=ids["holder_id"],
        scheme="cpt",
        module="safety",
        passed_on=date(2021, 12, 25),
        recorded_at=work.now,
    )
    about: dict[str, Any] = {
        "holder_id": ids["holder_id"],
        "recorded_at": work.now,
        "recorded_by": "staff",
    }
    signed: dict[str, Any] = {
        "holder_id": ids["holder_id"],
        "employer_id": ids["employer_id"],
        "starts_on": date(2025, 1, 1),
        "recorded_at": work.now,
    }
    rows: dict[str, Any] = {
        "credential_id": OtherCredential(**about, credential="osha_10", issued_on=date(2026, 1, 5)),
        "choice_id": PathwayChoice(**about, pathway="career_changer"),
        "apprenticeship_id": Apprenticeship(
            **about,
            sponsor_id=ids["sponsor_id"],
            scheme="cpt",
            program_code="2021-OH-0001",
            occupation="Mechatronics Technician",
            started_on=date(2026, 1, 5),
            consented_at=work.now,
        ),
        "case_id": ManagedCase(**about, sponsor_id=ids["sponsor_id"], consented_at=work.now),
        "confirmation_id": EmploymentConfirmation(
            **signed, year=2025, signed_by="Kim", ends_on=date(2025, 12, 31)
        ),
        "permission_id": WorkPermission(
            **signed, words="x", given_by="Kim", ends_on=date(2026, 12, 31)
        ),
    }
    word = HolderWord(holder_id=ids["holder_id"], word=number)
    report = ProblemReport(about="/verify", statement="x", language="en", recorded_at=work.now)
    work.session.add_all([*rows.values(), of_module, word, report])
    work.session.flush()
    others = {"report_id": report.id, "module_certificate_id": of_module.id}
    return {key: row.id for key, row in rows.items()} | others


def _acts(work: UnitOfWork, ids: Ids) -> Ids:
    about: dict[str, Any] = {"certification_id": ids["certification_id"], "recorded_at": work.now}
    fee = _fee(work, ids["holder_id"])
    renewal = Renewal(**about, cycle=1, submitted_on=TODAY, fee_id=fee)
    change = StandingChange(
        **about,
        kind="reinstate",
        effective_on=TODAY,
        reason_code="other",
        reason="x",
        decided_by="sam",
    )
    adjustment = Adjustment(
        **about,
        ordinal=1,
        number=1,
        points_required=Decimal(90),
        effective_on=TODAY,
        reason_code="illness",
        reason="x",
        decided_by="sam",
    )
    request = HolderRequest(
        holder_id=ids["holder_id"],
        kind="name_change",
        proposal={"family_name": "Soto"},
        requested_on=TODAY,
        recorded_at=work.now,
    )
    message = Message(
        dedupe_key=new_id(),
        kind="notice",
        holder_id=ids["holder_id"],
        address="a@example.org",
        message_id=f"{new_id()}@example.org",
        created_at=work.now,
        next_at=work.now,
        about={"type": "", "lane": "at_once"},
        useful_until=work.now,
    )
    work.session.add_all([renewal, change, adjustment, request, message])
    work.session.flush()
    appeal = Appeal(
        **about, change_id=change.id, statement="x", filed_on=TODAY, due_on=TODAY, fee=Decimal(0)
    )
    work.session.add(appeal)
    proof = RequestProof(
        request_id=request.id,
        slot=1,
        filename="f.png",
        content_type="image/png",
        size=1,
        sha256="x",
        key=evidence.store(work.settings).put(b"x"),
        uploaded_by="x",
        recorded_at=work.now,
    )
    work.session.add(proof)
    work.session.flush()
    return {
        "renewal_id": renewal.id,
        "fee_id": fee,
        "adjustment_id": adjustment.id,
        "request_id": request.id,
        "message_id": message.id,
        "appeal_id": appeal.id,
        "proof_id": proof.id,
    }


def _course(work: UnitOfWork, ids: Ids) -> Ids:
    """A course of the provider with a code, and somebody on its list of whom nothing is certain."""
    of_provider: dict[str, Any] = {"provider_id": ids["provider_id"], "recorded_at": work.now}
    course = Course(
        **of_provider,
        code="RS-1",
        scheme="cpt",
        category="CE",
        type="third_party",
        title="Course",
        title_key="course",
        quantity=Decimal(16),
        proposed_by="pat",
    )
    work.session.add(course)
    work.session.flush()
    of_day: dict[str, Any] = {"course_id": course.id, "held_on": TODAY}
    row = Attendance(**of_provider, **of_day, who="x", holder_id=ids["holder_id"])
    code = AttendanceCode(
        **of_provider,
        **of_day,
        digest=new_id(),
        most=1,
        ends_at=work.now + timedelta(hours=1),
        made_by="pat",
    )
    work.session.add_all([row, code])
    work.session.flush()
    filed = Discrepancy(
        kind="unmatched",
        attendance_id=row.id,
        holder_id=ids["holder_id"],
        recorded_at=work.now,
        **of_day,
    )
    work.session.add(filed)
    work.session.flush()
    made = {"course_id": course.id, "code_id": code.id, "discrepancy_id": filed.id}
    return made | _audit(work, ids)


def _audit(work: UnitOfWork, ids: Ids) -> Ids:
    """An audit of an activity that was approved."""
    decision = select(Decision.id).where(Decision.activity_id == ids["decided"])
    audit = ClaimAudit(
        scheme="cpt",
        basis="hand",
        unit="activity",
        seed=new_id(),
        drawn_on=TODAY,
        from_on=TODAY,
        until_on=TODAY,
        population=1,
        population_digest="",
        reply_days=14,
        no_answer="remind",
        reason="x",
        drawn_by="sam",
        recorded_at=work.now,
    )
    work.session.add(audit)
    work.session.flush()
    item = AuditItem(
        audit_id=audit.id,
        holder_id=ids["holder_id"],
        activity_id=ids["decided"],
        decision_id=work.row(decision).id,
        place=1,
        due_on=TODAY,
        recorded_at=work.now,
    )
    work.session.add(item)
    work.session.flush()
    return {"audit_id": audit.id, "item_id": item.id}


def batch(container: Container) -> str:
    """An extension of many; its id."""
    with container.work(SYSTEM) as work:
        row = AdjustmentBatch(
            ref="storm", scheme="cpt", request={}, decided_by="sam", recorded_at=work.now
        )
        work.session.add(row)
        work.session.flush()
        return row.id


def _fee(work: UnitOfWork, holder_id: str) -> str:
    fee = Fee(
        holder_id=holder_id,
        amount=Decimal(75),
        currency="USD",
        bundled=False,
        basis="x",
        state="quoted",
        changed_at=work.now,
        changed_by="x",
        recorded_at=work.now,
    )
    work.session.add(fee)
    work.session.flush()
    return fee.id


def _proposal(work: UnitOfWork, certification_id: str) -> str:
    """What one of the staff proposed, and another one may approve."""
    proposer = replace(work, actor=Actor(role="staff", name="Sam", person_id=new_id()))
    wanted = two_person_acts.ProposedRevocation(
        certification_id, "conduct", "Exam code of conduct."
    )
    return two_person_acts.propose_revocation(proposer, wanted).id


def _twice(work: UnitOfWork, holder_id: str) -> Ids:
    """Another record that may be of the same person, and a merge of both."""
    values = {"given_name": "Twice", "family_name": "Ruiz", "email": f"{holder_id}@twice.example"}
    other_id = holders.register(work, values).id
    first, second = sorted([holder_id, other_id])
    pair = LikelyDuplicate(
        first_id=first, second_id=second, signs=["same_name"], recorded_at=work.now
    )
    merge = RecordMerge(
        holder_id=holder_id,
        merged_id=other_id,
        reason="One person.",
        summary={
            "addresses": [],
            "addresses_left_out": [],
            "account": "none",
            "moved": {},
            "certifications": [],
        },
        seals=merge_images.seals(work, [holder_id, other_id]),
        recorded_at=work.now,
        recorded_by="sam",
    )
    work.session.add_all([pair, merge])
    work.session.flush()
    return {"duplicate_id": pair.id, "merge_id": merge.id, "merged_id": other_id}


def _picture() -> bytes:
    made = io.BytesIO()
    Image.new("RGB", (4, 3)).save(made, "PNG")
    return made.getvalue()


PICTURE = _picture()


def upload(text: bytes, name: str, **form: str) -> dict[str, Any]:
    """A form with a file."""
    return {"data": {**form, "file": (io.BytesIO(text), name)}}
