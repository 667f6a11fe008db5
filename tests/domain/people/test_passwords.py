"""Which passwords may be chosen (domain/people/passwords.py)."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from tracker.domain.errors import UnacceptablePassword
from tracker.domain.people.passwords import LONGEST, PasswordFault, check, fault, kept

ABOUT = ("Ana Ruiz", "ana.ruiz.peralta@example.org", "Tracker Demo", "")
COMMON = frozenset({"qwertyuiop", "1234567890", "iloveyou", "manchester"})


def judged(text):
    return fault(text, about=ABOUT, common=COMMON)


@pytest.mark.parametrize(
    ("text", "found"),
    [
        ("1234567", PasswordFault.TOO_SHORT),
        ("a" * 9, PasswordFault.TOO_SHORT),
        ("ab" * 101, PasswordFault.TOO_LONG),
        ("qwertyuiop", PasswordFault.COMMON),
        ("QWERTYuiop", PasswordFault.COMMON),
        ("1234567890", PasswordFault.COMMON),
        ("Manchester", PasswordFault.COMMON),
        ("iloveyou2026!", PasswordFault.COMMON),
        ("man-chester", PasswordFault.COMMON),
        ("a" * 12, PasswordFault.COMMON),
        ("ana ruiz 2026", PasswordFault.PERSONAL),
        ("RuizAna12345", PasswordFault.PERSONAL),
        ("ana.ruiz.peralta", PasswordFault.PERSONAL),
        ("ana.ruiz.peralta@example.org", PasswordFault.PERSONAL),
        ("trackerdemo", PasswordFault.PERSONAL),
    ],
)
def test_short_common_and_personal_passwords_are_refused(text, found):
    assert judged(text) == found


@pytest.mark.parametrize(
    "text",
    [
        "correct horse battery",
        "x y" * 21 + "z",  # 64 characters
        "ab" * (LONGEST // 2),
        "9274650183",
        "contraseña ñandú",
        "ana likes ruiz a lot",
        "          a",
    ],
)
def test_long_ones_with_spaces_and_any_letters_are_accepted(text):
    assert judged(text) is None
    check(text, about=ABOUT, common=COMMON)


def test_a_refusal_names_the_field_and_the_fault():
    with pytest.raises(UnacceptablePassword) as refused:
        check("short", about=(), common=())

    assert refused.value.fields == {"password": "must have at least 10 characters"}
    assert refused.value.facts == {"fault": PasswordFault.TOO_SHORT}


def test_a_letter_and_its_accent_are_one_letter():
    assert kept("n\N{COMBINING TILDE}") == "\N{LATIN SMALL LETTER N WITH TILDE}"


@given(st.text(max_size=30))
def test_every_keyboard_types_the_same_password(text):
    assert kept(kept(text)) == kept(text)
    judged(kept(text))
