"""What each key of a scheme file becomes: a file that uses them all, and one that uses few."""

from __future__ import annotations

import re
import tomllib
from datetime import date, time
from decimal import Decimal
from pathlib import Path
from typing import Any

import pytest
from marshmallow import fields

from tests.domain.examples import nouns
from tracker import scheme_files
from tracker.domain.periods import Duration
from tracker.domain.schemes import policies as domain
from tracker.domain.schemes.activity_types import ActivityType, Limits, Provenance
from tracker.domain.schemes.policies import Policy
from tracker.domain.schemes.schemes import AwardRule, DayOfYear, Scheme
from tracker.scheme_files.format import SchemeFile

HANDBOOK = Provenance("Handbook, page 6.", verified=True)
YEAR = Duration(1, "years")


@pytest.fixture
def scheme(all_keys: Path) -> Scheme:
    return scheme_files.load(all_keys.parent)["all"]


@pytest.fixture
def policy(scheme: Scheme) -> Policy:
    return scheme.policies[1]


def _keys(table: Any, path: str = "") -> set[str]:
    """Every key of the format, however deep."""
    found: set[str] = set()
    for name, field in _by_key(table).items():
        found.add(f"{path}{name}")
        at = field
        while isinstance(at, fields.List | fields.Dict):
            at = at.inner if isinstance(at, fields.List) else at.value_field
        if isinstance(at, fields.Nested):
            found |= _keys(at.schema, f"{path}{name}.")
    return found


def _by_key(table: Any) -> dict[str, Any]:
    return {field.data_key or name: field for name, field in table.fields.items()}


def _used(table: Any, entry: Any, path: str = "") -> set[str]:
    """The keys of the format that a file uses, named as ``_keys`` names them."""
    found: set[str] = set()
    for name, value in entry.items():
        found.add(f"{path}{name}")
        field, values = _by_key(table)[name], [value]
        while isinstance(field, fields.List | fields.Dict):
            is_list = isinstance(field, fields.List)
            values = [each for v in values for each in (v if is_list else v.values())]
            field = field.inner if isinstance(field, fields.List) else field.value_field
        if isinstance(field, fields.Nested):
            for each in values:
                if isinstance(each, dict):
                    found |= _used(field.schema, each, f"{path}{name}.")
    return found


def test_the_example_uses_every_key_of_the_format(all_keys):
    table = SchemeFile()

    assert _used(table, tomllib.loads(all_keys.read_text("utf-8"))) == _keys(table)


def test_the_award_and_the_fees_say_what_is_theirs(scheme):
    assert scheme.award == AwardRule(
        date_basis="last_required_pass",
        validity=Duration(3, "years"),
        prerequisites=(),
        provenance=Provenance("Handbook, page 1.", verified=True),
        valid_through="fixed_day",
        lifetime_if_awarded_before=date(2001, 1, 1),
        fixed_day=DayOfYear(6, 30),
        first_cycle="shorter",
    )
    assert scheme.fees is not None
    assert (scheme.fees.renewal, scheme.fees.member_renewal) == (Decimal(80), Decimal(50))
    assert scheme.fees.bundles[0].schemes == {"all", "cpt"}


def test_the_other_tables_of_a_scheme_become_values(scheme):
    assert [module.code for module in scheme.modules] == ["exam", "lab", "extra"]
    assert scheme.required == ("exam", "lab")
    assert scheme.appeals is not None
    assert scheme.appeals.fee == Decimal(10)
    assert scheme.retake.long_wait_days == 3
    assert scheme.reminders is not None
    assert (scheme.reminders.offsets, scheme.reminders.send_at) == ((90, 30), time(8, 30))
    assert scheme.time_zone.key == "Europe/Madrid"
    assert scheme.days_end == "scheme"


def test_a_policy_says_when_and_for_whom_it_is(policy):
    assert (policy.version, policy.effective_from) == ("2020", date(2020, 1, 1))
    assert (policy.applies, policy.corrects) == ("more_favourable", "2001")
    assert policy.cohort == domain.Cohort(date(2020, 1, 1), date(2090, 1, 1))


