"""Whatever this installation signs and takes back: no other text is taken for it (case 41).

Of each kind: signed with another key, for another purpose, with another record in it, without a
signature, cut, or longer. On one database: what is signed is judged before it is looked up. Tests
elsewhere try what is not a text in an address or a cookie.
"""

from __future__ import annotations

import ast
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path

import pytest
from flask import Flask

import tracker
from tests.api.access import access_cases
from tests.api.access.access_cases import Ids
from tests.conftest import office_of
from tracker.services.core import signed_links
from tracker.services.employers import digest_links

PROGRAM, TESTS = Path(tracker.__file__).parent, Path(__file__).parents[2]
SITE = {"Sec-Fetch-Site": "same-origin"}


@dataclass(frozen=True)
class SignedKind:
    """A kind of signed text: its purpose, what it is about, and how somebody tries one.

    ``tried`` gives the status of the answer; ``taken`` is that of a genuine text.
    """

    purpose: str
    about: Callable[[Ids], str]
    tried: Callable[[Flask, Ids, str], int]
    taken: int = 200


def _page(path: str) -> Callable[[Flask, Ids, str], int]:
    def tried(app: Flask, _: Ids, text: str) -> int:
        return app.test_client().get(f"{path}/{text}").status_code

    return tried


def _session(app: Flask, _: Ids, text: str) -> int:
    client = app.test_client()
    client.set_cookie("session", text)
    return client.get("/account").status_code


def _form(app: Flask, ids: Ids, text: str) -> int:
    client = app.test_client()
    key = office_of(app).message_key
    client.set_cookie("session", signed_links.proof(key, "session", ids["session"]))
    sent = {"csrf_token": text}
    return client.post("/account/data/erasure/withdraw", data=sent, headers=SITE).status_code


def _kept_id(ids: Ids, name: str) -> str:
    return ids[name].rpartition(".")[0]


KINDS = {
    "session": SignedKind("session", lambda ids: ids["session"], _session),
    "form": SignedKind("csrf", lambda ids: ids["session_id"], _form, taken=303),
    "link to sign in": SignedKind(
        "sign-in", lambda ids: _kept_id(ids, "sign_in"), _page("/sign-in/link")
    ),
    "link to a new password": SignedKind(
        "reset", lambda ids: _kept_id(ids, "reset"), _page("/password/reset")
    ),
    "invitation": SignedKind(
        "invitation", lambda ids: _kept_id(ids, "invitation"), _page("/invitation")
    ),
    "way out of reminders": SignedKind(
        "u-reminders", lambda ids: ids["holder_id"], _page("/unsubscribe/reminders")
    ),
    "way out of decisions": SignedKind(
        "u-decisions", lambda ids: ids["holder_id"], _page("/unsubscribe/decisions")
    ),
    "way out of digests": SignedKind(
        digest_links._purpose(digest_links._whom("hr@example.org")),
        lambda ids: ids["employer_id"],
        _page(f"/unsubscribe-digest/{digest_links._whom('hr@example.org')}"),
    ),
}
# Modules that sign or digest with a key, and what tries what they make.
HERE = "tests/api/access/test_signed_things.py::test_no_other_text_is_taken_for_a_signed_one"
MODULES = {
    "api/delivery/relay_events.py": (
        "tests/api/delivery/test_relay_events.py::test_what_is_not_signed_by_us_or_stale_is_not_heard"
    ),
    "api/http/session_cookies.py": HERE,
    "domain/history_chain.py": (
        "tests/services/overview/test_history_checks.py::test_a_checkpoint_that_is_not_ours_is_named"
    ),
    "openid.py": (
        "tests/web/people/test_single_sign_on.py::"
        "test_a_token_that_another_key_signed_signs_nobody_in"
    ),
    "services/core/signed_links.py": HERE,
    "services/delivery/bounces.py": (
        "tests/mail/test_plain_bounces.py::"
        "test_words_at_an_address_that_we_did_not_sign_are_nothing"
    ),
    "services/delivery/sealing.py": HERE,
    "services/employers/digest_links.py": HERE,
    "services/people/invitations.py": HERE,
    "services/people/passkey_ceremonies.py": (
        "tests/web/people/test_passkey_pages.py::test_an_answer_that_was_changed_is_refused"
    ),
    "services/people/password_changes.py": HERE,
    "services/people/preferences.py": HERE,
    "services/people/second_factors.py": (
        "tests/services/people/test_second_factors.py::"
        "test_recovery_codes_belong_to_one_account_and_are_stored_as_digests"
    ),
    "services/people/sign_in.py": HERE,
    "services/people/single_sign_on.py": (
        "tests/web/people/test_single_sign_on.py::test_a_state_is_used_once_in_its_own_browser"
    ),
    "services/points/attendance_codes.py": (
        "tests/api/points/test_courses.py::test_a_code_that_is_over_or_withdrawn_is_of_no_use"
    ),
    "signatures.py": (
        "tests/api/employers/test_clearances.py::"
        "test_a_list_that_was_changed_or_is_of_another_kind_or_key_is_no_list"
    ),
    "web/people/kept_forms.py": (
        "tests/web/people/test_kept_forms.py::"
        "test_nobody_else_at_the_browser_sees_it_and_it_ends_with_signing_out"
    ),
}
TAKEN_FROM_NOBODY = {
    "api/http/outer_ring.py": "a caller's address, to be counted by",
    "app.py": "keys for these purposes, from the installation's own",
    "mail/envelopes.py": "the name of a message",
    "services/core/allowances.py": "whose uses are counted",
    "services/outbox/suppressions.py": "an address that is kept as a digest",
}


