"""services/overview/retention.py: what is past its period goes, in bounded steps, and no more."""

from __future__ import annotations

from dataclasses import replace
from datetime import date, timedelta
from typing import Any

import pytest
from click.testing import CliRunner
from sqlalchemy import func, insert, select, update

from tests import factories
from tests.api.employers import employer_cases
from tracker import jobs
from tracker.cli import retention as cli
from tracker.db import new_id
from tracker.domain.permissions import SYSTEM
from tracker.models import (
    Activity,
    AuditItem,
    Bounce,
    ClaimAudit,
    Digest,
    EmployerLook,
    EmployerNudge,
    Evidence,
    HolderRequest,
    ImportRun,
    Message,
    ProblemReport,
    RequestProof,
)
from tracker.services.core import counters
from tracker.services.overview import retention
from tracker.services.points import evidence


def _look(work: Any, ids: Any, age: timedelta) -> None:
    seen = {"kind": "list", "scheme": "cpt", "as_of": date(2026, 1, 1), "name": "HR", "workers": 1}
    row = {"id": new_id(), "employer_id": ids["employer"], "at": work.now - age}
    work.execute(insert(EmployerLook).values(row | seen))


def _nudge(work: Any, ids: Any, age: timedelta) -> None:
    row = {"id": new_id(), "employer_id": ids["employer"], "holder_id": factories.holder(work)}
    said = {"scheme": "cpt", "nudged_on": date(2026, 1, 1), "nudged_by": "HR"}
    work.execute(insert(EmployerNudge).values(row | said | {"recorded_at": work.now - age}))


def _message(work: Any, ids: Any, age: timedelta) -> None:
    row = {
        "id": new_id(),
        "dedupe_key": new_id(),
        "message_id": new_id(),
        "kind": "notice",
        "holder_id": ids["holder"],
        "address": "ana@example.org",
        "facts": {"name": "Ana"},
        "state": "sent",
        "created_at": work.now - age,
        "next_at": work.now - age,
        "useful_until": work.now - age,
        "finished_at": work.now - age,
    }
    work.execute(insert(Message).values(row))


def _bounce(work: Any, _: Any, age: timedelta) -> None:
    row = {"digest": new_id(), "message_id": new_id(), "address": "a@example.org", "kind": "hard"}
    more = {"status": "5.1.1", "diagnostic": "No such user Ana", "at": work.now - age}
    work.execute(insert(Bounce).values(row | more))


def _digest(work: Any, ids: Any, age: timedelta) -> None:
    day = (work.now - age).date()
    row = {"id": new_id(), "employer_id": ids["employer"], "from_on": day, "through_on": day}
    work.execute(insert(Digest).values(row | {"contents": {}, "recorded_at": work.now - age}))


def _run(work: Any, outcome: str, age: timedelta) -> None:
    row = {"id": new_id(), "kind": "holders", "filename": "h.csv", "dry_run": False}
    more = {"outcome": outcome, "report": {}, "actor": "staff", "recorded_at": work.now - age}
    work.execute(insert(ImportRun).values(row | more))


def _evidence(work: Any, ids: Any, age: timedelta) -> None:
    activity, key = new_id(), evidence.store(work.settings).put(b"x")
    claim = {
        "id": activity,
        "holder_id": ids["holder"],
        "scheme": "cpt",
        "category": "CE",
        "type": "third_party",
        "title": "Course",
        "provider": "",
        "unit": "",
        "role": "",
        "tags": [],
        "duty": False,
        "state": ids.get("state", "approved"),
        "recorded_at": work.now - age,
        "version": 1,
    }
    file = {
        "id": new_id(),
        "activity_id": activity,
        "slot": 1,
        "filename": "f.pdf",
        "content_type": "application/pdf",
        "size": 1,
        "sha256": "x",
        "key": key,
        "uploaded_by": "Ana",
        "recorded_at": work.now - age,
    }
    work.execute(insert(Activity).values(claim))
    work.execute(insert(Evidence).values(file))


def _proof(work: Any, ids: Any, age: timedelta) -> None:
    request, key = new_id(), evidence.store(work.settings).put(b"x")
    made = {
        "id": request,
        "holder_id": ids["holder"],
        "kind": "extension",
        "proposal": {},
        "requested_on": date(2026, 1, 1),
        "state": ids.get("state", "granted"),
        "closed_at": None if "state" in ids else work.now - age,
        "recorded_at": work.now - age,
        "version": 1,
    }
    file = {
        "id": new_id(),
        "request_id": request,
        "slot": 1,
        "filename": "f.pdf",
        "content_type": "application/pdf",
        "size": 1,
        "sha256": "x",
        "key": key,
        "uploaded_by": "Ana",
        "recorded_at": work.now - age,
    }
    work.execute(insert(HolderRequest).values(made))
    work.execute(insert(RequestProof).values(file))


def _report(work: Any, ids: Any, age: timedelta) -> None:
    row = {"id": new_id(), "about": "/verify", "statement": "x", "language": "en"}
    closed = {} if "open" in ids else {"closed_at": work.now - age, "closed_by": "Sam"}
    work.execute(insert(ProblemReport).values(row | {"recorded_at": work.now - age} | closed))


