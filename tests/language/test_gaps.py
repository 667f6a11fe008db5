"""What would close a gap, and what stands in the way, in the exact words of both languages."""

from __future__ import annotations

from dataclasses import replace
from datetime import date
from decimal import Decimal
from typing import Any, NamedTuple

import pytest

from tests.domain.examples import POLICY, evaluate, nouns, policy, with_type
from tests.domain.examples import claim as make
from tracker.domain.periods import Period
from tracker.domain.points import gap
from tracker.domain.points.claims import Claim
from tracker.domain.points.gap import Gap, GapObstacle
from tracker.domain.schemes.activity_types import Limits, Tag
from tracker.domain.schemes.policies import Duplicates, Kinds, Policy
from tracker.language import gaps
from tracker.language.catalogues import LANGUAGES
from tracker.language.gaps import explain_obstacles, explain_way

D = Decimal
DAY = date(2026, 5, 1)
ONCE = Duplicates(("type",))
EVERY_YEAR = D("10.00")


def course(quantity: str, completed_on: date = DAY, **values: Any) -> Claim:
    """A course worth a point an hour, in a category without a cap."""
    return make("third_party", quantity, completed_on, **values)


def only(code: str, **changes: Any) -> Policy:
    """A policy with this type of activity and no other."""
    return policy(types={code: POLICY.types[code]}, **changes)


def limited(under: Policy, **bounds: str) -> Policy:
    """The same, courses being limited."""
    limits = Limits(**{k: D(v) for k, v in bounds.items()})
    return with_type(under, "third_party", limits=limits)


def tagged(**bounds: str) -> dict[str, Tag]:
    """A tag with these limits."""
    limits = Limits(**{k: D(v) for k, v in bounds.items()})
    name = {"en": "Safety", "es": "Seguridad"}
    return {"safety": Tag("safety", name, limits, POLICY.provenance)}


def needing(code: str, minimum: str) -> dict[str, Any]:
    """The categories, one of them with a minimum."""
    changed = replace(POLICY.categories[code], limits=Limits(minimum=D(minimum)))
    return {**POLICY.categories, code: changed}


class Case(NamedTuple):
    """A situation, and how what would close the gap is told."""

    under: Policy
    english: tuple[str, ...]
    spanish: tuple[str, ...]
    claims: tuple[Claim, ...] = ()
    on: date = DAY

    @property
    def found(self) -> Gap:
        """The gap."""
        before = evaluate(*self.claims, policy=self.under, on=self.on)
        return gap.close(before, self.under)


def way(english: str, spanish: str, under: Policy, *claims: Claim) -> Case:
    """A way to close the gap by the end of the cycle, told but for that."""
    return Case(
        under,
        (f"{english} by March 15, 2029 would close the gap.",),
        (f"Con {spanish}, a más tardar el 15 de marzo de 2029, se cerraría la diferencia.",),
        claims,
    )


WAYS = {
    "a quantity": way(
        "15 more contact hours (Third-party training)",
        "15 horas de contacto más (Capacitación de terceros)",
        only("third_party"),
        course("85"),
    ),
    "a quantity of one": way(
        "1 more contact hour (Third-party training)",
        "1 hora de contacto más (Capacitación de terceros)",
        only("third_party"),
        course("99"),
    ),
    "events": way(
        "3 more activities (Third-party training)",
        "3 actividades más (Capacitación de terceros)",
        with_type(only("third_party"), "third_party", basis="event", rate=D(30)),
        course("25"),
    ),
    "one event": way(
        "1 more activity (Third-party training)",
        "1 actividad más (Capacitación de terceros)",
        with_type(only("third_party"), "third_party", basis="event", rate=D(100)),
    ),
    "months": way(
        "3 more months (Full-time employment)",
        "3 meses más (Empleo de tiempo completo)",
        only("employment_full_time", points_required=D("3.00")),
    ),
    "several activities": way(
        "100 more contact hours (Third-party training) in 3 activities",
        "100 horas de contacto más (Capacitación de terceros) en 3 actividades",
        limited(only("third_party"), per_event="40"),
    ),
    "a mark": way(
        "4 more contact hours (Third-party training) marked “Safety”",
        "4 horas de contacto más (Capacitación de terceros) con la marca “Seguridad”",
        only("third_party", tags=tagged(minimum="4.00")),
        course("100"),
    ),
    "the years that need it": Case(
        only("third_party", minimum_per_year=EVERY_YEAR),
        (
            (
                "10 more contact hours from March 15, 2027 to March 14, 2028 and 10 more contact"
                " hours from March 15, 2028 to March 15, 2029 (Third-party training) in 2"
                " activities would close the gap."
            ),
        ),
        (
            (
                "Con 10 horas de contacto más del 15 de marzo de 2027 al 14 de marzo de 2028 y 10"
                " horas de contacto más del 15 de marzo de 2028 al 15 de marzo de 2029"
                " (Capacitación de terceros) en 2 actividades se cerraría la diferencia."
            ),
        ),
        tuple(course("40", date(year, 5, 1)) for year in (2024, 2025, 2026)),
    ),
    "jobs that go on": Case(
        only("employment_full_time", points_required=D("50.00")),
        ("If the current jobs continue, nothing else is needed by March 15, 2029.",),
        (
            (
                "Si los empleos actuales continúan, no hace falta nada más hasta el 15 de marzo de"
                " 2029."
            ),
        ),
        (make("employment_full_time", None, None, starts_on=date(2024, 3, 15)),),
    ),
    "units that end with más": way(
        "15 more hours of 50 minutes or more (Third-party training)",
        "15 horas de 50 minutos o más adicionales (Capacitación de terceros)",
        with_type(
            only("third_party"),
            "third_party",
            unit=nouns(
                "hour of 50 minutes or more/hours of 50 minutes or more",
                "hora de 50 minutos o más/horas de 50 minutos o más",
                feminine=True,
            ),
        ),
        course("85"),
    ),
    "two kinds": way(
        "80 more contact hours (Third-party training) and 20 more hours (Volunteering)",
        "80 horas de contacto más (Capacitación de terceros) y 20 horas más (Voluntariado)",
        limited(
            policy(types={code: POLICY.types[code] for code in ("third_party", "volunteer")}),
            maximum="80",
        ),
    ),
}


