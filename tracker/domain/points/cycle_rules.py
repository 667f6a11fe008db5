"""The terms on which a cycle is judged on a day: what a certification's facts change.

An extension, a late step, a reduced requirement, points carried over, a re-examination, another
certification held: each changes the terms of one cycle. Several versions of the policy may govern
it; the best one for the holder does. ``needs`` says which facts a scheme's policies require at all,
so that nothing more is read or computed for a scheme that has none of this.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace
from datetime import date
from decimal import Decimal
from functools import lru_cache

from tracker.domain.credentials import assessments, certifications
from tracker.domain.credentials.assessments import Attempt
from tracker.domain.credentials.certifications import (
    Application,
    CycleAdjustment,
    CycleTerm,
    StandingSpan,
)
from tracker.domain.periods import DAY, Period
from tracker.domain.points.claims import ZERO, Claim, Evaluation, GroupCode, Terms
from tracker.domain.points.evaluations import NO_TERMS, PricedCycle
from tracker.domain.schemes.policies import LateStep, Policy, Reexamination
from tracker.domain.schemes.schemes import Scheme
from tracker.domain.value_classes import value_class

ClaimsByScheme = Mapping[str, Sequence[Claim]]  # by scheme
NOTHING: ClaimsByScheme = {}


@dataclass(frozen=True, slots=True)
class Needs:
    """What the policies of a scheme require in addition to cycles and claims.

    ``record``: applications. ``past``: how earlier cycles ended. ``attempts``: attempts at modules.
    ``schemes``: other schemes whose activities or certifications count.
    """

    record: bool
    past: bool
    attempts: bool
    schemes: frozenset[str]

    @property
    def nothing(self) -> bool:
        """Whether cycles and claims are enough, as they are for most schemes."""
        return not (self.record or self.attempts or self.schemes)


@lru_cache(maxsize=64)
def needs(scheme: Scheme) -> Needs:
    """The facts needed to judge a certification under any version of a scheme's policy."""
    policies = scheme.policies
    past = any(
        p.carry_over
        or p.extension
        or any(step.earns for step in p.late)
        or (p.duplicates is not None and p.duplicates.within is not None)
        for p in policies
    )
    return Needs(
        record=past
        or any(p.late for p in policies)
        or any(p.applies != "cycle_start" for p in policies[1:]),
        past=past,
        attempts=any(reexamination(p) for p in policies),
        schemes=frozenset[str]().union(*(p.sharing.schemes for p in policies if p.sharing))
        - {scheme.code},
    )


def reexamination(policy: Policy) -> Reexamination | None:
    """The rule for re-examination: the policy's own, or the one implied by a late step."""
    if policy.reexamination is None and any(s.by == "reexamination" for s in policy.late):
        return Reexamination(modules=())
    return policy.reexamination


@value_class()
class Case:
    """The facts of one certification that decide its terms; ``others`` are spans by scheme."""

    scheme: Scheme
    cycles: Sequence[CycleTerm]
    applications: Sequence[Application] = ()
    adjustments: Sequence[CycleAdjustment] = ()
    attempts: Sequence[Attempt] = ()
    others: Mapping[str, Sequence[StandingSpan]] = field(default_factory=dict)

    @property
    def is_plain(self) -> bool:
        """Whether nothing but cycles and claims counts, so that claims change no terms."""
        return needs(self.scheme).nothing and not self.adjustments


@dataclass(frozen=True, slots=True)
class ReexaminationTerms:
    """A re-examination: attempts ``since`` a day count, and whether failing revokes."""

    since: date
    failure_revokes: bool


