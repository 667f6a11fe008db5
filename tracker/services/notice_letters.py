"""News among the letters: what of it is still true when the letter is sent, and what it says.

What was undone or overtaken in the meantime is left out; a letter with nothing left is not owed.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Callable, Collection, Mapping, Sequence
from dataclasses import asdict, dataclass, field, fields
from datetime import date, datetime, timedelta
from decimal import Decimal
from typing import Any

from sqlalchemy import BindParameter, Date, bindparam, select

from tracker.domain.schemes import Scheme
from tracker.mail import calendars
from tracker.mail import notices as wording
from tracker.mail.calendars import Day
from tracker.mail.notices import NoticeLetter
from tracker.models import (
    Activity,
    Certification,
    Decision,
    Employer,
    Holder,
    Notice,
    Renewal,
    RosterEntry,
    Sharing,
    Span,
    StandingChange,
)
from tracker.services import letters, reminder_plans, roster, suppressions
from tracker.services.letters import Claim, Composed, Made, Uncomposed
from tracker.services.standings import Points
from tracker.services.work import Reading

News = wording.News
_CHANGES = {"suspended": "suspend", "reinstated": "reinstate", "revoked": "revoke"}
_IDS: BindParameter[Any] = bindparam("ids", expanding=True)


def compose(reading: Reading, key: bytes, claims: Sequence[Claim]) -> Made:
    """The letters of the claimed rows by id, with a constant number of statements."""
    found = _told(reading, [claim.id for claim in claims if claim.facts is None])
    known = _known(reading, [row for rows in found.values() for row in rows])
    made: Made = {}
    for claim in claims:
        try:
            said = claim.facts or _snapshot(reading, claim, found.get(claim.id, []), known)
            made[claim.id] = (
                Uncomposed(said, owed=False)
                if isinstance(said, str)
                else _composed(reading, key, claim, said)
            )
        except Exception as error:  # noqa: BLE001 - one letter's data must not stop the others
            made[claim.id] = Uncomposed(f"{type(error).__name__}: {error}"[:500], owed=True)
    return made


# What is on record about the news.
_NOTICES = (
    select(
        Notice.message_id, Notice.kind, Notice.subject_id, Notice.event, Notice.holder_id,
        Notice.recorded_at, Holder.given_name, Holder.family_name, Holder.email,
        Holder.second_email, Holder.language,
    )
    .join(Holder, Holder.id == Notice.holder_id)
    .where(Notice.message_id.in_(_IDS))
    .order_by(Notice.id)
)  # fmt: skip
_CERTIFICATIONS = (
    select(
        Certification.id, Certification.holder_id, Certification.scheme, Certification.number,
        Certification.public_id, Certification.awarded_on, Span.from_on, Span.until_on,
        Span.expires_on, Span.window_opens_on, Span.hold,
    )
    .join(Span, Span.certification_id == Certification.id)
    .where(
        Certification.holder_id.in_(_IDS), Certification.withdrawn_at.is_(None),
        Span.from_on <= bindparam("last_day", type_=Date),
        Span.until_on > bindparam("first_day", type_=Date),
    )
)  # fmt: skip
_DECISIONS = (
    select(
        Decision.id, Decision.activity_id, Decision.verdict, Decision.decided_on,
        Decision.points_limit, Decision.reason, Activity.title, Activity.scheme, Activity.state,
    )
    .join(Activity, Activity.id == Decision.activity_id)
    .where(Decision.activity_id.in_(_IDS))
    .order_by(Decision.recorded_at, Decision.id)
)  # fmt: skip
_RENEWALS = select(
    Renewal.id, Renewal.certification_id, Renewal.decision, Renewal.decided_on, Renewal.reason
).where(Renewal.id.in_(_IDS))
_STANDING_CHANGES = (
    select(
        StandingChange.id, StandingChange.certification_id, StandingChange.kind,
        StandingChange.effective_on, StandingChange.reason, StandingChange.recorded_at,
    )
    .where(StandingChange.certification_id.in_(_IDS))
    .order_by(StandingChange.effective_on, StandingChange.recorded_at, StandingChange.id)
)  # fmt: skip
_ASKING = (
    select(RosterEntry.holder_id, Employer.id, Employer.name)
    .join(Employer, Employer.id == RosterEntry.employer_id)
    .where(
        RosterEntry.holder_id.in_(_IDS),
        roster.EMPLOYED,
        ~select(Sharing.id)
        .where(
            Sharing.holder_id == RosterEntry.holder_id,
            Sharing.employer_id == RosterEntry.employer_id,
            roster.CONSENT,
        )
        .exists(),
    )
)


@dataclass(frozen=True, slots=True)
class _Known:
    """What is on record now about everything that the letters may tell of, by id."""

    certifications: Mapping[str, Any] = field(default_factory=dict)
    by_scheme: Mapping[tuple[str, str], Any] = field(default_factory=dict)
    decisions: Mapping[str, Any] = field(default_factory=dict)
    renewals: Mapping[str, Any] = field(default_factory=dict)
    changes: Mapping[str, Any] = field(default_factory=dict)
    asking: Mapping[tuple[str, str], str] = field(default_factory=dict)
    points: Mapping[str, Points] = field(default_factory=dict)
    silent: Collection[str] = ()


def _told(reading: Reading, ids: Collection[str]) -> dict[str, list[Any]]:
    """What each letter is to tell, in the order in which it was recorded."""
    found: dict[str, list[Any]] = defaultdict(list)
    for row in reading.rows(_NOTICES, {"ids": list(ids)}) if ids else ():
        found[row.message_id].append(row)
    return found


def _known(reading: Reading, rows: Sequence[Any]) -> _Known:
    if not rows:
        return _Known()
    subjects: dict[str, list[str]] = defaultdict(list)
    for row in rows:
        subjects[_source(row.kind)].append(row.subject_id)
    holders = {"ids": list({row.holder_id for row in rows})}
    held = _certifications(reading, holders)
    asking = reading.rows(_ASKING, {**holders, "today": _today(reading)})
    return _Known(
        certifications={row.id: row for row in held},
        by_scheme={(row.holder_id, row.scheme): row for row in held},
        decisions=_last(reading, _DECISIONS, subjects["activity"], "activity_id"),
        renewals=_last(reading, _RENEWALS, subjects["renewal"], "id"),
        changes=_last(reading, _STANDING_CHANGES, subjects["change"], "certification_id"),
        asking={(row.holder_id, row.id): row.name for row in asking},
        points=_points(reading, held),
        silent=suppressions.of_holders(reading, rows, now=reading.now),
    )


def _source(kind: str) -> str:
    return {"activity_decided": "activity", "renewal_decided": "renewal"}.get(
        kind, "change" if kind in _CHANGES else ""
    )


def _today(reading: Reading) -> date:
    return min(reading.today(scheme) for scheme in reading.schemes)


def _certifications(reading: Reading, holders: dict[str, Any]) -> list[Any]:
    """The holders' certifications as they stand today."""
    days = [reading.today(scheme) for scheme in reading.schemes]
    asked = {**holders, "first_day": min(days), "last_day": max(days)}
    return [
        row
        for row in reading.rows(_CERTIFICATIONS, asked)
        if row.from_on <= reading.today(reading.schemes[row.scheme]) < row.until_on
    ]


