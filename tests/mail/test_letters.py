"""The wording of reminders: what is said, in both languages, and what no name can do to it."""

from __future__ import annotations

import re
import string
from dataclasses import replace
from datetime import date, timedelta
from decimal import Decimal
from itertools import product

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from tests.mail.html_reader import Reader
from tracker.mail.messages import (
    CertificationLine,
    Letter,
    ReminderLetter,
    compose_reminder,
    phrases,
)

EXPIRY = date(2027, 3, 15)
LINE = CertificationLine(
    scheme_name="Certified Production Technician (CPT 4.0)",
    number="CPT-2022-000123",
    expires_on=EXPIRY,
    days_left=30,
    stage=30,
    points_counted=Decimal("45.00"),
    points_required=Decimal("100.00"),
    points_pending=Decimal("7.50"),
    window_opens_on=date(2026, 12, 15),
    window_open=True,
    pending_since=None,
    points_verified=True,
)
COMPLETE = replace(LINE, points_counted=Decimal("100.00"), points_pending=Decimal(0))
STATES = {
    "window open": LINE,
    "window not open": replace(LINE, days_left=180, window_open=False),
    "complete, open": COMPLETE,
    "complete, not open": replace(COMPLETE, days_left=180, window_open=False),
    "a category short": replace(COMPLETE, minima_met=False),
    "under review": replace(COMPLETE, pending_since=date(2027, 1, 20)),
    "under review past expiry": replace(COMPLETE, pending_since=date(2027, 1, 20), days_left=-3),
    "last day": replace(LINE, days_left=0),
    "expired": replace(LINE, days_left=-3, window_open=False),
    "grace ahead": replace(LINE, grace_ends_on=date(2027, 4, 14)),
    "in grace": replace(LINE, grace_ends_on=date(2027, 4, 14), days_left=-3),
    "past grace": replace(LINE, grace_ends_on=date(2027, 4, 14), days_left=-31),
    "illustrative": replace(LINE, points_verified=False),
    "nothing yet": replace(LINE, points_counted=Decimal(0)),
    "no points asked for": replace(COMPLETE, points_required=Decimal(0)),
}


def reminder(*lines: CertificationLine, language: str = "en", name: str = "Ana Gómez") -> Letter:
    return compose_reminder(
        ReminderLetter(
            name=name,
            language=language,
            lines=lines or (LINE,),
            link="https://tracker.example.org/c/8f3?from=mail&day=1",
            unsubscribe_link="https://tracker.example.org/unsubscribe/abc",
            issuer="MSSC",
        )
    )


@pytest.mark.parametrize(
    ("language", "days", "subject"),
    [
        ("en", 30, "expires on 15 March 2027: 30 days left"),
        ("en", 1, "expires on 15 March 2027: 1 day left"),
        ("en", 0, "expires today, 15 March 2027"),
        ("en", -1, "expired on 15 March 2027, 1 day ago"),
        ("en", -30, "expired on 15 March 2027, 30 days ago"),
        ("es", 30, "vence el 15 de marzo de 2027: quedan 30 días"),
        ("es", 1, "vence el 15 de marzo de 2027: queda 1 día"),
        ("es", 0, "vence hoy, 15 de marzo de 2027"),
        ("es", -1, "venció el 15 de marzo de 2027, hace 1 día"),
        ("es", -30, "venció el 15 de marzo de 2027, hace 30 días"),
    ],
)
def test_the_subject_carries_the_credential_the_date_and_the_days(language, days, subject):
    letter = reminder(replace(LINE, days_left=days), language=language)
    assert letter.subject == f"Certified Production Technician (CPT 4.0) {subject}"


@pytest.mark.parametrize(("language", "state"), list(product(("en", "es"), STATES)))
def test_the_subject_never_carries_the_certificate_number(language, state):
    letter = reminder(STATES[state], language=language)
    assert LINE.number not in letter.subject
    assert LINE.number in letter.text
    assert LINE.number in letter.html