@value_class()
class JudgedCycle:
    """A cycle judged under the version that is best for the holder, with its terms.

    ``claims`` are all claims that were counted, those of shared schemes included; ``priced`` can
    count them with more, and ``is_plain`` says that it is then judged the same. ``failed_on``:
    the day on which a re-examination was failed, if failing revokes the certification; whether it
    is revoked is decided by people.
    """

    policy: Policy
    cycle: Period
    terms: Terms
    claims: Sequence[Claim]
    evaluation: Evaluation
    priced: PricedCycle = field(compare=False, repr=False)
    failed_on: date | None = None
    is_plain: bool = False

    @property
    def earns_until(self) -> date:
        """The last day whose activities count."""
        return self.terms.earns_until or self.cycle.ends_on


def judge(
    case: Case, own: Sequence[Claim], shared: ClaimsByScheme = NOTHING, *, on: date
) -> JudgedCycle | None:
    """Judge the cycle on a day by what was decided by then; None if it has no policy.

    ``own`` and ``shared`` are the claims approved by that day.
    """
    if case.is_plain:
        return _judge_plainly(case, own, on)
    known = tuple(c for c in case.cycles if c.opened_on <= on) or case.cycles[:1]
    cycle = certifications.cycle_on(known, on)
    if not cycle.policy:
        return None
    return _judge(replace(case, cycles=known), cycle, (own, shared), on)


def _judge_plainly(case: Case, own: Sequence[Claim], on: date) -> JudgedCycle | None:
    cycle = certifications.cycle_on(case.cycles, on)
    if not cycle.policy:
        return None
    policy = case.scheme.policy(cycle.policy)
    days = certifications.days_of(case.cycles, cycle)
    priced = PricedCycle(policy, own, cycle=days, on=on)
    return JudgedCycle(policy, days, NO_TERMS, own, priced.evaluate(), priced, is_plain=True)


def _judge(
    case: Case, cycle: CycleTerm, claimed: tuple[Sequence[Claim], ClaimsByScheme], on: date
) -> JudgedCycle:
    """The best of the versions that govern the cycle; of equal ones, the earlier."""
    before = _before(case, cycle, claimed, on)
    found = []
    for policy in versions(case, cycle, on):
        claims = claims_under(policy, *claimed)
        days = certifications.days_of(case.cycles, cycle)
        terms = _terms(case, policy, cycle, before, on)
        priced = PricedCycle(policy, claims, cycle=days, on=on, terms=terms)
        evaluation, failed_on = priced.evaluate(), _failed_on(case, policy, cycle, on)
        found.append(JudgedCycle(policy, days, terms, claims, evaluation, priced, failed_on))
    return max(found, key=_favour)


def _favour(judged: JudgedCycle) -> tuple[bool, Decimal, Decimal]:
    evaluation = judged.evaluation
    return evaluation.complete, -evaluation.missing, evaluation.total


def versions(case: Case, cycle: CycleTerm, on: date) -> tuple[Policy, ...]:
    """The versions that govern a cycle on the day of its application, or on the day in question."""
    awarded_on = case.cycles[0].starts_on
    day = _judged_on(case, cycle, on)
    return case.scheme.versions_on(cycle.policy, day, awarded_on=awarded_on)


def claims_under(policy: Policy, own: Sequence[Claim], shared: ClaimsByScheme) -> Sequence[Claim]:
    """The claims that a version counts: those of shared schemes too, if it knows their types.

    An activity recorded under several schemes is included once.
    """
    if policy.sharing is None or not shared:
        return own
    found, seen = list(own), {_same(claim) for claim in own}
    for scheme in sorted(policy.sharing.schemes):
        for claim in shared.get(scheme, ()):
            kind, same = policy.types.get(claim.type), _same(claim)
            if kind is not None and kind.category == claim.category and same not in seen:
                seen.add(same)
                found.append(claim)
    return found


def _same(claim: Claim) -> tuple[object, ...]:
    """The values that two records of one activity have in common."""
    return (
        claim.type,
        claim.title,
        claim.provider,
        claim.quantity,
        claim.unit,
        claim.role,
        claim.starts_on,
        claim.completed_on,
    )


