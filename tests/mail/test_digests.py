"""What employers' digests say: both languages, every kind of line, nothing that forges one."""

from __future__ import annotations

import string
from datetime import date

import pytest

from tracker.domain.credentials.certifications import Status
from tracker.mail import digests, messages
from tracker.mail.digests import DigestLine, DigestMessage, DigestNumbers
from tracker.services.employers import digest_contents

NUMBERS = DigestNumbers(
    scheme="Certified Production Technician",
    total=12,
    valid=9,
    not_shared=2,
    not_certified=1,
    due={180: 5, 90: 3, 30: 1},
)


def line(what="expired", name="Ana Peña", on=date(2026, 11, 20)):
    return DigestLine(name, "E1", what, "Certified Production Technician" if on else "", on)


def message(language="en", *, more=False, lines=(), employer="Acme", section="expired", schemes=1):
    return digests.compose(
        DigestMessage(
            employer,
            language,
            date(2026, 11, 16),
            date(2026, 11, 22),
            (NUMBERS,) * schemes,
            {section: (lines or (line(),), more)},
        )
    )


def test_the_catalogues_have_the_same_keys_and_places():
    english, spanish = (messages.phrases(language, "digest") for language in ("en", "es"))

    def places(text):
        return {name for _, name, _, _ in string.Formatter().parse(text) if name}

    assert list(english) == list(spanish)
    assert {k: places(v) for k, v in english.items()} == {k: places(v) for k, v in spanish.items()}


@pytest.mark.parametrize("language", ["en", "es"])
@pytest.mark.parametrize(
    "what",
    [
        *("active", "renewal_open", "expired", "grace", "pending_renewal"),
        *("approved", "suspend", "reinstate", "revoke", "surrender", "sharing", "withdrawn"),
    ],
)
def test_every_kind_of_line_has_its_words(language, what):
    digest = message(language, lines=(line(what),))
    assert f"what_{what}" not in digest.text
    day = "November 20, 2026" if language == "en" else "20 de noviembre de 2026"
    assert f"(E1): {words(language, what)} {day}" in digest.text
    assert day in digest.html


def words(language, what):
    return messages.phrases(language, "digest")[f"what_{what}"]


def test_every_status_that_has_an_expiry_ahead_or_behind_has_words():
    held = {Status.SUSPENDED, Status.REVOKED, Status.SURRENDERED, Status.IN_PROGRESS}
    assert all(words("en", status) for status in Status if status not in held)


@pytest.mark.parametrize("section", digest_contents.SECTIONS)
def test_every_section_has_a_title_and_a_sentence(section):
    digest = message(lines=(line(on=None),), section=section)
    assert "Ana Peña (E1)\n" in digest.text
    assert "Ana Peña (E1)" in digest.html


def test_the_scheme_of_a_worker_is_named_where_there_are_several():
    assert "(E1), Certified Production Technician: expired on" in message(schemes=2).text
    assert "(E1): expired on" in message(schemes=1).text


def test_numbers_come_first_and_what_is_nought_is_left_out():
    digest = message()
    assert digest.text.index("Certified: 9 of 12.") < digest.text.index("Ana Peña")
    assert "Expiring within 30 days: 1; within 90: 3; within 180: 5." in digest.text
    assert "not complete" not in digest.text
    assert "not complete" in message(more=True).text


def test_a_name_can_forge_neither_a_line_nor_a_tag():
    digest = message(
        lines=(line(name="Ana\r\nCertified: 99 of 99. <script>"),), employer="A\r\nBcc: v@x <b>"
    )
    assert "\nCertified: 99 of 99." not in digest.text
    assert "\n" not in digest.subject
    assert "<script>" not in digest.html
    assert "<b>" not in digest.html


def test_places_with_too_few_come_before_the_names_and_are_no_section_without_any():
    def told(*staffing):
        return digests.compose(
            DigestMessage(
                "Acme",
                "en",
                date(2026, 11, 16),
                date(2026, 11, 22),
                (NUMBERS,),
                {"expired": ((line(),), False)},
                staffing=staffing,
            )
        ).text

    text = told("Line 3, night: 1 of 2 from May 14, 2027")
    assert text.index("Too few people") < text.index("1 of 2 from May 14") < text.index("Ana Peña")
    assert "Too few people" not in told()
