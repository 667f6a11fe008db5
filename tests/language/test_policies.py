"""A policy in plain words: nothing that the engine runs is left untold."""

from __future__ import annotations

import shutil
from collections.abc import Iterator, Mapping
from dataclasses import fields, is_dataclass, replace
from datetime import date, timedelta
from decimal import Decimal
from pathlib import Path
from typing import Any, Literal, get_args, get_origin, get_type_hints

import pytest

from tests.domain.examples import CLA, CPT, POLICY
from tracker import scheme_files, settings
from tracker.domain.errors import UnknownModule
from tracker.domain.periods import Duration
from tracker.domain.schemes import policies
from tracker.domain.schemes import schemes as scheme_values
from tracker.domain.schemes.activity_types import Noun, Provenance
from tracker.domain.schemes.policies import (
    CarryOver,
    LateStep,
    Policy,
    Reexamination,
    WindowMinimum,
)
from tracker.domain.schemes.schemes import Scheme
from tracker.language import policies as plain_words
from tracker.language.catalogues import LANGUAGES
from tracker.language.policies import in_plain_words
from tracker.language.policy_activities import of_type
from tracker.language.policy_texts import SENTENCES, TITLES
from tracker.language.policy_unknowns import marked

EVERYTHING = Path(__file__).parents[1] / "scheme_files" / "everything.toml"
EVERYTHING_IN_WORDS = Path(__file__).with_name("everything_in_words.txt")
SHIPPED = settings.ROOT / "config" / "schemes"
NAME = {"en": "late", "es": "tarde"}

# What names a thing among others, and is told by the thing's name.
NAMES_OF_KEYS = {"code", "unit_code", "of", "equals", "number_prefix", "date_basis_of_award"}
# Told of the scheme elsewhere, or to no one: where reminders go, what editions there were.
NOT_OF_THE_POLICY = {
    "name",
    "issuer",
    "time_zone",
    "editions",
    "reminders",
    "earlier_regimes",
    "policies",
    "date_basis",
}


@pytest.fixture(scope="module")
def everything(tmp_path_factory: pytest.TempPathFactory) -> Scheme:
    directory = tmp_path_factory.mktemp("schemes")
    for path in (
        EVERYTHING,
        SHIPPED / "mssc-cpt.toml",
        SHIPPED / "mssc-clt.toml",
        SHIPPED / "mssc-cla.toml",
    ):
        shutil.copy(path, directory)
    return scheme_files.load(directory)["all"]


def _told(scheme: Scheme, policy: Policy | None, language: str = "en") -> str:
    try:
        return repr(in_plain_words(scheme, policy, language))
    except UnknownModule:  # a module was taken away that the policy names
        return "refused"


def _other(value: Any, hint: Any) -> Iterator[Any]:  # noqa: C901, PLR0912 - a case a kind of value
    """Values of the same kind that are not this one, each changed in one place."""
    if get_origin(hint) is Literal:
        yield from (choice for choice in get_args(hint) if choice != value)
    elif is_dataclass(value) and not isinstance(value, type):
        hints = get_type_hints(type(value))
        for field in fields(value):
            if field.name not in NAMES_OF_KEYS:
                for other in _other(getattr(value, field.name), hints[field.name]):
                    yield replace(value, **{field.name: other})
    elif isinstance(value, bool):
        yield not value
    elif isinstance(value, Decimal | int):
        yield value + 1
    elif isinstance(value, str):
        yield f"{value} changed"
    elif isinstance(value, date):
        yield value + timedelta(1)
    elif isinstance(value, frozenset) and value:
        yield frozenset({*sorted(value)[1:], "another"})
    elif isinstance(value, tuple):
        inner = (get_args(hint) or (None,))[0]
        for index, item in enumerate(value):
            if is_dataclass(item) or len(value) > 1:  # a list that was given is never empty
                yield (*value[:index], *value[index + 1 :])
            if is_dataclass(item):
                for other in _other(item, inner):
                    yield (*value[:index], other, *value[index + 1 :])
    elif isinstance(value, Mapping) and value:
        yield from _other_items(value)


def _other_items(value: Mapping[str, Any]) -> Iterator[Any]:
    if set(value) == {"en", "es"}:
        yield {code: _changed(text) for code, text in value.items()}
        return
    for code, item in value.items():
        for other in _other(item, type(item)):
            yield {**value, code: other}


def _changed(words: str | Noun) -> str | Noun:
    if isinstance(words, Noun):
        return Noun(f"{words.one} changed", f"{words.many} changed", feminine=words.feminine)
    return f"{words} changed"