def earning(case: Case, on: date) -> Period:
    """The days whose activities count for the cycle on a day, including extension and late days.

    Activities are accepted for these days; the version of the cycle's start says which late days
    earn.
    """
    known = tuple(c for c in case.cycles if c.opened_on <= on) or case.cycles[:1]
    cycle = certifications.cycle_on(known, on)
    days = certifications.days_of(known, cycle)
    if not (needs(case.scheme).past or case.adjustments) or not cycle.policy:
        return days
    policy = case.scheme.policy(cycle.policy)
    until = _earns_until(replace(case, cycles=known), policy, cycle, on)
    return Period(days.starts_on, until or days.ends_on)


def reexamination_terms(case: Case, module: str, on: date) -> ReexaminationTerms | None:
    """How an attempt at a module on a day counts as a re-examination; None if it does not."""
    cycle = certifications.cycle_on(case.cycles, on)
    rule = reexamination(case.scheme.policy(cycle.policy)) if cycle.policy else None
    if rule is None or module not in (rule.modules or case.scheme.required):
        return None
    since = _reexamined_from(rule, cycle)
    return ReexaminationTerms(since, rule.failure_revokes) if on >= since else None


def _terms(
    case: Case, policy: Policy, cycle: CycleTerm, before: JudgedCycle | None, on: date
) -> Terms:
    """The terms of a cycle under a version; ``before`` is the cycle before it."""
    day = _judged_on(case, cycle, on)
    step = policy.late_step(_expiry(case, cycle, on), day)
    earned_before = before.terms.earns_until if before else None
    taken = earned_before is not None and earned_before >= cycle.starts_on
    follows = before is not None and cycle.starts_on - DAY <= before.earns_until
    return Terms(
        required=_required(case, policy, cycle, day=day, on=on),
        extra_points=step.extra_points if step else ZERO,
        minima=_minima(case, policy, day, step),
        earns_from=earned_before + DAY if earned_before and taken else None,
        earns_until=_earns_until(case, policy, cycle, on),
        carried_over=before.evaluation.carries_over if before and follows else ZERO,
        counted_before=_counted_before(policy, before),
        reexamined_on=_reexamined_on(case, policy, cycle, on),
    )


def _counted_before(policy: Policy, before: JudgedCycle | None) -> frozenset[str]:
    """The claims that counted in earlier cycles, if the policy excludes repetitions."""
    if before is None or policy.duplicates is None or policy.duplicates.within is None:
        return frozenset()
    counted = {credit.ref for credit in before.evaluation.credits if credit.counted}
    return before.terms.counted_before.union(counted)


def _before(
    case: Case, cycle: CycleTerm, claimed: tuple[Sequence[Claim], ClaimsByScheme], on: date
) -> JudgedCycle | None:
    """The cycle before, judged by all that is known on the day, if anything depends on it."""
    if not (needs(case.scheme).past or case.adjustments):
        return None
    before = next((c for c in case.cycles if c.ordinal == cycle.ordinal - 1), None)
    return _judge(case, before, claimed, on) if before else None


def _following(case: Case, cycle: CycleTerm) -> CycleTerm | None:
    return next((c for c in case.cycles if c.ordinal == cycle.ordinal + 1), None)


def _expiry(case: Case, cycle: CycleTerm, on: date) -> date:
    """The cycle's last valid day, including extensions decided by the day."""
    return certifications.extended(cycle, case.adjustments, on).expires_on or date.max


def _judged_on(case: Case, cycle: CycleTerm, on: date) -> date:
    """The day that decides lateness: that of the application, else the day in question."""
    following = _following(case, cycle)
    if following is not None:
        approved = [a.submitted_on for a in case.applications if a.closed_on == following.opened_on]
        return max(approved, default=following.opened_on)
    pending = [
        a.submitted_on
        for a in case.applications
        if a.submitted_on <= on and (a.closed_on is None or on < a.closed_on)
    ]
    return min(pending, default=on)


