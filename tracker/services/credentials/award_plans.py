"""Plans: the awards each holder should have, computed from the facts before anything is written.

A plan finds what a correction would lose: approved renewals that no award would keep. ``Later``
says what happens to these.
"""

from __future__ import annotations

from collections.abc import Collection, Mapping
from dataclasses import dataclass, field, replace
from datetime import date
from typing import Literal

from tracker.domain.credentials import assessments
from tracker.domain.credentials import awards as rules
from tracker.domain.credentials.awards import Award, AwardLayout
from tracker.domain.credentials.certifications import ChangeOfStanding
from tracker.domain.credentials.renewals import RenewalVerdict
from tracker.domain.errors import SupportsRenewal
from tracker.domain.schemes.schemes import Scheme
from tracker.services.core import bulk
from tracker.services.core.context import UnitOfWork
from tracker.services.credentials import award_facts
from tracker.services.credentials.award_facts import AwardFacts, AwardRow

_KEPT = "An earlier pass was recorded after the renewal; the award and its cycles stay as they are."


@dataclass(frozen=True, slots=True)
class Later:
    """What happens to renewals that no longer fit the corrected award.

    ``refuse`` raises SupportsRenewal. ``keep`` leaves the award and its cycles as they are;
    ``unwind`` turns the approvals into denials; both need a ``reason``. ``follow`` treats them as
    history, and lets them open the cycles that they open. With ``keeps_earlier``, an award that
    would only move to an earlier day is kept without asking.
    """

    way: Literal["refuse", "keep", "unwind", "follow"] = "refuse"
    reason: str = ""
    keeps_earlier: bool = False


REFUSE, FOLLOW = Later(), Later("follow")
KEEP_EARLIER = Later(keeps_earlier=True)


def standing_awards(
    work: UnitOfWork, scheme: Scheme, holder_ids: Collection[str]
) -> dict[str, tuple[Award, ...]]:
    """The awards of holders that stand, with the facts that decide when each ends for good."""
    awards: dict[str, tuple[Award, ...]] = {}
    for ids in bulk.chunks(holder_ids):
        by_holder = award_facts.of_holders(work, scheme, ids)
        award_facts.complete(work, scheme, [*by_holder.values()])
        awards |= {holder_id: awards_of(scheme, facts) for holder_id, facts in by_holder.items()}
    return awards


@dataclass(slots=True)
class AwardPlan:
    """The awards that a holder should have."""

    facts: AwardFacts
    awards: tuple[Award, ...]
    layout: dict[int, AwardLayout] = field(default_factory=dict)
    kept: dict[str, tuple[str | None, date | None]] = field(default_factory=dict)
    unwound: frozenset[str] = frozenset()


def plans(work: UnitOfWork, scheme: Scheme, ids: list[str], later: Later) -> list[AwardPlan]:
    """The plans of the holders whose awards may have changed."""
    changed = [
        facts
        for facts in award_facts.of_holders(work, scheme, ids).values()
        if not _is_plain(scheme, facts)
    ]
    return _completed(work, scheme, changed, later)


def plans_of_all(work: UnitOfWork, scheme: Scheme, ids: list[str], later: Later) -> list[AwardPlan]:
    """The plans of all these holders: an import changed awards, so no quick check is possible."""
    by_holder = award_facts.of_holders(work, scheme, ids)
    return _completed(work, scheme, [*by_holder.values()], later)


def _completed(
    work: UnitOfWork, scheme: Scheme, facts_of_holders: list[AwardFacts], later: Later
) -> list[AwardPlan]:
    award_facts.complete(work, scheme, facts_of_holders)
    return [_plan(scheme, facts, later) for facts in facts_of_holders]


def _is_plain(scheme: Scheme, facts: AwardFacts) -> bool:
    """Whether nothing can have changed: no award due, or the award on record is the one due."""
    first = assessments.passes(facts.passes, on=date.max)
    day = assessments.award_date(scheme, first, facts.prerequisites)
    if not facts.rows:
        return day is None
    row = facts.rows.get(1)
    if row is None or len(facts.rows) > 1 or row.withdrawn_at is not None:
        return False
    if row.kept_reason is not None or row.voided_at is not None:
        return False
    if not row.imported and row.awarded_on != day:
        return False
    return all(p.taken_on <= row.awarded_on for p in facts.passes)


def awards_of(
    scheme: Scheme, facts: AwardFacts, *, kept: bool = True, without: Collection[str] = ()
) -> tuple[Award, ...]:
    """The holder's awards that stand; the approvals in ``without`` count as denials."""
    filings = [
        replace(filing, decision=RenewalVerdict.DENIED) if filing.key in without else filing
        for filing in facts.filings()
    ]
    changes = [ChangeOfStanding(c.kind, c.effective_on, c.barred_until) for c in facts.changes]
    return rules.awards(
        scheme,
        facts.passes,
        facts.prerequisites,
        facts.on_record(kept=kept),
        filings=filings,
        changes=changes,
    )


