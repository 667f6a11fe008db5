"""What is broken on purpose, and where it is shown that no message is lost and none sent twice.

The judge is the ledger of a real mail server. Each test here has a short version, which always
runs, and a long one: ``pytest -m faults``. ``delivery/`` is ``tests/services/delivery/``.

=== =========================================================  =====================================
 1  processes killed at any moment, with the relay's evidence   test_killed_processes
 2  the same without evidence, near the expiry: sent again      test_killed_processes
 3  the same without evidence, long before: parked and listed   test_killed_processes
 4  planners killed before and after their commit               test_killed_planners
 5  eight claimers at once                                      test_many_at_once
 6  four schedulers without a leader                            test_killed_processes
 7  a process stopped after its marker, that wakes up late      test_paused_processes
 8  lines cut before the 250, after it, at QUIT                 test_lost_lines
 9  greylisting twice                                           delivery/test_outbox_sending
10  an address refused for good                                 delivery/test_outbox_sending
11  a server that never answers                                 mail/test_smtp_sender_lines
12  421 every so many messages                                   test_lost_lines
13  database connections cut again and again                    test_lost_databases
14  a clone                                                     delivery/test_outbox_sending
15  thirty days offline                                         delivery/test_reminders_planned
16  nights of clock changes, a clock set back or a year ahead   delivery/test_reminders_planned,
                                                                delivery/test_sending_stops
17  any events in any order                                     test_any_order
18  a renewal between plan and marker                           delivery/test_outbox_sending
19  a week of nearly all that, on a clock that runs fast        test_a_week
20  a database restored in place, of a file or by pg_dump       test_restored
21  a relay that answers later than anybody waits               test_slow_relay
22  a relay's log read while the database goes away             test_evidence_read
23  holders on the other side of the world                      test_far_zones
24  a web server that is killed with the scheduler beside it    cli/test_serving_ends
25  a pause, a crowd due at once, an import of late ones        delivery/test_sending_stops
26  what did not arrive, and is mended                          delivery/test_told_after_all
27  bounces in words                                            mail/test_plain_bounces
28  writers killed at any moment: whole facts, history holds    test_killed_writers
29  any kind of write killed at any moment, and asked again     test_killed_writes
=== =========================================================  =====================================
"""

from __future__ import annotations

from collections.abc import Iterator

import pytest

from tests import postgres
from tests.mail_faults import Catcher


@pytest.fixture(params=["short", pytest.param("long", marks=pytest.mark.faults)])
def is_long(request: pytest.FixtureRequest) -> bool:
    """Whether this is the long version."""
    return bool(request.param == "long")


@pytest.fixture
def catcher() -> Iterator[Catcher]:
    """A mail server that takes its time, so that there is a middle to be killed in."""
    with Catcher() as made:
        made.behaviour.data_delay = 0.004
        yield made


@pytest.fixture(autouse=True)
def _connections_end() -> Iterator[None]:
    """Connections are cut here, so none that was closed is given to the next one."""
    with postgres.keeping_none():
        yield