@pytest.mark.parametrize(
    ("state", "sentences"),
    [
        (
            "window open",
            [
                "Expires on 15 March 2027: 30 days left.",
                "Points counted: 45 of 100.",
                "Points still needed: 55.",
                "Points waiting for review: 7.5.",
                "The renewal window has been open since 15 December 2026.",
                "Its last day is 15 March 2027",
                "from 16 March 2027 everyone who checks this certification sees it as expired",
            ],
        ),
        ("window not open", ["You can apply for renewal from 15 December 2026 to 15 March 2027."]),
        (
            "complete, open",
            [
                "Your points are complete: apply now.",
                "open since 15 December 2026",
                "Apply for renewal",
            ],
        ),
        ("complete, not open", ["Your points are complete: apply from 15 December 2026."]),
        ("a category short", ["At least one category has not reached its own minimum."]),
        (
            "under review",
            [
                "The renewal that you applied for on 20 January 2027 is under review.",
                "from 16 March 2027 this certification is shown as waiting for a decision",
            ],
        ),
        ("under review past expiry", ["From 16 March 2027 on,", "waiting for a decision"]),
        ("last day", ["Expires today, 15 March 2027: this is its last valid day."]),
        (
            "expired",
            [
                "Expired on 15 March 2027, 3 days ago.",
                "The last day to apply for renewal was 15 March 2027.",
                "From 16 March 2027 on, everyone who checks this certification sees it as expired",
                "If you want to be certified again, reply to this letter",
            ],
        ),
        ("grace ahead", ["from 16 March 2027", "grace period, which ends on 14 April 2027"]),
        ("in grace", ["Its last day is 14 April 2027", "From 16 March 2027 on,", "grace period"]),
        (
            "past grace",
            ["The last day to apply for renewal was 14 April 2027.", "as expired"],
        ),
        (
            "illustrative",
            [
                "The point values used here are illustrative and have not been confirmed by MSSC.",
            ],
        ),
    ],
)
def test_each_state_says_what_matters_in_text_and_in_html(state, sentences):
    letter = reminder(STATES[state])
    seen = Reader(letter.html).text
    for sentence in sentences:
        assert sentence in letter.text
        assert sentence in seen


def test_the_same_state_in_spanish():
    letter = reminder(replace(LINE, points_verified=False), language="es")
    for sentence in (
        "Hola, Ana Gómez:",
        "Vence el 15 de marzo de 2027: quedan 30 días.",
        "Puntos contados: 45 de 100.",
        "Puntos que faltan: 55.",
        "Puntos que esperan revisión: 7.5.",
        "ilustrativos y MSSC no los ha confirmado.",
        "abierto desde el 15 de diciembre de 2026. Su último día es el 15 de marzo de 2027",
        "a partir del 16 de marzo de 2027, quien consulte esta certificación la verá como vencida",
        "Puede volver a activarlas en cualquier momento.",
    ):
        assert sentence in letter.text
        assert sentence in Reader(letter.html).text
    complete = reminder(STATES["complete, not open"], language="es").text
    assert "Sus puntos están completos: solicite la renovación a partir del 15 de dic" in complete


def test_complete_points_and_a_pending_renewal_reach_the_subject():
    assert reminder(COMPLETE).subject.endswith("30 days left; your points are complete")
    assert reminder(STATES["under review"]).subject.endswith("; your renewal is under review")
    assert "complete" not in reminder(replace(COMPLETE, days_left=-3)).subject


def test_verified_points_need_no_warning():
    assert "illustrative" not in reminder(LINE).text


def test_several_certifications_make_one_letter_soonest_first():
    later = replace(LINE, scheme_name="CLT", number="CLT-9", expires_on=EXPIRY + timedelta(days=40))
    letter = reminder(later, LINE)
    assert letter.subject.endswith("30 days left (and 1 more certification)")
    assert letter.text.index("CPT-2022-000123") < letter.text.index("CLT-9")
    assert reminder(later, LINE, later).subject.endswith("(and 2 more certifications)")
    assert reminder(later, LINE, language="es").subject.endswith("(y 1 certificación más)")
    assert letter.text.count("https://tracker.example.org/c/8f3") == 1


