"""The example programs against tables worked out by hand from their published rules.

``config/schemes/examples/<issuer>-<code>.toml`` tells a program; ``tests/data/programmes/
<code>.toml`` holds what its rules give: [[examples]] of claims, each with the arithmetic in words
(``why``), [[dates]] of applications and [[awards]]. Nothing in them was computed by the program.
"""

import functools
import tomllib
from datetime import date
from decimal import Decimal

import pytest

from tracker import scheme_files, settings
from tracker.domain.credentials import certifications
from tracker.domain.periods import Period
from tracker.domain.points import evaluations
from tracker.domain.points.claims import Claim, Credit, Evaluation, Terms
from tracker.domain.schemes.policies import LateStep
from tracker.domain.schemes.schemes import Scheme, Schemes
from tracker.language.policy_unknowns import named, open_keys

DIRECTORY = settings.ROOT / "config" / "schemes" / "examples"
FILES = sorted(DIRECTORY.glob("*.toml"))
TABLES = {
    path.stem: tomllib.loads(path.read_text("utf-8"))
    for path in sorted((settings.ROOT / "tests" / "data" / "programmes").glob("*.toml"))
}
FEWEST_EXAMPLES = 6
LONGEST_FILE = 90  # lines: a stranger reads a program at a glance

# Rules whose absence says something to a reader: no grace, no limit, no repetition looked for.
MAY_BE_ABSENT = (
    "late",
    "duplicates",
    "carry_over",
    "extension",
    "audit",
    "retention",
    "sharing",
)
READ_TO_BE_NONE = {"cwi": {"late"}, "cqe": {"carry_over"}}

EXAMPLE = {"name", "why", "cycle", "claims", "counted", "total", "missing", "complete"}
OF_EXAMPLE = {"on", "terms", "cuts", "shortfalls", "carries_over"}  # optional
DATES = {"name", "why", "cycle", "opens_on", "late"}
OF_STEP = {"by", "earns", "title", "extra_points", "fee"}
AWARD = {"name", "why", "awarded_on", "expires_on"}
POINTS_OF_TERMS = {"required", "extra_points", "carried_over"}
DATES_OF_TERMS = {"earns_until", "reexamined_on"}
DATES_OF_CLAIM = {"starts_on", "completed_on"}
OF_CLAIM = {"type", "category", "quantity", "unit", "role", "tags", "provider", "title"} | {
    "duty",
    "approved",
    "limit",
}


def _each(kind):
    """The entries of every table, as parameters named after the program and the entry."""
    return [
        pytest.param(code, entry, id=f"{code}-{entry['name']}")
        for code, table in TABLES.items()
        for entry in table.get(kind, [])
    ]


@functools.cache
def _schemes() -> Schemes:
    return scheme_files.load(DIRECTORY)


def _scheme(code) -> Scheme:
    return _schemes()[code]


def _check_keys(table, *, required=frozenset(), optional=frozenset()):
    assert required <= table.keys(), f"missing: {sorted(required - table.keys())}"
    assert table.keys() <= required | optional, sorted(table.keys() - required - optional)


def _points(text) -> Decimal:
    assert isinstance(text, str), f"{text!r} must be a string"
    return Decimal(text)


def _ref(number) -> str:
    return f"claim-{number:02}"


def _claim(policy, number, entry) -> Claim:
    """A claim of a table; each is another activity unless a title is given."""
    _check_keys(entry, required={"type"}, optional=OF_CLAIM | DATES_OF_CLAIM)
    category = entry.get("category") or policy.types[entry["type"]].category
    amounts = {key: _points(entry[key]) for key in ("quantity", "limit") if key in entry}
    given = {key: entry[key] for key in ("unit", "role", "duty", "approved") if key in entry}
    return Claim(
        ref=_ref(number),
        category=category,
        type=entry["type"],
        title=entry.get("title", f"Activity {number}"),
        provider=entry.get("provider", "Ivy Tech"),
        quantity=amounts.get("quantity"),
        limit=amounts.get("limit"),
        starts_on=entry.get("starts_on"),
        completed_on=entry.get("completed_on"),
        tags=frozenset(entry.get("tags", ())),
        **given,
    )


def _terms(entry) -> Terms:
    of_terms = POINTS_OF_TERMS | DATES_OF_TERMS | {"minima", "counted_before"}
    _check_keys(entry, optional=of_terms)
    given = {key: entry[key] for key in DATES_OF_TERMS & entry.keys()}
    given |= {key: _points(entry[key]) for key in POINTS_OF_TERMS & entry.keys()}
    minima = map(_shortfall, entry.get("minima", ()))  # "category approved 25.00"
    given["minima"] = {(of, subject): least for of, subject, least in minima}
    counted = frozenset(map(_ref, entry.get("counted_before", ())))
    return Terms(counted_before=counted, **given)


def _evaluate(code, example) -> tuple[list[Claim], Evaluation]:
    """The claims of an example and their evaluation, which their order must not change."""
    policy = _scheme(code).policies[-1]
    claims = [_claim(policy, number, c) for number, c in enumerate(example["claims"], start=1)]
    cycle = Period(*example["cycle"])
    context = {
        "cycle": cycle,
        "on": example.get("on", cycle.ends_on),
        "terms": _terms(example.get("terms", {})),
    }
    found = evaluations.evaluate(policy, claims, **context)
    assert evaluations.evaluate(policy, claims[::-1], **context) == found
    return claims, found


def _cuts_of(credit: Credit):
    return sorted((cut.rule, cut.points) for cut in credit.cuts)