def test_a_policy_says_what_a_cycle_needs(policy):
    assert policy.credit == nouns("PDU/PDUs", "PDU")
    assert policy.points_required == Decimal(60)
    assert (policy.minimum_per_year, policy.year) == (Decimal(10), "calendar")
    assert policy.kinds == domain.Kinds(2, "type")
    assert policy.windows == (
        domain.WindowMinimum(YEAR, Decimal(10)),
        domain.WindowMinimum(Duration(2, "years"), Decimal(20)),
        domain.WindowMinimum(YEAR, Decimal(2), category="A"),
        domain.WindowMinimum(YEAR, Decimal("1.5"), tag="safety"),
        domain.WindowMinimum(YEAR, Decimal("1.5"), type="book"),
    )
    assert policy.stop_at_requirement is False


def test_a_policy_that_calls_its_points_points_has_no_word_of_its_own(scheme):
    assert [policy.credit for policy in scheme.policies] == [{}, nouns("PDU/PDUs", "PDU"), {}]


def test_a_policy_says_how_points_are_counted(policy):
    assert (policy.rounding, policy.month_rule) == ("down", "pro_rata")
    assert (policy.overlap, policy.overlap_maximum) == ("capped_sum", Decimal(1))
    assert policy.duplicates == domain.Duplicates(
        ("provider", "title", "completed_on"), Duration(9, "years")
    )
    assert policy.approved_providers == {"Ivy Tech", "Purdue"}
    assert policy.sharing == domain.PointsSharing(
        frozenset({"cpt"}), Decimal(45), {"A": Decimal(15)}
    )
    assert policy.carry_over == domain.CarryOver(
        Decimal(40), frozenset({"A"}), Duration(6, "months"), of="earned"
    )


def test_a_policy_says_when_and_how_one_renews(policy):
    assert policy.window == domain.ApplicationWindow(YEAR, "start", Duration(30, "days"))
    assert (policy.valid_while_pending, policy.next_cycle) == (True, "decision_to_old_end")
    assert policy.pending_points_admit is False
    assert policy.late == (
        domain.LateStep(
            Duration(30, "days"), {"en": "Grace", "es": "Periodo de gracia"}, earns=True, title=True
        ),
        domain.LateStep(
            Duration(3, "months"),
            {"en": "Late", "es": "Con retraso"},
            extra_points=Decimal(30),
            extra_minima={"book": Decimal(10)},
            fee=Decimal(50),
        ),
        domain.LateStep(YEAR, {"en": "Lapsed", "es": "Caducada"}, by="reexamination"),
    )
    assert policy.reexamination == domain.Reexamination(("exam",), YEAR, failure_revokes=True)
    (check,) = policy.checks
    assert (check.code, check.name["en"]) == ("practical", "Practical check")


def test_a_policy_says_what_may_be_granted(policy):
    assert policy.extension == domain.ExtensionRule(
        at_most=YEAR,
        moves_cycle=True,
        request_by=Duration(30, "days"),
        share_earned=Decimal("0.50"),
        reasons=("illness", "military"),
        exempt=("military",),
    )
    assert policy.reduction == domain.Reduction(
        ("unemployment", "illness", "moving"), Decimal("0.5")
    )
    assert policy.retirement == domain.Retirement(YEAR, Duration(5, "years"), Decimal(25))


def test_a_policy_says_how_it_is_watched(policy):
    assert policy.audit == domain.Audit(
        Decimal("0.05"), 14, withholds_credit=True, no_answer="reject"
    )
    assert policy.retention == Duration(12, "months")


def test_an_activity_type_has_every_rule_of_its_own(policy):
    assert policy.types["course"] == ActivityType(
        code="course",
        category="A",
        name={"en": "Course", "es": "Curso"},
        basis="quantity",
        unit=nouns(
            "contact hour/contact hours", "hora de contacto/horas de contacto", feminine=True
        ),
        rate=Decimal("1.125"),
        increment=Decimal("0.25"),
        provenance=HANDBOOK,
        unit_code="hour",
        units={"hour": Decimal(1), "ceu": Decimal(10)},
        roles={"attended": Decimal(1), "taught": Decimal("1.5")},
        limits=Limits(*map(Decimal, (10, 20, 40, 5, 1))),
        unapproved=Decimal("0.5"),
        outside_duties=True,
        tags=frozenset({"safety"}),
        counts_from=date(2010, 1, 1),
        counts_until=date(2095, 12, 31),
        date_basis="whole",
        evidence="required",
        warn_above=Decimal(80),
        evidence_kinds={
            "en": "a certificate that shows the hours",
            "es": "un certificado que muestre las horas",
        },
        replaces=frozenset({"lecture"}),
    )


