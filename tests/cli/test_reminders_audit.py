"""tracker reminders audit."""

from datetime import UTC, date, datetime

from sqlalchemy import delete, select

from tests.services.delivery import reminder_cases as cases
from tracker import jobs
from tracker.domain.permissions import SYSTEM
from tracker.models import Reminder

THIRTY_DAYS_BEFORE = datetime(2027, 2, 13, 15, tzinfo=UTC)


def test_it_lists_the_stages_that_fell_due_and_have_no_row(tracker, container, clock):
    clock.now = THIRTY_DAYS_BEFORE
    (id_,) = cases.certified(container, date(2027, 3, 15))
    jobs.plan(container)
    then = {"TRACKER_NOW": clock.now.isoformat()}
    well = tracker("reminders", "audit", **then)

    with container.work(SYSTEM) as work:
        thirty = select(Reminder.id).where(Reminder.offset == 30)
        work.connection.execute(delete(Reminder).where(Reminder.id.in_(thirty)))
    amiss = tracker("reminders", "audit", **then)
    of_today = tracker("reminders", "audit", "--since", "2027-02-14", **then)

    assert (well.exit_code, well.stdout) == (0, "")
    assert amiss.exit_code == 1
    assert amiss.stdout == (
        f"{id_}  cycle 1  expires 2027-03-15  stage 30  due 2027-02-13T14:00:00Z\n"
    )
    assert "Due stages without a row: 1." in amiss.stderr
    assert (of_today.exit_code, of_today.stdout) == (0, "")