@pytest.mark.parametrize(("language", "state"), list(product(("en", "es"), STATES)))
def test_every_state_is_well_formed_and_html_says_what_the_text_says(language, state):
    letter = reminder(STATES[state], language=language)
    reader = Reader(letter.html)
    assert reader.open == []
    assert f'<html lang="{language}"' in letter.html
    for line in letter.text.splitlines():
        words = line.partition(": https://")[0].removesuffix(":")
        assert words.startswith("https://") or words in reader.text
    assert "\n\n\n" not in letter.text
    assert not re.search(r"\d/\d", letter.text.replace("/c/", ""))


def test_html_needs_no_picture_and_nothing_from_elsewhere():
    reader = Reader(reminder().html)
    assert not {"img", "script", "link", "iframe"} & reader.seen
    assert reader.links == [
        "https://tracker.example.org/c/8f3?from=mail&day=1",
        "https://tracker.example.org/unsubscribe/abc",
    ]


def test_html_is_one_column_of_600_with_letters_of_16_pixels_or_more():
    html = reminder().html
    assert "max-width:600px" in html
    sizes = [int(size) for size in re.findall(r"font-size:(\d+)px", html)]
    assert min(sizes) >= 16


@pytest.mark.parametrize(
    ("counted", "done", "todo"),
    [("0", None, 100), ("45", 45, 55), ("99.99", 99, 1), ("130", 100, None)],
)
def test_the_bar_is_made_of_table_cells(counted, done, todo):
    html = reminder(replace(LINE, points_counted=Decimal(counted))).html
    widths = dict(re.findall(r'<td class="(done|todo)" width="(\d+)%" bgcolor="#', html))
    assert widths == {k: str(v) for k, v in (("done", done), ("todo", todo)) if v}
    shown = f"{done or 0}%"
    assert html.count(f">{shown}</td>") == 1, "the bar says what it shows"


@pytest.mark.parametrize(
    "name",
    [
        'Robert "Bob" O\'Neil',
        "<script>alert(1)</script>",
        "{{7*7}}<script>",
        "{name} {0} %s",
        "x\r\nBcc: v@e.example",
        "عمر الخيام",
        "evil\u202etxt.exe",
        "a\u2028b\x00c\x85d",
    ],
)
def test_a_strange_name_stays_a_name(name):
    letter = reminder(name=name)
    first, second = letter.text.splitlines()[:2]
    shown = " ".join(re.sub(r"[\x00-\x1f\x85\u2028\u202e]", " ", name).split())
    if "\u202e" in name:
        shown = "eviltxt.exe"
    assert (first, second) == (f"Hello {shown},", "")
    assert shown in Reader(letter.html).text
    assert "script" not in Reader(letter.html).seen


def test_no_name_is_no_reason_for_a_stray_comma():
    assert reminder(name=" \n").text.startswith("Hello,\n")
    assert reminder(name="", language="es").text.startswith("Hola:\n")


ANY_TEXT = st.text(max_size=60)


@settings(deadline=None)
@given(name=ANY_TEXT, scheme=ANY_TEXT, number=ANY_TEXT, language=st.sampled_from(["en", "es"]))
def test_no_text_breaks_a_letter(name, scheme, number, language):
    line = replace(LINE, scheme_name=scheme, number=number)
    letter = reminder(line, name=name, language=language)
    usual = reminder(LINE, language=language)
    assert len(letter.subject.splitlines()) == 1
    assert len(letter.text.splitlines()) == len(usual.text.splitlines())
    assert Reader(letter.html).seen == Reader(usual.html).seen
    assert Reader(letter.html).links == Reader(usual.html).links


@settings(deadline=None)
@given(
    counted=st.decimals(0, 500, places=2),
    required=st.decimals(0, 500, places=2),
    days=st.integers(-1000, 2000),
    open_=st.booleans(),
    language=st.sampled_from(["en", "es"]),
)
def test_any_numbers_make_a_letter(counted, required, days, open_, language):
    line = replace(
        LINE, points_counted=counted, points_required=required, days_left=days, window_open=open_
    )
    letter = reminder(line, language=language)
    assert Reader(letter.html).open == []
    assert "{" not in letter.text


def places(sentence: str) -> set[str | None]:
    return {field for _, field, _, _ in string.Formatter().parse(sentence) if field is not None}


