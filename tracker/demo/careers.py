"""Careers: how a worker reached today's standing.

``CAREERS`` are drawn at random, around the demo's day, so that every standing and every reminder
stage occurs. ``specials`` are cases that a demo should not leave to chance.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass
from datetime import date, timedelta

from tracker.demo import names
from tracker.demo.workers import DemoWorker
from tracker.domain.credentials.certifications import ChangeKind
from tracker.domain.periods import add_months

_Life = Callable[[DemoWorker, date], None]


@dataclass(frozen=True, slots=True)
class Career:
    """A kind of career: its share in percent, and how many days before its expiry it is today.

    Negative days are days after the expiry.
    """

    live: _Life
    percent: int
    days: tuple[int, int]


def _awarded(expires_on: date, cycles: int = 1) -> date:
    return add_months(expires_on, -60 * cycles)


def _in_progress(worker: DemoWorker, _: date) -> None:
    worker.start(worker.today - timedelta(days=worker.random.randint(30, 900)))


def _active(worker: DemoWorker, expires_on: date) -> None:
    worker.certify(_awarded(expires_on))
    worker.earn(_awarded(expires_on), min(worker.today, expires_on))
    if expires_on > worker.today and worker.random.random() < 0.2:  # noqa: PLR2004 - one in five
        worker.train_lately()


def _renewed(worker: DemoWorker, expires_on: date) -> None:
    first, middle = _awarded(expires_on, 2), _awarded(expires_on)
    worker.certify(first)
    worker.complete(first, middle - timedelta(days=60))
    worker.renew(middle - timedelta(days=50), middle - timedelta(days=40), "approved")
    worker.earn(middle + timedelta(days=1), worker.today)


def _window(worker: DemoWorker, expires_on: date) -> None:
    worker.certify(_awarded(expires_on))
    if worker.random.random() < 0.5:  # noqa: PLR2004 - every other
        worker.complete(_awarded(expires_on), worker.today - timedelta(days=40))
    else:
        worker.earn(_awarded(expires_on), worker.today)


def _pending(worker: DemoWorker, expires_on: date) -> None:
    worker.certify(_awarded(expires_on))
    worker.complete(_awarded(expires_on), expires_on - timedelta(days=50))
    worker.renew(expires_on - timedelta(days=10), None, None)


def _held(kind: str, reason: str) -> _Life:
    def live(worker: DemoWorker, expires_on: date) -> None:
        _active(worker, expires_on)
        since = _awarded(expires_on)
        days = max((worker.today - since).days, 1)
        worker.change(kind, since + timedelta(days=worker.random.randint(days // 2, days)), reason)

    return live


_SUSPENDED = "A proctor reported a second phone in the testing room; under review."
_REVOKED = "Shared answers during an assessment; confirmed by the testing center."
_SURRENDERED = "Retired, and asked to give up the certification."

CAREERS = (
    Career(_in_progress, 14, (0, 0)),
    Career(_active, 38, (100, 1800)),
    Career(_renewed, 18, (120, 1700)),
    Career(_window, 14, (1, 89)),
    Career(_pending, 3, (-40, -1)),
    Career(_active, 9, (-900, -1)),
    Career(_held(ChangeKind.SUSPEND, _SUSPENDED), 1, (100, 1500)),
    Career(_held(ChangeKind.REVOKE, _REVOKED), 2, (100, 1500)),
    Career(_held(ChangeKind.SURRENDER, _SURRENDERED), 1, (100, 1500)),
)


def specials() -> Iterator[Callable[[DemoWorker], None]]:
    """The cases that a demo should not leave to chance; the tour's holder is the first."""
    yield _sixteen_points_short
    yield _ready_to_apply
    yield _half_a_point_short
    yield _leap_day
    for days in (0, 1, 7, 14, 30, 60, 90, 180, 365, 730, -1, -30):
        yield _at_stage(days)
    yield _two_certifications
    yield _reinstated
    yield _four_failures


def _sixteen_points_short(worker: DemoWorker) -> None:
    """84 of 100 points a month before the expiry; a course with too many hours was rejected."""
    since = _awarded(worker.today + timedelta(days=30))
    blueprints, _, _, lockout, *_ = names.COURSES
    worker.certify(since)
    worker.job(add_months(since, 6))
    worker.course(16, since + timedelta(days=500), training=blueprints)
    worker.course(8, worker.today - timedelta(days=200), training=lockout)
    worker.volunteer(7, worker.today - timedelta(days=320), training=names.VOLUNTEERING[0])
    worker.rejected(worker.today - timedelta(days=90), names.REJECTIONS[0])


def _ready_to_apply(worker: DemoWorker) -> None:
    expires_on = worker.today + timedelta(days=60)
    worker.certify(_awarded(expires_on))
    worker.complete(_awarded(expires_on), worker.today - timedelta(days=30))
    worker.course(8, worker.today - timedelta(days=3), "submitted")


def _half_a_point_short(worker: DemoWorker) -> None:
    """99.5 points, a month before the expiry."""
    expires_on = worker.today + timedelta(days=30)
    since = _awarded(expires_on)
    worker.certify(since)
    worker.job(since, add_months(since, 45) - timedelta(days=1), full_time=False)
    worker.credential(since + timedelta(days=100))
    worker.credential(since + timedelta(days=900))
    for hours, days in ((24, 300), (13, 600)):
        worker.course(hours, since + timedelta(days=days))


def _leap_day(worker: DemoWorker) -> None:
    worker.certify(date(2024, 2, 29))
    worker.course(8, date(2025, 2, 28))


def _at_stage(days: int) -> Callable[[DemoWorker], None]:
    def live(worker: DemoWorker) -> None:
        _active(worker, worker.today + timedelta(days=days))

    return live


def _two_certifications(worker: DemoWorker) -> None:
    """CPT and CLT that expire 60 days apart: one fee for both."""
    expires_on = worker.today + timedelta(days=25)
    worker.certify(_awarded(expires_on))
    logistics = _awarded(expires_on + timedelta(days=60))
    worker.attempt("associate", logistics - timedelta(days=30), scheme="cla")
    worker.attempt("technician", logistics, scheme="clt")
    worker.complete(_awarded(expires_on), worker.today - timedelta(days=30))


def _reinstated(worker: DemoWorker) -> None:
    _active(worker, worker.today + timedelta(days=700))
    worker.change(ChangeKind.SUSPEND, worker.today - timedelta(days=90), _SUSPENDED)
    worker.change(
        ChangeKind.REINSTATE, worker.today - timedelta(days=45), "The report was withdrawn."
    )


def _four_failures(worker: DemoWorker) -> None:
    """Three failures, then the long wait, then a fourth try."""
    first = worker.today - timedelta(days=300)
    for days, result in ((0, "fail"), (16, "fail"), (32, "fail"), (93, "pass")):
        worker.attempt("safety", first + timedelta(days=days), result)
