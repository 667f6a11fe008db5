"""A policy in plain words: every rule that the engine runs, told from the same data.

The sentences are in ``plain_texts``. A test changes each value of the language and fails where
no sentence changes with it, so that no rule is run untold.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from decimal import Decimal

from tracker.domain import plain_names
from tracker.domain.activity_types import Provenance
from tracker.domain.explanations import DUPLICATE_PARTS, KINDS
from tracker.domain.periods import Duration
from tracker.domain.plain_activities import ActivityTeller
from tracker.domain.plain_sources import sources
from tracker.domain.plain_texts import TITLES
from tracker.domain.policies import ApplicationWindow, Duplicates, LateStep, Policy
from tracker.domain.schemes import AwardRule, Scheme
from tracker.domain.wording import Quantity, Voice, clock, day_of_year, figure, money, percent

# Under this the schemes that never expire are told, which have no policy.
_NO_POLICY = Policy(
    version="", effective_from=None, points_required=Decimal(0), categories={}, types={},
    window=ApplicationWindow(Duration(0, "days")), provenance=Provenance("", verified=True),
)  # fmt: skip
_OF_SCHEME = ("award", "assessment", "retake", "fees", "appeals", "revocation")


@dataclass(frozen=True, slots=True)
class Section:
    """A headed part of a policy in words."""

    title: str
    sentences: tuple[str, ...]


def in_plain_words(scheme: Scheme, policy: Policy | None, language: str) -> tuple[Section, ...]:
    """The whole of a policy version with what its scheme says, section by section.

    A scheme that never expires has no version: then what the scheme says is the whole.
    """
    teller = _Teller(scheme, Voice(policy or _NO_POLICY, language))
    parts: dict[str, Callable[[], Iterator[str]]] = {
        "award": teller.award, "assessment": teller.assessment, "retake": teller.retake,
        "version": teller.version,
        "requirement": teller.requirement, "categories": teller.categories, "tags": teller.tags,
        "types": teller.types, "employment": teller.employment, "counting": teller.counting,
        "applying": teller.applying, "late": teller.late, "exceptions": teller.exceptions,
        "evidence": teller.evidence, "fees": teller.fees, "appeals": teller.appeals,
        "revocation": teller.revocation, "sources": teller.sources,
    }  # fmt: skip
    chosen = {key: tuple(parts[key]()) for key in (parts if policy else _OF_SCHEME)}
    titles = TITLES[language]
    return tuple(Section(titles[key], told) for key, told in chosen.items() if told)


class _Teller(ActivityTeller):
    """Tells the sections of one policy in one language."""

    def _days(self, number: int) -> str:
        return self.voice.length(Duration(number, "days"))

    def _money(self, amount: Decimal) -> str:
        return money(amount, self.scheme.fees.currency if self.scheme.fees else "")

    def _modules(self, codes: Sequence[str]) -> str:
        return self.voice.listed([self.voice.quoted(self.scheme.module(c).name) for c in codes])

    def award(self) -> Iterator[str]:
        award = self.scheme.award
        title = self.voice.text(self.scheme.title)
        yield self._say("award", title=title, modules=self._modules(self.scheme.required))
        if optional := [m.code for m in self.scheme.modules if not m.required]:
            yield self._say("optional", modules=self._modules(optional))
        if award.prerequisites:
            schemes = self.voice.listed([code.upper() for code in award.prerequisites])
            yield self._say("prerequisites", schemes=schemes)
        if award.validity is None:
            yield self._say("endless")
            return
        yield self._say(
            "validity", length=self.voice.length(award.validity),
            through=self._through(award),
        )  # fmt: skip
        if award.valid_through == "anniversary":
            yield self._say("leap")
        if award.lifetime_if_awarded_before is not None:
            yield self._say("lifetime", day=self.voice.day(award.lifetime_if_awarded_before))

    def _through(self, award: AwardRule) -> str:
        fixed = award.fixed_day
        if award.valid_through != "fixed_day" or fixed is None:
            return self._say(f"through.{award.valid_through}")
        day = day_of_year(fixed.month, fixed.day, self.voice.language)
        return self._say(f"through.fixed_day.{award.first_cycle}", day=day)

    def retake(self) -> Iterator[str]:
        rule = self.scheme.retake
        if not rule.wait_days and not rule.long_wait_days:
            yield self._say("retake.free")
            return
        yield self._say(
            "retake", wait=self._days(rule.wait_days), failures=rule.failures_before_long_wait,
            long_wait=self._days(rule.long_wait_days),
        )  # fmt: skip

    def assessment(self) -> Iterator[str]:
        if self.scheme.assessment is None:
            return
        score = self.scheme.assessment.score
        yield self._say("score", minimum=figure(score.minimum), maximum=figure(score.maximum))
        if score.passing is not None:
            yield self._say("score.passing", passing=figure(score.passing))

    def version(self) -> Iterator[str]:
        policy = self.policy
        yield self._say("version", version=policy.version)
        if policy.effective_from is not None:
            yield self._say("effective", day=self.voice.day(policy.effective_from))
        yield self._say(f"applies.{policy.applies}")
        if policy.corrects:
            yield self._say("corrects", version=policy.corrects)
        if policy.cohort.awarded_from is not None:
            yield self._say("cohort.from", day=self.voice.day(policy.cohort.awarded_from))
        if policy.cohort.awarded_before is not None:
            yield self._say("cohort.before", day=self.voice.day(policy.cohort.awarded_before))

    def requirement(self) -> Iterator[str]:
        policy = self.policy
        yield self._say("required", points=self._points(policy.points_required))
        if policy.minimum_per_year is not None:
            points = self._points(policy.minimum_per_year)
            yield self._say("per_year", year=self._year(), points=points)
        for window in policy.windows:
            yield self._say(
                "window_minimum.group" if window.within else "window_minimum",
                points=self._points(window.minimum),
                last=plain_names.last(self.voice, window.last),
                group=self.voice.group(*window.within) if window.within else "",
            )
        if policy.kinds is not None:
            words = KINDS[self.voice.language][policy.kinds.of]
            kinds = Quantity(Decimal(policy.kinds.minimum), *words)
            yield self._say("kinds", kinds=kinds)
        if policy.stop_at_requirement:
            yield self._say("stop")
        yield from self._carry_over()

    def _carry_over(self) -> Iterator[str]:
        rule = self.policy.carry_over
        if rule is None:
            return
        yield self._say("carry", points=self._points(rule.maximum))
        if rule.of == "earned":
            yield self._say("carry.earned")
        if rule.categories:
            names = [self.voice.name("category", code) for code in sorted(rule.categories)]
            yield self._say("carry.categories", categories=self.voice.listed(names))
        if rule.last is not None:
            yield self._say("carry.last", last=plain_names.last(self.voice, rule.last))

    def counting(self) -> Iterator[str]:
        yield self._say("dates")
        yield self._duplicates(self.policy.duplicates)
        yield self._say(f"rounding.{self.policy.rounding}")
        if self.policy.rounding_of == "category":
            yield self._say("rounding_of.category")
        yield self._say("allocation")

    def _duplicates(self, rule: Duplicates | None) -> str:
        if rule is None:
            return self._say("duplicates.none")
        words = DUPLICATE_PARTS[self.voice.language]
        parts = self.voice.listed([words[part] for part in rule.key])
        if rule.within is None:
            return self._say("duplicates.cycle", parts=parts)
        return self._say("duplicates.within", parts=parts, length=self.voice.length(rule.within))

    def applying(self) -> Iterator[str]:
        policy = self.policy
        window = policy.window
        kind = window.counted_from if window.length.length else "whole"
        early, closes = window.closes_before is not None, window.closes_before or window.length
        yield self._say(
            f"window.{kind}.early" if early else f"window.{kind}",
            length=self.voice.length(window.length), closes=self.voice.length(closes),
        )  # fmt: skip
        zone = clock(self.scheme.time_zone.key, self.voice.language)
        yield self._say(f"day.{self.scheme.days_end}", clock=zone)
        yield self._say("pending.admit" if policy.pending_points_admit else "pending.decided")
        yield self._say("pending.valid" if policy.valid_while_pending else "pending.invalid")
        if policy.checks:
            checks = self.voice.listed([self.voice.quoted(check.name) for check in policy.checks])
            yield self._say("check", checks=checks)
        if (rule := policy.reexamination) is not None:
            yield self._say("reexam", modules=self._modules(rule.modules or self.scheme.required))
            if rule.last is not None:
                yield self._say("reexam.last", last=plain_names.last(self.voice, rule.last))
            if rule.failure_revokes:
                yield self._say("reexam.revokes")
        yield self._say(f"next.{policy.next_cycle}")

    def late(self) -> Iterator[str]:
        if not self.policy.late:
            yield self._say("late.none")
        for step in self.policy.late:
            rules = "; ".join(self._late_rules(step))
            name, length = self.voice.quoted(step.name), self.voice.length(step.until)
            yield self._say("late.step", name=name, length=length, rules=rules)

    def _late_rules(self, step: LateStep) -> Iterator[str]:
        yield self._say(f"by.{step.by}")
        if step.extra_points:
            yield self._say("late.extra", points=self._points(step.extra_points))
        for code, points in step.extra_minima.items():
            group = self.voice.group(*self.policy.group_of(code))
            yield self._say("late.minimum", points=self._points(points), group=group)
        if step.fee is not None:
            yield self._say("late.fee", fee=self._money(step.fee))
        yield self._say("late.earns" if step.earns else "late.earns_not")
        yield self._say("late.title" if step.title else "late.title_not")

    def exceptions(self) -> Iterator[str]:
        yield from self._extension()
        if (reduction := self.policy.reduction) is not None:
            reasons = self._reasons(reduction.reasons)
            yield self._say("reduction", share=percent(reduction.share), reasons=reasons)
        if (sharing := self.policy.sharing) is not None:
            schemes = self.voice.listed([code.upper() for code in sorted(sharing.schemes)])
            yield self._say("sharing", schemes=schemes)
            if sharing.points_required is not None:
                points = self._points(sharing.points_required)
                yield self._say("sharing.required", points=points)
            for code, minimum in sharing.minima.items():
                group = self.voice.group(*self.policy.group_of(code))
                yield self._say("sharing.minimum", points=self._points(minimum), group=group)
        yield from self._retirement()

    def _reasons(self, codes: Sequence[str]) -> str:
        return self.voice.listed([plain_names.reason(code, self.voice) for code in codes])

    def _extension(self) -> Iterator[str]:
        rule = self.policy.extension
        if rule is None:
            return
        yield self._say("extension", length=self.voice.length(rule.at_most))
        yield self._say("extension.moves" if rule.moves_cycle else "extension.stays")
        if rule.request_by is not None:
            yield self._say("extension.request", length=self.voice.length(rule.request_by))
        if rule.share_earned is not None:
            yield self._say("extension.share", share=percent(rule.share_earned))
        if rule.reasons:
            yield self._say("extension.reasons", reasons=self._reasons(rule.reasons))
        if rule.exempt:
            yield self._say("extension.exempt", reasons=self._reasons(rule.exempt))

    def _retirement(self) -> Iterator[str]:
        rule = self.policy.retirement
        if rule is None:
            return
        yield self._say("retirement")
        if rule.request_within is not None:
            yield self._say("retirement.request", length=self.voice.length(rule.request_within))
        if rule.reactivate_within is not None:
            length = self.voice.length(rule.reactivate_within)
            yield self._say("retirement.reactivate", length=length)
        if rule.fee is not None:
            yield self._say("retirement.fee", fee=self._money(rule.fee))

    def evidence(self) -> Iterator[str]:
        policy = self.policy
        yield from self.proofs()
        if policy.approved_providers:
            providers = self.voice.listed(sorted(policy.approved_providers))
            yield self._say("providers", providers=providers)
        if policy.audit is not None:
            days = self._days(policy.audit.reply_days)
            share = policy.audit.share
            key = "audit" if share else "audit.unknown"
            yield self._say(key, share=percent(share), days=days)
            if policy.audit.withholds_credit:
                yield self._say("audit.withholds")
        if policy.retention is not None:
            yield self._say("retention", length=self.voice.length(policy.retention))

    def fees(self) -> Iterator[str]:
        fees = self.scheme.fees
        if fees is None:
            return
        yield (
            self._say("fee.none")
            if fees.renewal is None
            else self._say("fee", fee=self._money(fees.renewal))
        )
        if fees.member_renewal is not None:
            yield self._say("fee.member", fee=self._money(fees.member_renewal))
        for bundle in fees.bundles:
            schemes = self.voice.listed([code.upper() for code in sorted(bundle.schemes)])
            yield self._say(
                "bundle", schemes=schemes, fee=self._money(bundle.amount),
                days=self._days(bundle.within_days), requires=bundle.requires,
            )  # fmt: skip
        yield self._say("fee.refund" if fees.refundable else "fee.no_refund")

    def appeals(self) -> Iterator[str]:
        rule = self.scheme.appeals
        if rule is None:
            return
        due, decided = self._days(rule.due_days), self._days(rule.decided_within_days)
        yield self._say("appeal", due=due, decided=decided)
        yield self._say("appeal.fee", fee=self._money(rule.fee))
        yield self._say("appeal.refund" if rule.refunded_on_success else "appeal.no_refund")
        yield self._say("appeal.restores" if rule.restores_gap else "appeal.gap")

    def revocation(self) -> Iterator[str]:
        rule = self.scheme.revocation
        if rule is not None:
            yield self._say("revocation.bar", length=self.voice.length(rule.bar))

    def sources(self) -> Iterator[str]:
        return sources(self.scheme, self.voice)
