"""A review in the words and pictures of its page."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from decimal import Decimal

from flask import request

from tracker.domain.points.claims import ZERO
from tracker.domain.schemes.activity_types import as_noun, translated
from tracker.domain.schemes.reasons import Act
from tracker.language.voice import POINTS, Quantity, Voice, counted, figure, in_words
from tracker.services.core.context import ReadContext
from tracker.services.desk.review_queue import PointsOf
from tracker.services.desk.review_rounds import JustDecided
from tracker.services.desk.reviews import ReviewDossier, SameFile
from tracker.services.points.activity_rows import ActivityOnRecord, ActivityRow
from tracker.services.points.confirmed_months import ConfirmedDays
from tracker.services.points.decision_rows import DecisionRow
from tracker.services.points.evidence import EvidenceRow
from tracker.web.desk import queue_shown, review_forms
from tracker.web.desk.review_forms import ReasonShown
from tracker.web.desk.reviews_words import WORDS
from tracker.web.verify_words import WORDS as STATUSES

HERE = "/desk/reviews"
_WIDTH = 1000
_FORMS: Mapping[str, Act] = {
    "approve": "activity_approval",
    "limit": "points_limit",
    "reject": "activity_rejection",
    "ask": "more_information",
}
Facts = Sequence[tuple[str, str]]


@dataclass(frozen=True, slots=True)
class EvidenceShown:
    """A file: where it is, what it is, and whether it came after the activity was submitted."""

    here: str
    name: str
    label: str
    is_picture: bool
    came_later: bool


@dataclass(frozen=True, slots=True)
class BarShown:
    """The points before and after: lengths of the bar in its picture, and the same in words."""

    now: int
    more: int
    goal: int
    picture: str
    rows: Facts


@dataclass(frozen=True, slots=True)
class LikelyShown:
    """A likely duplicate beside this claim: what each says, field by field."""

    here: str
    signs: str
    rows: Sequence[tuple[str, str, str]]


@dataclass(frozen=True, slots=True)
class ClaimShown:
    """Another claim of the holder."""

    here: str
    title: str
    when: str
    state: str
    answer: str


@dataclass(frozen=True, slots=True)
class JustShown:
    """What the reader decided just before, and the form that undoes it."""

    told: str
    undo: str
    version: int


def next_page(activity_id: str | None, query: str, just: str | None = None) -> str:
    """The address of the next review; that of the queue if no other is free."""
    more = [f"just={just}"] if just else []
    if activity_id is None:
        more.append("told=all_done")
    here = f"{HERE}/{activity_id}" if activity_id else HERE
    asked = [query[1:]] if query else []
    return f"{here}?{'&'.join([*asked, *more])}" if asked or more else here


def told(language: str) -> str:
    """What happened just before, as the address says it: one of a few sentences."""
    key = request.args.get("told", "")
    say = WORDS[language]
    return {"all_done": say.all_done, "undone": say.undone, "together": say.done}.get(key, "")


def just(found: JustDecided | None, language: str) -> JustShown | None:
    """The reader's decision just before, while it can be undone without a message."""
    if found is None or found.activity.verdict is None:
        return None
    say, row = WORDS[language], found.activity
    told = say.just.format(
        verdict=say.verdicts[found.activity.verdict],
        title=row.title,
        who=found.holder_name,
        until=say.clock(found.until),
    )
    return JustShown(told, f"{HERE}/{row.id}/undo", row.version)


def reasons(reading: ReadContext, language: str, told_in: str) -> dict[str, list[ReasonShown]]:
    """The reasons to choose from in each form."""
    return {
        name: review_forms.reasons(reading, act, language, told_in) for name, act in _FORMS.items()
    }


def parts(found: ReviewDossier, language: str) -> dict[str, object]:
    """The parts of the page about the claim itself, by the names that its template knows."""
    return {
        "facts": facts(found, language),
        "files": files(found.evidence, language),
        "confirmed": [confirmed(one, language) for one in found.confirmed],
        "rules": found.rules(language),
        "outcome": found.outcome(language),
        "bar": bar(found.waiting.points, language),
        "likely": likely(found, language),
        "same_files": [same_file(each, language) for each in found.same_files],
        "claims": [other_claim(each, language) for each in found.claims.values()],
        "decisions": [decision(each, language) for each in found.decisions],
    }


def facts(found: ReviewDossier, language: str) -> Facts:
    """What is claimed, by whom, and how they stand."""
    row, say = found.waiting.activity, WORDS[language].roles
    claim = claimed(found, row, language)
    standing = found.waiting.standing
    status = STATUSES[language].statuses[standing.status] if standing else ""
    expiry = queue_shown.expiry(row.certificate_number, standing, found.waiting.days_left, language)
    submitted = in_words(row.submitted_on, language) if row.submitted_on else ""
    more = [
        (say["submitted"], submitted),
        (say["certification"], found.scheme.full_name(language)),
        (say["standing"], ". ".join(filter(None, [status, expiry]))),
    ]
    return [one for one in [*claim, *more] if one[1]]


def claimed(found: ReviewDossier, row: ActivityOnRecord, language: str) -> Facts:
    """What a claim says, field by field; without the fields that are empty."""
    say = WORDS[language].roles
    return [
        (say["title"], row.title),
        (say["provider"], row.provider),
        (say["kind"], queue_shown.kind_of(found.scheme, row.type, language)),
        (say["quantity"], _quantity(found, row, language)),
        (say["when"], queue_shown.days_of(row.starts_on, row.completed_on, language)),
        (say["role"], _named(found, "role", row.role, language)),
        (say["tags"], ", ".join(_named(found, "tag", tag, language) for tag in row.tags)),
    ]