@pytest.mark.parametrize("kind", KINDS)
@pytest.mark.parametrize("backend", ["sqlite"], indirect=True)
def test_no_other_text_is_taken_for_a_signed_one(
    app: Flask, people: tuple[Ids, Ids], kind: str
) -> None:
    ana, bea = people
    access_cases.undoing(app, office_of(app))
    one = KINDS[kind]
    key = office_of(app).message_key
    genuine = signed_links.proof(key, one.purpose, one.about(ana))
    of_bea = signed_links.proof(key, one.purpose, one.about(bea))

    assert one.tried(app, ana, genuine) == one.taken
    for text in _forged(one, key, genuine, of_bea):
        assert one.tried(app, ana, text) != one.taken, text
    assert one.tried(app, ana, genuine) == one.taken


def _forged(one: SignedKind, key: bytes, genuine: str, of_bea: str) -> Iterator[str]:
    id_, _, mac = genuine.partition(".")
    yield signed_links.proof(b"another key", one.purpose, id_)
    yield signed_links.proof(b"", one.purpose, id_)
    for other in KINDS.values():
        if other.purpose != one.purpose:
            yield signed_links.proof(key, other.purpose, id_)
    yield f"{of_bea.partition('.')[0]}.{mac}"
    yield f"{id_}.{of_bea.partition('.')[2]}"
    yield from (id_, f"{id_}.", f".{mac}", mac, f"{id_}.none", "eyJhbGciOiJub25lIn0.e30.")
    yield from (genuine[:-1], f"{genuine}a", f"{id_}..{mac}", f"{id_}.{mac[::-1]}")


def test_every_purpose_for_which_texts_are_signed_is_tried() -> None:
    """``b`` is the address to which a message comes back, which is tried in tests/mail."""
    found = set()
    for file in PROGRAM.rglob("*.py"):
        found |= set(_purposes(file.read_text()))
    assert {"csrf", "b", "session", "sign-in", "reset", "invitation"} <= found
    assert found - {one.purpose for one in KINDS.values()} == {"b"}


def _purposes(source: str) -> Iterator[str]:
    """The purposes for which a module signs texts, but for those made up of several parts."""
    tree = ast.parse(source)
    constants: dict[str, ast.expr] = {}
    for line in tree.body:
        if isinstance(line, ast.Assign):
            (target,), value = line.targets, line.value
            pairs = isinstance(target, ast.Tuple) and isinstance(value, ast.Tuple)
            names = target.elts if isinstance(target, ast.Tuple) else [target]
            values = value.elts if pairs and isinstance(value, ast.Tuple) else [value]
            constants |= {ast.unparse(one): v for one, v in zip(names, values, strict=False)}
    for node in ast.walk(tree):
        if isinstance(node, ast.Call) and ast.unparse(node.func).startswith("signed_links."):
            given = node.args[2 if ast.unparse(node.func).endswith("address") else 1]
            value = constants.get(ast.unparse(given), given)
            if isinstance(value, ast.Constant):
                yield str(value.value)


def test_every_module_that_signs_is_tried_or_takes_nothing_back() -> None:
    """A new one must say here what tries it; what is named is there."""
    signing = {
        str(file.relative_to(PROGRAM)) for file in PROGRAM.rglob("*.py") if _signs(file.read_text())
    }

    assert signing == MODULES.keys() | TAKEN_FROM_NOBODY.keys()
    for test in {*MODULES.values()}:
        path, _, name = test.partition("::")
        assert f"def {name}(" in (TESTS.parent / path).read_text(), test


SIGNING = {
    *("hmac.digest", "hmac.new", "jwt.decode", "jwt.encode", "jws.sign"),
    *("jws.serialize_compact", "jws.deserialize_compact"),
}


def _signs(source: str) -> bool:
    """Whether a module calls what makes or checks a signature, or a digest with a key."""
    for node in ast.walk(ast.parse(source)):
        if not isinstance(node, ast.Call):
            continue
        called = ast.unparse(node.func)
        has_key = any(one.arg == "key" for one in node.keywords)
        if called in SIGNING or called.startswith("signed_links."):
            return True
        if called == "hashlib.blake2b" and has_key:
            return True
    return False


@pytest.mark.parametrize(
    ("source", "signs"),
    [
        ("hmac.digest(a, b, c)", True),
        ("signed_links.proven(a, b, c)", True),
        ("hashlib.blake2b(a, key=b)", True),
        ("hashlib.blake2b(a)", False),
        ("hmac.compare_digest(a, b)", False),
    ],
)
def test_what_signs_is_recognised(source: str, *, signs: bool) -> None:
    assert _signs(source) is signs
