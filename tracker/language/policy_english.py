"""The sentences in which a policy is told, in English; ``policy_texts`` holds both languages."""

from __future__ import annotations

from collections.abc import Mapping

ENGLISH: Mapping[str, str] = {
    # The certification.
    "award": "{title} is awarded on the day of the last of these passes: {modules}.",
    "optional": "Optional, not needed for the award: {modules}.",
    "prerequisites": "Prerequisite: {schemes}.",
    "validity": "It is valid for {length}. The last valid day is {through}.",
    "through.anniversary": "the anniversary of the award",
    "through.day_before": "the day before the anniversary of the award",
    "through.end_of_month": "the end of the month of the anniversary",
    "through.end_of_year": "December 31 of the year of the anniversary",
    "through.fixed_day.longer": "the first {day} from the anniversary on, which makes the first"
    " cycle longer by less than a year",
    "through.fixed_day.shorter": "the last {day} up to the anniversary, which makes the first"
    " cycle shorter by less than a year",
    "leap": "If it is awarded on February 29, it expires on February 28 in years without that day.",
    "endless": "It never expires.",
    "lifetime": "Certifications awarded before {day} never expire.",
    "retake": "After a failed assessment {wait} must pass in full before the next attempt at the"
    " module; after {failures} failures, {long_wait}.",
    "score": "Scores are from {minimum} to {maximum}.",
    "score.passing": "A pass needs a score of at least {passing}.",
    "retake.free": "A failed assessment may be taken again at once.",
    # This version.
    "version": "This is version {version} of the policy.",
    "effective": "It is in force from {day}.",
    "applies.cycle_start": "A cycle is judged to its end by the version in force on its first day.",
    "applies.submission": "It applies to every application sent in since it is in force, whenever"
    " the cycle started.",
    "applies.more_favourable": "For cycles that were already running it applies where it is better"
    " for the holder.",
    "corrects": "It corrects version {version}.",
    "cohort.from": "It is for holders whose certification was awarded on {day} or later.",
    "cohort.before": "It is for holders whose certification was awarded before {day}.",
    # What a cycle needs.
    "required": "Each cycle needs {points}.",
    "per_year": "Each {year} needs at least {points}.",
    "year.cycle": "year of the cycle",
    "year.calendar": "calendar year",
    "window_minimum": "At least {points} must be earned in {last} of the cycle.",
    "window_minimum.group": "At least {points} of {group} must be earned in {last} of the cycle.",
    "kinds": "The activities that count must be of at least {kinds}.",
    "stop": "Reviewing stops when the requirement is reached; more is not counted.",
    "carry": "Of what lies above the requirement, at most {points} {points:passes|pass} into the"
    " next cycle.",
    "carry.earned": "That includes what exceeds the limits of a year or a cycle.",
    "carry.categories": "Only activities of {categories} pass into the next cycle.",
    "carry.last": "Only what was earned in {last} of the cycle passes into the next.",
    # Limits.
    "group": "{name}: {limits}.",
    "free": "no limit",
    "maximum": "at most {points} in a cycle",
    "limit.year": "at most {points} in each {year}",
    "limit.event": "at most {points} for one activity",
    "minimum.year": "at least {points} in each {year}",
    "minimum": "at least {points} in a cycle",
    # What activities bring.
    "type.quantity": "{name} ({category}): {points} for each {unit}",
    "type.event": "{name} ({category}): {points} for each activity",
    "type.months": "{name} ({category}): {points} for each month",
    "type.itself": "{name} ({category}): counts as stated, in {credit}",
    "type.threshold": "if it is {threshold}",
    "type.once_a_year": "once for each {year}",
    "type.threshold_year": "once for each {year} in which they come to {threshold} together",
    "type.replaces": "what was claimed as {names} counts as this",
    "type.increment": "in increments of {points}",
    "type.units": "1 {unit} counts as {quantity}",
    "type.roles": "{role} counts {factor} times",
    "type.unapproved": "{share} of it where the provider is not approved",
    "type.duties": "work that is part of one's regular duties does not count",
    "type.tags": "marked {tags}",
    "type.days": "only activities {days} count",
    "type.start": "its first day must lie in the cycle",
    "type.award": "the day on which it was awarded must lie in the cycle",
    "type.whole": "its first and its last day must lie in the cycle",
    # Employment.
    "months.completed": "Only completed months of a job count.",
    "months.pro_rata": "The days of a job count as parts of months of 30.4375 days.",
    "months.fifteen_days": "Completed months of a job count, and 15 days or more make one more.",
    "overlap.highest": "Where jobs overlap, each day counts once, at the highest of their rates.",
    "overlap.capped_sum": "Where jobs overlap they add up, to at most {points} a month.",
    "overlap.sum": "Jobs that overlap each count in full.",
    # Counting.
    "dates": "An activity counts in the cycle in which it was completed, unless another day is"
    " named for it; the first and the last day of the cycle are inside.",
    "duplicates.none": "The same activity may be claimed more than once.",
    "duplicates.cycle": "Activities with the same {parts} count once in a cycle.",
    "duplicates.within": "Activities with the same {parts} count once in {length}.",
    "rounding.half_up": "Amounts are rounded to hundredths, halves up.",
    "rounding.half_even": "Amounts are rounded to hundredths, halves to the even one.",
    "rounding.down": "Amounts are rounded down to hundredths.",
    "rounding.up": "Amounts are rounded up to hundredths.",
    "rounding_of.category": "They are rounded once for all activities of a category, not for each"
    " activity.",
    "allocation": "Where limits overlap, activities are counted so that the requirement is met if"
    " it can be, and then so that the total is the highest.",
    # Applying.
    "window.expiry": "Applications open {length} before the expiration date and close on that day.",
    "window.expiry.early": "Applications open {length} before the expiration date and close"
    " {closes} before"
    " it, that day included.",
    "window.start.early": "Applications open {length} after the start of the cycle and close"
    " {closes} before the expiration date, that day included.",
    "window.whole.early": "Applications are taken throughout the cycle, up to the day {closes}"
    " before the expiration date, that day included.",
    "window.start": "Applications open {length} after the start of the cycle and close on the day"
    " of the expiration date.",
    "window.whole": "Applications are taken throughout the cycle, the day of the expiration date"
    " included.",
    "day.holder": "The last day ends at midnight where the holder lives.",
    "day.scheme": "The last day ends at midnight {clock}, wherever the holder lives.",
    "pending.admit": "An application is also taken while activities that wait for a decision cover"
    " what is missing; it is decided when they are.",
    "pending.decided": "Only activities that are approved count for an application.",
    "pending.valid": "While an application waits past the expiration date, the certification"
    " stays valid.",
    "pending.invalid": "While an application waits past the expiration date, the certification"
    " is not"
    " valid.",
    "check": "Before a renewal is approved, this is confirmed: {checks}.",
    "reexam": "Instead, one may pass again: {modules}.",
    "reexam.last": "The re-examination must be passed in {last} of the cycle.",
    "reexam.revokes": "Failing the re-examination ends the certification.",
    "next.old_expiry": "The next cycle starts the day after the old expiration date, whenever"
    " the renewal"
    " is approved.",
    "next.decision": "The next cycle starts on the day after the renewal is approved.",
    "next.decision_to_old_end": "The next cycle starts on the day after the renewal is approved"
    " and ends as if it had started after the old expiration date.",
    # Late.
    "late.none": "After the expiration date there is no grace: a renewal can no longer be"
    " applied for.",
    "late.step": "{name}, to {length} after the expiration date: {rules}.",
    "by.points": "one may still renew",
    "by.reexamination": "one may renew by re-examination only",
    "by.new_application": "one must apply as if new",
    "late.earns": "activities of these days still count",
    "late.earns_not": "activities of these days do not count",
    "late.title": "the title may be used",
    "late.title_not": "the title may not be used",
    "late.extra": "{points} more {points:is|are} needed",
    "late.minimum": "{points} more {points:is|are} needed of {group}",
    "late.fee": "with a late fee of {fee}",
    # Exceptions.
    "extension": "A cycle may be extended by at most {length}.",
    "extension.moves": "The next cycle then starts after the extended expiration date.",
    "extension.stays": "The next cycle starts where it would have started without it.",
    "extension.request": "An extension is asked for at least {length} before the expiration date.",
    "extension.share": "{share} of the requirement must be earned already.",
    "extension.reasons": "Reasons accepted for an extension: {reasons}.",
    "extension.exempt": "These reasons are held to the length of the extension only: {reasons}.",
    "reduction": "The requirement may be reduced by at most {share} for: {reasons}.",
    "sharing": "Activities recorded for these certifications count here too: {schemes}.",
    "sharing.required": "Anyone who holds one of them needs {points} instead.",
    "sharing.minimum": "Anyone who holds one of them needs at least {points} of {group}.",
    "retirement": "A holder may take retired status.",
    "retirement.request": "It must be requested within {length} of the expiration date.",
    "retirement.reactivate": "One may return from it within {length}.",
    "retirement.fee": "Retired status costs {fee}.",
    # Evidence and audits.
    "proof.asked": "With {types}, attach {proof}.",
    "proof.required": "{types} cannot be submitted without {proof}.",
    "warn": "Reviewers take a closer look at {type} of more than {quantity}.",
    "providers": "These providers are approved: {providers}.",
    "audit.unknown": "Renewals are drawn for audit, how many is not known; an answer is due within"
    " {days}.",
    "audit": "{share} of renewals are drawn for audit; an answer is due within {days}.",
    "audit.withholds": "Points under audit do not count until it is passed.",
    "retention": "Evidence is kept for {length} after the cycle.",
    # Fees, appeals, revocations.
    "revocation.bar": "After a revocation the certification cannot be earned again for {length}.",
    "fee": "A renewal costs {fee}.",
    "fee.none": "No renewal fee is stated.",
    "fee.member": "Members pay {fee}.",
    "fee.refund": "Fees are refundable.",
    "fee.no_refund": "Fees are not refunded.",
    "bundle": "{schemes} cost {fee} together when they expire within {days} of each other:"
    " {requires}",
    "appeal": "An appeal must be filed within {due} of the notice and is decided within {decided}.",
    "appeal.fee": "It costs {fee}.",
    "appeal.refund": "The fee is refunded if it succeeds.",
    "appeal.no_refund": "The fee is not refunded.",
    "appeal.restores": "Success restores the days lost, too.",
    "appeal.gap": "The days lost are not restored.",
    # Sources.
    "source": "{what}: {source} {state}",
    "verified": "(verified)",
    "unverified": "(not verified against the published text)",
    "open": "Not verified: {what}.",
    "what.award": "Award and validity",
    "what.retake": "Retakes",
    "what.policy": "This version",
    "what.fees": "Fees",
    "what.appeals": "Appeals",
    "what.assessment": "Scores",
    "what.revocation": "Revocations",
}
