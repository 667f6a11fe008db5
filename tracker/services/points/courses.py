"""Training providers' courses: a provider proposes, staff approve for a period; both may amend.

What is amended is proposed again: an approval is of what a second person has seen. Codes are unique
within a provider, so that its lists can name the course.
"""

from __future__ import annotations

from collections.abc import Collection, Mapping
from dataclasses import dataclass
from datetime import date, datetime
from decimal import Decimal
from typing import NamedTuple

from sqlalchemy import select
from sqlalchemy.exc import IntegrityError
from sqlalchemy.orm.exc import StaleDataError

from tracker.db import new_id
from tracker.domain.errors import AlreadyRecorded, Invalid, NotFound, Stale
from tracker.domain.permissions import check_another, check_own_organization, check_somebody
from tracker.domain.points import activities as claims
from tracker.domain.points import courses as rules
from tracker.domain.points.attendance import text_key
from tracker.domain.points.claims import Claim
from tracker.domain.points.courses import CourseState, CourseVerdict
from tracker.domain.schemes.activity_types import ActivityType
from tracker.domain.schemes.policies import Policy
from tracker.domain.schemes.schemes import Scheme
from tracker.models import Account, Course, Provider
from tracker.services.core import bulk, history, identities
from tracker.services.core.context import ReadContext, UnitOfWork, columns_of
from tracker.services.core.row_scope import scope

_STALE = "The course has changed since you read it; read it again."
AMENDED = ("type", "title", "quantity")
"""What may be amended; the code and the scheme stay."""


class CourseRow(NamedTuple):
    """A course on record; ``name`` is its provider's."""

    id: str
    provider_id: str
    name: str
    code: str
    scheme: str
    category: str
    type: str
    title: str
    quantity: Decimal | None
    state: CourseState
    approved_from: date | None
    approved_until: date | None
    reason: str | None
    proposed_by: str
    decided_by: str | None
    decided_by_id: str | None
    decided_at: datetime | None
    recorded_at: datetime
    version: int

    def is_approved_on(self, day: date) -> bool:
        """Whether staff have approved it for that day."""
        return rules.is_approved_on(self.state, self.approved_from, self.approved_until, day)

    def claimed(self, day: date, quantity: Decimal | None) -> dict[str, object]:
        """What somebody claims who attended on a day."""
        return {
            "category": self.category,
            "type": self.type,
            "title": self.title,
            "provider": self.name,
            "quantity": quantity,
            "completed_on": day,
        }


@dataclass(frozen=True, slots=True, kw_only=True)
class CourseToPropose:
    """A course as a provider proposes it, or staff for one, whom they name."""

    provider_id: str | None
    code: str
    scheme: str
    type: str
    title: str
    quantity: Decimal | None


@dataclass(frozen=True, slots=True, kw_only=True)
class CourseAnswer:
    """An answer of staff to a proposal; an approval is for a period, both days included."""

    verdict: CourseVerdict
    approved_from: date | None = None
    approved_until: date | None = None
    reason: str | None = None


_ONE = select(*columns_of(CourseRow, Course, Provider)).join(
    Provider, Provider.id == Course.provider_id
)


def propose(work: UnitOfWork, wanted: CourseToPropose) -> str:
    """Propose a course; returns its id.

    Raises NotFound for another provider's, UnknownScheme, Invalid, AlreadyRecorded.
    """
    provider_id = wanted.provider_id or work.actor.organization_id
    if provider_id is None:
        raise Invalid("A course needs a provider.", fields={"provider_id": "is required"})
    check_own_organization(work.actor, "provider", provider_id)
    if work.row(select(Provider.id).where(Provider.id == provider_id)) is None:
        raise Invalid(
            "There is no such provider.", fields={"provider_id": "is not a provider on record"}
        )
    category = _category(work, wanted.scheme, wanted.type, wanted.title, wanted.quantity)
    made = Course(
        id=new_id(),
        provider_id=provider_id,
        code=wanted.code,
        scheme=wanted.scheme,
        category=category,
        type=wanted.type,
        title=wanted.title,
        title_key=text_key(wanted.title),
        quantity=wanted.quantity,
        proposed_by=work.actor.name,
        proposed_by_id=work.actor.who,
        recorded_at=work.now,
    )
    work.session.add(made)
    try:
        work.session.flush()
    except IntegrityError as error:
        message = f"The provider already has a course with the code {wanted.code!r}; amend it."
        raise AlreadyRecorded(message) from error
    history.record(work, "propose", "course", made.id, code=made.code, scheme=made.scheme)
    return made.id


