"""A provider with a course, and lists of who attended it."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import date
from decimal import Decimal

from tests.services.imports.importing import as_csv, bring
from tracker.db import new_id
from tracker.domain.permissions import SYSTEM, Actor
from tracker.domain.points.courses import CourseVerdict
from tracker.services.core.context import Container
from tracker.services.imports import ImportReport
from tracker.services.points import courses, providers
from tracker.services.points.courses import CourseAnswer, CourseToPropose

TITLE, PROVIDER, HELD_ON = "Robot safety", "Ivy Tech", date(2026, 10, 12)
SAM = Actor(role="staff", name="Sam", person_id=new_id())


def course(container: Container, *, approved: bool = True, provider: str = PROVIDER) -> str:
    """A course of 16 hours, approved for the year or only proposed; returns its id."""
    with container.work(SYSTEM) as work:
        provider_id = providers.DIRECTORY.enter(work, name=provider).id
        wanted = CourseToPropose(
            provider_id=provider_id,
            code="RS-1",
            scheme="cpt",
            type="third_party",
            title=TITLE,
            quantity=Decimal(16),
        )
        course_id = courses.propose(work, wanted)
    if approved:
        approve(container, course_id)
    return course_id


def approve(container: Container, course_id: str, by: Actor = SAM) -> None:
    """Approve a course for 2026."""
    answer = CourseAnswer(
        verdict=CourseVerdict.APPROVED,
        approved_from=date(2026, 1, 1),
        approved_until=date(2026, 12, 31),
    )
    with container.work(by) as work:
        version = courses.get(work, course_id).version
        courses.decide(work, course_id, answer, version=version)


def attend(container: Container, *rows: Mapping[str, object], by: Actor = SYSTEM) -> ImportReport:
    """Import a list of the course on its day."""
    listed = {"course": "RS-1", "held_on": HELD_ON, "name": "", "holder_ref": "", "email": ""}
    return bring(
        container,
        "attendance",
        as_csv([{**listed, "certificate_number": "", "quantity": "", **row} for row in rows]),
        by=by,
    )
