"""Every list costs a constant number of statements, however many rows it shows."""

from __future__ import annotations

import re
from dataclasses import replace
from datetime import date, timedelta
from decimal import Decimal
from typing import Any

import pytest
from sqlalchemy import func, select, update

from tests import factories
from tests.statements import counted
from tracker import jobs
from tracker.domain.desk.audits import AuditBasis
from tracker.domain.employers.requirements import NeededProof, RequirementKind
from tracker.domain.people.accounts import OrganizationAccess
from tracker.domain.periods import Duration, Period
from tracker.domain.permissions import SYSTEM, Actor
from tracker.domain.points.activities import ActivityVerdict
from tracker.models import (
    Assessment,
    Attendance,
    AttendanceCode,
    AuditItem,
    CenterResult,
    Discrepancy,
    Fee,
    Holder,
)
from tracker.services.credentials import (
    apprenticeships,
    assessments,
    centers,
    managed_cases,
    renewals,
    sponsors,
)
from tracker.services.desk import audits
from tracker.services.desk.audits import AuditToDraw
from tracker.services.employers import employers, mass_extensions, requirements, staffing
from tracker.services.employers.mass_extensions import MassExtension, Selection
from tracker.services.people import accounts, invitations, recoveries, sessions
from tracker.services.people.invitations import PersonToInvite
from tracker.services.people.recoveries import NewRecovery
from tracker.services.points import (
    activities,
    activity_decisions,
    activity_rows,
    courses,
    other_credentials,
    providers,
)
from tracker.services.points.activity_decisions import ReviewerDecision
from tracker.services.points.courses import CourseToPropose

LISTS = (
    "/holders",
    "/holders/duplicates",
    "/merges",
    "/centers",
    "/centers/{center}/assessments",
    "/center-results",
    "/fees",
    "/certifications",
    "/activities",
    "/renewals",
    "/reminders",
    "/imports",
    "/tokens",
    "/employers",
    "/invitations",
    "/recoveries",
    "/approvals",
    "/erasures",
    "/accounts",
    "/accounts/{account}/sessions",
    "/employers/short-of-managers",
    "/centers/short-of-managers",
    "/providers/short-of-managers",
    "/sponsors/short-of-managers",
    "/providers",
    "/sponsors",
    "/centers/{center}/history",
    "/providers/{provider}/history",
    "/sponsors/{sponsor}/history",
    "/holders/{holder}/assessments",
    "/holders/{holder}/record",
    "/holders/{holder}/looks",
    "/me/security-events",
    "/holders/{holder}/credentials",
    "/holders/{holder}/apprenticeships",
    "/apprenticeships",
    "/holders/{holder}/managed-cases",
    "/managed-cases",
    "/employers/{employer}/confirmations",
    "/employers/{employer}/confirmations/due",
    "/employers/{employer}/work-permissions",
    "/holders/{holder}/confirmations",
    "/holders/{holder}/work-permissions",
    "/reports/funding/attempts?since=2020-01-01&until=2029-01-01",
    "/certifications/{certification}/activities",
    "/certifications/{certification}/renewals",
    "/certifications/{certification}/reminders",
    "/certifications/{certification}/evaluation",
    "/certifications/{certification}/gap",
    "/certifications/{certification}/adjustments",
    "/adjustments/batches",
    "/adjustments/batches/{batch}/adjustments",
    "/suppressions",
    "/renewals/{renewal}/history",
    "/assessments/{assessment}/history",
    "/fees/{fee}/history",
    "/activities/{activity}/evidence",
    "/employers/{employer}/roster",
    "/employers/{employer}/looks",
    "/employers/{employer}/requirements",
    "/employers/{employer}/staffing-minimums",
    "/employers/{employer}/staffing",
    "/employers/{employer}/workforce",
    "/employers/{employer}/workforce/summary",
    "/employers/{employer}/workforce/forecast",
    "/messages",
    "/messages?holder_id={holder}",
    "/reminders/calendar",
    "/courses",
    "/courses/{course}/attendance-codes",
    "/discrepancies",
    "/audits",
    "/audits/{audit}/items",
    "/queue",
    "/queue/renewals",
    "/reasons",
    "/reminders/calendar",
    "/requests",
    "/holders?q=ana",
    "/holders?family_name=pe",
    "/history",
    "/history?holder_id={holder}",
    "/holders/{holder}/history",
    "/certifications/{certification}/history",
    "/activities/{activity}/history",
    "/employers/{employer}/history",
)