def _category(
    work: UnitOfWork, scheme: str, type_: str, title: str, quantity: Decimal | None
) -> str:
    """The category of a type; refuses what nobody who attended could claim. Raises Invalid."""
    on = work.today(work.schemes[scheme])
    policy = _policy(work, scheme)
    kind = policy.types.get(type_)
    if kind is None or kind.is_job:
        choices = ", ".join(sorted(code for code, one in policy.types.items() if not one.is_job))
        raise Invalid(
            f"{type_!r} is not a type of course in {scheme}.",
            fields={"type": f"must be one of: {choices}"},
        )
    claims.check_claim(kind, _claim(kind.category, type_, title, quantity, on))
    return kind.category


def _policy(reading: ReadContext, scheme: str) -> Policy:
    """The version of today. Raises Invalid for a scheme that counts no points."""
    found = reading.schemes[scheme]
    on = reading.today(found)
    policy = found.policy_for(on, awarded_on=on)
    if policy is None:
        rule = f"{scheme} never expires, so no points are counted for it"
        raise Invalid(f"{rule}.", fields={"scheme": rule})
    return policy


def _claim(category: str, type_: str, title: str, quantity: Decimal | None, day: date) -> Claim:
    return Claim("", category, type_, title, "", quantity, None, day, approved=True)


def kinds(reading: ReadContext) -> list[tuple[Scheme, ActivityType]]:
    """The types that a course may have today, scheme by scheme."""
    found: list[tuple[Scheme, ActivityType]] = []
    for scheme in reading.schemes:
        on = reading.today(scheme)
        policy = scheme.policy_for(on, awarded_on=on)
        if policy is not None:
            found += [(scheme, kind) for kind in policy.types.values() if not kind.is_job]
    return found


def points(reading: ReadContext, course: CourseRow) -> Decimal:
    """The most points that attending it today may bring, under the policy of today."""
    on = reading.today(reading.schemes[course.scheme])
    claim = _claim(course.category, course.type, course.title, course.quantity, on)
    return rules.points(_policy(reading, course.scheme), claim)


def amend(
    work: UnitOfWork,
    course_id: str,
    values: Mapping[str, object],
    *,
    reason: str,
    version: int,
) -> None:
    """Change type, title or quantity, with a reason; who attended before keeps what they have.

    It must be approved again, by somebody else. Raises NotFound, Stale, IllegalTransition,
    Invalid.
    """
    course = _own(work, course_id, version)
    rules.check_step("amend", course.state)
    before = {name: getattr(course, name) for name in AMENDED}
    changed = history.changes(before, {**before, **values})
    for name, (_, value) in changed.items():
        setattr(course, name, value)
    course.category = _category(work, course.scheme, course.type, course.title, course.quantity)
    course.title_key = text_key(course.title)
    course.state, course.approved_from, course.approved_until = CourseState.PROPOSED, None, None
    course.proposed_by, course.proposed_by_id = work.actor.name, work.actor.who
    _flush(work)
    history.record(work, "amend", "course", course.id, changes=changed, reason=reason)


