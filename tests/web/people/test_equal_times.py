"""Nobody learns from an answer, or from how long it takes, who has an account.

That the statements and bytes are the same is shown beside each page. Here requests are timed, with
the costs of a password that production has.
"""

from __future__ import annotations

import itertools
import statistics
import sys
import time

import pytest

from tests.conftest import allow_sending, make_app, office_of
from tests.members import member

FORMS = {
    "/sign-in": ("identifier", {}),
    "/sign-in/password": ("email", {"password": "wrong horse one"}),
    "/password/forgotten": ("email", {}),
}


@pytest.fixture
def app(database_url, tmp_path, clock):
    costs = {"MEMORY_KIB": "19456", "ROUNDS": "2"}
    variables = {f"TRACKER_ACCOUNTS_PASSWORD_{name}": value for name, value in costs.items()}
    base = "https://tracker.example"
    made = make_app(
        database_url, tmp_path / "storage", clock, TRACKER_APP_BASE_URL=base, **variables
    )
    allow_sending(office_of(made))
    yield made
    office_of(made).engine.dispose()


@pytest.mark.scale
@pytest.mark.parametrize("path", FORMS)
def test_known_and_unknown_accounts_take_the_same_time_and_get_the_same_bytes(
    browser, container, path
):
    """By the median of the time of the processor, which a busy machine does not lengthen."""
    name, form = FORMS[path]
    known = [member(container, email=f"sam{n}@example.org").email for n in range(30)]
    unknown = [f"nobody{n}@example.org" for n in range(30)]
    addresses, answers = itertools.count(), set()
    seconds: dict[bool, list[float]] = {True: [], False: []}

    for pair in zip(known, unknown, strict=True):
        for email in pair:
            me = browser(address=f"10.0.{next(addresses)}.1")
            began = time.process_time()
            answer = me.post(path, {name: email, **form})
            seconds[email in known].append(time.process_time() - began)
            answers.add((answer.status_code, answer.location, answer.data))

    medians = sorted(statistics.median(found) for found in seconds.values())
    sys.stdout.write(f"{path}: {medians[1] / medians[0]:.3f} times as long\n")
    assert len(answers) == 1
    assert medians[1] < 1.2 * medians[0], medians