MAKE = {
    "looks": (_look, EmployerLook, 730),
    "nudges": (_nudge, EmployerNudge, 730),
    "message_texts": (_message, Message, 365),
    "bounces": (_bounce, Bounce, 365),
    "digests": (_digest, Digest, 365),
    "refused_imports": (lambda work, _, age: _run(work, "refused", age), ImportRun, 90),
    "imports": (lambda work, _, age: _run(work, "stored", age), ImportRun, 730),
    "evidence": (_evidence, Evidence, 2190),
    "request_proofs": (_proof, RequestProof, 2190),
    "problem_reports": (_report, ProblemReport, 365),
}


@pytest.fixture
def ids(container):
    with container.work(SYSTEM) as work:
        holder = factories.holder(work)
    return {"holder": holder, "employer": employer_cases.company(container).id}


def left(container, name):
    """How many rows of a rule there are; of messages, those that still say something."""
    _, table, _ = MAKE[name]
    statement = select(func.count()).select_from(table)
    if table is Message:
        statement = statement.where(Message.facts.is_not(None) | (Message.address != ""))
    with container.reading(SYSTEM) as reading:
        return reading.rows(statement)[0][0]


def test_every_rule_is_tested_here():
    assert MAKE.keys() == retention.RULES.keys()


@pytest.mark.parametrize("name", MAKE)
def test_what_is_past_its_period_goes_and_what_is_not_stays(container, ids, name):
    make, _, days = MAKE[name]
    with container.work(SYSTEM) as work:
        for age in (timedelta(days=days, hours=1), timedelta(days=days - 1)):
            make(work, ids, age)
    with container.reading(SYSTEM) as reading:
        assert retention.due(reading)[name] == 1

    assert jobs.retain(container)[name] == 1
    assert left(container, name) == 1
    assert sum(jobs.retain(container).values()) == 0
    with container.reading(SYSTEM) as reading:
        assert counters.known(reading)[f"deleted:{name}"].count == 1


def test_evidence_goes_with_its_file_and_only_once_its_activity_is_decided(container, ids):
    with container.work(SYSTEM) as work:
        _evidence(work, ids, timedelta(days=3000))
        _evidence(work, ids | {"state": "submitted"}, timedelta(days=3000))
    jobs.retain(container)

    kept = list(evidence.store(container.settings).keys(before=1e12))
    assert (left(container, "evidence"), len(kept)) == (1, 1)


def test_files_stay_while_an_audit_or_a_request_waits_for_an_answer(container, ids):
    with container.work(SYSTEM) as work:
        _evidence(work, ids, timedelta(days=3000))
        _proof(work, ids | {"state": "requested"}, timedelta(days=3000))
        _audited(work, ids)
    jobs.retain(container)
    assert (left(container, "evidence"), left(container, "request_proofs")) == (1, 1)
    with container.work(SYSTEM) as work:
        done = {"state": "confirmed", "decided_at": work.now}
        work.execute(update(AuditItem).values(done))
    jobs.retain(container)
    assert (left(container, "evidence"), left(container, "request_proofs")) == (0, 1)


def _audited(work: Any, ids: Any) -> None:
    audit = {
        "id": new_id(),
        "scheme": "cpt",
        "basis": "hand",
        "unit": "activity",
        "seed": "s",
        "population": 1,
        "population_digest": "x",
        "reply_days": 14,
        "no_answer": "remind",
        "reason": "Yearly.",
        "drawn_by": "Sam",
        "recorded_at": work.now,
        **dict.fromkeys(("drawn_on", "from_on", "until_on"), date(2026, 11, 1)),
    }
    item = {
        "id": new_id(),
        "audit_id": audit["id"],
        "holder_id": ids["holder"],
        "activity_id": work.row(select(Evidence.activity_id)).activity_id,
        "decision_id": new_id(),
        "place": 1,
        "state": "asked",
        "due_on": date(2026, 12, 1),
        "reminders": 0,
        "recorded_at": work.now,
        "version": 1,
    }
    work.execute(insert(ClaimAudit).values(audit))
    work.execute(insert(AuditItem).values(item))


def test_a_problem_report_stays_while_it_is_open(container, ids):
    with container.work(SYSTEM) as work:
        _report(work, ids | {"open": True}, timedelta(days=3000))
    jobs.retain(container)
    assert left(container, "problem_reports") == 1


def test_a_nudge_stays_until_the_next_one_may_be(container, ids):
    brief = replace(container.settings.privacy, look_days=1)
    settings = replace(container.settings, privacy=brief)
    with container.work(SYSTEM) as work:
        for age in (timedelta(days=2), timedelta(days=15)):
            _nudge(work, ids, age)
        assert retention.apply(replace(work, settings=settings), "nudges") == 1


def test_a_run_deletes_in_bounded_steps(container, ids, monkeypatch):
    monkeypatch.setattr(retention, "AT_ONCE", 2)
    with container.work(SYSTEM) as work:
        for _ in range(5):
            _bounce(work, ids, timedelta(days=400))
    with container.work(SYSTEM) as work:
        assert retention.apply(work, "bounces") == 2

    assert jobs.retain(container)["bounces"] == 3


def test_a_dry_run_of_the_command_deletes_nothing(container, ids, monkeypatch):
    with container.work(SYSTEM) as work:
        _bounce(work, ids, timedelta(days=400))
    monkeypatch.setattr(cli, "container", lambda: container)
    told = CliRunner().invoke(cli.retention, ["--dry-run"])

    assert "bounces: 1 (kept for 365 days)" in told.output
    assert left(container, "bounces") == 1
    assert "bounces: 1 " in CliRunner().invoke(cli.retention, []).output
    assert left(container, "bounces") == 0