def _variants(value: Any, names: set[str]) -> Iterator[tuple[str, Any]]:
    hints = get_type_hints(type(value), {**vars(policies), **vars(scheme_values)})
    for field in fields(value):
        if field.name in names:
            continue
        for other in _other(getattr(value, field.name), hints[field.name]):
            yield field.name, replace(value, **{field.name: other})


@pytest.mark.parametrize("language", LANGUAGES)
def test_no_rule_of_a_policy_is_left_untold(everything, language):
    """Whatever value of the language changes, some sentence changes with it."""
    untold = [
        {
            name
            for name, changed in _variants(policy, {"units", "roles"})
            if _told(everything, changed, language) == _told(everything, policy, language)
        }
        for policy in everything.policies
    ]

    assert set.intersection(*untold) == set()


@pytest.mark.parametrize("language", LANGUAGES)
def test_no_rule_of_a_scheme_is_left_untold(everything, language):
    policy = everything.policies[-1]
    before = _told(everything, policy, language)
    same = [
        name
        for name, changed in _variants(everything, NAMES_OF_KEYS | NOT_OF_THE_POLICY)
        if _told(changed, policy, language) == before
    ]

    assert same == []


def test_the_file_used_here_uses_every_key(everything):
    """Else a rule could be untold because nothing of it is there."""
    empty = {
        field.name
        for field in fields(Policy)
        if all(
            getattr(p, field.name) in (None, (), "", frozenset(), {}) for p in everything.policies
        )
    }

    assert empty <= {"unverified"}


@pytest.mark.parametrize("language", LANGUAGES)
@pytest.mark.parametrize("directory", [SHIPPED, SHIPPED / "examples"])
def test_every_shipped_policy_is_told_whole(directory, language):
    for scheme in scheme_files.load(directory):
        for policy in scheme.policies or (None,):
            for section in in_plain_words(scheme, policy, language):
                assert section.title in TITLES[language].values()
                for sentence in section.sentences:
                    assert sentence[0].isupper() or not sentence[0].isalpha()
                    assert "{" not in sentence
                    assert sentence.endswith((".", ")"))


def test_a_policy_that_says_everything_reads_as_somebody_read_it(everything):
    sections = in_plain_words(everything, everything.policy("2020"), "en")
    told = "\n\n".join("\n".join((each.title, *each.sentences)) for each in sections)

    assert f"{told}\n" == EVERYTHING_IN_WORDS.read_text(encoding="utf-8")


def test_both_languages_have_the_same_sentences():
    assert SENTENCES["en"].keys() == SENTENCES["es"].keys()
    assert TITLES["en"].keys() == TITLES["es"].keys()


def _sentences(policy: Policy, language: str = "en", scheme: Scheme = CPT) -> list[str]:
    told = in_plain_words(scheme, policy, language)
    return [sentence for section in told for sentence in section.sentences]


def test_a_scheme_that_never_expires_is_told_without_a_policy():
    told = in_plain_words(CLA, None, "en")

    assert [section.title for section in told] == [
        "The certification",
        "Scores",
        "Taking an assessment again",
    ]
    assert told[0].sentences[-1] == "It never expires."


def test_the_shipped_policy_reads_as_its_file_does():
    told = _sentences(POLICY)

    assert "Each cycle needs 100 points." in told
    assert "Applications open 90 days before the expiration date and close on that day." in told
    assert (
        "“For-credit college course” (“Continuing education”): 5 points for each semester credit"
        " hour (not verified)."
    ) in told
    assert "“Employment”: at most 60 points in a cycle (not verified)." in told
    assert "A renewal costs $75.00." in told


@pytest.mark.parametrize(
    ("language", "one", "many"),
    [
        ("en", "in the last year of the cycle.", "in the last 6 months of the cycle."),
        ("es", "en el último año del ciclo.", "en los últimos 6 meses del ciclo."),
    ],
)
def test_a_last_stretch_agrees_in_number(language, one, many):
    for last, ending in ((Duration(1, "years"), one), (Duration(6, "months"), many)):
        rules = replace(POLICY, windows=(WindowMinimum(last, Decimal(20)),))
        assert any(told.endswith(ending) for told in _sentences(rules, language))


def test_how_employment_is_counted_is_told_only_where_it_is():
    dated = {code: kind for code, kind in POLICY.types.items() if kind.basis != "months"}

    def titles(rules: Policy) -> set[str]:
        return {section.title for section in in_plain_words(CPT, rules, "en")}

    assert titles(POLICY) - titles(replace(POLICY, types=dated)) == {"How employment is counted"}