def test_nothing_is_asked_for_with_a_claim_unless_the_file_says_so(policy):
    found = {code: (kind.evidence, kind.evidence_kinds) for code, kind in policy.types.items()}

    assert found["book"] == ("asked", {})
    assert found["job"] == ("none", {})
    assert policy.types["job"].warn_above is None


def test_an_unusual_quantity_is_one_above_the_bound_in_whatever_unit_it_is_stated(policy):
    course, job = policy.types["course"], policy.types["job"]

    assert course.is_unusual(Decimal("80.01"), "hour")
    assert course.is_unusual(Decimal("8.01"), "ceu")  # ten hours each
    assert course.is_unusual(Decimal("80.01"), "")
    assert not course.is_unusual(Decimal(80), "hour")
    assert not course.is_unusual(Decimal(8), "ceu")
    assert not course.is_unusual(None, "")
    assert not job.is_unusual(Decimal(10_000), "")


def test_a_type_needs_no_unit_where_none_is_counted(policy):
    book, year, job = (policy.types[code] for code in ("book", "year_of_work", "job"))

    assert (book.basis, book.unit["en"].many, book.units) == ("event", "events", {})
    assert (year.basis, year.unit["en"].one, year.threshold) == ("event", "hour", Decimal(1500))
    assert (job.basis, job.unit, str(job.rate)) == (
        "months",
        nouns("month/months", "mes/meses"),
        "0.30",
    )


def test_what_tells_no_source_has_the_policys(policy):
    found = {code: kind.provenance for code, kind in policy.types.items()}

    assert policy.categories["A"].provenance == HANDBOOK
    assert policy.categories["B"].provenance == Provenance("A letter of 2021.", verified=False)
    assert policy.tags["safety"].provenance == Provenance("Handbook, page 7.", verified=True)
    assert found["book"] == Provenance("A letter of 2022.", verified=True)
    assert found["year_of_work"] == Provenance(HANDBOOK.source, verified=False)


def test_every_open_value_is_listed_once(scheme):
    assert [policy.unverified for policy in scheme.policies] == [
        (),
        (
            "late.title, late.fee: not published",
            "types.course.points: a guess",
            "categories.B",
            "types.year_of_work",
        ),
        ("points_required",),  # what inherits that is not repeated
    ]


def test_groups_have_the_limits_that_are_told(policy):
    assert policy.tags["safety"].limits == Limits(*map(Decimal, ("5", "10", "21", "1", "0.5")))
    assert policy.categories["A"].limits == Limits(
        Decimal(20), Decimal(30), None, Decimal(35), minimum_per_year=Decimal(5)
    )
    assert policy.categories["B"].limits == Limits(maximum=Decimal(20))


def test_what_is_left_out_is_as_the_domain_has_it(scheme):
    plain = scheme.policies[0]
    course = plain.types["course"]

    assert plain == Policy(
        version="2001",
        effective_from=date(2001, 1, 1),
        applies="submission",
        cohort=domain.Cohort(awarded_before=date(2020, 1, 1)),
        points_required=Decimal(60),
        window=domain.ApplicationWindow(Duration(6, "months")),
        next_cycle="old_expiry",
        categories=plain.categories,
        types=plain.types,
        provenance=Provenance("Handbook, page 5.", verified=True),
    )
    assert (course.limits, course.increment, course.roles, str(course.rate)) == (
        Limits(),
        None,
        {},
        "1.00",
    )


def test_a_re_examination_that_names_no_module_is_in_every_required_one(scheme):
    assert scheme.policies[2].reexamination == domain.Reexamination(("exam", "lab"))
    assert scheme.policies[2].retirement == domain.Retirement()


def test_points_have_two_decimals_and_rates_as_many_as_are_told(policy):
    assert [str(policy.types[code].rate) for code in ("course", "book", "job")] == [
        "1.125",
        "10.00",
        "0.30",
    ]
    assert str(policy.points_required) == "60.00"


def test_a_text_is_kept_as_other_doors_keep_a_line(all_keys):
    """The same words, typed in another form, are the same words."""
    typed = "Jose\N{COMBINING ACUTE ACCENT}\N{ZERO WIDTH SPACE}  Ruiz "
    text = all_keys.read_text("utf-8")
    name = re.search(r'^issuer = "(.*)"$', text, re.MULTILINE)
    assert name is not None
    all_keys.write_text(text.replace(name[0], f'issuer = "{typed}"'), "utf-8")

    assert (
        scheme_files.load(all_keys.parent)["all"].issuer
        == "Jos\N{LATIN SMALL LETTER E WITH ACUTE} Ruiz"
    )
