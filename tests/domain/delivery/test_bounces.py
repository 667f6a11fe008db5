"""What a status says of an address, by the table of RFC 3463, and when an address rests."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

import pytest

from tracker.domain.delivery import bounces
from tracker.domain.delivery.bounces import Returned

DAY = datetime(2027, 3, 15, 12, tzinfo=UTC)


@pytest.mark.parametrize(
    "status",
    ["5.1.0", "5.1.1", "5.1.2", "5.1.3", "5.1.4", "5.1.6", "5.1.10", "5.01.001", "5.7.17"],
)
def test_an_address_that_will_never_work_is_bad_for_good(status):
    assert bounces.kind_of(status) == "hard"
    assert bounces.speaks_of_address(status)


@pytest.mark.parametrize(
    "status", ["5.0.0", "5.2.0", "5.2.1", "5.2.2", "5.3.0", "5.4.4", "4.1.1", "4.2.2", "4.4.7", "?"]
)
def test_what_may_pass_counts_against_the_address_for_now(status):
    assert bounces.kind_of(status) == "soft"
    assert bounces.speaks_of_address(status)


@pytest.mark.parametrize(
    "status",
    ["5.1.5", "5.1.7", "5.1.8", "5.1.9", "5.2.3", "5.3.4", "5.5.1", "5.6.3", "5.7.1", "4.7.0"],
)
def test_what_is_about_the_letter_or_about_us_says_nothing_against_the_address(status):
    assert bounces.kind_of(status) == "soft"
    assert not bounces.speaks_of_address(status)


def came_back(*days: float, status: str = "5.2.2") -> list[Returned]:
    return [
        Returned(f"letter {n}", status, DAY - timedelta(days=day)) for n, day in enumerate(days)
    ]


@pytest.mark.parametrize("days", [(0, 1, 2), (13.9, 5, 0), (40, 9, 3, 0)])
def test_three_letters_within_fourteen_days_rest_an_address_for_thirty(days):
    assert bounces.rest_until(came_back(*days)) == DAY + timedelta(days=30)


@pytest.mark.parametrize("days", [(), (0,), (0, 1), (14, 7, 0)])
def test_fewer_or_longer_ago_rest_none(days):
    assert bounces.rest_until(came_back(*days)) is None


def test_three_reports_of_one_letter_are_one_letter():
    returned = [Returned("one letter", "4.4.7", DAY - timedelta(hours=n)) for n in range(3)]

    assert bounces.rest_until(returned) is None


def test_what_was_not_the_addresss_fault_does_not_rest_it():
    assert bounces.rest_until(came_back(0, 1, 2, status="5.7.1")) is None