def test_what_is_missing_is_told_as_missing():
    rules = replace(
        POLICY,
        duplicates=None,
        carry_over=CarryOver(Decimal(5)),
        reexamination=Reexamination(modules=()),
        late=(LateStep(Duration(1, "months"), NAME),),
        unverified=(),
    )
    told = _sentences(rules, scheme=replace(CPT, fees=None, appeals=None))
    assert "Evidence is kept" not in repr(told)

    assert "The same activity may be claimed more than once." in told
    assert not any("Only activities of" in sentence for sentence in told)
    assert any(
        s.startswith("Instead, a holder may pass these again: “Safety”, “Quality") for s in told
    )
    assert (
        "“late”, to 1 month after the expiration date: renewal is still possible; activities "
        "during this time do not count; the title may not be used."
    ) in told
    free = replace(CPT, fees=replace(CPT.fees, renewal=None)) if CPT.fees else CPT
    assert "No renewal fee is stated." in _sentences(POLICY, scheme=free)


def test_a_generous_step_is_told_with_all_that_it_gives_and_takes():
    step = LateStep(
        Duration(1, "months"),
        NAME,
        earns=True,
        title=True,
        extra_points=Decimal(5),
        fee=Decimal("20.00"),
    )
    rules = replace(POLICY, late=(step,), unverified=())
    told = (
        "“late”, to 1 month after the expiration date: renewal is still possible; 5 points more are"
        " needed;"
        " with a late fee of {}; activities during this time still count; the title may be used."
    )

    assert told.format("$20.00") in _sentences(rules)
    assert told.format("20.00") in _sentences(rules, scheme=replace(CPT, fees=None))


def test_waits_and_windows_of_nothing_have_words_of_their_own():
    published = Provenance("Handbook, page 2.", verified=True)
    retake = replace(CPT.retake, wait_days=0, long_wait_days=0, provenance=published)
    window = replace(POLICY.window, length=Duration(0, "days"), counted_from="start")
    told = _sentences(replace(POLICY, window=window), scheme=replace(CPT, retake=retake))

    assert "A failed assessment may be taken again at once." in told
    assert (
        "Applications are accepted throughout the cycle, the day of the expiration date included."
        in told
    )


def test_the_teller_tells_each_section_once():
    titles = [section.title for section in plain_words.in_plain_words(CPT, POLICY, "en")]

    assert len(titles) == len(set(titles))


@pytest.mark.parametrize("language", LANGUAGES)
def test_what_is_said_of_one_type_is_said_of_the_whole_policy_too(language):
    version = CPT.policies[-1]
    whole = {
        line for section in in_plain_words(CPT, version, language) for line in section.sentences
    }
    for kind in version.types.values():
        told = list(of_type(CPT, version, kind, language))
        assert told
        about_points = [line for line in told if line in whole]
        assert len(about_points) >= len(told) - 2, (kind.code, told)  # proofs are grouped there
    job = version.types["employment_full_time"]
    months = marked(SENTENCES[language]["months.completed"], language)
    assert months in list(of_type(CPT, version, job, language))


def test_the_limits_of_the_marks_that_a_type_bears_are_said_of_it(everything):
    tagged = [
        (version, kind)
        for version in everything.policies
        for kind in version.types.values()
        if kind.tags
    ]
    assert tagged
    for version, kind in tagged:
        told = " ".join(of_type(everything, version, kind, "en"))
        assert all(version.tags[code].name["en"] in told for code in kind.tags)


@pytest.mark.parametrize(
    ("language", "counted_from", "length", "told"),
    [
        (
            "en",
            "expiry",
            90,
            (
                "Applications open 90 days before the expiration date and close 30"
                " days before"
                " it, that day included."
            ),
        ),
        (
            "en",
            "expiry",
            0,
            (
                "Applications are accepted throughout the cycle, up to the day 30 days"
                " before the expiration date, that day included."
            ),
        ),
        (
            "es",
            "expiry",
            90,
            (
                "Las solicitudes abren 90 días antes del vencimiento y cierran 30"
                " días antes de él, incluido ese día."
            ),
        ),
        (
            "es",
            "start",
            90,
            (
                "Las solicitudes abren 90 días después del inicio del ciclo y cierran"
                " 30 días antes del vencimiento, incluido ese día."
            ),
        ),
    ],
)
def test_a_window_that_closes_before_the_expiry_says_so(language, counted_from, length, told):
    window = replace(
        POLICY.window,
        length=Duration(length, "days"),
        counted_from=counted_from,
        closes_before=Duration(30, "days"),
    )

    assert told in _sentences(replace(POLICY, window=window), language)
