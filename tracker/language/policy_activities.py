"""What activities bring and what is asked for with them, in the plain words of a policy.

The rest of a policy is told in ``policies``, which uses this.
"""

from __future__ import annotations

from collections.abc import Collection, Iterator
from decimal import Decimal

from tracker.domain.schemes.activity_types import (
    ONE,
    ActivityType,
    Category,
    Limits,
    Tag,
    as_noun,
    translated,
)
from tracker.domain.schemes.policies import Policy
from tracker.domain.schemes.schemes import Scheme
from tracker.language import policy_names
from tracker.language.policy_texts import SENTENCES
from tracker.language.policy_unknowns import UNKNOWN, marked, named, open_keys
from tracker.language.voice import Voice, evidence_kinds, figure, percent


def of_type(scheme: Scheme, policy: Policy, kind: ActivityType, language: str) -> Iterator[str]:
    """The rules that a claim of one type is judged by, sentence by sentence."""
    yield from ActivityTeller(scheme, Voice(policy, language)).rules(kind)


def earned_by(scheme: Scheme, policy: Policy, kind: ActivityType, language: str) -> str:
    """What a claim of one type earns, for a list in which its name stands beside it."""
    told = next(of_type(scheme, policy, kind, language)).partition(": ")[2]
    return told[:1].upper() + told[1:]


