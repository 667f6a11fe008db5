"""A process that is stopped after its marker and wakes up when others have taken over."""

from __future__ import annotations

from sqlalchemy import text

from tests.faults.processes import (
    SEVEN_DAYS_BEFORE,
    THIRTY_DAYS_BEFORE,
    Worker,
    feed_evidence,
    ledger,
    plan,
    wait_for,
)
from tests.services.delivery import reminder_cases as cases
from tracker import jobs

# The marker is durable and not a byte of the message has left when the process stops.
STOPS = """
import os, signal, time
from tracker.services.delivery import marker
mark = marker.mark
def mark_and_stop(*given, **named):
    marked = mark(*given, **named)
    if marked:
        os.kill(os.getpid(), signal.SIGSTOP)
        time.sleep(1)  # another thread may be the one that takes the signal
    return marked
marker.mark = mark_and_stop
"""


def stopped(container, clock, catcher):
    """A process that stands still after its marker."""
    worker = Worker(
        container, clock, catcher.port, "dispatch", setup=STOPS, TRACKER_REMINDERS_CONNECTIONS="1"
    )
    worker.begin()
    wait_for(lambda: cases.states(container) == ["transmitting"])
    wait_for(worker.is_stopped)
    clock.advance(minutes=16)
    return worker


def test_a_process_that_wakes_up_after_the_relay_hung_up_sends_no_copy_and_its_token_is_refused(
    container, clock, catcher
):
    expected = plan(container, clock, 1, SEVEN_DAYS_BEFORE)
    worker = stopped(container, clock, catcher)
    jobs.reap(container)
    assert jobs.reap(container).sent_again + cases.states(container).count("ready") == 1
    assert jobs.dispatch(cases.with_relay(container, catcher.port)) == {"sent": 1}
    catcher.stop()  # the relay's idle timeout, which is shorter than the wait
    worker.wake()
    worker.finish()

    assert ledger(catcher) == dict.fromkeys(expected, 1)
    (letter,) = cases.letters(container)
    assert (letter.state, letter.token) == ("sent", 2)


def test_a_process_stopped_while_the_relay_has_the_letter_finds_it_settled_by_evidence(
    container, clock, catcher
):
    expected = plan(container, clock, 1, THIRTY_DAYS_BEFORE)
    catcher.behaviour.data_delay = 1.5
    worker = Worker(container, clock, catcher.port, "dispatch")
    worker.begin()
    wait_for(lambda: catcher.received)
    worker.pause()
    wait_for(catcher.letters)
    clock.advance(minutes=16)
    jobs.reap(container)
    feed_evidence(container, clock, catcher)
    assert jobs.reap(container).found_sent == 1
    worker.wake()
    worker.finish()
    jobs.dispatch(cases.with_relay(container, catcher.port))

    assert ledger(catcher) == dict.fromkeys(expected, 1)
    assert cases.states(container) == ["sent"]
    with container.engine.connect() as connection:
        assert connection.execute(text("select count(*) from relay_accept")).scalar_one() == 1