def decide(work: UnitOfWork, course_id: str, answer: CourseAnswer, *, version: int) -> None:
    """Approve a course for a period, or refuse it; never what one has proposed oneself.

    A later answer replaces an earlier one, with a reason. Raises NotFound, SamePerson, Stale,
    IllegalTransition, Invalid.
    """
    course = _own(work, course_id, version)
    check_somebody(work.actor)
    check_another(set(filter(None, [course.proposed_by_id])), identities.behind(work))
    approves = answer.verdict == CourseVerdict.APPROVED
    rules.check_step("approve" if approves else "refuse", course.state)
    rules.check_answer(
        answer.verdict,
        course.state,
        approved_from=answer.approved_from,
        approved_until=answer.approved_until,
        reason=answer.reason,
    )
    _close(work, course, CourseState(answer.verdict), answer.reason)
    course.approved_from, course.approved_until = answer.approved_from, answer.approved_until
    _flush(work)
    history.record(
        work,
        "approve" if approves else "refuse",
        "course",
        course.id,
        approved_from=answer.approved_from,
        approved_until=answer.approved_until,
        reason=answer.reason,
    )


def withdraw(work: UnitOfWork, course_id: str, *, reason: str, version: int) -> None:
    """Withdraw a course: lists and codes bring no more points; who attended keeps them.

    Raises NotFound, Stale, IllegalTransition.
    """
    course = _own(work, course_id, version)
    rules.check_step("withdraw", course.state)
    _close(work, course, CourseState.WITHDRAWN, reason)
    _flush(work)
    history.record(work, "withdraw", "course", course.id, reason=reason)


def _close(work: UnitOfWork, course: Course, state: CourseState, reason: str | None) -> None:
    course.state, course.reason = state, reason
    course.decided_by, course.decided_by_id = work.actor.name, work.actor.who
    course.decided_at = work.now


def _own(work: UnitOfWork, course_id: str, version: int) -> Course:
    """The course to change, if it is the provider's own. Raises NotFound, Stale."""
    seen = Course.id == course_id, scope(work.actor, Course)
    course = work.session.scalar(select(Course).where(*seen).with_for_update())
    if course is None:
        raise NotFound
    if course.version != version:
        raise Stale(_STALE)
    return course


def _flush(work: UnitOfWork) -> None:
    try:
        work.session.flush()
    except StaleDataError as error:
        raise Stale(_STALE) from error


def get(reading: ReadContext, course_id: str) -> CourseRow:
    """One course. Raises NotFound, also for another provider's."""
    seen = Course.id == course_id, scope(reading.actor, Course)
    row = reading.row_as(CourseRow, _ONE.where(*seen))
    if row is None:
        raise NotFound
    return row


def page(
    reading: ReadContext, *, after: str | None, limit: int, filters: Mapping[str, str]
) -> list[CourseRow]:
    """A page of courses in the order of their ids; a provider sees its own."""
    statement = _ONE.where(scope(reading.actor, Course)).order_by(Course.id).limit(limit)
    if after:
        statement = statement.where(Course.id > after)
    for name, value in filters.items():
        statement = statement.where(getattr(Course, name) == value)
    return reading.rows_as(CourseRow, statement)


def by_ids(reading: ReadContext, course_ids: Collection[str]) -> dict[str, CourseRow]:
    """Courses by their ids, for whoever has found them already."""
    rows = reading.rows_as(CourseRow, _ONE.where(bulk.among(reading, Course.id, course_ids)))
    return {row.id: row for row in rows}


def by_codes(
    reading: ReadContext, codes: Collection[str], *, provider_id: str | None
) -> dict[str, list[CourseRow]]:
    """The courses with these codes: of one provider, or for staff of every provider."""
    statement = _ONE.where(bulk.among(reading, Course.code, codes), scope(reading.actor, Course))
    if provider_id is not None:
        statement = statement.where(Course.provider_id == provider_id)
    found: dict[str, list[CourseRow]] = {}
    for row in reading.rows_as(CourseRow, statement):
        found.setdefault(row.code, []).append(row)
    return found


def approvers(reading: ReadContext, courses: Collection[CourseRow]) -> dict[str, frozenset[str]]:
    """The records, as holders, of whoever approved each course, on which it approves nothing."""
    deciders = {course.decided_by_id for course in courses} - {None}
    own = select(Account.id, Account.own_record_id).where(bulk.among(reading, Account.id, deciders))
    records = {row.id: row.own_record_id for row in reading.rows(own)} if deciders else {}
    return {
        course.id: frozenset(
            filter(None, (course.decided_by_id, records.get(course.decided_by_id)))
        )
        for course in courses
    }
