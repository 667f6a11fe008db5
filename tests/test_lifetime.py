"""One holder's life, from the first module to a second cycle, told in one table of days.

Everything goes through the doors that people use: HTTP for the staff, the holder and the employer,
the scheduler's jobs for the clock, a real SMTP server for the messages.
"""

from __future__ import annotations

from collections.abc import Iterator

import pytest

from tests import factories
from tests.api.conftest import Caller
from tests.conftest import allow_sending, make_app, office_of
from tests.mail_faults import Catcher
from tracker import jobs
from tracker.domain.permissions import SYSTEM


class Life:
    """The people of the story and what they do."""

    def __init__(self, app, clock, catcher) -> None:
        self.app, self.clock, self.catcher = app, clock, catcher
        self.container = office_of(app)
        self.staff = self.caller("staff")
        self.reviewer = self.caller("staff")
        with self.container.work(SYSTEM) as work:
            self.ana = factories.holder(
                work, given_name="Ana", family_name="Peña", email="ana@example.org", language="es"
            )
        self.own = self.caller("holder", holder_id=self.ana)

    def caller(self, role, **subject) -> Caller:
        return Caller(self.app.test_client(), factories.secret(self.container, role, **subject))

    def sit(self, module, result="pass"):
        day = self.clock().date().isoformat()
        body = {"scheme": "cpt", "module": module, "taken_on": day, "result": result}
        return self.staff.post(f"/holders/{self.ana}/assessments", body)

    @property
    def certification(self):
        [held] = self.own.get(f"/certifications?holder_id={self.ana}").json["items"]
        return held

    def status(self, as_of=None):
        query = {"as_of": as_of} if as_of else {}
        path = f"/certifications/{self.certification['id']}"
        told = self.own.get(path, query_string=query).json["standing"]
        return told["status"], told["valid"], told["cycle"]

    def total(self):
        path = f"/certifications/{self.certification['id']}/evaluation"
        return self.own.get(path).json["total"]

    def earn(self, **claim):
        """Log, submit and have approved."""
        made = self.own.post(f"/certifications/{self.certification['id']}/activities", claim)
        assert made.status_code == 201, made.json
        path = f"/activities/{made.json['id']}"
        handed_in = self.own.post(f"{path}/submission")
        answer = self.staff.post(
            f"{path}/decision", {"verdict": "approved"}, version=handed_in.headers["ETag"]
        )
        assert answer.json["state"] == "approved"

    def tick(self):
        """Let the scheduler run; the subjects of the messages that arrived."""
        before = len(self.catcher.letters())
        jobs.plan(self.container)
        jobs.dispatch(self.container)
        return [letter.subject for letter in self.catcher.letters()[before:]]

    def fates(self):
        path = f"/certifications/{self.certification['id']}/reminders"
        return {
            stage["offset"]: stage["fate"]
            for stage in self.own.get(path).json
            if stage["cycle"] == 1
        }


@pytest.fixture
def life(database_url, tmp_path, clock) -> Iterator[Life]:
    with Catcher() as catcher:
        port = str(catcher.port)
        app = make_app(
            database_url,
            tmp_path / "storage",
            clock,
            TRACKER_MAIL_SERVER="127.0.0.1",
            TRACKER_MAIL_PORT=port,
        )
        app.testing = True
        clock.set("2021-03-01")
        allow_sending(office_of(app))
        yield Life(app, clock, catcher)
        office_of(app).engine.dispose()


