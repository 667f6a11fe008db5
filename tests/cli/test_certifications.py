"""tracker certifications extend."""

from datetime import date

import pytest

from tests import factories
from tests.api.employers import employer_cases
from tests.backends import SQLITE
from tracker.domain.permissions import SYSTEM
from tracker.services.standings import standings

ACT = (
    "certifications",
    "extend",
    "--ref",
    "storm",
    "--scheme",
    "cpt",
    "--expiring",
    "2026-12-01..2026-12-31",
    "--reason",
    "The storm.",
)
GRANTED = ("--override", "The board said so.")


@pytest.fixture
def held(container):
    _, id_ = factories.certified(container, date(2021, 12, 25), ref="H1")
    with container.reading(SYSTEM) as reading:
        return standings.of_certification(reading, id_, on=date(2026, 11, 21))


def expires_on(container, held):
    with container.reading(SYSTEM) as reading:
        found = standings.of_certification(reading, held.id, on=date(2026, 11, 21))
        assert found is not None
        return found.standing.expires_on


def test_it_says_whom_it_would_extend_then_does_then_changes_nothing(tracker, container, held):
    line = f"H1  {held.number}  2026-12-25 -> 2027-06-25\n"

    told = tracker(*ACT, *GRANTED, "--by", "6 months", "--dry-run")
    assert told.stdout == (
        f"{line}1 would be extended, 0 refused\nThis was a dry run: nothing was stored.\n"
    )
    assert expires_on(container, held) == date(2026, 12, 25)

    done = tracker(*ACT, *GRANTED, "--by", "6 months")
    assert done.stdout == f"{line}1 extended, 0 refused\n"
    assert expires_on(container, held) == date(2027, 6, 25)

    again = tracker(*ACT, *GRANTED, "--by", "6 months")
    assert again.stdout == (
        "0 extended, 0 refused\nstorm was already carried out (1 extended); nothing changed.\n"
    )
    assert (told.exit_code, done.exit_code, again.exit_code) == (0, 0, 0)


@SQLITE
def test_who_is_refused_is_named_on_standard_error(tracker, container, held):
    done = tracker(*ACT, "--until", "2027-03-31")

    assert done.stdout == "0 extended, 1 refused\n"
    assert done.stderr == (
        f"refused: H1  {held.number}  2026-12-25 -> 2027-03-31: Policy 2015 does not allow "
        "extensions.\n"
    )
    assert expires_on(container, held) == date(2026, 12, 25)


def test_it_can_be_for_one_person_or_an_employers_workers(tracker, container, held):
    acme = employer_cases.company(container)
    acme.hire("1", awarded_on=date(2021, 12, 10))

    one = tracker(*ACT, *GRANTED, "--by", "30 days", "--holder", "H1", "--dry-run")
    workers = tracker(
        *ACT,
        *GRANTED,
        "--by",
        "1 year",
        "--employer",
        "Acme",
        "--effective-on",
        "2026-11-01",
        "--dry-run",
    )

    assert one.stdout.startswith(f"H1  {held.number}  2026-12-25 -> 2027-01-24\n1 would")
    assert workers.stdout.startswith(acme.holders["1"])
    assert "2026-12-10 -> 2027-12-10\n1 would" in workers.stdout


@SQLITE
@pytest.mark.parametrize(
    ("options", "status", "words"),
    [
        (
            ("--by", "six months"),
            2,
            "is not a length of time; write it like '90 days', '6 months' or '1 year'.",
        ),
        (
            ("--by", "1 year", "--expiring", "December"),
            2,
            "must be two dates, such as 2026-03-01..2026-06-30",
        ),
        ((), 1, "until: give either until or by, not both"),
        (("--by", "1 year", "--employer", "Nobody"), 1, "employer: is unknown"),
        (
            ("--by", "1 year", "--holder", "H9"),
            1,
            "holder_refs: are not refs of holders on record: H9",
        ),
    ],
)
def test_what_makes_no_sense_is_refused(tracker, options, status, words):
    refused = tracker(*ACT, *options)
    assert refused.exit_code == status
    assert words in refused.stderr
    assert refused.stdout == ""


@SQLITE
@pytest.mark.parametrize("more", [(), ("--dry-run",)])
def test_a_reason_code_that_is_none_is_refused_with_what_was_probably_meant(
    tracker, container, held, more
):
    given = (*ACT, *GRANTED, "--by", "6 months", "--reason-code", "dissaster", *more)
    done = tracker(*given)

    assert done.exit_code != 0
    assert "did you mean 'disaster'" in done.stderr
    assert expires_on(container, held) == date(2026, 12, 25)