def _last(reading: Reading, statement: Any, ids: Collection[str], key: str) -> dict[str, Any]:
    """The rows of a statement by one of their columns; of several the last."""
    if not ids:
        return {}
    return {getattr(row, key): row for row in reading.rows(statement, {"ids": list(ids)})}


def _points(reading: Reading, held: Sequence[Any]) -> dict[str, Points]:
    return reminder_plans.points_of(
        reading, held, lambda row: reading.today(reading.schemes[row.scheme])
    )


# What of it is still true.
def _snapshot(
    reading: Reading, claim: Claim, told: Sequence[Any], known: _Known
) -> dict[str, Any] | str:
    """Everything that the letter says, as JSON knows it; or why there is nothing to say."""
    true = [(row, one) for row in told if (one := _news(reading, row, known))]
    if not true:
        return "Nothing of it is true any more."
    if claim.useful_until <= reading.now:
        return "It would come too late."
    first = told[0]
    type_ = (claim.about or {}).get("type", "")
    address = suppressions.address_of(first, known.silent)
    if address is None:
        return "No address that may be written to."
    certifications = [_certification(row, known) for row, _ in true]
    return {
        "composed_at": reading.now.isoformat(), "address": address, "type": type_,
        "name": f"{first.given_name} {first.family_name}", "language": first.language,
        "link": _link(reading, certifications),
        "news": [_plain(one) for _, one in true],
        "days": _days(reading, certifications, [one for _, one in true], first.language),
    }  # fmt: skip


def _link(reading: Reading, certifications: Sequence[Any]) -> str:
    base = reading.settings.app.base_url.rstrip("/")
    public = next((one.public_id for one in certifications if one is not None), None)
    return f"{base}/verify/{public}" if public else f"{base}/"


def _certification(row: Any, known: _Known) -> Any:
    """The certification that the news is about, as it stands today, if it does."""
    match row.kind:
        case "activity_decided":
            decision = known.decisions.get(row.subject_id)
            return decision and known.by_scheme.get((row.holder_id, decision.scheme))
        case "renewal_decided":
            renewal = known.renewals.get(row.subject_id)
            return renewal and known.certifications.get(renewal.certification_id)
        case "consent_asked":
            return None
    return known.certifications.get(row.subject_id)


def _news(reading: Reading, row: Any, known: _Known) -> News | None:
    """What a notice says now; None when it is not true any more."""
    if row.kind == "consent_asked":
        name = known.asking.get((row.holder_id, row.subject_id))
        return News("consent_asked", about=name) if name else None
    held = _certification(row, known)
    if held is None:
        return None
    if held.hold == "revoked" and row.kind not in _CHANGES:
        return None
    tell = {
        "award": _awarded, "activity_decided": _decided, "renewal_decided": _renewal_decided,
    }.get(row.kind, _changed)  # fmt: skip
    return tell(row, held, reading.schemes[held.scheme], known)