def test_a_life_from_the_first_module_to_an_appeal_in_the_second_cycle(life):  # noqa: PLR0915 - a life is long
    # The first module, and a failed one that must wait fifteen full days.
    assert life.sit("safety").status_code == 201
    assert life.sit("quality", "fail").status_code == 201
    life.clock.set("2021-03-10")
    early = life.sit("quality")
    assert (early.json["code"], early.json["lawful_on"]) == ("retake_too_soon", "2021-03-17")
    assert life.sit("processes").status_code == 201
    life.clock.set("2021-03-17")
    assert life.sit("quality").status_code == 201

    # The last module, and with it the award, in the same answer.
    life.clock.set("2021-06-15")
    assert life.sit("maintenance").status_code == 201
    assert life.certification["awarded_on"] == "2021-06-15"
    assert life.status() == ("active", True, 1)
    assert life.status("2026-06-15") == ("renewal_open", True, 1)
    assert life.status("2026-06-16") == ("expired", False, 1)
    assert life.tick() == []

    # Work and courses bring points; a cap is felt and named.
    life.clock.set("2024-06-20")
    job = {
        "category": "E",
        "type": "employment_full_time",
        "title": "Operator",
        "provider": "Palmetto",
    }
    life.earn(**job, starts_on="2021-06-15", completed_on="2024-06-14")
    assert life.total() == "36.00"
    certificates = {"category": "IC", "type": "industry_certification", "quantity": "1"}
    for title in ("OSHA 10", "NIMS", "SMSCP"):
        life.earn(**certificates, title=title, provider="x", completed_on="2024-05-01")
    assert life.total() == "96.00"
    [subject] = life.tick()
    assert subject == (
        "Su certificación de Técnico Certificado en Producción vence el 15 de junio de 2026"
        " (quedan 725 días)"
    )

    # A missed week of reminders: the 90-day stage passes while no one is there to send it.
    life.clock.set("2026-03-10")
    assert len(life.tick()) == 1  # the latest stage, 180 days, not the year-old one besides
    life.clock.set("2026-03-24")
    assert (
        life.own.post(f"/certifications/{life.certification['id']}/renewals").json["code"]
        == "points_missing"
    )
    [subject] = life.tick()
    assert subject.endswith(" vence el 15 de junio de 2026 (quedan 83 días)")
    assert life.tick() == []
    assert [life.fates()[o] for o in (730, 365, 180, 90)] == [
        "planned",
        "superseded",
        "planned",
        "planned",
    ]

    # The last points, the renewal, the second cycle.
    life.earn(
        category="X", type="volunteer", quantity="4", title="Judge", completed_on="2026-03-20"
    )
    life.clock.set("2026-04-01")
    applied = life.own.post(f"/certifications/{life.certification['id']}/renewals")
    assert applied.status_code == 201, applied.json
    decision = f"/renewals/{applied.json['id']}/decision"
    approved = life.staff.post(decision, {"decision": "approved"}, version=applied.headers["ETag"])
    assert approved.status_code == 200
    assert life.certification["standing"]["expires_on"] == "2031-06-15"
    assert life.status() == ("active", True, 1)
    assert life.total() == "100.00"
    life.clock.set("2026-06-20")
    assert life.status() == ("active", True, 2)
    assert life.total() == "0.00"
    assert life.tick() == []  # nothing is owed for the old term anymore

    # Revoked, and told so; the report of last month still says active; reminders stop.
    life.clock.set("2029-06-18")
    path = f"/certifications/{life.certification['id']}"
    why = {"reason_code": "conduct", "reason": "Exam code of conduct."}
    assert life.staff.by_two(f"{path}/revocation", why).status_code == 201
    assert life.status() == ("revoked", False, 2)
    assert life.status("2029-05-18") == ("active", True, 2)
    assert life.tick() == ["Técnico Certificado en Producción: su certificación está revocada"]

    # An appeal, decided by someone else, restores everything and the fee.
    life.clock.set("2029-07-01")
    appeal = life.own.post(f"{path}/appeals", {"statement": "I was on sick leave that day."})
    upheld = life.reviewer.post(
        f"/appeals/{appeal.json['id']}/decision",
        {"outcome": "upheld", "reason": "True."},
        version=appeal.headers["ETag"],
    )
    assert upheld.json["fee_refunded"] is True
    assert life.status() == ("active", True, 2)
    assert life.status("2029-06-20") == ("active", True, 2)

    # The record tells all of it.
    record = life.own.get(f"/holders/{life.ana}/record").json
    assert len(record["assessments"]) == 5
    assert [r["decision"] for r in record["renewals"]] == ["approved"]
    assert len(life.own.get(path).json["cycles"]) == 2
