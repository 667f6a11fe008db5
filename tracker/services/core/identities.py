"""All ids by which one person is known: whoever decided or proposed is an id and never a name.

A person may act in a session, by tokens of their own, and by tokens that they made under another
name; the account may name a holder's record before or after that. Whatever two people must do asks
here whether they are two.
"""

from __future__ import annotations

from sqlalchemy import or_, select

from tracker.models import Account, Token
from tracker.services.core import bulk, tokens
from tracker.services.core.context import ReadContext


def behind(reading: ReadContext) -> frozenset[str]:
    """All ids of the actor: people, their records, and those who made the actor's token."""
    ids = set(reading.actor.ids) | tokens.people_above(reading, reading.actor.token_id)
    if not ids:
        return frozenset()
    of_people = select(Account.holder_id, Account.own_record_id)
    for row in reading.rows(of_people.where(bulk.among(reading, Account.id, ids))):
        ids |= set(row) - {None}
    named = or_(
        bulk.among(reading, Account.holder_id, ids), bulk.among(reading, Account.own_record_id, ids)
    )
    by_token = select(Token.person_id).where(bulk.among(reading, Token.holder_id, ids))
    people = [*reading.rows(select(Account.id).where(named)), *reading.rows(by_token)]
    return frozenset(ids | {row[0] for row in people})