def _quantity(found: ReviewDossier, row: ActivityOnRecord, language: str) -> str:
    if row.quantity is None:
        return ""
    kind = found.policy.types.get(row.type) if found.policy else None
    if found.policy is None or kind is None:
        return figure(row.quantity)
    if not row.unit:
        return str(Voice(found.policy, language).units(kind, row.quantity))
    if row.unit not in found.policy.units:
        return f"{figure(row.quantity)} {row.unit}"
    unit = as_noun(translated(found.policy.units[row.unit].name, language))
    return str(Quantity(row.quantity, unit))


def _named(found: ReviewDossier, kind: str, code: str, language: str) -> str:
    if not code or found.policy is None:
        return code
    return Voice(found.policy, language).name(kind, code)


def files(rows: Sequence[EvidenceRow], language: str) -> list[EvidenceShown]:
    """The files in their order."""
    say = WORDS[language]
    shown = []
    for number, row in enumerate(rows, start=1):
        is_picture = row.content_type.startswith("image/")
        label = (say.picture if is_picture else say.document).format(
            number=number, count=len(rows), name=row.filename
        )
        here = f"/desk/evidence/{row.id}"
        shown.append(EvidenceShown(here, row.filename, label, is_picture, row.came_later))
    return shown


def bar(points: PointsOf | None, language: str) -> BarShown | None:
    """The points before and after; None if none are counted."""
    if points is None:
        return None
    say = WORDS[language]
    whole = max(points.required, points.if_approved, Decimal(1))
    now = int(_WIDTH * points.now / whole)

    def told(number: Decimal, *, complete: bool) -> str:
        amount = counted(number, POINTS, language)
        return f"{amount} ({say.complete if complete else say.incomplete})"

    return BarShown(
        now=now,
        more=int(_WIDTH * max(points.if_approved - points.now, ZERO) / whole),
        goal=int(_WIDTH * points.required / whole),
        picture=say.points_picture.format(
            now=figure(points.now),
            then=figure(points.if_approved),
            required=figure(points.required),
        ),
        rows=[
            (say.points_now, told(points.now, complete=points.complete_now)),
            (say.points_then, told(points.if_approved, complete=points.complete_if_approved)),
            (
                say.points_all,
                told(points.if_all_approved, complete=points.complete_if_all_approved),
            ),
            (say.points_required, str(counted(points.required, POINTS, language))),
        ],
    )


def likely(found: ReviewDossier, language: str) -> list[LikelyShown]:
    """The likely duplicates, each beside this claim."""
    say, shown = WORDS[language], []
    this = claimed(found, found.waiting.activity, language)
    for one in found.likely:
        other = found.claims.get(one.ref)
        if other is None:
            continue
        rows = [
            (name, mine, theirs)
            for (name, mine), (_, theirs) in zip(this, claimed(found, other, language), strict=True)
            if mine or theirs
        ]
        states = (say.states[found.waiting.activity.state], say.states[other.state])
        signs = ", ".join(say.signs[sign] for sign in one.found.signs)
        shown.append(
            LikelyShown(
                here=f"{HERE}/{other.id}",
                signs=say.likely_signs.format(signs),
                rows=[*rows, (say.history_state, *states)],
            )
        )
    return shown


def same_file(row: SameFile, language: str) -> tuple[str, str]:
    """A file of this activity that is also evidence of another one: where, and in words."""
    say = WORDS[language]
    who = queue_shown.name_of(row.given_name, row.family_name)
    told = say.same_file.format(
        file=row.filename, title=row.title, who=who, state=say.states[row.state]
    )
    return f"{HERE}/{row.activity_id}", told


def other_claim(row: ActivityRow, language: str) -> ClaimShown:
    """Another claim of the holder, with the answer to it."""
    say = WORDS[language]
    answer = row.reason or ""
    if row.points_limit is not None:
        limit = counted(row.points_limit, POINTS, language)
        answer = f"≤ {limit}. {answer}".strip()
    return ClaimShown(
        here=f"{HERE}/{row.id}",
        title=row.title,
        when=queue_shown.days_of(row.starts_on, row.completed_on, language),
        state=say.states[row.state],
        answer=answer,
    )


def decision(row: DecisionRow, language: str) -> str:
    """An earlier answer in a sentence, also one that was taken back."""
    say, on = WORDS[language], in_words(row.decided_on, language)
    parts = [f"{say.verdicts[row.verdict]}, {on}, {row.decided_by}."]
    if row.points_limit is not None:
        parts.append(f"≤ {counted(row.points_limit, POINTS, language)}.")
    if row.reason:
        parts.append(row.reason)
    if row.undone_at is not None:
        parts.append(f"({say.taken_back.format(row.undone_by)})")
    return " ".join(parts)


def confirmed(one: ConfirmedDays, language: str) -> str:
    """What an employer confirmed, in a sentence."""
    days = {"starts": in_words(one.starts_on, language), "ends": in_words(one.ends_on, language)}
    return WORDS[language].confirmed.format(employer=one.name, signer=one.signed_by, **days)
