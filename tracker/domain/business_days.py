"""Business days: Monday to Friday.

Holidays count as business days: which ones the issuer keeps is not known, and none is invented.
"""

from __future__ import annotations

from datetime import date

from tracker.domain.periods import DAY

_WEEK, _BUSINESS = 7, 5


def between(begin: date, end: date) -> int:
    """The number of business days after ``begin`` up to and including ``end``; 0 if it is earlier.

    >>> between(date(2026, 11, 20), date(2026, 11, 23))  # from a Friday to Monday
    1
    """
    weeks, rest = divmod(max((end - begin).days, 0), _WEEK)
    weekday = begin.weekday()
    return weeks * _BUSINESS + sum((weekday + n) % _WEEK < _BUSINESS for n in range(1, rest + 1))


def before(day: date, count: int) -> date:
    """The latest day from which ``count`` business days pass until ``day``.

    >>> before(date(2026, 11, 23), 1)  # Sunday: of the days after it only Monday is one
    datetime.date(2026, 11, 22)
    """
    while count > 0:
        count -= day.weekday() < _BUSINESS
        day -= DAY
    return day
