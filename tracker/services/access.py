"""Who am I, what should I do next, and the tokens that people make for themselves.

What a token is lives in ``tokens``; here is who may make which, and whose one may see or end.
"""

from __future__ import annotations

from collections.abc import Collection, Sequence
from dataclasses import dataclass
from datetime import date, datetime, timedelta
from decimal import Decimal
from typing import Any, Literal

from sqlalchemy import select

from tracker.domain.certifications import Standing
from tracker.domain.claims import Evaluation
from tracker.domain.errors import Invalid, NotFound
from tracker.domain.permissions import Actor, Role, Scope
from tracker.domain.policies import POINTS
from tracker.domain.wording import counted, in_words
from tracker.models import Employer, Token
from tracker.services import bounces, holders, records, standings, tokens
from tracker.services.bounces import Deliverability
from tracker.services.standings import Held
from tracker.services.work import Reading, Work

LONGEST = timedelta(days=365)
_COLUMNS = (
    Token.id, Token.name, Token.role, Token.scopes, Token.holder_id, Token.employer_id,
    Token.recorded_at, Token.expires_at, Token.last_used_at, Token.revoked_at,
)  # fmt: skip

Action = Literal[
    "none", "log_activities", "apply_from", "apply_now", "wait_for_decision", "contact_issuer",
    "start_again",
]  # fmt: skip
ACTIONS: tuple[Action, ...] = (
    "none", "log_activities", "apply_from", "apply_now", "wait_for_decision", "contact_issuer",
    "start_again",
)  # fmt: skip
_SENTENCES: dict[str, dict[Action, str]] = {
    "en": {
        "none": "Nothing needs to be done.",
        "log_activities": "Log activities: you still need {missing}.",
        "apply_from": "Apply for renewal from {on}.",
        "apply_now": "Apply for renewal now.",
        "wait_for_decision": "Your renewal is under review.",
        "contact_issuer": "Ask {issuer} what to do: the certification is not in force.",
        "start_again": "It has expired: earn the certification again.",
    },
    "es": {
        "none": "No hay nada que hacer.",
        "log_activities": "Registre actividades: aún necesita {missing}.",
        "apply_from": "Solicite la renovación a partir del {on}.",
        "apply_now": "Solicite la renovación ahora.",
        "wait_for_decision": "Su renovación está en revisión.",
        "contact_issuer": "Pregunte a {issuer} qué hacer: la certificación no está en vigor.",
        "start_again": "Ha vencido: obtenga la certificación de nuevo.",
    },
}
_LAST_DAY = {"en": " The last day is {on}.", "es": " El último día es el {on}."}


@dataclass(frozen=True, slots=True)
class NextStep:
    """What a holder should do about a certification.

    ``on`` is the first day of ``apply_from``, and the last one of what is to be done before it.
    """

    action: Action
    on: date | None = None
    missing: Decimal | None = None

    def sentence(self, language: str, issuer: str) -> str:
        """The step in words."""
        text = _SENTENCES[language][self.action]
        if self.on is not None and self.action in {"log_activities", "apply_now"}:
            text += _LAST_DAY[language]
        day = in_words(self.on, language) if self.on else ""
        missing = counted(self.missing or Decimal(0), POINTS[language], language)
        return text.format(on=day, missing=missing, issuer=issuer)


@dataclass(frozen=True, slots=True)
class Myself:
    """Who acts, the record or employer that is theirs, and their certifications today.

    ``mail`` tells a holder whether letters reach them.
    """

    actor: Actor
    holder: Any
    employer: Any
    mail: Deliverability | None
    certifications: Sequence[tuple[Held, NextStep]]


def myself(reading: Reading) -> Myself:
    """The actor with what is theirs; a holder also sees what to do next."""
    actor = reading.actor
    holder = holders.get(reading, actor.holder_id) if actor.holder_id else None
    return Myself(
        actor=actor,
        holder=holder,
        employer=_employer(reading, actor.employer_id) if actor.employer_id else None,
        mail=bounces.deliverability(reading, holder) if holder else None,
        certifications=_held(reading, actor.holder_id) if actor.holder_id else (),
    )


def _employer(reading: Reading, employer_id: str) -> Any:
    return reading.row(select(Employer.id, Employer.name).where(Employer.id == employer_id))


