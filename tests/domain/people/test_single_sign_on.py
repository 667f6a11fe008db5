"""The rules of single sign-on (domain/people/single_sign_on.py)."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

import pytest

from tracker.domain.people import single_sign_on
from tracker.domain.people.single_sign_on import Identity

TABLE = {
    "label": "Acme",
    "issuer": "https://login.acme.example",
    "client_id": "tracker",
    "roles": ["employer", "staff"],
    "domains": ["Acme.example"],
}
NOW, HOUR = datetime(2026, 11, 21, 17, tzinfo=UTC), timedelta(hours=1)
EMPLOYER = "01900000-0000-7000-8000-000000000001"


def made(**more):
    return single_sign_on.provider("acme", TABLE | more)


def test_a_provider_admits_its_roles_at_its_domains():
    provider = made()

    assert provider.admits("staff", None, "Kim@ACME.example")
    assert provider.admits("employer", EMPLOYER, "kim@acme.example")
    assert not provider.admits("admin", None, "kim@acme.example")
    assert not provider.admits("holder", None, "kim@acme.example")
    assert not provider.admits("staff", None, "kim@sub.acme.example")
    assert not provider.admits("staff", None, None)


def test_a_provider_of_one_employer_admits_its_people_alone():
    provider = made(employer_id=EMPLOYER)

    assert provider.admits("employer", EMPLOYER, "kim@acme.example")
    assert not provider.admits("employer", "another", "kim@acme.example")


def test_it_may_name_one_organization_for_each_role():
    provider = made(roles=["center", "sponsor"], center_id=EMPLOYER)

    assert provider.admits("center", EMPLOYER, "kim@acme.example")
    assert not provider.admits("center", "another", "kim@acme.example")
    assert provider.admits("sponsor", "any", "kim@acme.example")


@pytest.mark.parametrize(
    ("identity", "strong"),
    [
        (Identity("1", "a@x.org"), False),
        (Identity("1", "a@x.org", acr="two"), True),
        (Identity("1", "a@x.org", acr="one", amr=frozenset({"pwd"})), False),
        (Identity("1", "a@x.org", amr=frozenset({"pwd", "mfa"})), True),
    ],
)
def test_its_word_is_both_factors_only_where_the_operator_says_so(identity, strong):
    assert identity.is_strong(made(strong_acr=["two", ""], strong_amr=["mfa"])) is strong
    assert not identity.is_strong(made())


@pytest.mark.parametrize(
    ("more", "said"),
    [
        ({"roles": ["holder"]}, "acme.roles: 'holder' must be one of"),
        ({"roles": []}, "acme.roles: is missing"),
        ({"roles": "staff"}, "acme.roles: must be a list"),
        ({"domains": [1]}, "acme.domains: must be one line"),
        ({"domains": ["@acme.example"]}, "acme.domains: '@acme.example' must be a domain"),
        ({"domains": ["com"]}, "acme.domains: 'com' must be a domain"),
        ({"label": 1}, "acme.label: must be one line"),
        ({"client_id": "a\nb"}, "acme.client_id: must be one line"),
        ({"issuer": "http://login.acme.example"}, "acme.issuer: must begin with https://"),
        ({"employer_id": "Acme"}, "acme.employer_id: must be the id of the employer"),
        ({"center_id": "Acme"}, "acme.center_id: must be the id of the center"),
        ({"secret": "x"}, "acme.secret: is not a key"),
    ],
)
def test_a_mistake_is_named_with_its_key(more, said):
    with pytest.raises(ValueError, match="acme") as refused:
        made(**more)
    assert str(refused.value).startswith(said)


def test_a_name_is_part_of_an_address():
    with pytest.raises(ValueError, match="must be of lower-case"):
        single_sign_on.provider("Acme Inc.", TABLE)


@pytest.mark.parametrize(
    ("address", "safe"),
    [
        ("https://a.example/x", True),
        ("http://127.0.0.1:9000", True),
        ("http://[::1]:9000", True),
        ("http://a.example", False),
        ("https://", False),
        ("ftp://localhost", False),
        ("javascript:alert(1)", False),
        ("https://[a", False),
    ],
)
def test_an_address_is_safe_by_tls_or_on_this_machine(address, safe):
    assert single_sign_on.is_safe(address) is safe


@pytest.mark.parametrize(
    ("told", "asked_again", "proved"),
    [
        (NOW - HOUR, False, NOW - HOUR),
        (NOW - HOUR, True, NOW - HOUR),
        (NOW + HOUR, True, NOW),
        (None, False, NOW),
        (None, True, single_sign_on.NOT_PROVED),
    ],
)
def test_a_provider_that_was_asked_again_says_when_it_was_proved(told, asked_again, proved):
    found = Identity("1", "a@x.org", proved_at=told)

    assert single_sign_on.proved_at(found, NOW, asked_again=asked_again) == proved
