"""Everything that a toy language says, as JSON; run beside a copy of the package that has it."""

from __future__ import annotations

import json
from dataclasses import replace
from datetime import date
from decimal import Decimal

from tracker import scheme_files, settings
from tracker.api.people.preferences import PreferenceChangeSchema
from tracker.domain.credentials.next_steps import NextStep
from tracker.domain.periods import Duration, Period
from tracker.domain.points import evaluations as points
from tracker.domain.points import gap
from tracker.domain.points.claims import Claim
from tracker.domain.schemes.schemes import Scheme
from tracker.language import evaluations, gaps, next_steps, voice
from tracker.language.catalogues import LANGUAGES
from tracker.language.policies import in_plain_words
from tracker.mail import previews
from tracker.models.holders import LANGUAGE_CHECK
from tracker.web.verify_words import WORDS

CYCLE = Period(date(2024, 3, 15), date(2029, 3, 15))
DAY = date(2026, 5, 1)


def _claims() -> tuple[Claim, ...]:
    course = Claim(
        ref="1",
        category="CE",
        type="third_party",
        title="ROBOTS",
        provider="Ivy Tech",
        quantity=Decimal(10),
        starts_on=None,
        completed_on=DAY,
    )
    return course, replace(course, ref="2", type="volunteer", category="X", quantity=Decimal(1))


def said(scheme: Scheme, language: str) -> dict[str, object]:
    """What the product says of a scheme in a language, by what says it."""
    policy = scheme.policies[0]
    found = points.evaluate(policy, _claims(), cycle=CYCLE, on=DAY)
    none_left = replace(policy, types={}, categories=policy.categories)
    hopeless = gap.close(points.evaluate(none_left, (), cycle=CYCLE, on=DAY), none_left)
    missing = gap.close(found, policy)
    speaks = voice.Voice(policy, language)
    step = NextStep("log_activities", date(2027, 3, 15), Decimal(1), questions=2)
    letter = next(iter(previews.of_scheme(scheme, language))).message
    return {
        "voice": [
            str(speaks.points(Decimal(1))),
            str(speaks.points(Decimal(2))),
            str(speaks.units(policy.types["third_party"], Decimal(3))),
            str(speaks.units(policy.types["employment_full_time"], Decimal(3))),
            speaks.day(DAY),
            speaks.length(Duration(1, "years")),
            speaks.listed(["a", "b"]),
            speaks.group("category", "X"),
            voice.clock("America/Lima", language),
        ],
        "evaluations": [
            *evaluations.explain(
                found,
                policy,
                language,
                issuer="MSSC",
                pending=Decimal(0),
                projected=Decimal(0),
            ),
            *(evaluations.explain_credit(each, policy, language) for each in found.credits),
        ],
        "gaps": [
            *(gaps.explain_way(each, missing, policy, language) for each in missing.ways),
            *gaps.explain_obstacles(hopeless, none_left, language),
        ],
        "policies": [
            text
            for section in in_plain_words(scheme, policy, language)
            for text in (section.title, *section.sentences)
        ],
        "next steps": [next_steps.sentence(step, language, issuer="MSSC", zone="America/Lima")],
        "reminder": [letter.subject, *" ".join(letter.text.split()).split(". ")],
        "verification": [WORDS[language].is_valid, WORDS[language].language],
        "title": [scheme.full_name(language)],
    }


def main() -> None:
    """Print it."""
    scheme = scheme_files.load(settings.ROOT / "config" / "schemes")["cpt"]
    print(  # noqa: T201 - what the test reads
        json.dumps(
            {
                "languages": LANGUAGES,
                "chosen": PreferenceChangeSchema().load({"language": LANGUAGES[-1]}),
                "check": LANGUAGE_CHECK,
                "said": {language: said(scheme, language) for language in LANGUAGES},
            }
        )
    )


if __name__ == "__main__":
    main()