def _earns_until(case: Case, policy: Policy, cycle: CycleTerm, on: date) -> date | None:
    """The last earning day of a cycle that was lengthened; None if it was not.

    An extension lengthens it, and so do the first late steps as long as they earn, both up to the
    day on which the next cycle was opened.
    """
    regular, following = cycle.expires_on or date.max, _following(case, cycle)
    expiry = last = _expiry(case, cycle, on)
    if on > expiry:
        for step in policy.late:
            if not step.earns:
                break
            last = step.until.after(expiry)
    if following is not None:
        end = following.starts_on - DAY
        late = following.opened_on > regular
        last = min(last, max(end, following.opened_on) if late else end)
    return last if last > regular else None


def _required(
    case: Case, policy: Policy, cycle: CycleTerm, *, day: date, on: date
) -> Decimal | None:
    """A different requirement: a reduced one, else that of a holder of another scheme."""
    reduced = certifications.requirement_of(cycle, case.adjustments, on)
    if reduced is not None:
        return reduced
    sharing = policy.sharing
    if sharing is None or not any(_holds(case, scheme, day) for scheme in sharing.schemes):
        return None
    return sharing.points_required


def _minima(
    case: Case, policy: Policy, day: date, step: LateStep | None
) -> dict[GroupCode, Decimal]:
    """Different minima: those for a holder of another scheme on the day, and for lateness."""
    sharing, found = policy.sharing, dict[GroupCode, Decimal]()
    if sharing is not None and any(_holds(case, scheme, day) for scheme in sharing.schemes):
        found = {policy.group_of(code): minimum for code, minimum in sharing.minima.items()}
    for code, more in step.extra_minima.items() if step else ():
        group = policy.group_of(code)
        usual = found.get(group, policy.minimum_of(group))
        found[group] = (usual or ZERO) + more
    return found


def _holds(case: Case, scheme: str, day: date) -> bool:
    span = certifications.span_on(case.others.get(scheme, ()), day)
    return span is not None and certifications.standing_on(span, day).valid


def _reexamined_on(case: Case, policy: Policy, cycle: CycleTerm, on: date) -> date | None:
    """The day by which all modules were passed again, in time."""
    rule = reexamination(policy)
    if rule is None:
        return None
    modules = rule.modules or case.scheme.required
    tried = _tried_again(case, policy, rule, cycle, on)
    passed = assessments.passes(tried, on=on)
    return max(passed[m] for m in modules) if passed.keys() >= set(modules) else None


def _failed_on(case: Case, policy: Policy, cycle: CycleTerm, on: date) -> date | None:
    """The day of the first failed attempt, if failing revokes the certification."""
    rule = reexamination(policy)
    if rule is None or not rule.failure_revokes:
        return None
    modules = rule.modules or case.scheme.required
    failed = [
        a.taken_on
        for a in _tried_again(case, policy, rule, cycle, on)
        if a.module in modules and not a.passed and a.taken_on <= on
    ]
    return min(failed, default=None)


def _tried_again(
    case: Case, policy: Policy, rule: Reexamination, cycle: CycleTerm, on: date
) -> list[Attempt]:
    """The attempts that are re-examinations for the cycle, on its late steps too."""
    expiry, following = _expiry(case, cycle, on), _following(case, cycle)
    last = following.opened_on if following else policy.grace_ends_on(expiry) or expiry
    days = Period(_reexamined_from(rule, cycle), last)
    return [a for a in case.attempts if a.taken_on in days]


def _reexamined_from(rule: Reexamination, cycle: CycleTerm) -> date:
    """The first day of re-examination: in the last stretch, and after what opened the cycle.

    An extension lengthens the stretch; it never removes days that have passed.
    """
    first = max(cycle.starts_on, cycle.opened_on + DAY)
    if rule.last is None:
        return first
    return max(first, rule.last.before(cycle.expires_on or date.max) + DAY)