@pytest.mark.parametrize("case", WAYS.values(), ids=WAYS)
def test_a_way_to_close_the_gap_is_told(case):
    found = case.found

    assert [
        tuple(explain_way(way, found, case.under, language) for way in found.ways)
        for language in LANGUAGES
    ] == [case.english, case.spanish]
    assert explain_obstacles(found, case.under, "en") == []


def blocked(under: Policy, *claims: Claim, told: tuple[str, str], **more: Any) -> Case:
    """What stands in the way of all, told but for the first sentence."""
    english, spanish = told
    return Case(under, (english,), (spanish,), claims, **more)


EMPLOYED = only("employment_full_time", points_required=D("50.00"))
OBSTACLES = {
    "over": blocked(
        POLICY,
        on=date(2029, 3, 16),
        told=(
            "The time in which activities count ended on March 15, 2029.",
            ("El tiempo en que cuentan las actividades terminó el 15 de marzo de 2029."),
        ),
    ),
    "lost": blocked(
        only("third_party", minimum_per_year=EVERY_YEAR),
        course("50", date(2024, 6, 1)),
        told=(
            (
                "The year that began on March 15, 2025 is over and fell short; that can no longer "
                "be made up."
            ),
            (
                "El año que empezó el 15 de marzo de 2025 ya pasó sin alcanzar el "
                "mínimo; eso no se puede recuperar."
            ),
        ),
    ),
    "nothing": blocked(
        policy(types={}, credit=nouns("PDU/PDUs", "PDU")),
        told=(
            "No activity is open that would bring PDUs.",
            "No queda abierta ninguna actividad que aporte PDU.",
        ),
    ),
    "unserved": blocked(
        only("third_party", categories=needing("X", "5.00")),
        course("100"),
        told=(
            ("No activity that is still open counts for the category “Other activities”."),
            ("Ninguna actividad que siga abierta cuenta en la categoría “Otras actividades”."),
        ),
    ),
    "kinds": blocked(
        only("third_party", kinds=Kinds(2, "category")),
        course("100"),
        told=(
            "Too few other kinds of activity are still open.",
            "Quedan abiertas muy pocas clases de actividad distintas.",
        ),
    ),
    "cycle_cap": blocked(
        only("volunteer"),
        make("volunteer", "15", DAY),
        told=(
            ("Only 5 more points count for the category “Other activities” in this cycle."),
            ("Solo cuentan 5 puntos más en la categoría “Otras actividades” en este ciclo."),
        ),
    ),
    "cycle_cap of one": blocked(
        only("volunteer"),
        make("volunteer", "19", DAY),
        told=(
            ("Only 1 more point counts for the category “Other activities” in this cycle."),
            ("Solo cuenta 1 punto más en la categoría “Otras actividades” en este ciclo."),
        ),
    ),
    "full_cycle_cap": blocked(
        only("volunteer"),
        make("volunteer", "25", DAY),
        told=(
            "Nothing more counts for the category “Other activities” in this cycle.",
            "Nada más cuenta en la categoría “Otras actividades” en este ciclo.",
        ),
    ),
    "year_cap": blocked(
        limited(only("third_party"), per_year="6"),
        told=(
            ("Only 6 more points count for the activity type “Third-party training” in a year."),
            (
                "Solo cuentan 6 puntos más en el tipo de actividad “Capacitación de "
                "terceros” por año."
            ),
        ),
    ),
    "year_cap of one": blocked(
        limited(only("third_party"), per_year="1"),
        told=(
            ("Only 1 more point counts for the activity type “Third-party training” in a year."),
            ("Solo cuenta 1 punto más en el tipo de actividad “Capacitación de terceros” por año."),
        ),
    ),
    "full_year_cap": blocked(
        limited(only("third_party"), per_year="6"),
        course("20", date(2029, 3, 1)),
        on=date(2029, 3, 2),
        told=(
            (
                "Nothing more counts for the activity type “Third-party training” in "
                "any year of this cycle."
            ),
            (
                "Nada más cuenta en el tipo de actividad “Capacitación de terceros” en "
                "ningún año de este ciclo."
            ),
        ),
    ),
    "once": blocked(
        limited(only("third_party", duplicates=ONCE), per_event="5"),
        told=(
            "Only one activity of the type “Third-party training” counts.",
            "Solo cuenta una actividad del tipo “Capacitación de terceros”.",
        ),
    ),
    "time": blocked(
        EMPLOYED,
        on=date(2029, 1, 14),
        told=(
            "Only 2 months of employment can still be completed by March 15, 2029.",
            "Hasta el 15 de marzo de 2029 solo caben 2 meses más de empleo.",
        ),
    ),
    "time for one": blocked(
        EMPLOYED,
        on=date(2029, 2, 14),
        told=(
            "Only 1 month of employment can still be completed by March 15, 2029.",
            "Hasta el 15 de marzo de 2029 solo cabe 1 mes más de empleo.",
        ),
    ),
    "no_time": blocked(
        EMPLOYED,
        on=date(2029, 3, 14),
        told=(
            "No whole month of employment can still be completed by March 15, 2029.",
            "Hasta el 15 de marzo de 2029 ya no cabe ningún mes completo de empleo.",
        ),
    ),
    "stop": blocked(
        only("third_party", stop_at_requirement=True, minimum_per_year=D("25.00")),
        *(course("25", date(year, 6, 1)) for year in (2024, 2025, 2026, 2027)),
        on=date(2028, 6, 1),
        told=(
            ("Counting stops at the requirement, and nothing that counts can be spared."),
            "El conteo se detiene en el requisito y no sobra nada de lo que cuenta.",
        ),
    ),
}


