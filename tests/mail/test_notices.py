"""The wording of news: what is said of each kind, in both languages."""

from __future__ import annotations

import re
import string
from dataclasses import replace
from datetime import date
from decimal import Decimal
from itertools import product

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from tests.mail.html_reader import Reader
from tracker.domain.credentials.next_steps import NextStep
from tracker.mail.messages import ComposedEmail, phrases
from tracker.mail.notices import TELLS, NoticeMessage, NoticeToCompose, compose_notice
from tracker.mail.today import Today

NOW = Today(
    on=date(2027, 2, 13),
    status="renewal_open",
    valid=True,
    step=NextStep("log_activities", date(2032, 3, 15), missing=Decimal("38.50")),
    expires_on=date(2032, 3, 15),
    opens_on=date(2031, 12, 16),
    last_day=date(2032, 3, 15),
    fee=Decimal("75.00"),
    currency="USD",
    issuer="MSSC",
)
FULL = NoticeToCompose(
    tells="award",
    scheme_name="Certified Production Technician",
    number="CPT-7KQ2M",
    about="Robot Safety",
    on=date(2027, 2, 13),
    reason="Only ten hours are shown.",
    points_claimed=Decimal(16),
    points_approved=Decimal(10),
    points_total=Decimal("61.50"),
    points_required=Decimal(100),
    expires_on=date(2032, 3, 15),
    window_opens_on=date(2031, 12, 16),
    appeal_by=date(2027, 3, 15),
    before=date(2027, 2, 1),
    against="revoke",
    appeal_fee=Decimal("50.00"),
    refunded=True,
    refund=Decimal("50.00"),
    amount=Decimal("75.00"),
    until_on=date(2028, 1, 1),
    now=NOW,
)
ALL = list(product(("en", "es"), TELLS))


def told(
    *news: NoticeToCompose, language: str = "en", stop: str | None = "https://t.example/u"
) -> ComposedEmail:
    return compose_notice(
        NoticeMessage(
            name="Ana Gómez",
            language=language,
            news=news,
            link="https://t.example/verify/x",
            unsubscribe_link=stop,
        )
    )


def bare(tells: str) -> NoticeToCompose:
    """The news with nothing known beside it but what every such news has."""
    return NoticeToCompose(
        tells=tells,
        scheme_name="CPT",
        about="Robot Safety",
        on=date(2027, 2, 13),
        before=date(2027, 2, 1),
        against="revoke",
        points_required=Decimal(80),
    )


@pytest.mark.parametrize(("language", "tells"), ALL)
def test_every_kind_is_told_whole_or_bare_and_html_says_what_the_text_says(language, tells):
    for notice in (replace(FULL, tells=tells), bare(tells)):
        message = told(notice, language=language)
        reader = Reader(message.html)
        assert reader.open == []
        assert "{" not in message.text
        assert "None" not in message.text
        assert "\n\n\n" not in message.text
        for line in message.text.splitlines():
            words = line.partition(": https://")[0].removesuffix(":")
            assert words.startswith("https://") or words in reader.text


@pytest.mark.parametrize(("language", "tells"), ALL)
def test_a_subject_tells_neither_number_nor_activity_nor_employer_nor_reason(language, tells):
    subject = told(replace(FULL, tells=tells), language=language).subject
    assert FULL.number not in subject
    assert FULL.reason not in subject
    assert FULL.about not in subject, "an employer does not write our subjects"


def test_what_is_always_sent_says_so_and_offers_no_way_out():
    text = told(replace(FULL, tells="revoked"), stop=None).text
    assert "We always send messages like this one" in text
    assert "unsub" not in text
    assert "Unsubscribe from messages about decisions: https://t.example/u" in told(FULL).text


def test_a_certification_is_named_once_and_its_total_told_last():
    other = replace(FULL, tells="approved", number="CLT-9", scheme_name="CLT")
    some = [replace(FULL, tells=tells) for tells in ("approved", "rejected", "partly")]
    text = told(other, *some).text
    assert text.count("CPT-7KQ2M") == 1
    assert text.count("CLT-9") == 1
    assert text.count("You now have 61.5 of 100 points.") == 2
    assert text.index("Not accepted") < text.index("Approved in part") < text.index("CLT-9")
    assert told(other, *some).subject.endswith("not accepted (and 3 more updates)")


def test_a_reason_is_one_line_and_no_treatise():
    message = told(replace(FULL, tells="rejected", reason="one\r\nBcc: two\n" + "x" * 5000))
    line = next(line for line in message.text.splitlines() if line.startswith("Reason given"))
    assert line.startswith("Reason given: one Bcc: two xxx")
    assert line.endswith("…")
    assert len(line) < 1100


@settings(deadline=None)
@given(
    text=st.text(max_size=80), tells=st.sampled_from(TELLS), language=st.sampled_from(["en", "es"])
)
def test_no_text_breaks_a_message(text, tells, language):
    notice = replace(FULL, tells=tells)
    strange = replace(notice, scheme_name=text, about=text, reason=text or "x", number=text or "1")
    message, usual = told(strange, language=language), told(notice, language=language)
    assert len(message.subject.splitlines()) == 1
    assert Reader(message.html).seen == Reader(usual.html).seen


def test_points_that_a_limit_cut_are_told_beside_those_claimed():
    approved = replace(FULL, tells="approved")
    assert "Points earned: 10 of 16 claimed" in told(approved).text
    assert "Points earned: 10.\n" in told(replace(approved, points_claimed=None)).text


def test_a_certification_without_end_says_so():
    now = replace(NOW, expires_on=None, opens_on=None, step=NextStep("none"))
    award = replace(FULL, now=now, points_required=None)
    assert "It does not expire." in told(award).text
    assert "renewal" not in told(award).text


def places(sentence: str) -> set[str | None]:
    fields = (field for _, field, _, _ in string.Formatter().parse(sentence))
    return {field.partition(".")[0] for field in fields if field is not None}


@pytest.mark.parametrize("catalogue", ["notices", "calendar"])
def test_both_languages_have_the_same_phrases_in_the_same_order(catalogue):
    english, spanish = (phrases(language, catalogue) for language in ("en", "es"))
    assert list(english) == list(spanish)
    assert {key: places(s) for key, s in english.items()} == {
        key: places(s) for key, s in spanish.items()
    }
    assert [key for key in english if english[key] == spanish[key]] == []


@pytest.mark.parametrize("catalogue", ["phrases", "notices", "calendar"])
def test_spanish_says_usted(catalogue):
    familiar = r"(?i)\b(tú|tu|tus|te|ti|puedes|quieres|tienes|recibes|reúne|solicita ya)\b"
    informal = {key: s for key, s in phrases("es", catalogue).items() if re.search(familiar, s)}
    assert informal == {}


def test_every_fact_of_news_reaches_a_message():
    whole = " ".join(told(replace(FULL, tells=tells)).text for tells in TELLS)
    for value in (
        "CPT-7KQ2M",
        "Robot Safety",
        "February 13, 2027",
        "Only ten hours",
        "16",
        "10",
        "61.5",
        "100",
        "March 15, 2032",
        "December 16, 2031",
        "March 15, 2027",
        "February 1, 2027",
        "$50.00",
        "$75.00",
        "January 1, 2028",
    ):
        assert value in whole


def test_news_is_about_something():
    with pytest.raises(IndexError):
        told()