def grow(container, ids, people):
    """Put more of everything on record."""
    for _ in range(people):
        holder_id, _ = factories.certified(container, date(2021, 12, 25))
        with container.work(SYSTEM) as work:
            found = activities.log(work, ids["certification"], course())
            ids.setdefault("activity", found)
            name = f"Center {holder_id}"
            center = centers.add_center(work, name=name, category="employer", approvals=[])
            ids.setdefault("center", center)
            _put_to_centers(work, holder_id, ids["center"])
            for directory in (providers.DIRECTORY, sponsors.DIRECTORY):
                one = directory.enter(work, name=f"One {holder_id}")
                ids.setdefault(directory.role, one.id)
                known = directory.get(work, ids[directory.role])
                directory.correct(work, known.id, {"email": f"{holder_id}@x.org"}, known.version)
            _list(work, ids, holder_id)
            _audit(work, ids)
            _require(work, ids, name)
            made = employers.register(work, name=f"Employer {holder_id}")
            invitations.invite(work, person_to_invite(made.id))
            account = accounts.open_account(
                work, role="employer", name="M", email=f"m{made.id}@x.org", organization_id=made.id
            )
            ids.setdefault("account", account)
            sessions.start(work, ids["account"], email="x@x.org", agent="Firefox")
            own = replace(work, actor=Actor(role="staff", name="Sam", person_id=holder_id))
            _put_around(work, ids, holder_id)
            recoveries.propose(own, NewRecovery("Lost the phone.", account_id=account))
    jobs.plan(container)
    asked = MassExtension(
        ref=f"storm-{people}",
        selection=Selection("cpt", Period(date(2026, 1, 1), date(2040, 1, 1))),
        reason_code="disaster",
        reason="The storm.",
        by=Duration(6, "months"),
        override_reason="The board said so.",
    )
    with container.work(SYSTEM) as work:
        ids["batch"] = mass_extensions.extend(work, asked).batch_id


def _require(work, ids, name):
    """One more requirement of the employer, and a minimum of it."""
    needs, kind = ((NeededProof("cpt"),),), RequirementKind.LINE
    made = requirements.add(work, ids["employer"], name=name, kind=kind, needs=needs)
    staffing.add(work, ids["employer"], made.id, {}, 1)


def _audit(work, ids):
    """One more activity that the audit asks about, and one more audit."""
    made = activities.log(work, ids["certification"], course())
    activities.submit(work, made)
    approved, row = ReviewerDecision(ActivityVerdict.APPROVED), activity_rows.get(work, made)
    activity_decisions.decide(work, made, approved, version=row.version)
    one = audits.draw(work, audit_of([made]))
    drawn = update(AuditItem).where(AuditItem.audit_id == one)
    work.execute(drawn.values(audit_id=ids["audit"]))


def _put_around(work, ids, holder_id):
    """A credential of the one whose record is asked for, and an apprenticeship of each."""
    before = date(2026, 1, 1) - timedelta(days=work.row(select(func.count(Holder.id)))[0])
    other_credentials.add(work, ids["holder"], {"credential": "osha_10", "issued_on": before})
    for one in (ids["holder"], holder_id):
        stated = {
            "sponsor_id": ids["sponsor"],
            "scheme": "cpt",
            "program_code": holder_id[-12:],
            "occupation": "Machinist",
            "started_on": before,
        }
        apprenticeships.register(work, one, {**stated, "ended_on": None})
        other = sponsors.DIRECTORY.enter(work, name=f"Board {one} {holder_id}")
        managed_cases.register(work, one, other.id)


def _list(work, ids, holder_id):
    """One more course, code and discrepancy."""
    wanted = CourseToPropose(
        provider_id=ids["provider"],
        code=holder_id,
        scheme="cpt",
        type="third_party",
        title="Robot Safety",
        quantity=Decimal(16),
    )
    one = ids.setdefault("course", courses.propose(work, wanted))
    on = {"course_id": one, "held_on": date(2026, 10, 12), "recorded_at": work.now}
    of = on | {"provider_id": ids["provider"]}
    row = Attendance(**of, who=holder_id, given_name="Ana")
    ends_at = work.now + timedelta(days=1)
    code = AttendanceCode(**of, digest=holder_id, most=1, ends_at=ends_at, made_by="Pat")
    work.session.add_all([row, code])
    work.session.flush()
    work.session.add(Discrepancy(**on, kind="unmatched", attendance_id=row.id, holder_id=holder_id))
    work.session.flush()


