"""What people type to sign in, what a code is, where they go (domain/people/sign_in.py)."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from tracker.domain.people.sign_in import HOME, code_of, identifier, own_path, typed


@pytest.mark.parametrize(
    ("text", "kept"),
    [
        (" Ana@Example.ORG ", "ana@example.org"),
        ("ana@xn--mnchen-3ya.example", "ana@münchen.example"),
        ("CPT-VDN4V-98SGQ", "CPTVDN4V98SGQ"),
        ("cpt vdn4v/98sgq", "CPTVDN4V98SGQ"),
    ],
)
def test_an_address_or_a_certificate_number_is_asked_for(text, kept):
    assert identifier(text) == kept


@pytest.mark.parametrize(
    "text", ["", "-", "a@b", "a@x.org\nBcc: b@x.org", "x" * 33, "a@x.org,b@x.org"]
)
def test_anything_else_is_refused_by_the_rule(text):
    with pytest.raises(ValueError, match="must be your email address or your certificate number"):
        identifier(text)


def test_a_code_keeps_its_leading_zeros():
    assert code_of(bytes(31) + bytes([7])) == "000007"


@given(st.binary(min_size=32, max_size=32))
def test_a_code_has_six_digits(digest):
    code = code_of(digest)

    assert len(code) == 6
    assert code.isdigit()


@pytest.mark.parametrize(
    ("text", "code"),
    [
        ("123456", "123456"),
        (" 123 456 ", "123456"),
        ("123-456", "123456"),
        ("\N{FULLWIDTH DIGIT ONE}23456", "123456"),
    ],
)
def test_a_code_may_be_typed_in_groups(text, code):
    assert typed(text) == code


def test_what_is_no_line_of_text_is_no_code():
    assert typed("123\n456") == ""


@pytest.mark.parametrize("path", ["/", "/account", "/verify?number=CPT-1&surname=Pe%C3%B1a"])
def test_a_path_of_ours_is_opened(path):
    assert own_path(path) == path


@pytest.mark.parametrize(
    "path",
    [
        "",
        "//evil.example",
        "/\\evil.example",
        "\\\\evil.example",
        "https://evil.example/",
        "javascript:alert(1)",
        "/\t/evil.example",
        "/a\r\nSet-Cookie: a=b",
        "/a\\b",
        "/ä",
        "account",
        "/" + "a" * 500,
    ],
)
def test_any_other_place_is_not(path):
    assert own_path(path) == HOME
