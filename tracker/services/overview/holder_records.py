"""A holder's whole record in a constant number of statements."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date

from tracker.services.core import days
from tracker.services.core.context import ReadContext
from tracker.services.core.prefetch import Ahead
from tracker.services.credentials import assessments, renewals
from tracker.services.credentials.assessments import AssessmentRow
from tracker.services.credentials.renewals import RenewalRow
from tracker.services.people import holders, names
from tracker.services.people.holders import HolderRow
from tracker.services.people.names import FormerNameRow
from tracker.services.points import activity_rows
from tracker.services.points.activity_rows import ActivityRow
from tracker.services.standings import standings


@dataclass(frozen=True, slots=True)
class HolderRecord:
    """Everything on record about a person; certifications with their standings on a day."""

    holder: HolderRow
    former_names: Sequence[FormerNameRow]
    assessments: Sequence[AssessmentRow]
    certifications: Sequence[standings.HeldCertification]
    activities: Sequence[ActivityRow]
    renewals: Sequence[RenewalRow]


def of_holder(reading: ReadContext, holder_id: str, *, on: date | None) -> HolderRecord:
    """A person's record on ``on``; the default is today where it begins last.

    Raises NotFound, also for another person's record.
    """
    return HolderRecord(
        holder=holders.get(reading, holder_id),
        former_names=names.of_holder(reading, holder_id),
        assessments=assessments.of_holder(reading, holder_id),
        certifications=standings.of_holder(
            reading, holder_id, on=on or days.today_everywhere(reading)
        ),
        activities=activity_rows.of_holder(reading, holder_id),
        renewals=renewals.of_holder(reading, holder_id),
    )


AHEAD = Ahead(
    lambda reading, id_: {"id": id_, "on": days.today_everywhere(reading)},
    holders.BY_ID,
    names.OF_HOLDER,
    assessments.OF_HOLDER,
    standings.OF_HOLDER,
    activity_rows.OF_HOLDER,
    renewals.OF_HOLDER,
)
