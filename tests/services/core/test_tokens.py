"""Tokens: made once, known by their digest, ended at once."""

import hashlib
import re
from datetime import timedelta

import pytest
from sqlalchemy import select

from tests.backends import SQLITE
from tests.services.imports.importing import HOLDERS, bring, rows
from tests.statements import counted
from tracker.domain.errors import Invalid, NotFound
from tracker.domain.permissions import SYSTEM
from tracker.models import Employer, Holder, Token
from tracker.services.core import tokens


def made(container, **given):
    with container.work(SYSTEM) as work:
        return tokens.create(work, **{"name": "test", "role": "staff", **given})


def who(container, secret):
    with container.reading(SYSTEM) as reading:
        return tokens.authenticate(reading, secret)


@pytest.fixture
def subjects(container):
    """The ids of a holder and of an employer."""
    bring(container, "holders", HOLDERS)
    bring(container, "roster", "employer,employee_id\nAcme,1\n")
    with container.reading(SYSTEM) as reading:
        holder = reading.row(select(Holder.id).where(Holder.ref == "A"))
        employer = reading.row(select(Employer.id))
        assert holder is not None
        assert employer is not None
        return {"holder_id": holder.id, "employer_id": employer.id}


def test_a_secret_has_256_random_bits_and_only_its_digest_is_kept(container):
    _, secret = made(container)

    assert re.fullmatch(r"trk_[A-Za-z0-9_-]{43}", secret)
    assert rows(container, Token, "digest") == [(hashlib.sha256(secret.encode()).hexdigest(),)]
    assert made(container)[1] != secret


@SQLITE
def test_whoever_holds_the_secret_is_known(container, subjects):
    _, secret = made(container, role="holder", holder_id=subjects["holder_id"], scopes=["read"])

    actor = who(container, secret)

    assert actor is not None
    assert (actor.role, actor.holder_id) == ("holder", subjects["holder_id"])
    assert actor.scopes == {"read"}
    assert not actor.is_staff


UNKNOWN_SECRETS = ["", "trk_", "trk_" + "x" * 43, "Basic abc", "trk_\udcff"]


@SQLITE
def test_an_unknown_secret_is_nobodys(container):
    for secret in UNKNOWN_SECRETS:
        assert who(container, secret) is None, secret


def test_a_token_ends_when_it_is_revoked_or_expires(container, clock):
    id_, secret = made(container)
    _, short = made(container, expires_at=clock() + timedelta(days=1))
    assert who(container, secret) is not None
    with container.work(SYSTEM) as work:
        tokens.revoke(work, id_)
        tokens.revoke(work, id_)

    assert who(container, secret) is None
    clock.advance(hours=23, minutes=59)
    assert who(container, short) is not None
    clock.advance(minutes=1)
    assert who(container, short) is None


def test_its_use_is_noted_at_most_once_a_minute(container, clock):
    _, secret = made(container)
    with counted(container) as ran:
        for seconds in (0, 30, 29, 1):
            clock.advance(seconds=seconds)
            assert who(container, secret) is not None

    found = [statement.split()[0] for statement in ran]
    assert found == ["SELECT", "UPDATE", "SELECT", "SELECT", "SELECT", "UPDATE"]


def test_an_administrator_is_there_only_while_a_token_can_be_used(container, clock):
    def there():
        with container.reading(SYSTEM) as reading:
            return tokens.has_administrator(reading)

    made(container)
    assert not there()
    made(container, role="admin", expires_at=clock() + timedelta(days=1))
    assert there()
    clock.advance(days=1)
    assert not there()
    id_, _ = made(container, role="admin")
    assert there()
    with container.work(SYSTEM) as work:
        tokens.revoke(work, id_)
    assert not there()


def test_a_token_that_makes_no_sense_is_refused_with_every_reason(container, subjects, clock):
    cases = [
        ({"role": "holder"}, "holder_id"),
        ({"role": "employer"}, "employer_id"),
        ({"role": "holder", "holder_id": subjects["employer_id"]}, "holder_id"),
        ({"organization_id": subjects["employer_id"]}, "organization_id"),
        ({"role": "center", "organization_id": subjects["employer_id"]}, "center_id"),
        ({"role": "sponsor"}, "sponsor_id"),
        ({"role": "king"}, "role"),
        ({"scopes": ["all"]}, "scopes"),
        ({"scopes": []}, "scopes"),
        ({"name": ""}, "name"),
        ({"expires_at": clock()}, "expires_at"),
    ]
    for given, field in cases:
        with pytest.raises(Invalid) as refusal:
            made(container, **given)
        assert set(refusal.value.fields) == {field}, given
    with pytest.raises(Invalid) as refusal:
        made(container, role="king", scopes=[])
    assert set(refusal.value.fields) == {"role", "scopes"}


def test_the_list_is_paged_and_holds_no_secret(container):
    ids = [made(container, name=f"t{n}")[0] for n in range(3)]
    with container.reading(SYSTEM) as reading:
        page = tokens.page(reading, after=ids[0], limit=1)

    assert [row.id for row in page] == [ids[1]]
    assert "digest" not in page[0]._fields


@SQLITE
def test_revoking_an_unknown_token_is_refused(container):
    with container.work(SYSTEM) as work, pytest.raises(NotFound):
        tokens.revoke(work, "01a20111-0d4d-72b4-9421-649f04659112")


def test_subjects_are_found_by_the_names_people_know_them_by(container, subjects):
    with container.reading(SYSTEM) as reading:
        assert tokens.holder_of_ref(reading, "A") == subjects["holder_id"]
        with pytest.raises(Invalid):
            tokens.holder_of_ref(reading, "nobody")