def _plan(scheme: Scheme, facts: AwardFacts, later: Later) -> AwardPlan:
    plan = AwardPlan(facts, awards_of(scheme, facts, kept=later.way != "unwind"))
    _lay_out(scheme, plan)
    lost = {} if later.way == "follow" else _lost(scheme, plan)
    if not lost:
        _release(scheme, plan)
        return plan
    if later.way == "unwind":
        return _unwind(scheme, plan, lost)
    fallen = [row for row in standing_rows(facts) if falls(plan, row) or _is_later(plan, row)]
    if later.way == "refuse" and (fallen or not later.keeps_earlier):
        raise _refusal(facts, lost)
    return _keep(scheme, plan, lost, later.reason or _KEPT)


def _lay_out(scheme: Scheme, plan: AwardPlan) -> None:
    plan.layout = {award.sequence: rules.layout_of(scheme, award) for award in plan.awards}


def standing_rows(facts: AwardFacts) -> list[AwardRow]:
    """The awards on record that are not withdrawn."""
    return [row for row in facts.rows.values() if row.withdrawn_at is None]


def _lost(scheme: Scheme, plan: AwardPlan) -> dict[str, AwardRow]:
    """The approved renewals that no award would keep, or that would no longer fit, by key."""
    fit = {
        filing.key
        for award in plan.awards
        for filing in award.filings
        if filing.key not in plan.layout[award.sequence].unfit
    }
    lost: dict[str, AwardRow] = {}
    for row in standing_rows(plan.facts):
        filings = plan.facts.filings(row.id)
        record = plan.facts.records.get(row.id)
        before = rules.lay_out(
            scheme,
            row.awarded_on,
            filings,
            record.adjustments if record else (),
            imported=rules.given(record.cycles) if record else (),
        )
        standing = {f.key for award in plan.awards for f in award.filings}
        for one in filings:
            was_fit = one.key not in before.unfit
            gone = one.key not in standing or (was_fit and one.key not in fit)
            if one.decision == RenewalVerdict.APPROVED and gone and one.key not in before.idle:
                lost[one.key] = row
    return lost


def falls(plan: AwardPlan, row: AwardRow) -> bool:
    """Whether the plan has no award for this row."""
    return row.sequence > len(plan.awards)


def _is_later(plan: AwardPlan, row: AwardRow) -> bool:
    return not falls(plan, row) and plan.awards[row.sequence - 1].awarded_on > row.awarded_on


def _refusal(facts: AwardFacts, lost: Mapping[str, AwardRow]) -> SupportsRenewal:
    row = next(iter(lost.values()))
    days = sorted(str(f.submitted_on) for f in facts.filings() if f.key in lost)
    return SupportsRenewal(
        f"The award of {row.number} ({row.awarded_on}) depends on this and has been renewed "
        f"since: the renewal applied for on {', '.join(days)} would no longer fit it. Say what to "
        'do with the later cycles: later_cycles "keep" keeps the award and its cycles as they '
        'are, "unwind" turns the approvals into denials.',
        number=row.number,
        field="later_cycles",
        rule="must be keep or unwind",
    )


def _keep(scheme: Scheme, plan: AwardPlan, lost: Mapping[str, AwardRow], reason: str) -> AwardPlan:
    """Keep the awards of these renewals as they are."""
    due = {award.sequence: award.awarded_on for award in plan.awards}
    facts = plan.facts
    for row in lost.values():
        facts.rows[row.sequence] = replace(row, kept_reason=reason)
    kept = _plan_as_kept(scheme, facts)
    kept.kept = {row.id: (reason, due.get(row.sequence)) for row in lost.values()}
    return kept


def _plan_as_kept(scheme: Scheme, facts: AwardFacts) -> AwardPlan:
    plan = AwardPlan(facts, awards_of(scheme, facts))
    _lay_out(scheme, plan)
    return plan


def _release(scheme: Scheme, plan: AwardPlan) -> None:
    """Clear the mark of a kept award once the passes agree with it again."""
    rows = [row for row in standing_rows(plan.facts) if row.kept_reason is not None]
    if not rows:
        return
    due = {a.sequence: a.awarded_on for a in awards_of(scheme, plan.facts, kept=False)}
    for row in rows:
        if due.get(row.sequence) == row.awarded_on:
            plan.kept[row.id] = (None, None)


def _unwind(scheme: Scheme, plan: AwardPlan, lost: Collection[str]) -> AwardPlan:
    """Deny these renewals, and those decided after them, until all that remain fit."""
    facts, taken = plan.facts, set(lost)
    while True:
        approved = [f for f in facts.filings() if f.decision == RenewalVerdict.APPROVED]
        first = min((f.decided_on or date.max) for f in approved if f.key in taken)
        taken |= {f.key for f in approved if (f.decided_on or date.max) > first}
        found = AwardPlan(facts, awards_of(scheme, facts, kept=False, without=taken))
        _lay_out(scheme, found)
        more = _lost(scheme, found).keys() - taken
        if not more:
            found.unwound = frozenset(taken)
            found.kept = {r.id: (None, None) for r in standing_rows(facts) if r.kept_reason}
            return found
        taken |= more
