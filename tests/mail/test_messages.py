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
from tracker.domain.credentials.next_steps import NextStep
from tracker.mail.messages import (
    CertificationLine,
    ComposedEmail,
    ReminderMessage,
    compose_reminder,
    phrases,
)

EXPIRY = date(2027, 3, 15)
LINE = CertificationLine(
    scheme_name="Certified Production Technician",
    full_name="Certified Production Technician (CPT)",
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
WINDOW = (date(2026, 12, 15), EXPIRY)


def at(line: CertificationLine, **changes: object) -> CertificationLine:
    """The line with changes, and the standing and next step that go with them."""
    line = replace(line, now=None, **changes)  # type: ignore[arg-type]
    status = "expired" if line.closed else "renewal_open"
    now = replace(line.standing, status=status, fee=Decimal("75.00"), currency="USD")
    return replace(line, now=now)


LINE = at(LINE)
COMPLETE = at(LINE, points_counted=Decimal("100.00"), points_pending=Decimal(0))
STATES = {
    "window open": LINE,
    "window not open": at(LINE, days_left=180, window_open=False),
    "complete, open": COMPLETE,
    "complete, not open": at(COMPLETE, days_left=180, window_open=False),
    "a category short": at(COMPLETE, minima_met=False),
    "under review": at(COMPLETE, pending_since=date(2027, 1, 20)),
    "under review past expiry": at(COMPLETE, pending_since=date(2027, 1, 20), days_left=-3),
    "last day": at(LINE, days_left=0),
    "expired": at(LINE, days_left=-3, window_open=False),
    "grace ahead": at(LINE, grace_ends_on=date(2027, 4, 14)),
    "in grace": at(LINE, grace_ends_on=date(2027, 4, 14), days_left=-3),
    "past grace": at(LINE, grace_ends_on=date(2027, 4, 14), days_left=-31),
    "illustrative": at(LINE, points_verified=False),
    "nothing yet": at(LINE, points_counted=Decimal(0)),
    "no points asked for": at(COMPLETE, points_required=Decimal(0)),
}


def reminder(
    *lines: CertificationLine, language: str = "en", name: str = "Ana Gómez"
) -> ComposedEmail:
    return compose_reminder(
        ReminderMessage(
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
        ("en", 30, "expires March 15, 2027 (30 days left)"),
        ("en", 1, "expires March 15, 2027 (1 day left)"),
        ("en", 0, "expires today, March 15, 2027"),
        ("en", -1, "expired March 15, 2027 (1 day ago)"),
        ("en", -30, "expired March 15, 2027 (30 days ago)"),
        ("es", 30, "vence el 15 de marzo de 2027 (quedan 30 días)"),
        ("es", 1, "vence el 15 de marzo de 2027 (queda 1 día)"),
        ("es", 0, "vence hoy, 15 de marzo de 2027"),
        ("es", -1, "venció el 15 de marzo de 2027 (hace 1 día)"),
        ("es", -30, "venció el 15 de marzo de 2027 (hace 30 días)"),
    ],
)
def test_the_subject_carries_the_credential_the_date_and_the_days(language, days, subject):
    message = reminder(at(LINE, days_left=days), language=language)
    whose = {"en": "Your {} certification", "es": "Su certificación de {}"}[language]
    assert message.subject == f"{whose.format('Certified Production Technician')} {subject}"


@pytest.mark.parametrize(("language", "state"), list(product(("en", "es"), STATES)))
def test_the_subject_never_carries_the_certificate_number(language, state):
    message = reminder(STATES[state], language=language)
    assert LINE.number not in message.subject
    assert LINE.number in message.text
    assert LINE.number in message.html


@pytest.mark.parametrize(
    ("state", "sentences"),
    [
        (
            "window open",
            [
                "Certified Production Technician (CPT)",
                "Expires March 15, 2027 (30 days left).",
                "You have 45 of 100 points.",
                "Points awaiting review: 7.5.",
                "Your renewal window has been open since December 15, 2026 and closes on March 15,",
                "Earn the 47.5 points you still need and apply before it closes.",
                "The renewal fee is $75.00.",
                "anyone who checks your certification from March 16, 2027 on will see that it has",
            ],
        ),
        (
            "window not open",
            ["You can apply for renewal from December 15, 2026 to March 15, 2027."],
        ),
        (
            "complete, open",
            [
                "You have all the points you need. Apply for renewal now.",
                "Your last day is March 15, 2027: you have until midnight where you live.",
                "To do this, reply to this email.",
                "This email is from MSSC. If you have questions, reply to it.",
            ],
        ),
        (
            "complete, not open",
            ["You have all the points you need. You can apply for renewal from December 15, 2026."],
        ),
        (
            "a category short",
            ["At least one category or period is still below its minimum. Log activities for"],
        ),
        (
            "under review",
            [
                "We are reviewing the renewal you applied for on January 20, 2027.",
                "your certification will show as pending a decision from March 16, 2027",
            ],
        ),
        ("under review past expiry", ["Since March 16, 2027,", "pending a decision"]),
        ("last day", ["Expires today, March 15, 2027. This is its last valid day."]),
        (
            "expired",
            [
                "Expired March 15, 2027 (3 days ago).",
                "It can no longer be renewed.",
                "Since March 16, 2027, anyone who checks your certification sees that it has",
                "To get certified again, reply to this email",
            ],
        ),
        (
            "grace ahead",
            ["on March 16, 2027", "a grace period on March 16, 2027 that ends on April 14, 2027"],
        ),
        ("in grace", ["Your last day is April 14, 2027", "Since March 16, 2027,", "grace period"]),
        (
            "past grace",
            ["It can no longer be renewed.", "sees that it has expired"],
        ),
        (
            "illustrative",
            [
                "are illustrative and have not been confirmed by MSSC.",
            ],
        ),
    ],
)
def test_each_state_says_what_matters_in_text_and_in_html(state, sentences):
    message = reminder(STATES[state])
    seen = Reader(message.html).text
    for sentence in sentences:
        assert sentence in message.text
        assert sentence in seen


def test_the_same_state_in_spanish():
    message = reminder(at(LINE, points_verified=False), language="es")
    for sentence in (
        "Hola, Ana Gómez:",
        "Vence el 15 de marzo de 2027 (quedan 30 días).",
        "Puntos acreditados: 45 de 100.",
        "Puntos en revisión: 7.5.",
        "El plazo de renovación está abierto desde el 15 de diciembre de 2026 y cierra el 15 de",
        "Reúna los 47.5 puntos que le faltan y presente su solicitud antes de que cierre.",
        "La cuota de renovación es de $75.00.",
        "Le escribe MSSC. Si tiene preguntas, responda a este correo.",
        "ilustrativos y MSSC no los ha confirmado.",
        "a partir del 16 de marzo de 2027 su certificación aparecerá como vencida",
        "Puede volver a activarlos en cualquier momento.",
    ):
        assert sentence in message.text
        assert sentence in Reader(message.html).text
    complete = reminder(STATES["complete, not open"], language="es").text
    assert (
        "Ya tiene todos los puntos. Puede solicitar la renovación a partir del 15 de dic"
        in complete
    )


def test_complete_points_and_a_pending_renewal_reach_the_subject():
    assert reminder(COMPLETE).subject.endswith(" (30 days left; you have all your points)")
    assert reminder(STATES["under review"]).subject.endswith(" (renewal under review)")
    assert "points" not in reminder(at(COMPLETE, days_left=-3)).subject


def test_verified_points_need_no_warning():
    assert "illustrative" not in reminder(LINE).text


def test_several_certifications_make_one_message_soonest_first():
    later = at(LINE, scheme_name="CLT", number="CLT-9", expires_on=EXPIRY + timedelta(days=40))
    message = reminder(later, LINE)
    assert message.subject.endswith(" (30 days left; and 1 more certification)")
    assert message.text.index("CPT-2022-000123") < message.text.index("CLT-9")
    assert reminder(later, LINE, later).subject.endswith("; and 2 more certifications)")
    assert reminder(later, LINE, language="es").subject.endswith("; y 1 certificación más)")
    assert message.text.count("https://tracker.example.org/c/8f3") == 1


@pytest.mark.parametrize(("language", "state"), list(product(("en", "es"), STATES)))
def test_every_state_is_well_formed_and_html_says_what_the_text_says(language, state):
    message = reminder(STATES[state], language=language)
    reader = Reader(message.html)
    assert reader.open == []
    assert f'<html lang="{language}"' in message.html
    for line in message.text.splitlines():
        words = line.partition(": https://")[0].removesuffix(":")
        assert words.startswith("https://") or words in reader.text
    assert "\n\n\n" not in message.text
    assert not re.search(r"\d/\d", message.text.replace("/c/", ""))


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
    html = reminder(at(LINE, points_counted=Decimal(counted))).html
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
    message = reminder(name=name)
    first, second = message.text.splitlines()[:2]
    shown = " ".join(re.sub(r"[\x00-\x1f\x85\u2028\u202e]", " ", name).split())
    if "\u202e" in name:
        shown = "eviltxt.exe"
    assert (first, second) == (f"Hello {shown},", "")
    assert shown in Reader(message.html).text
    assert "script" not in Reader(message.html).seen


def test_no_name_is_no_reason_for_a_stray_comma():
    assert reminder(name=" \n").text.startswith("Hello,\n")
    assert reminder(name="", language="es").text.startswith("Hola:\n")


ANY_TEXT = st.text(max_size=60)


@settings(deadline=None)
@given(name=ANY_TEXT, scheme=ANY_TEXT, number=ANY_TEXT, language=st.sampled_from(["en", "es"]))
def test_no_text_breaks_a_message(name, scheme, number, language):
    line = at(LINE, scheme_name=scheme, number=number)
    message = reminder(line, name=name, language=language)
    usual = reminder(LINE, language=language)
    assert len(message.subject.splitlines()) == 1
    assert len(message.text.splitlines()) == len(usual.text.splitlines())
    assert Reader(message.html).seen == Reader(usual.html).seen
    assert Reader(message.html).links == Reader(usual.html).links


@settings(deadline=None)
@given(
    counted=st.decimals(0, 500, places=2),
    required=st.decimals(0, 500, places=2),
    days=st.integers(-1000, 2000),
    open_=st.booleans(),
    language=st.sampled_from(["en", "es"]),
)
def test_any_numbers_make_a_message(counted, required, days, open_, language):
    line = at(
        LINE, points_counted=counted, points_required=required, days_left=days, window_open=open_
    )
    message = reminder(line, language=language)
    assert Reader(message.html).open == []
    assert "{" not in message.text


def places(sentence: str) -> set[str | None]:
    return {
        field.partition(".")[0]
        for _, field, _, _ in string.Formatter().parse(sentence)
        if field is not None
    }


def test_both_languages_have_the_same_phrases_with_the_same_places():
    english, spanish = phrases("en"), phrases("es")
    assert {key: places(s) for key, s in english.items()} == {
        key: places(s) for key, s in spanish.items()
    }
    assert [key for key in english if english[key] == spanish[key]] == []


def test_both_languages_list_their_phrases_in_the_same_order():
    assert list(phrases("en")) == list(phrases("es"))


@pytest.mark.parametrize(
    ("days", "english", "spanish"),
    [
        (730, "(730 days left, about 2 years).", "(quedan 730 días, unos 2 años)."),
        (500, "(500 days left, about 16 months).", "(quedan 500 días, unos 16 meses)."),
        (365, "(365 days left, about 1 year).", "(quedan 365 días, alrededor de 1 año)."),
        (180, "(180 days left, about 6 months).", "(quedan 180 días, unos 6 meses)."),
        (90, "Expires March 15, 2027 (90 days left).", "2027 (quedan 90 días)."),
        (
            91,
            "You can apply for renewal from December 15, 2026",
            "la renovación entre el 15 de dic",
        ),
        (90, "Your renewal window opens today and closes on March 15", "Hoy se abre el plazo de"),
        (90, "Earn the 47.5 points you still need", "Reúna los 47.5 puntos que le faltan y"),
        (91, "In the meantime, earn the 47.5 points you still", "Mientras tanto, reúna los 47.5"),
        (0, "Log your remaining points and apply today.", "solicite la renovación hoy mismo."),
        (1, "Expires tomorrow, March 15, 2027.", "Vence mañana, 15 de marzo de 2027."),
        (
            1,
            "has been open since December 15, 2026 and closes on March 15, 2027.",
            "está abierto desde el 15 de diciembre de 2026 y cierra el 15 de marzo",
        ),
        (
            0,
            "Today, March 15, 2027, is your last day: you have",
            "Hoy, 15 de marzo de 2027, es su últ",
        ),
        (0, "If you don't apply today, then from tomorrow, March", "Si no la solicita hoy, a p"),
        (-1, "Expired yesterday, March 15, 2027.", "Venció ayer, 15 de marzo de 2027."),
        (-30, "Expired March 15, 2027 (30 days ago).", "Venció el 15 de marzo de 2027 (hace 30"),
    ],
)
def test_every_stage_reads_as_one_would_say_it(days, english, spanish):
    opens = date(2026, 12, 15)
    line = at(LINE, days_left=days, window_open=EXPIRY - timedelta(days=days) >= opens)
    assert english in reminder(line).text
    assert spanish in reminder(line, language="es").text


def test_where_there_is_nothing_to_do_nothing_is_asked_for():
    for state in ("under review", "expired", "past grace"):
        text = reminder(STATES[state]).text
        assert "log activities" not in text
        assert "Apply" not in text
        assert "fee" not in text
    assert "awaiting review" not in reminder(STATES["expired"]).text


@pytest.mark.parametrize(
    ("path", "said"),
    [
        ("/account/certifications/7", "See my certification:\n"),
        ("/account", "Open my account:\n"),
        ("/verify/x", "See my certificate's public page:\n"),  # as older versions stored it
    ],
)
def test_the_button_says_where_it_leads(path, said):
    facts = ReminderMessage("Ana", "en", (LINE,), f"https://t.example{path}", "MSSC")
    assert said in compose_reminder(facts).text


def test_without_a_link_there_is_no_button():
    facts = ReminderMessage("Ana", "en", (LINE,), "", "MSSC")
    assert not re.search("See my|Open my", compose_reminder(facts).text)


def test_points_that_wait_are_not_asked_for_again():
    waiting = at(LINE, points_counted=Decimal(45), points_pending=Decimal(55))
    text = reminder(replace(waiting, now=ENOUGH_WAITS)).text
    assert "With the activities awaiting review, you have all the points you need." in text
    assert "Apply for renewal now; you don't have to wait for the review." in text
    assert "still need" not in text


ENOUGH_WAITS = replace(
    LINE.standing,
    step=NextStep("apply_now", EXPIRY, waiting=Decimal(55), if_approved=True),
)


def test_the_zone_is_named_where_a_schemes_own_midnight_ends_the_day():
    line = replace(LINE, now=replace(LINE.standing, zone="America/Chicago"))
    assert "Days end at midnight Central time." in reminder(line).text
    assert "medianoche (hora del Centro)" in reminder(line, language="es").text


def test_a_late_fee_is_named_with_the_renewals():
    late = replace(LINE.standing, fee=Decimal("100.00"), late_fee=Decimal("25.00"))
    text = reminder(replace(LINE, now=late)).text
    assert "The renewal fee is $100.00, including $25.00 for applying late." in text
    without = replace(LINE, now=replace(LINE.standing, fee=None))
    assert "fee" not in reminder(without).text


def test_a_line_of_an_older_message_can_be_read_again():
    old = replace(LINE, now=None)
    assert "closes on March 15, 2027" in reminder(old).text
    assert reminder(replace(old, full_name="")).text.count("Certified Production Technician\n") == 1


def test_a_calendar_is_mentioned_where_it_is_attached():
    facts = ReminderMessage("Ana", "en", (LINE,), "https://x.example", "MSSC", calendar="BEGIN")
    assert "These dates are attached as a calendar file." in compose_reminder(facts).text
    assert compose_reminder(facts).calendar == "BEGIN"
    assert "attached" not in reminder().text


def test_a_language_nobody_wrote_is_refused():
    with pytest.raises(FileNotFoundError):
        reminder(language="fr")


def test_a_reminder_is_about_something():
    facts = ReminderMessage("Ana", "en", (), "https://x.example", "MSSC")
    with pytest.raises(IndexError):
        compose_reminder(facts)