def test_both_languages_have_the_same_phrases_with_the_same_places():
    english, spanish = phrases("en"), phrases("es")
    assert {key: places(s) for key, s in english.items()} == {
        key: places(s) for key, s in spanish.items()
    }
    assert [key for key in english if english[key] == spanish[key]] == []


def test_both_languages_list_their_phrases_in_the_same_order():
    assert list(phrases("en")) == list(phrases("es"))


def test_no_phrase_is_left_over(monkeypatch):
    used: set[str] = set()

    class Watched(dict[str, str]):
        def __getitem__(self, key: str) -> str:
            used.add(key)
            return super().__getitem__(key)

    watched = Watched(phrases("en"))
    monkeypatch.setattr("tracker.mail.messages.phrases", lambda _: watched)
    other = replace(LINE, expires_on=EXPIRY + timedelta(days=1))
    for state in STATES.values():
        reminder(state)
        reminder(replace(state, days_left=0))
        reminder(replace(state, days_left=90))
    for days in (1, -1, -2, 200, 365, 730):
        reminder(replace(LINE, days_left=days))
    compose_reminder(ReminderLetter("Ana", "en", (LINE,), "https://x", "MSSC", calendar="B"))
    reminder(replace(LINE, days_left=1), other)
    reminder(replace(LINE, days_left=-1), other, other, name="")
    assert set(watched) - used == set()


@pytest.mark.parametrize(
    ("days", "english", "spanish"),
    [
        (730, "730 days left (about 2 years).", "quedan 730 días (unos 2 años)."),
        (500, "500 days left (about 16 months).", "quedan 500 días (unos 16 meses)."),
        (365, "365 days left (about 1 year).", "quedan 365 días (alrededor de 1 año)."),
        (180, "180 days left (about 6 months).", "quedan 180 días (unos 6 meses)."),
        (90, "Expires on 15 March 2027: 90 days left.", "2027: quedan 90 días."),
        (90, "The renewal window opens today. Its last day", "El plazo de renovación se abre hoy."),
        (89, "has been open since 15 December 2026. Its", "está abierto desde el 15 de diciembre"),
        (1, "Expires tomorrow, 15 March 2027: 1 day left.", "Vence mañana, 15 de marzo de 2027"),
        (
            0,
            "Today, 15 March 2027, is the last day to apply",
            "Hoy, 15 de marzo de 2027, es el últ",
        ),
        (0, "If you do not apply today: from tomorrow, 16 March 2027,", "Si no la solicita hoy: a"),
        (-1, "Expired yesterday, 15 March 2027.", "Venció ayer, 15 de marzo de 2027."),
        (-30, "Expired on 15 March 2027, 30 days ago.", "Venció el 15 de marzo de 2027, hace 30"),
    ],
)
def test_every_stage_reads_as_one_would_say_it(days, english, spanish):
    opens = date(2026, 12, 15)
    line = replace(LINE, days_left=days, window_open=EXPIRY - timedelta(days=days) >= opens)
    assert english in reminder(line).text
    assert spanish in reminder(line, language="es").text


def test_where_there_is_nothing_to_do_nothing_is_asked_for():
    for state in ("under review", "expired", "past grace"):
        text = reminder(STATES[state]).text
        assert "See my certification:" in text
        assert "what to do next" not in text
    assert "still needed" not in reminder(STATES["expired"]).text
    assert "waiting for review" not in reminder(STATES["expired"]).text
    assert "See my points and what to do next:" in reminder(STATES["under review"], LINE).text


def test_a_calendar_is_mentioned_where_it_is_attached():
    facts = ReminderLetter("Ana", "en", (LINE,), "https://x.example", "MSSC", calendar="BEGIN")
    assert "The dates are attached as a calendar file." in compose_reminder(facts).text
    assert compose_reminder(facts).calendar == "BEGIN"
    assert "attached" not in reminder().text


def test_a_language_nobody_wrote_is_refused():
    with pytest.raises(FileNotFoundError):
        reminder(language="fr")


def test_a_reminder_is_about_something():
    facts = ReminderLetter("Ana", "en", (), "https://x.example", "MSSC")
    with pytest.raises(IndexError):
        compose_reminder(facts)
