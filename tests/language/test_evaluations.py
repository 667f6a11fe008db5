"""Evaluations in sentences: the exact words of every cut and of the whole, in both languages."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace
from datetime import date
from decimal import Decimal
from string import Formatter
from typing import Any, NamedTuple, get_args

import pytest

from tests.domain.examples import POLICY, credit, evaluate, job, needing, nouns, policy, with_type
from tests.domain.examples import claim as make
from tracker.domain.periods import Duration
from tracker.domain.points.claims import Claim, Evaluation, Missing, Rule, Terms
from tracker.domain.schemes.activity_types import Limits, Tag, Unit
from tracker.domain.schemes.policies import (
    CarryOver,
    DuplicateKey,
    Duplicates,
    Kinds,
    Policy,
    WindowMinimum,
    YearBasis,
)
from tracker.language import evaluations, gaps, policy_texts, voice
from tracker.language.catalogues import LANGUAGES
from tracker.language.evaluations import explain, explain_credit, explain_cut
from tracker.language.voice import Voice

D = Decimal
DAY = date(2026, 5, 1)
SAFETY = frozenset({"safety"})
UNITS = {"ceu": Unit("ceu", nouns("CEU/CEUs", "CEU"))}
ROLES = {"taught": {"en": "taught", "es": "impartió"}}
PDUS = nouns("PDU/PDUs", "PDU")
CPES = nouns("CPE credit/CPE credits", "crédito CPE/créditos CPE")


def course(quantity: str = "10", completed_on: date = DAY, **values: Any) -> Claim:
    """A course worth a point an hour, in a category without a cap."""
    return make("third_party", quantity, completed_on, **values)


def limited(kind: str = "third_party", base: Policy = POLICY, **bounds: str) -> Policy:
    """A policy that limits a type."""
    return with_type(base, kind, limits=Limits(**{k: D(v) for k, v in bounds.items()}))


def grouped(code: str = "CE", **bounds: str) -> Policy:
    """A policy that limits a category."""
    limits = Limits(**{k: D(v) for k, v in bounds.items()})
    category = replace(POLICY.categories[code], limits=limits)
    return policy(categories={**POLICY.categories, code: category})


def tagged(**bounds: str) -> Policy:
    """A policy that limits a tag."""
    limits = Limits(**{k: D(v) for k, v in bounds.items()})
    name = {"en": "Safety", "es": "Seguridad"}
    return policy(tags={"safety": Tag("safety", name, limits, POLICY.provenance)})


class Case(NamedTuple):
    """A rule that cuts the last of some claims, and how that is told."""

    rule: Rule
    claims: tuple[Claim, ...]
    english: str
    spanish: str
    under: Policy = POLICY
    on: date | None = None


OUTSIDE = date(2024, 3, 14)
LATER = date(2026, 6, 1)
THRESHOLD = with_type(
    POLICY, "third_party", basis="event", rate=D(30), threshold=D(1500), units={"hour": D(1)}
)

WHAT_IS_NOT_KNOWN = [
    Case(
        "unknown_type",
        (course(type="golf"),),
        "Nothing counts: this version of the policy has no activity type “golf” in the category"
        " “Continuing education”.",
        "Nada cuenta: esta versión de la política no tiene el tipo de actividad “golf” en la"
        " categoría “Educación continua”.",
    ),
    Case(
        "unknown_type",
        (course(category="X"),),
        "Nothing counts: this version of the policy has no activity type “Third-party training” in"
        " the category “Other activities”.",
        "Nada cuenta: esta versión de la política no tiene el tipo de actividad “Capacitación de"
        " terceros” en la categoría “Otras actividades”.",
    ),
    Case(
        "unknown_unit",
        (course(unit="acre"),),
        "Nothing counts: “Third-party training” cannot be stated in “acre”.",
        "Nada cuenta: “Capacitación de terceros” no se puede declarar en “acre”.",
    ),
    Case(
        "unknown_unit",
        (course(unit="ceu"),),
        "Nothing counts: “Third-party training” cannot be stated in “CEUs”.",
        "Nada cuenta: “Capacitación de terceros” no se puede declarar en “CEU”.",
        policy(units=UNITS),
    ),
    Case(
        "unknown_role",
        (course(role="judged"),),
        "Nothing counts: “Third-party training” has no role “judged”.",
        "Nada cuenta: “Capacitación de terceros” no tiene la función “judged”.",
    ),
    Case(
        "unknown_role",
        (course(role="taught"),),
        "Nothing counts: “Third-party training” has no role “taught”.",
        "Nada cuenta: “Capacitación de terceros” no tiene la función “impartió”.",
        policy(roles=ROLES),
    ),
]

DATES = [
    Case(
        "outside_cycle",
        (course("1", OUTSIDE),),
        "1 point does not count: the activity is outside the cycle (March 14, 2024).",
        "1 punto no cuenta: la actividad queda fuera del ciclo (14 de marzo de 2024).",
    ),
    Case(
        "outside_cycle",
        (course("2.50", OUTSIDE),),
        "2.5 points do not count: the activity is outside the cycle (March 14, 2024).",
        "2.5 puntos no cuentan: la actividad queda fuera del ciclo (14 de marzo de 2024).",
    ),
    Case(
        "outside_cycle",
        (job("full_time", date(2023, 1, 1), date(2023, 6, 30)),),
        "Nothing counts: the activity is outside the cycle.",
        "Nada cuenta: la actividad queda fuera del ciclo.",
    ),
    Case(
        "outside_type",
        (course("8", LATER),),
        "8 points do not count: activities of the type “Third-party training” count only until"
        " May 1, 2026 (June 1, 2026).",
        "8 puntos no cuentan: las actividades del tipo “Capacitación de terceros” solo cuentan"
        " hasta el 1 de mayo de 2026 (1 de junio de 2026).",
        with_type(POLICY, "third_party", counts_until=DAY),
    ),
    Case(
        "outside_type",
        (job("full_time", DAY, LATER),),
        "Nothing counts: activities of the type “Full-time employment” count only from June 2, 2026"
        " on (May 1, 2026).",
        "Nada cuenta: las actividades del tipo “Empleo de tiempo completo” solo cuentan desde el"
        " 2 de junio de 2026 (1 de mayo de 2026).",
        with_type(POLICY, "employment_full_time", counts_from=date(2026, 6, 2)),
    ),
    Case(
        "below_threshold",
        (course("9"),),
        "1 point does not count: “Third-party training” needs at least 10 contact hours in one"
        " calendar year.",
        "1 punto no cuenta: “Capacitación de terceros” exige al menos 10 horas de contacto por año"
        " calendario.",
        with_type(
            policy(year="calendar"),
            "third_party",
            basis="event",
            threshold=D(10),
            threshold_over="year",
        ),
    ),
    Case(
        "together",
        (course("6", title="Lean"), course("4")),
        "1 point does not count: it counts together with “Lean” (May 1, 2026), which has the "
        "points for the year.",
        "1 punto no cuenta: cuenta junto con “Lean” (1 de mayo de 2026), que aporta lo del año.",
        with_type(POLICY, "third_party", basis="event", threshold=D(10), threshold_over="year"),
    ),
    Case(
        "after_date",
        (course("1", LATER),),
        "1 point is not counted yet: the activity is after the evaluation date (June 1, 2026).",
        "1 punto todavía no cuenta: la actividad es posterior al día consultado (1 de junio de"
        " 2026).",
        on=DAY,
    ),
    Case(
        "after_date",
        (course("8", LATER),),
        "8 points are not counted yet: the activity is after the evaluation date (June 1, 2026).",
        "8 puntos todavía no cuentan: la actividad es posterior al día consultado (1 de junio de"
        " 2026).",
        on=DAY,
    ),
    Case(
        "after_date",
        (job("full_time", LATER),),
        "Nothing counts yet: the activity is after the evaluation date.",
        "Todavía no cuenta nada: la actividad es posterior al día consultado.",
        on=DAY,
    ),
]

WORTH = [
    Case(
        "regular_duty",
        (course("8", duty=True),),
        "8 points do not count: work that is part of regular duties earns nothing for “Third-party"
        " training”.",
        "8 puntos no cuentan: el trabajo que es una obligación habitual no aporta nada en"
        " “Capacitación de terceros”.",
        with_type(POLICY, "third_party", outside_duties=True),
    ),
    Case(
        "below_threshold",
        (course("1499"),),
        "30 points do not count: “Third-party training” needs at least 1,500 contact hours.",
        "30 puntos no cuentan: “Capacitación de terceros” exige al menos 1,500 horas de contacto.",
        THRESHOLD,
    ),
    Case(
        "below_threshold",
        (course("0.5"),),
        "30 points do not count: “Third-party training” needs at least 1 contact hour.",
        "30 puntos no cuentan: “Capacitación de terceros” exige al menos 1 hora de contacto.",
        with_type(THRESHOLD, "third_party", threshold=D("1.00")),
    ),
    Case(
        "overlap",
        (
            job("full_time", date(2025, 1, 1), date(2025, 6, 30)),
            job("part_time", date(2025, 2, 1), date(2025, 8, 31)),
        ),
        "2.5 points do not count: another job covers the same days.",
        "2.5 puntos no cuentan: otro empleo cubre los mismos días.",
    ),
    Case(
        "incomplete_month",
        (job("full_time", date(2025, 1, 1), date(2025, 2, 15)),),
        "1 point does not count: the last month was not completed.",
        "1 punto no cuenta: el último mes no se completó.",
    ),
    Case(
        "increment",
        (course("2"),),
        "1 point does not count: only whole multiples of 2 points count.",
        "1 punto no cuenta: solo se dan pasos completos de 2 puntos.",
        with_type(POLICY, "third_party", rate=D("1.5"), increment=D(2)),
    ),
    Case(
        "increment",
        (course("2.25"),),
        "0.25 PDUs do not count: only whole multiples of 1 PDU count.",
        "0.25 PDU no cuentan: solo se dan pasos completos de 1 PDU.",
        with_type(policy(credit=PDUS), "third_party", increment=D("1.00")),
    ),
    Case(
        "unapproved",
        (course("10"),),
        "5 CPE credits do not count: without an approved provider the activity is worth 50% of its"
        " CPE credits.",
        "5 créditos CPE no cuentan: sin un proveedor aprobado, la actividad vale el 50% de sus"
        " créditos CPE.",
        with_type(policy(credit=CPES), "third_party", unapproved=D("0.5")),
    ),
    Case(
        "duplicate",
        (course("8", title="Lean", ref="lean-of-may"), course("8", LATER, title="Lean")),
        "8 points do not count: it has the same provider and title as “Lean” (May 1, 2026), which "
        "already counts.",
        "8 puntos no cuentan: coincide en el proveedor y el título con “Lean” (1 de mayo de"
        " 2026), que ya cuenta.",
        policy(duplicates=Duplicates(("provider", "title"))),
    ),
    Case(
        "decision",
        (course("2", limit=D("1.00")),),
        "1 point does not count: the reviewer allowed at most 1 point.",
        "1 punto no cuenta: el revisor permitió como máximo 1 punto.",
    ),
    Case(
        "decision",
        (course("8", limit=D("5.00")),),
        "3 PDUs do not count: the reviewer allowed at most 5 PDUs.",
        "3 PDU no cuentan: el revisor permitió como máximo 5 PDU.",
        policy(credit=PDUS),
    ),
]

CAPS = [
    Case(
        "event_cap",
        (course("21"),),
        "1 point does not count: at most 20 points count for one activity of the type “Third-party"
        " training”.",
        "1 punto no cuenta: una actividad del tipo “Capacitación de terceros” aporta como máximo 20"
        " puntos.",
        limited(per_event="20"),
    ),
    Case(
        "event_cap",
        (course("3"),),
        "2 points do not count: at most 1 point counts for one activity of the category"
        " “Continuing education”.",
        "2 puntos no cuentan: una actividad de la categoría “Educación continua” aporta como máximo"
        " 1 punto.",
        grouped(per_event="1"),
    ),
    Case(
        "event_cap",
        (course("8", tags=SAFETY),),
        "3 points do not count: at most 5 points count for one activity marked “Safety”.",
        "3 puntos no cuentan: una actividad con la marca “Seguridad” aporta como máximo 5 puntos.",
        tagged(per_event="5"),
    ),
    Case(
        "year_cap",
        (course("8"),),
        "2 points do not count: at most 6 points count in one year of the cycle for the activity"
        " type “Third-party training”.",
        "2 puntos no cuentan: cuentan como máximo 6 puntos por año del ciclo en el tipo de"
        " actividad “Capacitación de terceros”.",
        limited(per_year="6"),
    ),
    Case(
        "year_cap",
        (course("8"),),
        "7 points do not count: at most 1 point counts in one calendar year for the category"
        " “Continuing education”.",
        "7 puntos no cuentan: cuenta como máximo 1 punto por año calendario en la categoría"
        " “Educación continua”.",
        replace(grouped(per_year="1"), year="calendar"),
    ),
    Case(
        "cycle_cap",
        (make("volunteer", "25", DAY),),
        "5 points do not count: at most 20 points count in a cycle for the category “Other"
        " activities”.",
        "5 puntos no cuentan: cuentan como máximo 20 puntos por ciclo en la categoría “Otras"
        " actividades”.",
    ),
    Case(
        "cycle_cap",
        (course("2", tags=SAFETY),),
        "1 point does not count: at most 1 point counts in a cycle for activities marked “Safety”.",
        "1 punto no cuenta: cuenta como máximo 1 punto por ciclo en actividades con la marca"
        " “Seguridad”.",
        tagged(maximum="1"),
    ),
    Case(
        "stop",
        (course("90"), course("34", LATER)),
        "24 points do not count: counting stops once the requirement is reached.",
        "24 puntos no cuentan: el conteo se detiene al alcanzar el requisito.",
        policy(stop_at_requirement=True),
    ),
]
CASES = [*WHAT_IS_NOT_KNOWN, *DATES, *WORTH, *CAPS]


@pytest.mark.parametrize("case", CASES, ids=lambda case: case.rule)
def test_a_cut_is_told_with_its_rule_and_numbers(case):
    found = credit(evaluate(*case.claims, policy=case.under, on=case.on), case.claims[-1])
    [cut] = [cut for cut in found.cuts if cut.rule == case.rule]

    told = [explain_cut(cut, found, case.under, language) for language in LANGUAGES]

    assert told == [case.english, case.spanish]


def test_every_rule_has_its_sentence():
    assert {case.rule for case in CASES} == set(get_args(Rule))
    assert set(evaluations._CUTS["en"]) == set(get_args(Rule))


@pytest.mark.parametrize(
    ("key", "english", "spanish"),
    [
        (("type",), "type", "el tipo"),
        (
            ("provider", "title", "starts_on", "completed_on"),
            "provider, title, first day and day of completion",
            "el proveedor, el título, el primer día y el día de finalización",
        ),
    ],
)
def test_a_repetition_names_what_is_the_same(key, english, spanish):
    under = policy(duplicates=Duplicates(key))
    claims = [course("8", title="Lean", ref=ref, starts_on=DAY) for ref in ("one", "two")]
    found = credit(evaluate(*claims, policy=under), claims[1])

    assert [explain_cut(found.cuts[0], found, under, language) for language in LANGUAGES] == [
        (
            f"8 points do not count: it has the same {english} as “Lean” (May 1, 2026), which "
            "already counts."
        ),
        (
            f"8 puntos no cuentan: coincide en {spanish} con “Lean” (1 de mayo de 2026), que ya"
            " cuenta."
        ),
    ]


class TestAClaim:
    """What it brought: the sum as it was made, where it adds up."""

    @pytest.mark.parametrize(
        ("done", "english", "spanish"),
        [
            (
                make("volunteer", "25", DAY, title="Food bank"),
                "Food bank: 25 hours × 1 = 25 points claimed, 20 counted.",
                "Food bank: 25 horas × 1 = 25 puntos; se cuentan 20.",
            ),
            (
                make("college_credit", "0.2", DAY, title="Lean"),
                "Lean: 0.2 semester credit hours × 5 = 1 point claimed, 1 counted.",
                "Lean: 0.2 horas crédito semestrales × 5 = 1 punto; se cuenta 1.",
            ),
            (
                job("part_time", date(2025, 1, 1), date(2025, 1, 31), title="Ford"),
                "Ford: 1 month × 0.5 = 0.5 points claimed, 0.5 counted.",
                "Ford: 1 mes × 0.5 = 0.5 puntos; se cuentan 0.5.",
            ),
        ],
    )
    def test_is_told_with_units_rate_and_points(self, done, english, spanish):
        found = credit(evaluate(done), done)

        assert [explain_credit(found, POLICY, language) for language in LANGUAGES] == [
            english,
            spanish,
        ]

    def test_of_a_policy_with_a_credit_of_its_own_is_told_in_that(self):
        under = policy(credit=PDUS)
        done = course("1", title="Lean")

        assert _brought(done, under) == [
            "Lean: 1 contact hour × 1 = 1 PDU claimed, 1 counted.",
            "Lean: 1 hora de contacto × 1 = 1 PDU; se cuenta 1.",
        ]

    def test_done_in_a_role_is_told_with_its_factor(self):
        roles = {"taught": D("1.5"), "attended": D(1)}
        under = with_type(policy(roles=ROLES), "third_party", roles=roles)

        assert _brought(course("10", title="Lean", role="taught"), under) == [
            "Lean: 10 contact hours × 1 × 1.5 (taught) = 15 points claimed, 15 counted.",
            "Lean: 10 horas de contacto × 1 × 1.5 (impartió) = 15 puntos; se cuentan 15.",
        ]
        assert _brought(course("10", title="Lean", role="attended"), under) == [
            "Lean: 10 contact hours × 1 = 10 points claimed, 10 counted.",
            "Lean: 10 horas de contacto × 1 = 10 puntos; se cuentan 10.",
        ]

    def test_counted_by_event_is_told_as_one_activity(self):
        under = with_type(POLICY, "third_party", basis="event", rate=D("2.00"))

        assert _brought(course("40", title="Fair"), under) == [
            "Fair: one activity × 2 = 2 points claimed, 2 counted.",
            "Fair: una actividad × 2 = 2 puntos; se cuentan 2.",
        ]

    def test_whose_sum_was_rounded_is_told_without_the_sum(self):
        """3 × 0.333 is 0.999, which is claimed as 1 point: an equation would be wrong."""
        under = with_type(POLICY, "third_party", rate=D("0.333"))

        assert _brought(course("3", title="Lean"), under) == [
            "Lean: 1 point claimed, 1 counted.",
            "Lean: solicitud de 1 punto; se cuenta 1.",
        ]

    def test_of_an_unknown_type_is_told_without_a_sum(self):
        assert _brought(course("3", title="Golf", type="golf"), POLICY) == [
            "Golf: 0 points claimed, 0 counted.",
            "Golf: solicitud de 0 puntos; se cuentan 0.",
        ]

    def test_may_have_braces_in_its_title(self):
        assert _brought(course("3", title="{title} {0}"), POLICY) == [
            "{title} {0}: 3 contact hours × 1 = 3 points claimed, 3 counted.",
            "{title} {0}: 3 horas de contacto × 1 = 3 puntos; se cuentan 3.",
        ]


def _brought(done: Claim, under: Policy) -> list[str]:
    found = credit(evaluate(done, policy=under), done)
    return [explain_credit(found, under, language) for language in LANGUAGES]


NOTICE = {
    "en": "Version 2015 of the policy governs the cycle. It holds values that were not verified"
    " against the published policy, so MSSC does not confirm the total.",
    "es": "La versión 2015 de la política rige el ciclo. Contiene valores que no se han verificado"
    " con la política publicada, así que MSSC no confirma el total.",
}


def _told(
    evaluation: Evaluation,
    under: Policy = POLICY,
    *,
    pending: str = "0.00",
    projected: str = "0.00",
    **terms: Any,
) -> list[list[str]]:
    """The whole in both languages."""
    return [
        explain(
            evaluation,
            under,
            language,
            issuer="MSSC",
            pending=D(pending),
            projected=D(projected),
            terms=Terms(**terms),
        )
        for language in LANGUAGES
    ]


def _differences(told: list[list[str]]) -> list[tuple[str, str]]:
    """The sentences between the total and the notice, in both languages."""
    english, spanish = told
    return list(zip(english[1:-1], spanish[1:-1], strict=True))


class TestTheWhole:
    def test_begins_with_the_total_and_ends_with_what_is_not_verified(self):
        """worked_cases.md E2, P3."""
        assert _told(evaluate(course("12"), on=date(2026, 11, 21))) == [
            [
                (
                    "On November 21, 2026, 12 points are counted in the cycle"
                    " from March 15, 2024 to"
                    " March 15, 2029; 100 are required."
                ),
                "88 points are missing.",
                NOTICE["en"],
            ],
            [
                (
                    "Al 21 de noviembre de 2026 se cuentan 12 puntos en el ciclo del 15 de marzo de"
                    " 2024 al 15 de marzo de 2029; se exigen 100."
                ),
                "Faltan 88 puntos.",
                NOTICE["es"],
            ],
        ]

    def test_agrees_in_number_and_uses_the_credit_of_the_policy(self):
        under = policy(points_required=D("1.00"), credit=PDUS, unverified=())

        assert _told(evaluate(course("1"), policy=under, on=DAY), under) == [
            [
                (
                    "On May 1, 2026, 1 PDU is counted in the cycle from March 15, 2024 to March 15,"
                    " 2029; 1 is required."
                ),
                "The requirement is met.",
                (
                    "Version 2015 of the policy governs the cycle; its values were verified against"
                    " the published policy."
                ),
            ],
            [
                (
                    "Al 1 de mayo de 2026 se cuenta 1 PDU en el ciclo del 15 de marzo de 2024 al 15"
                    " de marzo de 2029; se exige 1."
                ),
                "El requisito está cumplido.",
                (
                    "La versión 2015 de la política rige el ciclo; sus valores se verificaron con"
                    " la política publicada."
                ),
            ],
        ]

    @pytest.mark.parametrize(
        ("quantity", "english", "spanish"),
        [
            ("99", "1 point is missing.", "Falta 1 punto."),
            ("98.5", "1.5 points are missing.", "Faltan 1.5 puntos."),
            ("100", "The requirement is met.", "El requisito está cumplido."),
            ("120", "The requirement is met.", "El requisito está cumplido."),
        ],
    )
    def test_says_what_is_missing(self, quantity, english, spanish):
        assert _differences(_told(evaluate(course(quantity)))) == [(english, spanish)]

    def test_says_that_the_requirement_was_reduced(self):
        found = evaluate(course("50"), required=D("50.00"))

        assert _differences(_told(found, required=D("50.00"))) == [
            (
                "This cycle needs 50 points; the policy usually asks for 100.",
                "Este ciclo exige 50 puntos; la política suele exigir 100.",
            ),
            ("The requirement is met.", "El requisito está cumplido."),
        ]

    def test_says_what_being_late_costs(self):
        found = evaluate(course("110"), extra_points=D("10.00"))

        assert _differences(_told(found, extra_points=D("10.00"))) == [
            (
                "The requirement is 100 points, plus 10 more for being late.",
                "El requisito se compone de 100 puntos y 10 puntos más por el retraso.",
            ),
            ("The requirement is met.", "El requisito está cumplido."),
        ]

    def test_says_both_where_the_requirement_was_reduced_and_one_is_late(self):
        terms: dict[str, Any] = {"required": D("50.00"), "extra_points": D("1.00")}
        told = _differences(_told(evaluate(course("51"), **terms), **terms))

        assert told[:2] == [
            (
                "This cycle needs 50 points; the policy usually asks for 100.",
                "Este ciclo exige 50 puntos; la política suele exigir 100.",
            ),
            (
                "The requirement is 50 points, plus 1 more for being late.",
                "El requisito se compone de 50 puntos y 1 punto más por el retraso.",
            ),
        ]

    @pytest.mark.parametrize(
        ("carried", "english", "spanish"),
        [
            (
                "1.00",
                "1 point of the total was carried over from the cycle before.",
                "Del total, 1 punto viene del ciclo anterior.",
            ),
            (
                "4.00",
                "4 points of the total were carried over from the cycle before.",
                "Del total, 4 puntos vienen del ciclo anterior.",
            ),
        ],
    )
    def test_says_what_was_carried_over(self, carried, english, spanish):
        found = evaluate(course("99"), carried_over=D(carried))

        assert _differences(_told(found))[0] == (english, spanish)

    @pytest.mark.parametrize(
        ("quantity", "english", "spanish"),
        [
            (
                "101",
                "As things stand, 1 point would be carried over into the next cycle.",
                "Por ahora, 1 punto pasaría al ciclo siguiente.",
            ),
            (
                "105",
                "As things stand, 5 points would be carried over into the next cycle.",
                "Por ahora, 5 puntos pasarían al ciclo siguiente.",
            ),
        ],
    )
    def test_says_what_would_be_carried_over(self, quantity, english, spanish):
        under = policy(carry_over=CarryOver(D("40.00")))

        told = _told(evaluate(course(quantity), policy=under), under)

        assert _differences(told)[1:] == [(english, spanish)]

    def test_says_that_a_re_examination_stands_for_the_points(self):
        under = policy(credit=CPES)

        assert _differences(_told(evaluate(policy=under, reexamined_on=DAY), under)) == [
            (
                (
                    "The re-examination passed on May 1, 2026 stands for the CPE credits, so the"
                    " requirement is met."
                ),
                (
                    "El nuevo examen, aprobado el 1 de mayo de 2026, vale por el requisito de"
                    " créditos CPE, que por lo tanto está cumplido."
                ),
            )
        ]

    @pytest.mark.parametrize(
        ("pending", "english", "spanish", "in_all", "en_total"),
        [
            (
                "1.00",
                "1 more point is claimed and waits for a decision.",
                "Además, 1 punto espera una decisión.",
                "If approved, 100 points of 100 will be counted.",
                "Si se aprueban, se contarán 100 puntos de 100.",
            ),
            (
                "0.50",
                "0.5 more points are claimed and wait for a decision.",
                "Además, 0.5 puntos esperan una decisión.",
                (
                    "If approved, 99.5 points of 100 will be counted, and 0.5 points will still be"
                    " missing."
                ),
                "Si se aprueban, se contarán 99.5 puntos de 100, y aún faltarán 0.5 puntos.",
            ),
        ],
    )
    def test_says_what_waits_for_a_decision_and_what_comes_of_it(
        self, pending, english, spanish, in_all, en_total
    ):
        told = _differences(_told(evaluate(course("99")), pending=pending))

        assert told[1:] == [(english, spanish), (in_all, en_total)]

    def test_says_what_the_jobs_will_bring_if_they_go_on(self):
        """worked_cases.md S2, case 6."""
        found = evaluate(job("full_time", date(2026, 1, 1)), on=DAY)

        assert _differences(_told(found, projected="38.00"))[1:] == [
            (
                "If the current jobs continue, 38 points will be counted by March 15, 2029.",
                "Si los empleos actuales continúan, se contarán 38 puntos al 15 de marzo de 2029.",
            )
        ]
        assert len(_differences(_told(found, projected=str(found.total)))) == 1

    def test_says_what_one_more_month_of_a_job_will_bring(self):
        assert _differences(_told(evaluate(on=DAY), projected="1.00"))[1:] == [
            (
                "If the current jobs continue, 1 point will be counted by March 15, 2029.",
                "Si los empleos actuales continúan, se contará 1 punto al 15 de marzo de 2029.",
            )
        ]


SHORTFALLS: dict[str, tuple[Policy, str, str]] = {
    "type": (
        limited("volunteer", minimum="12.00"),
        "The activity type “Volunteering” must earn at least 12 points; so far it has earned 0.",
        "El tipo de actividad “Voluntariado” debe aportar al menos 12 puntos; aporta 0.",
    ),
    "category": (
        grouped("X", minimum="1.00"),
        "The category “Other activities” must earn at least 1 point; so far it has earned 0.",
        "La categoría “Otras actividades” debe aportar al menos 1 punto; aporta 0.",
    ),
    "tag": (
        tagged(minimum="4.00"),
        "Activities marked “Safety” must earn at least 4 points; so far they have earned 0.",
        "Las actividades con la marca “Seguridad” deben aportar al menos 4 puntos; aportan 0.",
    ),
    "year": (
        policy(minimum_per_year=D("2.50")),
        (
            "The year from March 15, 2028 to March 15, 2029 must earn at least 2.5 points; so far "
            "it has earned 0."
        ),
        (
            "El año del 15 de marzo de 2028 al 15 de marzo de 2029 debe aportar al menos 2.5"
            " puntos; aporta 0."
        ),
    ),
    "window": (
        policy(windows=(WindowMinimum(Duration(1, "years"), D("20.00")),)),
        (
            "The period from March 16, 2028 to March 15, 2029 must earn at least 20 points; so "
            "far it has earned 0."
        ),
        (
            "El tiempo del 16 de marzo de 2028 al 15 de marzo de 2029 debe aportar al menos 20"
            " puntos; aporta 0."
        ),
    ),
    "kinds of category": (
        policy(kinds=Kinds(2, "category")),
        "Activities of at least 2 different categories must count; so far those of 1 do.",
        (
            "Deben contar actividades de al menos 2 categorías distintas; hasta ahora cuentan las"
            " de 1."
        ),
    ),
    "kinds of type": (
        policy(kinds=Kinds(3, "type")),
        "Activities of at least 3 different activity types must count; so far those of 1 do.",
        (
            "Deben contar actividades de al menos 3 tipos de actividad distintos; hasta ahora"
            " cuentan las de 1."
        ),
    ),
}


@pytest.mark.parametrize("of", SHORTFALLS)
def test_a_minimum_is_told_although_the_total_is_reached(of):
    under, english, spanish = SHORTFALLS[of]
    done = [course("100", date(year, 6, 1)) for year in (2024, 2025, 2026, 2027)]
    told = _differences(_told(evaluate(*done, policy=under), under))

    assert told == [(english, spanish)]


def test_every_minimum_has_its_sentence():
    assert {of.split()[0] for of in SHORTFALLS} == set(get_args(Missing))


def test_one_kind_of_activity_is_told_in_the_singular():
    under = policy(kinds=Kinds(1, "type"))

    assert _differences(_told(evaluate(policy=under), under))[1:] == [
        (
            "Activities of at least 1 activity type must count; so far those of 0 do.",
            (
                "Deben contar actividades de al menos 1 tipo de actividad; hasta ahora cuentan las"
                " de 0."
            ),
        )
    ]


TABLES: dict[str, Mapping[str, Mapping[Any, str]]] = {
    "leads": evaluations._LEADS,
    "cuts": evaluations._CUTS,
    "claim": evaluations._CLAIM,
    "whole": evaluations._WHOLE,
    "shortfalls": evaluations._SHORTFALLS,
    "ways": gaps._WAYS,
    "obstacles": gaps._OBSTACLES,
    "groups": voice._GROUPS,
    "one of": voice._ONE_OF,
    "plain words": policy_texts.SENTENCES,
    "no way": {language: {"": text} for language, text in gaps._NOTHING.items()},
}


def _placeholders(sentence: str) -> set[str]:
    """What a sentence names, its figure or noun standing for the whole; not what agrees with it."""
    return {
        name.split(".")[0]
        for _, name, words, _ in Formatter().parse(sentence)
        if name and "|" not in (words or "")
    }


@pytest.mark.parametrize("table", TABLES)
def test_both_languages_name_the_same_things(table):
    sentences = TABLES[table]
    english, spanish = (
        {key: _placeholders(text) for key, text in sentences[language].items()}
        for language in LANGUAGES
    )

    assert tuple(sentences) == LANGUAGES
    assert english == spanish


@pytest.mark.parametrize("table", TABLES)
def test_whatever_agrees_in_number_has_two_forms(table):
    for sentences in TABLES[table].values():
        for sentence in sentences.values():
            for _, _, words, _ in Formatter().parse(sentence):
                assert not words or len(set(words.split("|"))) == 2


@pytest.mark.parametrize(
    ("words", "keys"),
    [
        (evaluations._YEARS, get_args(YearBasis)),
        (evaluations.DUPLICATE_PARTS, get_args(DuplicateKey)),
    ],
)
def test_every_value_of_the_language_has_a_word(words, keys):
    assert [set(words[language]) for language in LANGUAGES] == [set(keys)] * 2


def test_a_minimum_of_a_group_in_a_year_or_a_last_stretch_is_told_with_both():
    under = grouped("CE", minimum_per_year="10")
    window = WindowMinimum(Duration(6, "months"), D(1), tag="safety")
    under = replace(under, windows=(window,), tags=tagged(minimum="1").tags)
    short = evaluate(policy=under).shortfalls
    english, spanish = (
        [evaluations._shortfall(one, Voice(under, language)) for one in short[1:]]
        for language in LANGUAGES
    )

    assert english[0] == (
        "From March 15, 2024 to March 14, 2025 at least 10 points of the category “Continuing"
        " education” are needed; so far there are 0."
    )
    assert english[-1] == (
        "From September 16, 2028 to March 15, 2029 at least 1 point"
        " of activities marked “Safety” is"
        " needed; so far there are 0."
    )
    assert spanish[-1] == (
        "Del 16 de septiembre de 2028 al 15 de marzo de 2029 se exige al menos 1 punto en"
        " actividades con la marca “Seguridad”; hasta ahora hay 0."
    )


def test_another_minimum_than_usual_is_told_with_the_usual_one():
    under = needing(CE="5")
    minima = {("category", "CE"): D(25), ("type", "volunteer"): D(1)}
    english, spanish = _told(evaluate(policy=under, minima=minima), under, minima=minima)

    assert english[1:3] == [
        (
            "This cycle needs 25 points of the category “Continuing education”; the policy usually"
            " asks for 5."
        ),
        "This cycle needs 1 point of the activity type “Volunteering”.",
    ]
    assert spanish[1:3] == [
        (
            "Este ciclo exige 25 puntos en la categoría “Educación continua”; la política suele"
            " exigir 5."
        ),
        "Este ciclo exige 1 punto en el tipo de actividad “Voluntariado”.",
    ]