def _named(row: Any, held: Any, scheme: Scheme) -> dict[str, Any]:
    return {"scheme_name": scheme.title[row.language], "number": held.number}


def _awarded(row: Any, held: Any, scheme: Scheme, known: _Known) -> News | None:
    points = known.points.get(held.id)
    return News(
        "award", **_named(row, held, scheme), on=held.awarded_on, expires_on=held.expires_on,
        window_opens_on=held.window_opens_on,
        points_required=points.evaluation.required if points else None,
    )  # fmt: skip


def _decided(row: Any, held: Any, scheme: Scheme, known: _Known) -> News | None:
    """A decision, unless the activity was handed in again or decided otherwise since."""
    decision, points = known.decisions[row.subject_id], known.points.get(held.id)
    if decision.id != row.event or decision.state != decision.verdict:
        return None
    credits_ = points.evaluation.credits if points else ()
    credit = next((one for one in credits_ if one.ref == decision.activity_id), None)
    claimed = credit.claimed if credit else None
    limit = decision.points_limit
    partly = limit is not None and credit is not None and limit < credit.claimed
    brings = credit.counted if credit else None
    return News(
        "partly" if partly else decision.verdict, **_named(row, held, scheme),
        about=decision.title, on=decision.decided_on, reason=decision.reason or "",
        points_claimed=claimed if partly or claimed != brings else None,
        points_approved=limit if partly else brings,
        points_total=points.evaluation.total if points else None,
        points_required=points.evaluation.required if points else None,
    )  # fmt: skip


def _renewal_decided(row: Any, held: Any, scheme: Scheme, known: _Known) -> News | None:
    renewal = known.renewals[row.subject_id]
    if renewal.decision != row.event:
        return None
    return News(
        f"renewal_{renewal.decision}", **_named(row, held, scheme), on=renewal.decided_on,
        reason=renewal.reason or "", expires_on=held.expires_on,
        window_opens_on=held.window_opens_on,
    )  # fmt: skip


def _changed(row: Any, held: Any, scheme: Scheme, known: _Known) -> News | None:
    """A change of standing, unless another one followed."""
    change = known.changes.get(row.subject_id)
    if change is None or change.id != row.event or change.kind != _CHANGES[row.kind]:
        return None
    noticed_on = change.recorded_at.astimezone(scheme.time_zone).date()
    due = noticed_on + timedelta(days=scheme.appeals.due_days) if scheme.appeals else None
    return News(
        row.kind, **_named(row, held, scheme), on=change.effective_on, reason=change.reason,
        expires_on=held.expires_on, appeal_by=due,
    )  # fmt: skip


def _days(
    reading: Reading, certifications: Sequence[Any], news: Sequence[News], language: str
) -> list[list[str]]:
    """The dates ahead of what was awarded or renewed, for the holder's own calendar."""
    found = []
    for held, one in zip(certifications, news, strict=True):
        if one.tells not in {"award", "renewal_approved"} or held is None:
            continue
        scheme = reading.schemes[held.scheme]
        for kind, day in (("window", held.window_opens_on), ("expiry", held.expires_on)):
            if day is not None and day >= reading.today(scheme):
                found.append([held.id, kind, scheme.title[language], day.isoformat()])
    return found


# What it says.
def _composed(reading: Reading, key: bytes, claim: Claim, facts: dict[str, Any]) -> Composed:
    ways_out = letters.ways_out_of(reading, key, claim.holder_id or "", facts["type"])
    calendar = calendars.published(
        [Day(id_, kind, scheme, date.fromisoformat(on)) for id_, kind, scheme, on in facts["days"]],
        language=facts["language"], at=datetime.fromisoformat(facts["composed_at"]),
        domain=reading.settings.mail.message_id_domain,
    )  # fmt: skip
    letter = wording.compose_notice(
        NoticeLetter(
            name=facts["name"], language=facts["language"],
            news=tuple(_again(one) for one in facts["news"]), link=facts["link"],
            unsubscribe_link=ways_out and ways_out[0], calendar=calendar,
        )
    )  # fmt: skip
    return letters.sealed(reading, key, claim, letter, facts, type_=facts["type"])


def _plain(one: News) -> dict[str, Any]:
    return {
        name: str(value) if isinstance(value, (date, Decimal)) else value
        for name, value in asdict(one).items()
        if value is not None
    }


def _again(stored: Mapping[str, Any]) -> News:
    """The news that ``_plain`` wrote down."""
    return News(**{name: _READERS[name](value) for name, value in stored.items()})


_BY_TYPE: Mapping[str, Callable[[str], Any]] = {
    "date | None": date.fromisoformat, "Decimal | None": Decimal,
}  # fmt: skip
_READERS = {one.name: _BY_TYPE.get(str(one.type), str) for one in fields(News)}
