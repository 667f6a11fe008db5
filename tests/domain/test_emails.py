"""domain/emails.py: which texts are an address, and how it is kept, compared and sent."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from tracker.domain.emails import compared, email, for_relay, needs_smtputf8, searched
from tracker.mail.envelopes import ADDRESS


@pytest.mark.parametrize(
    ("given", "kept"),
    [
        ("Ana.Ruiz+x@Mail.Example.ORG", "Ana.Ruiz+x@mail.example.org"),
        ("ana@münchen.example", "ana@münchen.example"),
        ("ana@MÜNCHEN.example", "ana@münchen.example"),
        ("ana@mu\N{COMBINING DIAERESIS}nchen.example", "ana@münchen.example"),
        ("ana@xn--mnchen-3ya.example", "ana@münchen.example"),
        ("ana@XN--MNCHEN-3YA.EXAMPLE", "ana@münchen.example"),
        ("ana@straße.example", "ana@straße.example"),
        ("ana@почта.рф", "ana@почта.рф"),
        ("ana@xn--80a1acny.xn--p1ai", "ana@почта.рф"),
        ("ana@b--c.example", "ana@b--c.example"),
        ("ana@ab--c.example", "ana@ab--c.example"),
        ("ana@r3---sn.example", "ana@r3---sn.example"),
        ("José@Example.org", "josé@example.org"),
        ("JOSE\N{COMBINING ACUTE ACCENT}@example.org", "josé@example.org"),
        ("संपर्क@example.org", "संपर्क@example.org"),
        (" ana\N{ZERO WIDTH SPACE}@example.org\N{NO-BREAK SPACE}", "ana@example.org"),
        (
            "ana\N{FULLWIDTH COMMERCIAL AT}example\N{IDEOGRAPHIC FULL STOP}org",
            "ana@example.org",
        ),
        ("\uff21\uff4e\uff41@example.org", "Ana@example.org"),
        ("a\u00b2@example.org", "a\u00b2@example.org"),
        ("o'neill_!#$%&*+/=?^`{|}~-@example.org", "o'neill_!#$%&*+/=?^`{|}~-@example.org"),
    ],
)
def test_an_address_has_one_form_however_it_is_given(given, kept):
    assert email(given) == kept
    assert email(kept) == kept


@pytest.mark.parametrize(
    "text",
    [
        "",
        "ana",
        "@example.org",
        "ana@",
        "ana@localhost",
        "ana@example.c",
        "ana@1.2.3.4",
        "ana@[127.0.0.1]",
        "ana@example..org",
        "ana@-example.org",
        "ana@example-.org",
        "ana@exa_mple.org",
        "ana@xn--a.example",
        "ana@xn--.example",
        "ana@i\u2764.example",
        "a:b@example.org",
        "a b@example.org",
        '"a b"@example.org',
        "a,b@example.org",
        "Ana <ana@example.org>",
        "mailto:ana@example.org",
        ".a@example.org",
        "a.@example.org",
        "a..b@example.org",
        "a\u201cb@example.org",
        "a@b@example.org",
        "a@example.org\n",
        "\ud800@example.org",
        "é" * 33 + "@example.org",
        "a" * 65 + "@example.org",
        "a@" + "é" * 60 + ".example",
        "a@" + ".".join(["abcdefgh"] * 29) + ".org",
        "a@" + "x" * 64 + ".org",
        "a@" + "x" * 64 + ".münchen.example",
        "ana@example.org.",
        "a" * 60 + "@" + ".".join(["abcdefgh"] * 24) + ".org",
    ],
)
def test_what_is_no_address_or_needs_quoting_is_refused(text):
    with pytest.raises(ValueError, match="must be one email address such as"):
        email(text)


@pytest.mark.parametrize(
    "text",
    [
        "ana.ruiz@example.org",
        " ANA.Ruiz@Example.org ",
        "mailto:ana.ruiz@example.org",
        "MAILTO:Ana.Ruiz@example.org",
        " mailto:ana.ruiz@example.org?subject=A%20B&cc=b@x.org",
        "mailto:ana%2Eruiz%40example.org",
        "<ana.ruiz@example.org>",
        "Ana Ruiz <ana.ruiz@example.org>",
        '"Ruiz, Ana"<Ana.Ruiz@EXAMPLE.org> ',
        "mailto:Ana%20Ruiz%20%3Cana.ruiz@example.org%3E",
    ],
)
def test_an_address_is_looked_for_as_links_and_headers_hold_it(text):
    assert searched(text) == "ana.ruiz@example.org"


@pytest.mark.parametrize(
    "text", ["ana", "", "a@x.org, b@x.org", "<a@x.org> <b@x.org>", "mail:a@b.c"]
)
def test_what_is_no_address_is_looked_for_as_it_is(text):
    assert searched(text) == text


def test_an_address_in_a_link_keeps_its_plus_and_its_letters():
    assert searched("mailto:jos%C3%A9+1@xn--mnchen-3ya.example") == "josé+1@münchen.example"


@pytest.mark.parametrize(
    ("one", "other"),
    [
        ("ANA@plant.example", "ana@Plant.example"),
        ("ana@MÜNCHEN.example", "Ana@xn--mnchen-3ya.example"),
        ("JOSÉ@example.org", "jose\N{COMBINING ACUTE ACCENT}@example.org"),
        (" nobody ", "NOBODY"),
        ("josé at home", "JOSÉ AT HOME"),
    ],
)
def test_addresses_are_compared_without_case_and_in_any_form_of_the_domain(one, other):
    assert compared(one) == compared(other)


def test_accents_tell_addresses_apart():
    assert compared("josé@example.org") != compared("jose@example.org")


def test_only_letters_before_the_at_sign_need_more_than_ascii():
    assert for_relay("ana@münchen.example") == "ana@xn--mnchen-3ya.example"
    assert not needs_smtputf8("ana@münchen.example")
    assert needs_smtputf8("josé@example.org")
    assert for_relay("josé@münchen.example") == "josé@xn--mnchen-3ya.example"


def test_what_was_kept_before_and_has_no_domain_is_sent_as_it_is():
    assert for_relay("ana@i\u2764.example") == "ana@i\u2764.example"


@given(st.emails() | st.text("aé.@-ü\u200b x:", max_size=20) | st.text(max_size=12))
def test_what_is_kept_stays_the_same_and_can_stand_in_an_envelope(text):
    try:
        kept = email(text)
    except ValueError:
        return
    assert email(kept) == kept
    assert email(for_relay(kept)) == kept
    assert compared(kept) == kept.lower()
    assert ADDRESS.fullmatch(kept)
    assert ADDRESS.fullmatch(for_relay(kept))
