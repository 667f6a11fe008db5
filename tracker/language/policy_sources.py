"""Where the rules of a policy come from, in plain words: the last section of ``policies``."""

from __future__ import annotations

from collections.abc import Iterator

from tracker.domain.schemes.activity_types import ActivityType, Category, Provenance, Tag
from tracker.domain.schemes.schemes import Scheme
from tracker.language import policy_names
from tracker.language.policy_texts import SENTENCES
from tracker.language.voice import Voice


def sources(scheme: Scheme, voice: Voice) -> Iterator[str]:
    """The source of each part, whether somebody checked it, and what is not verified."""
    say = SENTENCES[voice.language]
    for what, provenance in _parts(scheme, voice):
        state = say["verified" if provenance.verified else "unverified"]
        yield say["source"].format(what=what, source=provenance.source.rstrip(), state=state)
    for what in voice.policy.unverified:
        yield say["open"].format(what=policy_names.open_value(what, voice))


def _parts(scheme: Scheme, voice: Voice) -> Iterator[tuple[str, Provenance]]:
    say, policy = SENTENCES[voice.language], voice.policy
    yield say["what.award"], scheme.award.provenance
    if scheme.assessment is not None:
        yield say["what.assessment"], scheme.assessment.provenance
    yield say["what.retake"], scheme.retake.provenance
    yield say["what.policy"], policy.provenance
    groups: tuple[Category | Tag | ActivityType, ...] = (
        *policy.categories.values(),
        *policy.tags.values(),
        *policy.types.values(),
    )
    for group in groups:
        if group.provenance != policy.provenance:
            yield voice.quoted(group.name), group.provenance
    if scheme.fees is not None:
        yield say["what.fees"], scheme.fees.provenance
    if scheme.appeals is not None:
        yield say["what.appeals"], scheme.appeals.provenance
    if scheme.revocation is not None:
        yield say["what.revocation"], scheme.revocation.provenance
