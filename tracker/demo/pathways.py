"""Three people of the demo half-way on a pathway each, with credentials of other issuers."""

from __future__ import annotations

from datetime import date, timedelta
from typing import NamedTuple

from tracker.domain.credentials.apprenticeships import ApprenticeshipStatus
from tracker.domain.credentials.assessments import AttemptToRecord
from tracker.domain.permissions import Actor
from tracker.services.core.context import UnitOfWork
from tracker.services.credentials import apprenticeships, assessments, pathways, sponsors
from tracker.services.people import holders
from tracker.services.points import other_credentials


class Traveler(NamedTuple):
    """Somebody on a pathway: modules passed, a year ago or less, and credentials with levels."""

    ref: str
    given_name: str
    family_name: str
    pathway: str
    funding: str
    modules: tuple[str, ...]
    credentials: tuple[tuple[str, str], ...]


_ALL = ("safety", "quality", "processes", "maintenance")
TRAVELERS = (
    Traveler("D-P001", "Renee", "Vasquez", "career_changer", "wioa", ("maintenance",), ()),
    Traveler(
        "D-P002",
        "Theo",
        "Lindqvist",
        "mechatronics_student",
        "college",
        _ALL,
        (("smscp", "1"), ("mssc_cla", ""), ("mssc_cpt_earlier", "")),
    ),
    Traveler(
        "D-P003",
        "Imani",
        "Okafor",
        "sponsored_apprentice",
        "apprenticeship",
        ("safety", "maintenance"),
        (
            ("fanuc_robot_operator", ""),
            ("nocti", ""),
            ("pmmi_mechatronics", ""),
            ("nims", ""),
            ("osha_10", ""),
            ("osha_30", ""),
            ("rockwell", ""),
            ("mssc_clt", ""),
            ("mssc_cft", ""),
            ("mssc_ct_sca", ""),
        ),
    ),
)


def travel(work: UnitOfWork, today: date) -> int:
    """Record them, each through the services that record real ones; returns how many."""
    for traveler in TRAVELERS:
        holder_id = holders.register(
            work,
            {
                "ref": traveler.ref,
                "given_name": traveler.given_name,
                "family_name": traveler.family_name,
                "email": f"{traveler.given_name.lower()}@example.org",
                "language": "en",
                "time_zone": "America/New_York",
            },
        ).id
        pathways.choose(work, holder_id, traveler.pathway)
        if traveler.pathway == "sponsored_apprentice":
            _apprentice(work, holder_id, today)
        for number, module in enumerate(traveler.modules):
            day = today - timedelta(days=300 - 30 * number)
            attempt = AttemptToRecord(
                scheme="cpt", module=module, taken_on=day, passed=True, funding=traveler.funding
            )
            assessments.record(work, holder_id, attempt)
        for number, (code, level) in enumerate(traveler.credentials):
            stated = {
                "credential": code,
                "level": level,
                "number": f"{code.upper()[:8]}-{number:04}",
                "issued_on": today - timedelta(days=200 - 10 * number),
                "evidence": "Shown at the desk.",
            }
            other_credentials.add(work, holder_id, stated)
    return len(TRAVELERS)


def _apprentice(work: UnitOfWork, holder_id: str, today: date) -> None:
    """An apprenticeship in its second year, which the sponsor sees."""
    sponsor = sponsors.DIRECTORY.enter(work, name="Maumee Valley Apprenticeship Council")
    apprenticeship_id = apprenticeships.register(
        work,
        holder_id,
        {
            "sponsor_id": sponsor.id,
            "scheme": "cpt",
            "program_code": "DEMO-0001",
            "occupation": "Mechatronics Technician",
            "status": ApprenticeshipStatus.REGISTERED,
            "started_on": today - timedelta(days=400),
            "expected_end_on": today + timedelta(days=800),
            "instruction_hours": 180,
            "instruction_hours_required": 576,
        },
    )
    own = Actor(role="holder", name="Imani Okafor", holder_id=holder_id)
    apprenticeships.consent(work.as_actor(own), apprenticeship_id)
    work.as_actor(work.actor)  # the rest is recorded by whoever records the demo