@pytest.mark.parametrize("case", OBSTACLES.values(), ids=OBSTACLES)
def test_what_stands_in_the_way_is_told(case):
    found = case.found

    assert found.ways == ()
    assert [explain_obstacles(found, case.under, language) for language in LANGUAGES] == [
        ["Nothing that can still be done would close the gap by March 15, 2029:", *case.english],
        [
            (
                "Nada de lo que todavía se puede hacer hasta el 15 de marzo de 2029 cerraría la"
                " diferencia:"
            ),
            *case.spanish,
        ],
    ]


def test_several_obstacles_are_told_one_by_one():
    under = limited(only("third_party", duplicates=ONCE), maximum="30.00")
    found = Case(under, (), ()).found

    assert explain_obstacles(found, under, "en")[1:] == [
        "Only 30 more points count for the activity type “Third-party training” in this cycle.",
        "Only one activity of the type “Third-party training” counts.",
    ]


def test_a_cap_on_a_mark_is_told_as_one_on_activities():
    under = policy(tags=tagged(maximum="5.00"))
    found = Gap(
        Period(DAY, date(2029, 3, 15)), obstacles=(GapObstacle("cycle_cap", "tag", "safety", D(5)),)
    )

    assert [explain_obstacles(found, under, language)[1] for language in LANGUAGES] == [
        "Only 5 more points count for activities marked “Safety” in this cycle.",
        "Solo cuentan 5 puntos más en actividades con la marca “Seguridad” en este ciclo.",
    ]


def test_every_obstacle_has_its_sentence_here():
    assert {key.split()[0] for key in OBSTACLES} == gaps._OBSTACLES["en"].keys()


def test_where_nothing_is_missing_nothing_is_told():
    found = gap.close(evaluate(course("100")), POLICY)

    assert (found.ways, explain_obstacles(found, POLICY, "en")) == ((), [])


def test_that_jobs_go_on_is_said_once_for_all_ways():
    lasting = make("employment_full_time", None, None, starts_on=date(2024, 3, 15))
    found = gap.close(evaluate(lasting, on=DAY), POLICY)

    assert [gaps.explain_jobs(found, POLICY, language) for language in LANGUAGES] == [
        ["This assumes that the current jobs continue until March 15, 2029."],
        ["Esto vale si los empleos actuales continúan hasta el 15 de marzo de 2029."],
    ]
    assert gaps.explain_jobs(gap.close(evaluate(on=DAY), POLICY), POLICY, "en") == []
