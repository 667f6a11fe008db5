"""Reading ahead saves round trips and changes no answer."""

from __future__ import annotations

from dataclasses import replace
from datetime import date
from decimal import Decimal
from typing import Any

import pytest
from sqlalchemy import create_engine
from sqlalchemy.dialects import postgresql

from tests import factories
from tests.statements import counted
from tracker.db import Base
from tracker.domain.permissions import SYSTEM
from tracker.domain.points.activities import ActivityVerdict
from tracker.services.core import tokens
from tracker.services.core.combined import Together
from tracker.services.credentials import assessments, module_certificates, pathways, renewals
from tracker.services.delivery import bounces
from tracker.services.overview import holder_records
from tracker.services.people import holders, names
from tracker.services.points import activities, activity_decisions, activity_rows, review_waits
from tracker.services.points.activity_decisions import ReviewerDecision
from tracker.services.standings import snapshots, standings

HOLDER, CERTIFICATION = 0, 1
COURSE: dict[str, Any] = {
    "category": "CE",
    "type": "college_noncredit",
    "title": "Six Sigma",
    "quantity": Decimal("4.00"),
    "provider": "A college",
    "completed_on": date(2026, 6, 5),
}


@pytest.fixture
def ids(container):
    """A certified person with two activities, one of them approved, and a module passed again."""
    found = factories.certified(container, date(2025, 3, 15))
    for approved in (True, False):
        with container.work(SYSTEM) as work:
            made = activities.log(work, found[CERTIFICATION], COURSE)
            activities.submit(work, made)
            work.session.flush()
            if approved:
                version = activity_rows.get(work, made).version
                activity_decisions.decide(
                    work, made, ReviewerDecision(ActivityVerdict.APPROVED), version=version
                )
    return found


def get(app, path, secret):
    return app.test_client().get(f"/api/v1{path}", headers={"Authorization": f"Bearer {secret}"})


@pytest.mark.parametrize(
    "path", ["/certifications/{1}", "/certifications/{1}/evaluation", "/holders/{0}/record"]
)
def test_what_was_read_ahead_is_told_as_if_it_was_not(app, container, ids, path):
    secret = factories.secret(container, "staff")
    plain = get(app, path.format(*ids) + "?as_of=2026-11-21", secret)  # read piece by piece
    with counted(container) as sent:
        ahead = get(app, path.format(*ids), secret)

    assert ahead.json == plain.json
    assert ahead.status_code == 200
    assert len(sent) == 1


def test_nothing_is_told_to_a_revoked_token(app, container, ids):
    with container.work(SYSTEM) as work:
        token, secret = tokens.create(work, name="HR", role="staff")
    path = f"/certifications/{ids[CERTIFICATION]}"
    assert get(app, path, secret).status_code == 200

    with container.work(SYSTEM) as work:
        tokens.revoke(work, token)

    assert get(app, path, secret).status_code == 401
    assert get(app, path, "trk_unknown").status_code == 401
    assert get(app, path, "").status_code == 401


def test_somebody_elses_record_is_no_record(app, container, ids):
    secret = factories.secret(container, "holder", holder_id=ids[HOLDER])
    other = factories.certified(container, date(2025, 3, 15))

    assert get(app, f"/holders/{ids[HOLDER]}/record", secret).status_code == 200
    assert get(app, f"/holders/{other[HOLDER]}/record", secret).status_code == 404
    assert get(app, f"/certifications/{other[CERTIFICATION]}", secret).status_code == 404


def test_another_question_than_the_one_read_ahead_is_asked_anew(container, ids):
    other = factories.certified(container, date(2024, 3, 15))
    with container.reading(SYSTEM) as reading:
        ahead = holder_records.AHEAD.read(reading, "trk_unknown", ids[HOLDER])
        with counted(container) as sent:
            mine = holder_records.of_holder(ahead, ids[HOLDER], on=None)
        assert sent == []

        theirs = holder_records.of_holder(ahead, other[HOLDER], on=None)
        then = holder_records.of_holder(ahead, ids[HOLDER], on=date(2025, 4, 1))
        assert ahead.row(snapshots.CERTIFICATION_BY_ID, {"id": ids[CERTIFICATION]}) is not None

    assert mine.holder.id == ids[HOLDER]
    assert theirs.holder.id == other[HOLDER]
    assert then.certifications[0].standing.on == date(2025, 4, 1)


def test_statements_give_together_what_they_give_alone(container, ids):
    statements = (
        holders.BY_ID,
        assessments.OF_HOLDER,
        activity_rows.OF_HOLDER,
    )
    asked = {"id": ids[HOLDER]}
    with container.reading(SYSTEM) as reading:
        together = Together(*statements).read(reading, asked)
        alone = [reading.rows(statement, asked) for statement in statements]

    for some, others in zip(together, alone, strict=True):
        assert sorted(map(tuple, some), key=repr) == sorted(map(tuple, others), key=repr)
        assert some[0]._fields == others[0]._fields


def test_together_serves_one_database_after_another(container, ids):
    together, asked = Together(holders.BY_ID, assessments.OF_HOLDER), {"id": ids[HOLDER]}

    def read(reading):
        return [sorted(map(tuple, rows), key=repr) for rows in together.read(reading, asked)]

    elsewhere = create_engine("sqlite://")
    Base.metadata.create_all(elsewhere)
    with container.reading(SYSTEM) as reading:
        here = read(reading)
        with elsewhere.connect() as connection:
            there = read(replace(reading, connection=connection))
        again = read(reading)

    assert there == [[], []]
    assert again == here
    assert all(here)


@pytest.mark.parametrize(
    "statement",
    [
        *(snapshots.WITH_CYCLES, snapshots.ADJUSTMENTS, snapshots.CLAIMED, review_waits.MEASURED),
        *(holders.BY_ID, standings.OF_HOLDER, *snapshots.RECORDS_OF_HOLDER, *bounces.TO_HOLDER),
        *(snapshots.ACTIVITIES_OF_HOLDER, snapshots.ATTEMPTS_OF_HOLDER, renewals.OF_HOLDER),
        *(assessments.OF_HOLDER, activity_rows.OF_HOLDER, names.OF_HOLDER),
        *(module_certificates.OF_HOLDER, pathways.CHOSEN_BY_HOLDER),
    ],
)
def test_no_text_of_what_is_read_ahead_is_finished_for_each_request(statement):
    """SQLAlchemy writes a list of values into a text when it runs: a tenth of an evaluation."""
    assert "POSTCOMPILE" not in str(statement.compile(dialect=postgresql.dialect()))
