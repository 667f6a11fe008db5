"""What the demo's desk has to settle beside reviews: appeals, discrepancies, an audit."""

from __future__ import annotations

import io
from collections.abc import Sequence
from datetime import date, timedelta
from decimal import Decimal

from sqlalchemy import exists, select

from tracker import tabular
from tracker.db import new_id
from tracker.demo import names
from tracker.domain.credentials.certifications import ChangeKind
from tracker.domain.desk.audits import AuditBasis
from tracker.domain.permissions import Actor
from tracker.domain.points.activities import ActivityState
from tracker.domain.points.courses import CourseVerdict
from tracker.models import (
    Activity,
    Certification,
    Decision,
    Holder,
    Provider,
    StandingChange,
)
from tracker.services import imports
from tracker.services.core.context import UnitOfWork
from tracker.services.credentials import appeals
from tracker.services.desk import audits
from tracker.services.desk.audits import AuditToDraw
from tracker.services.points import activities, courses
from tracker.services.points.courses import CourseAnswer, CourseToPropose

_STATEMENTS = (
    "I was told that a fee was open. I paid it in March; the receipt has the number 4471.",
    "The proctor allowed the notes on my desk. The other candidates can say so.",
)
_COURSE = "Robot Cell Safeguarding"
_HOURS = Decimal(16)
_LATELY = 1000  # days, so that the certification is valid for some time yet
_STOPS = (ChangeKind.SUSPEND, ChangeKind.REVOKE)


def arise(work: UnitOfWork, today: date) -> Sequence[int]:
    """Record them; returns how many appeals, and how many people on a provider's list."""
    demo = work.actor
    filed = _appeal(work)
    attended = _attend(work, today)
    _audit(work.as_actor(demo), today)
    return filed, attended


def _audit(work: UnitOfWork, today: date) -> None:
    """Staff chose three approved courses and asked their holders for more."""
    since = today - timedelta(days=365)
    approved = (
        select(Activity.id)
        .join(Decision, Decision.activity_id == Activity.id)
        .where(Activity.state == ActivityState.APPROVED, Activity.type == "third_party")
        .where(Decision.decided_on > since, Activity.ref.startswith("D-01"))
        .order_by(Activity.ref)
        .limit(3)
    )
    wanted = AuditToDraw(
        scheme="cpt",
        basis=AuditBasis.HAND,
        seed="demo",
        from_on=since,
        until_on=today,
        reason="The yearly audit.",
        activity_ids=[row.id for row in work.rows(approved)],
        reply_days=30,
    )
    audits.draw(work, wanted)


def _appeal(work: UnitOfWork) -> int:
    """Two holders appeal against what stands in the way of their certification."""
    changes = work.rows(
        select(StandingChange.certification_id, StandingChange.kind, Certification.holder_id)
        .join(Certification, Certification.id == StandingChange.certification_id)
        .order_by(StandingChange.effective_on)
    )
    latest = {row.certification_id: row for row in changes}
    stopped = [row for row in latest.values() if row.kind in _STOPS]
    rows = list(zip(stopped[::-1], _STATEMENTS, strict=False))
    for row, statement in rows:
        holder = Actor(role="holder", name="holder", holder_id=row.holder_id)
        appeals.file(work.as_actor(holder), row.certification_id, statement=statement)
    return len(rows)


def _attend(work: UnitOfWork, today: date) -> int:
    """A provider's list of a course: one claims more hours than it says, one is not found."""
    held_on = today - timedelta(days=12)
    provider_id = work.row(select(Provider.id).where(Provider.name == names.PROVIDER)).id
    course_id = _course(work, provider_id, today)
    people = work.rows(
        select(Certification.id, Certification.number, Holder.given_name, Holder.family_name)
        .join(Holder, Holder.id == Certification.holder_id)
        .where(Certification.awarded_on > today - timedelta(days=_LATELY))
        .where(~exists().where(StandingChange.certification_id == Certification.id))
        .order_by(Holder.ref)
        .limit(5)
    )
    course = courses.get(work, course_id)
    claimed = activities.log(work, people[0].id, course.claimed(held_on, _HOURS + 8))
    activities.submit(work, claimed)
    listed = [
        {
            "course": course.code,
            "held_on": held_on,
            "name": f"{one.given_name} {one.family_name}",
            "certificate_number": one.number,
            "email": "",
        }
        for one in people
    ]
    stranger = {"name": "Jo Bennet", "certificate_number": "", "email": "jo.bennet@example.com"}
    rows = [*listed, {**listed[0], **stranger}]
    stream = io.BytesIO()
    tabular.write_csv(stream, list(rows[0]), ([*row.values()] for row in rows))
    stream.seek(0)
    imports.run(work, "attendance", stream, filename="attendance.csv")
    return len(rows)


def _course(work: UnitOfWork, provider_id: str, today: date) -> str:
    """A course that one person proposed and another approved; returns its id."""
    wanted = CourseToPropose(
        provider_id=provider_id,
        code="RCS-16",
        scheme="cpt",
        type="third_party",
        title=_COURSE,
        quantity=_HOURS,
    )
    course_id = courses.propose(work, wanted)
    answer = CourseAnswer(
        verdict=CourseVerdict.APPROVED,
        approved_from=date(today.year, 1, 1),
        approved_until=date(today.year, 12, 31),
    )
    reviewer = Actor(role="staff", name="demo reviewer", person_id=new_id())
    courses.decide(work.as_actor(reviewer), course_id, answer, version=1)
    return course_id
