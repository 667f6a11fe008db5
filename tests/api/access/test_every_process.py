"""What is ended in one process is over at the next request in every other: nothing is kept.

Protects services/core/tokens, services/people/sessions, services/employers/sharing and
services/people/accounts against a cache that only one process empties.
"""

from __future__ import annotations

from contextlib import ExitStack

import orjson
import pytest

from tests import factories
from tests.api.employers import employer_cases
from tests.members import member
from tests.serving import served
from tracker.api import PREFIX
from tracker.domain.permissions import SYSTEM
from tracker.services.core import signed_links
from tracker.services.people import sessions


@pytest.fixture
def sites(container, clock):
    """Two processes that share the database and nothing else."""
    with ExitStack() as running:
        yield [
            running.enter_context(served(container, TRACKER_NOW=clock.now.isoformat()))
            for _ in range(2)
        ]


@pytest.fixture
def ana(container):
    """A worker of Acme's, who shares what she holds."""
    acme = employer_cases.company(container)
    acme.hire("1")
    return acme


def asked(site, path, credential):
    """The status of a question: with a token's secret, or with a cookie."""
    headers = {"Cookie": credential} if "=" in credential else {}
    secret = None if headers else credential
    return site.ask("GET", PREFIX + path, secret, headers=headers)[0]


def change(site, method, path, secret, body=None):
    headers = {"Content-Type": "application/json"} if body is not None else {}
    data = orjson.dumps(body) if body is not None else None
    return site.ask(method, PREFIX + path, secret, headers=headers, body=data)


def cookie(container, account_id):
    """The id of a new session and its cookie."""
    with container.work(SYSTEM) as work:
        id_, secret = sessions.start(work, account_id, email="x@example.org", agent="Firefox")
    return id_, f"session={signed_links.proof(container.message_key, 'session', secret)}"


def test_tokens_sessions_consents_and_accounts_end_in_every_process_at_once(container, sites, ana):
    here, there = sites
    holder_id, entry = ana.holders["1"], ana.path(f"/workforce/{ana.entries['1']}?scheme=cpt")
    own = factories.secret(container, "holder", holder_id=holder_id)
    staff, hr = (
        factories.secret(container, "staff"),
        factories.secret(container, "employer", employer_id=ana.id),
    )
    leaving = member(container, "employer", employer_id=ana.id, email="lee@example.org")
    staying = member(container, "employer", employer_id=ana.id, email="kim@example.org")
    made = orjson.loads(change(here, "POST", "/tokens", own, {})[1])
    session_id, session = cookie(container, staying.id)
    _, of_leaving = cookie(container, leaving.id)
    acts = [
        ("/me", made["secret"], ("DELETE", f"/tokens/{made['id']}", own), 401),
        ("/me", session, ("DELETE", f"/accounts/{staying.id}/sessions/{session_id}", staff), 401),
        (entry, hr, ("DELETE", f"/me/sharing/{ana.sharing_of('1')}", own), 404),
        (
            "/me",
            of_leaving,
            ("POST", f"/accounts/{leaving.id}/deactivation", staff, {"reason": "Left."}),
            401,
        ),
    ]
    for path, credential, act, ended in acts:
        assert [asked(site, path, credential) for site in (there, here, there)] == [200] * 3
        status, body = change(here, *act)
        assert status in {200, 204}, body
        assert [asked(site, path, credential) for site in (there, here)] == [ended] * 2, path