def _pairs(texts):
    """``"cycle_cap 5.00"`` as a rule and its points."""
    return sorted((rule, Decimal(amount)) for rule, amount in (text.split() for text in texts))


def _shortfall(text):
    """``"category education 5.00"`` as what is missing, of what, how much."""
    of, *subject, missing = text.split()
    return of, " ".join(subject), Decimal(missing)


def _step(step: LateStep | None, like):
    """A late step in the form in which a table gives it: how one renews, or what it says too."""
    if step is None:
        return "none"
    if isinstance(like, str):
        return step.by
    _check_keys(like, required={"by"}, optional=OF_STEP)
    seen = {key: getattr(step, key) for key in like}
    return {key: str(v) if isinstance(v, Decimal) else v for key, v in seen.items()}


@pytest.mark.parametrize("file", FILES, ids=lambda file: file.stem)
def test_each_programme_loads_and_can_be_read_at_a_glance(file):
    mistakes = [m for m in scheme_files.check(DIRECTORY) if m.file == file.name]

    assert mistakes == []
    assert len(file.read_text("utf-8").splitlines()) <= LONGEST_FILE


@pytest.mark.parametrize("file", FILES, ids=lambda file: file.stem)
def test_each_programme_says_what_is_not_verified(file):
    policies = _scheme(tomllib.loads(file.read_text("utf-8"))["code"]).policies

    assert policies
    assert all(policy.unverified and policy.provenance.source for policy in policies)


@pytest.mark.parametrize("file", FILES, ids=lambda file: file.stem)
def test_each_programme_is_silent_on_nothing(file):
    """A rule is given, or listed as not known, or read to be none: never left to be guessed."""
    code = tomllib.loads(file.read_text("utf-8"))["code"]
    policy = _scheme(code).policies[-1]
    absent = {key for key in MAY_BE_ABSENT if not getattr(policy, key)}
    silent = {key for key in absent if not named(open_keys(policy), key)}

    assert silent == READ_TO_BE_NONE.get(code, set())


@pytest.mark.parametrize("file", FILES, ids=lambda file: file.stem)
def test_each_programme_has_its_worked_examples(file):
    table = TABLES[tomllib.loads(file.read_text("utf-8"))["code"]]
    names = [example["name"] for example in table["examples"]]

    _check_keys(table, required={"examples"}, optional={"dates", "awards"})
    assert len(set(names)) == len(names) >= FEWEST_EXAMPLES


def test_each_table_has_its_programme():
    assert {tomllib.loads(file.read_text("utf-8"))["code"] for file in FILES} == TABLES.keys()


@pytest.mark.parametrize(("code", "example"), _each("examples"))
def test_the_answer_is_the_one_worked_out_by_hand(code, example):
    _check_keys(example, required=EXAMPLE, optional=OF_EXAMPLE)
    claims, found = _evaluate(code, example)
    credits_ = {credit.ref: credit for credit in found.credits}
    assert credits_.keys() == {claim.ref for claim in claims}

    assert {
        "counted": [credits_[claim.ref].counted for claim in claims],
        "total": found.total,
        "missing": found.missing,
        "complete": found.complete,
    } == {
        "counted": [_points(text) for text in example["counted"]],
        "total": _points(example["total"]),
        "missing": _points(example["missing"]),
        "complete": example["complete"],
    }, example["why"]
    for number, cuts in example.get("cuts", {}).items():
        assert _cuts_of(credits_[_ref(int(number))]) == _pairs(cuts), f"claim {number}"
    if "shortfalls" in example:
        short = [(s.of, s.subject, s.missing) for s in found.shortfalls]
        assert sorted(short) == sorted(map(_shortfall, example["shortfalls"]))
    if "carries_over" in example:
        assert found.carries_over == _points(example["carries_over"])


@pytest.mark.parametrize(("code", "example"), _each("examples"))
def test_the_numbers_of_an_explanation_add_up(code, example):
    """worked_cases.md I3, I4: claimed less the cuts is counted; all together are the total."""
    _, found = _evaluate(code, example)

    for credit in found.credits:
        assert credit.claimed - sum(cut.points for cut in credit.cuts) == credit.counted
        assert Decimal(0) <= credit.counted <= credit.claimed
    assert sum(c.counted for c in found.credits) == found.earned
    assert found.earned + found.carried_over == found.total


@pytest.mark.parametrize(("code", "entry"), _each("dates"))
def test_applications_are_taken_on_the_days_worked_out_by_hand(code, entry):
    """``opens_on`` and ``closes_on``: the first day, the last in time; ``late``: days after."""
    _check_keys(entry, required=DATES, optional={"closes_on"})
    policy, cycle = _scheme(code).policies[-1], Period(*entry["cycle"])

    opens_on = policy.window_opens_on(starts_on=cycle.starts_on, expires_on=cycle.ends_on)
    assert opens_on == entry["opens_on"]
    closes_on = policy.window_closes_on(cycle.ends_on)
    assert closes_on == entry.get("closes_on", cycle.ends_on)
    for day, like in entry["late"].items():
        assert _step(policy.late_step(cycle.ends_on, date.fromisoformat(day)), like) == like, day


@pytest.mark.parametrize(("code", "entry"), _each("awards"))
def test_an_award_is_valid_as_long_as_worked_out_by_hand(code, entry):
    """``expires_on``, the last valid day, or "never"."""
    _check_keys(entry, required=AWARD)
    cycle = certifications.first_cycle(_scheme(code), entry["awarded_on"])

    assert (cycle.expires_on or "never") == entry["expires_on"]
