"""A policy in plain words: every rule that the engine runs, told from the same data.

The sentences are in ``policy_texts``. A test changes each value of the language and fails where
no sentence changes with it, so that no rule is run untold.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from decimal import Decimal

from tracker.domain.periods import Duration
from tracker.domain.schemes.activity_types import Provenance
from tracker.domain.schemes.policies import (
    ApplicationWindow,
    Duplicates,
    LateStep,
    Policy,
    Reduction,
)
from tracker.domain.schemes.schemes import AwardRule, Scheme
from tracker.language import policy_names
from tracker.language.evaluations import DUPLICATE_PARTS, KINDS
from tracker.language.policy_activities import ActivityTeller
from tracker.language.policy_sources import sources
from tracker.language.policy_texts import TITLES
from tracker.language.policy_unknowns import marked
from tracker.language.voice import (
    Voice,
    clock,
    counted,
    day_of_year,
    figure,
    money,
    percent,
    version_name,
)

# Under this the schemes that never expire are told, which have no policy.
_NO_POLICY = Policy(
    version="",
    effective_from=None,
    points_required=Decimal(0),
    categories={},
    types={},
    window=ApplicationWindow(Duration(0, "days")),
    provenance=Provenance("", verified=True),
)
_OF_SCHEME = ("award", "assessment", "retake", "fees", "appeals", "revocation")


@dataclass(frozen=True, slots=True)
class PolicySection:
    """A headed part of a policy in words."""

    title: str
    sentences: tuple[str, ...]


def in_plain_words(
    scheme: Scheme, policy: Policy | None, language: str
) -> tuple[PolicySection, ...]:
    """The whole of a policy version with what its scheme says, section by section.

    A scheme that never expires has no version: then what the scheme says is the whole.
    """
    teller = _Teller(scheme, Voice(policy or _NO_POLICY, language))
    parts: dict[str, Callable[[], Iterator[str]]] = {
        "award": teller.award,
        "assessment": teller.assessment,
        "retake": teller.retake,
        "version": teller.version,
        "requirement": teller.requirement,
        "categories": teller.categories,
        "tags": teller.tags,
        "types": teller.types,
        "employment": teller.employment,
        "counting": teller.counting,
        "applying": teller.applying,
        "late": teller.late,
        "exceptions": teller.exceptions,
        "evidence": teller.evidence,
        "fees": teller.fees,
        "appeals": teller.appeals,
        "revocation": teller.revocation,
        "sources": teller.sources,
    }
    chosen = {key: tuple(parts[key]()) for key in (parts if policy else _OF_SCHEME)}
    titles = TITLES[language]
    return tuple(PolicySection(titles[key], told) for key, told in chosen.items() if told)


class _Teller(ActivityTeller):
    """Tells the sections of one policy in one language."""

    def _days(self, number: int) -> str:
        return self.voice.length(Duration(number, "days"))

    def _money(self, amount: Decimal) -> str:
        return money(amount, self.scheme.fees.currency if self.scheme.fees else "")

    def _of(self, provenance: Provenance, sentence: str, **values: object) -> str:
        """A sentence about a part of the scheme, marked if that part is not verified."""
        told = self._say(sentence, **values)
        return told if provenance.verified else marked(told, self.voice.language)

    def _modules(self, codes: Sequence[str]) -> str:
        return self.voice.listed([self.voice.quoted(self.scheme.module(c).name) for c in codes])

    def award(self) -> Iterator[str]:
        award = self.scheme.award
        title = self.scheme.full_name(self.voice.language)
        yield self._say("award", title=title, modules=self._modules(self.scheme.required))
        if optional := [m.code for m in self.scheme.modules if not m.required]:
            yield self._say("optional", modules=self._modules(optional))
        if award.prerequisites:
            schemes = self.voice.listed(policy_names.schemes(award.prerequisites))
            yield self._say("prerequisites", schemes=schemes)
        if award.validity is None:
            yield self._say("endless")
            return
        yield self._of(
            award.provenance,
            "validity",
            length=self.voice.length(award.validity),
            through=self._through(award),
        )
        if award.valid_through == "anniversary":
            yield self._say("leap")
        if award.lifetime_if_awarded_before is not None:
            day = self.voice.day(award.lifetime_if_awarded_before)
            yield self._of(award.provenance, "lifetime", day=day)

    def _through(self, award: AwardRule) -> str:
        fixed = award.fixed_day
        if award.valid_through != "fixed_day" or fixed is None:
            return self._say(f"through.{award.valid_through}")
        day = day_of_year(fixed.month, fixed.day, self.voice.language)
        return self._say(f"through.fixed_day.{award.first_cycle}", day=day)

    def retake(self) -> Iterator[str]:
        rule = self.scheme.retake
        if not rule.wait_days and not rule.long_wait_days:
            known = rule.provenance.verified
            yield self._say("retake.free") if known else self._unknown["retake"]
            return
        wait, long_wait = self._days(rule.wait_days), self._days(rule.long_wait_days)
        waits = {"wait": wait, "failures": rule.failures_before_long_wait, "long_wait": long_wait}
        yield self._of(rule.provenance, "retake", **waits)

    def assessment(self) -> Iterator[str]:
        if self.scheme.assessment is None:
            return
        score, source = self.scheme.assessment.score, self.scheme.assessment.provenance
        minimum, maximum = figure(score.minimum), figure(score.maximum)
        yield self._of(source, "score", minimum=minimum, maximum=maximum)
        if score.passing is not None:
            yield self._of(source, "score.passing", passing=figure(score.passing))
        rule = self.scheme.assessment
        if rule.fewest_questions is not None and rule.most_questions is not None:
            fewest, most = rule.fewest_questions, rule.most_questions
            yield self._of(source, "questions", fewest=fewest, most=most)
        if rule.minutes is not None:
            yield self._of(source, "minutes", minutes=rule.minutes)

    def version(self) -> Iterator[str]:
        policy = self.policy
        yield self._say("version", version=version_name(policy.version))
        if policy.effective_from is not None:
            yield self._say("effective", day=self.voice.day(policy.effective_from))
        yield self._told("applies", f"applies.{policy.applies}")
        if policy.corrects:
            yield self._say("corrects", version=version_name(policy.corrects))
        if policy.cohort.awarded_from is not None:
            yield self._say("cohort.from", day=self.voice.day(policy.cohort.awarded_from))
        if policy.cohort.awarded_before is not None:
            yield self._say("cohort.before", day=self.voice.day(policy.cohort.awarded_before))

    def requirement(self) -> Iterator[str]:
        policy = self.policy
        required = self._points(policy.points_required)
        yield self._told("points_required", "required", points=required)
        if policy.minimum_per_year is not None:
            points = self._points(policy.minimum_per_year)
            yield self._told("minimum_per_year", "per_year", year=self._year(), points=points)
        for window in policy.windows:
            told = "window_minimum.group" if window.within else "window_minimum"
            yield self._told(
                "windows",
                told,
                points=self._points(window.minimum),
                last=policy_names.last(self.voice, window.last),
                group=self.voice.group(*window.within) if window.within else "",
            )
        if policy.kinds is not None:
            least, what = Decimal(policy.kinds.minimum), KINDS[policy.kinds.of]
            kinds = counted(least, what, self.voice.language)
            yield self._told("kinds", "kinds", kinds=kinds)
        if policy.stop_at_requirement:
            yield self._told("stop_at_requirement", "stop")
        yield from self._carry_over()

    def _carry_over(self) -> Iterator[str]:
        rule = self.policy.carry_over
        if rule is None:
            yield from self._absent("carry_over")
            return
        yield self._told("carry_over.maximum", "carry", points=self._points(rule.maximum))
        if rule.of == "earned":
            yield self._told("carry_over.of", "carry.earned")
        if rule.categories:
            names = [self.voice.name("category", code) for code in sorted(rule.categories)]
            categories = self.voice.listed(names)
            yield self._told("carry_over.categories", "carry.categories", categories=categories)
        if rule.last is not None:
            last = policy_names.last(self.voice, rule.last)
            yield self._told("carry_over.last", "carry.last", last=last)

    def counting(self) -> Iterator[str]:
        yield self._say("dates")
        yield self._duplicates(self.policy.duplicates)
        yield self._told("rounding", f"rounding.{self.policy.rounding}")
        if self.policy.rounding_of == "category":
            yield self._told("rounding_of", "rounding_of.category")
        yield self._say("allocation")

    def _duplicates(self, rule: Duplicates | None) -> str:
        if rule is None:
            known = not self._is_open("duplicates")
            return self._say("duplicates.none") if known else self._unknown["duplicates"]
        words = DUPLICATE_PARTS[self.voice.language]
        parts = self.voice.listed([words[part] for part in rule.key])
        if rule.within is None:
            return self._told("duplicates", "duplicates.cycle", parts=parts)
        length = self.voice.length(rule.within)
        return self._told("duplicates", "duplicates.within", parts=parts, length=length)

    def applying(self) -> Iterator[str]:
        policy = self.policy
        yield self._window(policy.window)
        zone = clock(self.scheme.time_zone.key, self.voice.language)
        yield self._say(f"day.{self.scheme.days_end}", clock=zone)
        admitted = "pending.admit" if policy.pending_points_admit else "pending.decided"
        yield self._told("pending_points_admit", admitted)
        valid = "pending.valid" if policy.valid_while_pending else "pending.invalid"
        yield self._told("valid_while_pending", valid)
        if policy.checks:
            checks = self.voice.listed([self.voice.quoted(check.name) for check in policy.checks])
            yield self._told("checks", "check", checks=checks)
        yield from self._reexamination()
        yield self._told("next_cycle", f"next.{policy.next_cycle}")

    def _window(self, window: ApplicationWindow) -> str:
        kind = window.counted_from if window.length.length else "whole"
        closes = window.closes_before
        if kind == "whole" and closes is None and self._is_open("window"):
            return self._unknown["window"]
        return self._told(
            "window",
            f"window.{kind}.early" if closes is not None else f"window.{kind}",
            length=self.voice.length(window.length),
            closes=self.voice.length(closes or window.length),
        )

    def _reexamination(self) -> Iterator[str]:
        rule = self.policy.reexamination
        if rule is None:
            return
        modules = self._modules(rule.modules or self.scheme.required)
        yield self._told("reexamination.modules", "reexam", modules=modules)
        if rule.last is not None:
            last = policy_names.last(self.voice, rule.last)
            yield self._told("reexamination.last", "reexam.last", last=last)
        if rule.failure_revokes:
            yield self._told("reexamination.failure_revokes", "reexam.revokes")

    def late(self) -> Iterator[str]:
        if not self.policy.late:
            known = not self._is_open("late")
            yield self._say("late.none") if known else self._unknown["late"]
        for step in self.policy.late:
            rules = "; ".join(self._late_rules(step))
            name, length = self.voice.quoted(step.name), self.voice.length(step.until)
            if self._is_open("late.until"):
                length = marked(length, self.voice.language)
            yield self._say("late.step", name=name, length=length, rules=rules)

    def _late_rules(self, step: LateStep) -> Iterator[str]:
        yield self._told("late.by", f"by.{step.by}")
        if step.extra_points:
            extra = self._points(step.extra_points)
            yield self._told("late.extra_points", "late.extra", points=extra)
        for code, minimum in step.extra_minima.items():
            group, points = self.voice.group(*self.policy.group_of(code)), self._points(minimum)
            yield self._told("late.extra_minima", "late.minimum", points=points, group=group)
        if step.fee is not None:
            yield self._told("late.fee", "late.fee", fee=self._money(step.fee))
        yield self._late_right("late.earns", step.earns)
        yield self._late_right("late.title", step.title)

    def _late_right(self, key: str, given: bool) -> str:  # noqa: FBT001 - what the step says
        if given:
            return self._told(key, key)
        return self._unknown[key] if self._is_open(key) else self._say(f"{key}_not")

    def exceptions(self) -> Iterator[str]:
        yield from self._extension()
        if (reduction := self.policy.reduction) is not None:
            yield self._reduction(reduction)
        yield from self._sharing()
        yield from self._retirement()

    def _reduction(self, rule: Reduction) -> str:
        reasons = self._reasons(rule.reasons)
        if self._is_open("reduction.share"):
            return self._unknown["reduction.share"].format(reasons=reasons)
        return self._told("reduction", "reduction", share=percent(rule.share), reasons=reasons)

    def _sharing(self) -> Iterator[str]:
        rule = self.policy.sharing
        if rule is None:
            yield from self._absent("sharing")
            return
        schemes = self.voice.listed(policy_names.schemes(sorted(rule.schemes)))
        yield self._told("sharing.schemes", "sharing", schemes=schemes)
        if rule.points_required is not None:
            points = self._points(rule.points_required)
            yield self._told("sharing.points_required", "sharing.required", points=points)
        for code, minimum in rule.minima.items():
            group, points = self.voice.group(*self.policy.group_of(code)), self._points(minimum)
            yield self._told("sharing.minima", "sharing.minimum", points=points, group=group)

    def _reasons(self, codes: Sequence[str]) -> str:
        return self.voice.listed([policy_names.reason(code, self.voice) for code in codes])

    def _extension(self) -> Iterator[str]:
        rule = self.policy.extension
        if rule is None:
            yield from self._absent("extension")
            return
        length = self.voice.length(rule.at_most)
        yield self._told("extension.at_most", "extension", length=length)
        moves = "extension.moves" if rule.moves_cycle else "extension.stays"
        yield self._told("extension.moves_cycle", moves)
        if rule.request_by is not None:
            length = self.voice.length(rule.request_by)
            yield self._told("extension.request_by", "extension.request", length=length)
        if rule.share_earned is not None:
            share = percent(rule.share_earned)
            yield self._told("extension.share_earned", "extension.share", share=share)
        for key in ("reasons", "exempt"):
            if codes := getattr(rule, key):
                reasons = self._reasons(codes)
                yield self._told(f"extension.{key}", f"extension.{key}", reasons=reasons)

    def _retirement(self) -> Iterator[str]:
        rule = self.policy.retirement
        if rule is None:
            return
        yield self._say("retirement")
        if rule.request_within is not None:
            length = self.voice.length(rule.request_within)
            yield self._told("retirement.request_within", "retirement.request", length=length)
        if rule.reactivate_within is not None:
            length = self.voice.length(rule.reactivate_within)
            yield self._told("retirement.reactivate_within", "retirement.reactivate", length=length)
        if rule.fee is not None:
            yield self._told("retirement.fee", "retirement.fee", fee=self._money(rule.fee))

    def evidence(self) -> Iterator[str]:
        policy = self.policy
        yield from self.proofs()
        if policy.approved_providers:
            providers = self.voice.listed(sorted(policy.approved_providers))
            yield self._told("approved_providers", "providers", providers=providers)
        yield from self._audit()
        if policy.retention is None:
            yield from self._absent("retention")
        else:
            length = self.voice.length(policy.retention)
            yield self._told("retention", "retention", length=length)

    def _audit(self) -> Iterator[str]:
        rule = self.policy.audit
        if rule is None:
            yield from self._absent("audit")
            return
        days = self._days(rule.reply_days)
        if rule.share:
            yield self._told("audit.share", "audit", share=percent(rule.share), days=days)
        else:
            yield self._say("audit.unknown", days=days)
        if rule.withholds_credit:
            yield self._told("audit.withholds_credit", "audit.withholds")
        yield self._told("audit.no_answer", f"audit.no_answer.{rule.no_answer}")

    def fees(self) -> Iterator[str]:
        fees = self.scheme.fees
        if fees is None:
            return
        if fees.renewal is None:
            yield self._say("fee.none")
        else:
            yield self._of(fees.provenance, "fee", fee=self._money(fees.renewal))
        if fees.member_renewal is not None:
            yield self._of(fees.provenance, "fee.member", fee=self._money(fees.member_renewal))
        for bundle in fees.bundles:
            schemes = self.voice.listed(policy_names.schemes(sorted(bundle.schemes)))
            yield self._of(
                fees.provenance,
                "bundle",
                schemes=schemes,
                fee=self._money(bundle.amount),
                days=self._days(bundle.within_days),
                requires=self.voice.text(bundle.requires),
            )
        if fees.paid_before_approval:
            yield self._of(fees.provenance, "fee.before_approval")
        if fees.refundable or fees.provenance.verified:
            yield self._of(fees.provenance, "fee.refund" if fees.refundable else "fee.no_refund")
        else:
            yield self._unknown["refund"]
        if fees.refund_on_denial:
            yield self._of(fees.provenance, "fee.refund_on_denial")

    def appeals(self) -> Iterator[str]:
        rule = self.scheme.appeals
        if rule is None:
            return
        source = rule.provenance
        due, decided = self._days(rule.due_days), self._days(rule.decided_within_days)
        yield self._of(source, "appeal", due=due, decided=decided)
        yield self._of(source, "appeal.fee", fee=self._money(rule.fee))
        yield self._of(source, f"appeal.{'refund' if rule.refunded_on_success else 'no_refund'}")
        yield self._of(source, f"appeal.{'restores' if rule.restores_gap else 'gap'}")

    def revocation(self) -> Iterator[str]:
        rule = self.scheme.revocation
        if rule is not None:
            yield self._of(rule.provenance, "revocation.bar", length=self.voice.length(rule.bar))

    def sources(self) -> Iterator[str]:
        return sources(self.scheme, self.voice)