def _put_to_centers(work, holder_id, center_id):
    """A result that waits at a center, an attempt on record there, and a fee."""
    what: Any = {"holder_id": holder_id, "center_id": center_id, "scheme": "cpt", "module": "green"}
    when: Any = {"taken_on": date(2026, 1, 5), "passed": False}
    sent: Any = {"ref": holder_id, "state": "waiting", "sent_at": work.now, "sent_by": "x"}
    fee: Any = {"amount": Decimal(75), "currency": "USD", "bundled": False, "basis": "x"}
    changed: Any = {"changed_at": work.now, "changed_by": "x", "recorded_at": work.now}
    work.session.add_all(
        [
            CenterResult(**what, **when, **sent),
            Assessment(**what, **when, recorded_at=work.now, recorded_by="x"),
            Fee(holder_id=holder_id, state="due", **fee, **changed),
        ]
    )


def person_to_invite(employer_id):
    return PersonToInvite(
        "employer", "Hal", f"{employer_id}@x.org", employer_id, OrganizationAccess.VIEW
    )


def audit_of(activity_ids):
    return AuditToDraw(
        scheme="cpt",
        basis=AuditBasis.HAND,
        seed=activity_ids[0],
        from_on=date(2026, 1, 1),
        until_on=date(2026, 12, 31),
        reason="The audit.",
        activity_ids=activity_ids,
        reply_days=14,
    )


def course():
    return {
        "category": "CE",
        "type": "third_party",
        "title": "Robot Safety",
        "quantity": Decimal(100),
        "completed_on": date(2026, 1, 5),
    }


@pytest.fixture
def ids(container):
    holder_id, certification_id = factories.certified(container, date(2021, 12, 25))
    with container.work(SYSTEM) as work:
        made = activities.log(work, certification_id, course())
        activities.submit(work, made)
        version = activity_rows.get(work, made).version
        activity_decisions.decide(
            work, made, ReviewerDecision(ActivityVerdict.APPROVED), version=version
        )
        renewal_id = renewals.apply(work, certification_id)
        fee_id = renewals.get(work, renewal_id).fee_id
        assessment, *_ = assessments.of_holder(work, holder_id)
        employer = employers.register(work, name="Palmetto Motors")
        audit = audits.draw(work, audit_of([made]))
    return {
        "audit": audit,
        "holder": holder_id,
        "certification": certification_id,
        "employer": employer.id,
        "renewal": renewal_id,
        "fee": fee_id,
        "assessment": assessment.id,
    }


def test_every_list_costs_as_many_statements_for_twelve_rows_as_for_two(container, staff, ids):
    grow(container, ids, 2)
    before = {path: _statements(container, staff, path.format(**ids)) for path in LISTS}
    grow(container, ids, 10)
    after = {path: _statements(container, staff, path.format(**ids)) for path in LISTS}

    assert after == before
    assert max(before.values()) <= 9, before


def _statements(container, staff, path) -> int:
    with counted(container) as sent:
        answer = staff.get(path)
    assert answer.status_code == 200, (path, answer.json)
    return len([one for one in sent if "UPDATE token" not in one])


OF_OTHERS = {
    "/me/audits",
    "/me/looks",
    "/me/messages",
    "/me/passkeys",
    "/me/sessions",
    "/provider/discrepancies",
}  # a holder asks, somebody who signed in, a provider


def test_every_paged_list_is_counted(staff):
    paths = staff.get("/openapi.json").json["paths"]
    paged = {
        _shape(path.removeprefix("/api/v1"))
        for path, routes in paths.items()
        if any(one.get("name") == "limit" for one in routes.get("get", {}).get("parameters", ()))
    }

    assert paged - {_shape(path.partition("?")[0]) for path in LISTS} == OF_OTHERS


def _shape(path: str) -> str:
    return re.sub(r"\{\w+\}", "{}", path)