def _held(reading: Reading, holder_id: str) -> list[tuple[Held, NextStep]]:
    today = records.today_everywhere(reading)
    held = standings.of_holder(reading, holder_id, on=today)
    points = standings.evaluations(reading, held, on=today)
    return [(one, next_step(one, points.get(one.id))) for one in held]


def next_step(held: Held, points: Evaluation | None) -> NextStep:
    """What to do next, from the standing on a day and the points counted by it.

    An application can be made in the window, and in the grace period where a policy has one.
    """
    standing = held.standing
    if standing.status in {"suspended", "revoked", "surrendered", "withdrawn"}:
        return NextStep("contact_issuer")
    if standing.expires_on is None or points is None:
        return NextStep("none")
    if standing.pending_since is not None:
        return NextStep("wait_for_decision")
    return NextStep("start_again") if standing.status == "expired" else _renew(standing, points)


def _renew(standing: Standing, points: Evaluation) -> NextStep:
    last = standing.expires_on if standing.status != "grace" else None
    if not points.complete:
        return NextStep("log_activities", last, points.missing)
    if standing.window_opens_on is not None and standing.on < standing.window_opens_on:
        return NextStep("apply_from", standing.window_opens_on)
    return NextStep("apply_now", last)


def make_token(work: Work, given: dict[str, Any]) -> tuple[str, str]:
    """Make a token: an admin for anybody, others for themselves; returns its id and its secret.

    One's own has one's own role, name, record and employer, no scope that one lacks, and at most
    a year; without ``expires_at`` it is a year, for an admin's too. Raises Invalid.
    """
    actor = work.actor
    values = {**given, "expires_at": given.get("expires_at", work.now + LONGEST)}
    if actor.role != "admin":
        mine = _own(actor)
        _check_own(work, values, mine)
        values = {**values, **mine}
    scopes: Collection[Scope] = values.pop("scopes", actor.scopes)
    role: Role = values.pop("role", actor.role)
    return tokens.create(work, **{"name": actor.name, **values}, role=role, scopes=scopes)


def _own(actor: Actor) -> dict[str, Any]:
    return {
        "role": actor.role, "name": actor.name, "holder_id": actor.holder_id,
        "employer_id": actor.employer_id,
    }  # fmt: skip


def _check_own(work: Work, values: dict[str, Any], mine: dict[str, Any]) -> None:
    """Refuse a token that would be more than its maker is, or somebody else in the history."""
    wrong = {
        key: "must be your own, or not given"
        for key, own in mine.items()
        if values.get(key, own) != own
    }
    if wider := set(values.get("scopes", ())) - work.actor.scopes:
        wrong["scopes"] = f"must not be wider than your own: {', '.join(sorted(wider))}"
    expires_at: datetime | None = values["expires_at"]
    if expires_at is None or expires_at > work.now + LONGEST:
        wrong["expires_at"] = f"must be at most {LONGEST.days} days from now"
    if wrong:
        raise Invalid("You can make tokens for yourself only.", fields=wrong)


def page(reading: Reading, *, after: str | None, limit: int) -> Sequence[Any]:
    """A page of tokens in the order of their ids: all for an admin, one's own for others."""
    statement = select(*_COLUMNS).where(*_mine(reading.actor)).order_by(Token.id).limit(limit)
    if after:
        statement = statement.where(Token.id > after)
    return reading.rows(statement)


def token(reading: Reading, token_id: str) -> Any:
    """One token. Raises NotFound, also for somebody else's."""
    row = reading.row(select(*_COLUMNS).where(Token.id == token_id, *_mine(reading.actor)))
    if row is None:
        raise NotFound
    return row


def _mine(actor: Actor) -> list[Any]:
    """Of the same role, record and employer; staff, who have neither, by their name too."""
    if actor.role == "admin":
        return []
    found = [Token.role == actor.role]
    found.append(
        Token.holder_id == actor.holder_id if actor.holder_id else Token.holder_id.is_(None)
    )
    found.append(
        Token.employer_id == actor.employer_id if actor.employer_id else Token.employer_id.is_(None)
    )
    return [*found, Token.name == actor.name] if actor.role == "staff" else found


def end_token(work: Work, token_id: str) -> None:
    """End a token at once. Raises NotFound, also for somebody else's."""
    token(work, token_id)
    tokens.revoke(work, token_id)