class ActivityTeller:
    """Tells categories, tags, types and proof of one policy in one language."""

    def __init__(self, scheme: Scheme, voice: Voice) -> None:
        self.scheme, self.policy, self.voice = scheme, voice.policy, voice
        self._sentences = SENTENCES[voice.language]
        self._unknown = UNKNOWN[voice.language]
        self._open = open_keys(self.policy)

    def _say(self, key: str, **values: object) -> str:
        return self._sentences[key].format(**values)

    def _is_open(self, key: str) -> bool:
        """Whether the version says of the key, or of a part of it, that it is not verified."""
        return named(self._open, key)

    def _told(self, key: str, sentence: str, **values: object) -> str:
        """A sentence about a value of ``key``, marked if that is not verified."""
        told = self._say(sentence, **values)
        return marked(told, self.voice.language) if self._is_open(key) else told

    def _absent(self, key: str) -> Iterator[str]:
        """Of a rule that is not there: that it is not known, if the version says so."""
        if self._is_open(key):
            yield self._unknown[key]

    def _points(self, number: Decimal) -> object:
        return self.voice.points(number)

    def rules(self, kind: ActivityType) -> Iterator[str]:
        """What one type brings, the limits of its category and tags, and its proof."""
        yield self._type(kind)
        yield self._group(self.policy.categories[kind.category])
        for code in sorted(kind.tags):
            yield self._group(self.policy.tags[code])
        if kind.is_job:
            yield from self.employment()
        yield from self._proofs([kind])

    def _year(self) -> str:
        return self._say(f"year.{self.policy.year}")

    def categories(self) -> Iterator[str]:
        """The categories with their limits."""
        for category in self.policy.categories.values():
            yield self._group(category)

    def tags(self) -> Iterator[str]:
        """The tags with their limits."""
        for tag in self.policy.tags.values():
            yield self._group(tag)

    def _group(self, group: Category | Tag) -> str:
        of = "categories" if isinstance(group, Category) else "tags"
        name, limits = self.voice.quoted(group.name), list(self._limits(group.limits))
        if not limits and self._is_open(f"{of}.{group.code}"):
            return self._unknown["group"].format(name=name)
        told = "; ".join(limits) or self._say("free")
        return self._told(f"{of}.{group.code}", "group", name=name, limits=told)

    def _limits(self, limits: Limits) -> Iterator[str]:
        if limits.minimum is not None:
            yield self._say("minimum", points=self._points(limits.minimum))
        if limits.minimum_per_year is not None:
            points = self._points(limits.minimum_per_year)
            yield self._say("minimum.year", points=points, year=self._year())
        if limits.maximum is not None:
            yield self._say("maximum", points=self._points(limits.maximum))
        if limits.per_year is not None:
            points = self._points(limits.per_year)
            yield self._say("limit.year", points=points, year=self._year())
        if limits.per_event is not None:
            yield self._say("limit.event", points=self._points(limits.per_event))

    def types(self) -> Iterator[str]:
        """What each type brings, and under which conditions."""
        for kind in self.policy.types.values():
            yield self._type(kind)

    def _type(self, kind: ActivityType) -> str:
        itself = kind.rate == ONE and self.voice.unit(kind).many == self.voice.credit
        first = self._say(
            "type.itself" if itself else f"type.{kind.basis}",
            name=self.voice.quoted(kind.name),
            category=self.voice.name("category", kind.category),
            points=self._points(kind.rate),
            unit=self._unit(kind),
            credit=self.voice.credit,
        )
        rules = *self._conditions(kind), *self._replaced(kind), *self._limits(kind.limits)
        told = "; ".join([first, *rules]) + "."
        return marked(told, self.voice.language) if self._is_open(f"types.{kind.code}") else told

    def _unit(self, kind: ActivityType) -> str:
        return self.voice.unit(kind).one if kind.unit else ""

    def _conditions(self, kind: ActivityType) -> Iterator[str]:
        if kind.threshold is not None:
            threshold = self.voice.threshold(kind, kind.threshold)
            key = "type.threshold" if kind.threshold_over == "claim" else "type.threshold_year"
            yield self._say(key, threshold=threshold, year=self._year())
        elif kind.threshold_over == "year":
            yield self._say("type.once_a_year", year=self._year())
        if kind.increment is not None:
            yield self._say("type.increment", points=self._points(kind.increment))
        for code, ratio in kind.units.items():
            if code != kind.unit_code and code in self.policy.units:
                other = as_noun(translated(self.policy.units[code].name, self.voice.language))
                quantity = self.voice.units(kind, ratio)
                yield self._say("type.units", unit=other.one, quantity=quantity)
        for code, factor in kind.roles.items():
            role = self.voice.quoted(self.policy.roles[code])
            yield self._say("type.roles", role=role, factor=figure(factor))
        if kind.unapproved is not None:
            yield self._say("type.unapproved", share=percent(kind.unapproved))
        if kind.outside_duties:
            yield self._say("type.duties")
        if kind.tags:
            tags = self.voice.listed([self.voice.name("tag", code) for code in sorted(kind.tags)])
            yield self._say("type.tags", tags=tags)
        yield from self._dates(kind)

    def _dates(self, kind: ActivityType) -> Iterator[str]:
        if kind.date_basis != "completion":
            yield self._say(f"type.{kind.date_basis}")
        if days := self.voice.span(kind.counts_from, kind.counts_until):
            yield self._say("type.days", days=days)

    def _replaced(self, kind: ActivityType) -> Iterator[str]:
        if kind.replaces:
            names = policy_names.former(kind, self.scheme, self.voice)
            yield self._say("type.replaces", names=self.voice.listed(names))

    def employment(self) -> Iterator[str]:
        """How months of jobs are counted, where some type counts them."""
        if not any(kind.is_job for kind in self.policy.types.values()):
            return
        yield self._told("month_rule", f"months.{self.policy.month_rule}")
        most = self._points(self.policy.overlap_maximum or Decimal(0))
        yield self._told("overlap", f"overlap.{self.policy.overlap}", points=most)

    def proofs(self) -> Iterator[str]:
        """What is asked for with a claim, the types together that ask for the same."""
        yield from self._proofs(self.policy.types.values())

    def _proofs(self, kinds: Collection[ActivityType]) -> Iterator[str]:
        asking: dict[tuple[str, str], list[str]] = {}
        for kind in kinds:
            if kind.evidence != "none":
                wanted = (f"proof.{kind.evidence}", self.voice.text(evidence_kinds(kind)))
                asking.setdefault(wanted, []).append(self.voice.quoted(kind.name))
        for (key, proof), names in asking.items():
            yield self._say(key, types=self.voice.listed(names), proof=proof)
        for kind in kinds:
            if kind.warn_above is not None:
                quantity = self.voice.units(kind, kind.warn_above)
                yield self._say("warn", type=self.voice.quoted(kind.name), quantity=quantity)
