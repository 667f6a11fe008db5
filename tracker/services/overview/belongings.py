"""Everything that goes when a person's data are erased: which rows, and in which order.

Invariant: every table that refers to a holder, an account, a session, a token, an activity or an
evidence file is named here, with what becomes of its rows; a test compares this with the tables.
Statements are few, one or two for each table, however much there is.
"""

from __future__ import annotations

from collections.abc import Collection, Sequence
from datetime import datetime
from typing import NamedTuple

from sqlalchemy import (
    ColumnElement,
    Delete,
    Select,
    String,
    Update,
    and_,
    cast,
    delete,
    func,
    or_,
    select,
    update,
)

from tracker.db import new_id
from tracker.domain.delivery.queue_acts import HELD, MessageState
from tracker.domain.desk.approvals import ApprovalState
from tracker.domain.emails import compared
from tracker.domain.errors import TooBusy
from tracker.domain.people import erasures as rules
from tracker.models import (
    Account,
    ActApproval,
    Activity,
    Adjustment,
    Appeal,
    Apprenticeship,
    Assessment,
    Attendance,
    AuditItem,
    Authenticator,
    Bounce,
    CenterResult,
    Certification,
    Decision,
    Digest,
    Discrepancy,
    EmployerBar,
    EmployerNudge,
    EmploymentConfirmation,
    Evidence,
    Fee,
    FormerName,
    FormerRenewalDecision,
    Holder,
    HolderRequest,
    HolderWord,
    IdempotencyKey,
    LikelyDuplicate,
    LoginSession,
    ManagedCase,
    MergedRow,
    Message,
    ModuleCertificate,
    Notice,
    OpenReview,
    OtherCredential,
    Passkey,
    PasswordHash,
    PathwayChoice,
    Preference,
    ProviderIdentity,
    RecordMerge,
    RecordWriter,
    Recovery,
    RecoveryCode,
    Renewal,
    RequestProof,
    RosterEntry,
    Sharing,
    SignIn,
    StandingChange,
    Token,
    WorkerSeen,
    WorkPermission,
)
from tracker.services.core import bulk
from tracker.services.core.context import UnitOfWork

Step = Delete | Update
_CODE, _REASON = "other", ""
_FINISHED = (MessageState.SENT, MessageState.DEAD, MessageState.CANCELLED)


class ErasedPerson(NamedTuple):
    """Whose data go: ids, and the addresses by which tables without a reference know the person."""

    id: str
    addresses: Sequence[str]


def keys_of_files(work: UnitOfWork, person: ErasedPerson) -> list[str]:
    """The keys of the person's evidence files, which are removed once the rows are gone."""
    of_activities = select(Evidence.key).where(Evidence.activity_id.in_(_activities(person)))
    of_requests = select(RequestProof.key).where(RequestProof.request_id.in_(_requests(person)))
    return [row.key for one in (of_activities, of_requests) for row in work.rows(one)]


def remove(work: UnitOfWork, person: ErasedPerson) -> None:
    """Delete or empty every row. Raises TooBusy while a message to the person is being sent."""
    _check_sending(work, person)
    _remove_names_in_digests(work, person)
    for step in (*_access(person), *_desk(person), *_record(person), *_traces(work, person)):
        work.execute(step)


def _activities(person: ErasedPerson) -> Select[str]:
    return select(Activity.id).where(Activity.holder_id == person.id)


def _requests(person: ErasedPerson) -> Select[str]:
    return select(HolderRequest.id).where(HolderRequest.holder_id == person.id)


def _certifications(person: ErasedPerson) -> Select[str]:
    return select(Certification.id).where(Certification.holder_id == person.id)


def _access(person: ErasedPerson) -> list[Step]:
    """What lets the person in: account, sessions, attempts, tokens."""
    accounts = select(Account.id).where(Account.holder_id == person.id)
    sessions = select(LoginSession.id).where(LoginSession.account_id.in_(accounts))
    tokens = select(Token.id).where(Token.holder_id == person.id)
    return [
        delete(IdempotencyKey).where(
            or_(IdempotencyKey.token_id.in_(tokens), IdempotencyKey.session_id.in_(sessions))
        ),
        delete(SignIn).where(or_(SignIn.holder_id == person.id, SignIn.account_id.in_(accounts))),
        *(
            delete(table).where(table.account_id.in_(accounts))
            for table in (
                LoginSession,
                PasswordHash,
                Authenticator,
                RecoveryCode,
                Passkey,
                ProviderIdentity,
            )
        ),
        # Whoever works for the body signs in still; that account names no record any more.
        update(Account).where(Account.own_record_id == person.id).values(own_record_id=None),
        delete(Recovery).where(
            or_(Recovery.holder_id == person.id, Recovery.account_id.in_(accounts))
        ),
        delete(Token).where(Token.holder_id == person.id),
        delete(Account).where(Account.holder_id == person.id),
    ]


def _desk(person: ErasedPerson) -> list[Step]:
    """What the body's people have under way, or did, with the record."""
    renewals = select(Renewal.id).where(Renewal.certification_id.in_(_certifications(person)))
    waits = ActApproval.state == ApprovalState.OPEN
    merges = or_(RecordMerge.holder_id == person.id, RecordMerge.merged_id == person.id)
    pairs = (LikelyDuplicate.first_id, LikelyDuplicate.second_id)
    return [
        delete(OpenReview).where(
            or_(
                OpenReview.subject_id.in_(_activities(person)),
                OpenReview.subject_id.in_(renewals),
            )
        ),
        # What was merged stays so: a merge is not undone without the rows that it kept.
        delete(MergedRow).where(MergedRow.merge_id.in_(select(RecordMerge.id).where(merges))),
        update(RecordMerge).where(merges).values(reason=_REASON, summary={}, undone_reason=None),
        delete(LikelyDuplicate).where(or_(*(column == person.id for column in pairs))),
        delete(RequestProof).where(RequestProof.request_id.in_(_requests(person))),
        delete(RecordWriter).where(RecordWriter.subject_id.in_(_activities(person))),
        _nameless(_may_name(person)),
        delete(ActApproval).where(ActApproval.holder_id == person.id, waits),
        update(ActApproval)
        .where(ActApproval.holder_id == person.id)
        .values(what={}, preview={}, reason=_REASON, decision_reason=None),
    ]


_THEIRS_ALONE = (
    OtherCredential,
    PathwayChoice,
    Apprenticeship,
    ManagedCase,
    EmploymentConfirmation,
    WorkPermission,
    CenterResult,
    Activity,
    Assessment,
    FormerName,
    HolderRequest,
    Sharing,
    EmployerBar,
    EmployerNudge,
    WorkerSeen,
    Preference,
    Notice,
)
"""Whose rows go with the person, in an order in which none refers to one that is gone."""


def _record(person: ErasedPerson) -> list[Step]:
    """What the person did; of certifications the number, the scheme and the dates stay."""
    renewals = select(Renewal.id).where(Renewal.certification_id.in_(_certifications(person)))
    mine = _certifications(person)
    return [
        # Of who attended, the course and the day stay.
        delete(Discrepancy).where(Discrepancy.holder_id == person.id),
        _nameless(Attendance.holder_id == person.id).values(holder_id=None, activity_id=None),
        *(
            delete(table).where(table.activity_id.in_(_activities(person)))
            for table in (AuditItem, Evidence, Decision)
        ),
        *(delete(table).where(table.holder_id == person.id) for table in _THEIRS_ALONE),
        delete(FormerRenewalDecision).where(FormerRenewalDecision.renewal_id.in_(renewals)),
        delete(Appeal).where(Appeal.certification_id.in_(mine)),
        update(Renewal)
        .where(Renewal.certification_id.in_(mine))
        .values(ref=None, fee_id=None, points_counted=None, points_if_approved=None, reason=None),
        delete(Fee).where(Fee.holder_id == person.id),
        update(StandingChange)
        .where(StandingChange.certification_id.in_(mine))
        .values(ref=None, reason_code=_CODE, reason=_REASON),
        update(Adjustment)
        .where(Adjustment.certification_id.in_(mine))
        .values(reason_code=_CODE, reason=_REASON, override_reason=None),
        # The passes are gone, and the certificates that rest on them stand.
        update(ModuleCertificate)
        .where(ModuleCertificate.holder_id == person.id)
        .values(amended_at=None),
        update(Certification)
        .where(Certification.holder_id == person.id)
        .values(source=None, void_reason=None, kept_reason="The holder's data were erased."),
    ]


def _may_name(person: ErasedPerson) -> ColumnElement[bool]:
    """Rows of attendance lists that may mean the person, and were matched to nobody."""
    doubtful = select(Discrepancy.attendance_id).where(
        Discrepancy.holder_id == person.id, Discrepancy.attendance_id.is_not(None)
    )
    return and_(Attendance.holder_id.is_(None), Attendance.id.in_(doubtful))


def _nameless(which: ColumnElement[bool]) -> Update:
    """Take the words for a person out of rows of attendance lists."""
    blank = {"given_name": None, "given_holder_ref": None, "given_number": None}
    who = cast(Attendance.id, String)
    return update(Attendance).where(which).values(**blank, given_email=None, who=who)


def _traces(work: UnitOfWork, person: ErasedPerson) -> list[Step]:
    """What others keep about the person: employers' lists, messages, reports of the mail relay."""
    folded = sorted({compared(address) for address in person.addresses})
    return [
        update(RosterEntry)
        .where(RosterEntry.holder_id == person.id)
        .values(
            holder_id=None,
            given_holder_ref=None,
            given_email=None,
            given_number=None,
            answer=None,
            answered_at=None,
        ),
        update(Message)
        .where(Message.holder_id == person.id, Message.state.not_in(_FINISHED))
        .values(state=MessageState.CANCELLED, finished_at=work.now, lease_until=None, owner=None),
        update(Message)
        .where(or_(Message.holder_id == person.id, Message.address.in_(person.addresses)))
        .values(address="", facts=None, about=None, last_error=None),
        delete(Bounce).where(Bounce.address.in_([*folded, *person.addresses])),
    ]


def _check_sending(work: UnitOfWork, person: ErasedPerson) -> None:
    """A worker that is sending a message still needs its address and text."""
    held = select(Message.id).where(Message.holder_id == person.id, Message.state.in_(HELD))
    if work.row(held) is not None:
        raise TooBusy("A message to this person is being sent; try again in a minute.")


def _remove_names_in_digests(work: UnitOfWork, person: ErasedPerson) -> None:
    """Take the person out of what was mailed to employers."""
    entries = {
        row.id: row.employer_id
        for row in work.rows(
            select(RosterEntry.id, RosterEntry.employer_id).where(
                RosterEntry.holder_id == person.id
            )
        )
    }
    digests = select(Digest.id, Digest.contents, Digest.message_id).where(
        Digest.employer_id.in_(set(entries.values()))
    )
    for row in work.rows(digests) if entries else []:
        kept = _without(row.contents, entries)
        if kept != row.contents:
            work.execute(update(Digest).where(Digest.id == row.id).values(contents=kept))
            text = update(Message).where(Message.id == row.message_id).values(facts=None)
            work.execute(text.where(Message.state.in_(_FINISHED)))


def _without(contents: dict[str, object], entries: dict[str, str]) -> dict[str, object]:
    sections = contents.get("sections")
    if not isinstance(sections, dict):
        return contents
    return contents | {
        "sections": {
            name: section | {"rows": [r for r in section["rows"] if r["entry"] not in entries]}
            for name, section in sections.items()
        }
    }


def empty(work: UnitOfWork, holder_id: str, at: datetime) -> None:
    """Empty the holder's own row, which the certificates refer to, and forget the words of it.

    It reads as that of somebody who died: no message, no sign-in, no consent. Its ref is another
    one, so that a file that brings the same person makes a new record.
    """
    values = {
        "ref": new_id(),
        "given_name": rules.GIVEN_NAME,
        "family_name": rules.FAMILY_NAME,
        "folded_name": "",
        "email": rules.address(holder_id),
        "second_email": None,
        "email_confirmed": False,
        "second_email_confirmed": False,
        "language": "en",
        "time_zone": "UTC",
        "deceased_on": at.date(),
        "erased_at": at,
        "version": Holder.version + 1,
    }
    work.execute(delete(HolderWord).where(HolderWord.holder_id == holder_id))
    table = bulk.table_of(Holder)
    work.execute(update(table).where(table.c.id == holder_id).values(values))


def entries_naming(work: UnitOfWork, addresses: Collection[str]) -> list[str]:
    """The entries of employers' and providers' lists that name somebody by these addresses.

    Untied ones, too.
    """
    lowered = [one.lower() for one in addresses]
    rows = [
        row
        for table in (RosterEntry, Attendance)
        for row in work.rows(select(table.id).where(func.lower(table.given_email).in_(lowered)))
    ]
    return [row.id for row in rows]


def remove_mentions(
    work: UnitOfWork, person: ErasedPerson, addresses: Collection[str], entry_ids: Collection[str]
) -> None:
    """Remove what tells of the person and refers to no record.

    That is: entries that nobody was found for, attempts to sign in that wait to be looked up, and
    answers that are kept for the requests of others. A request that is sent again finds no record.
    """
    entries = update(RosterEntry).where(RosterEntry.id.in_(entry_ids))
    blank = {"given_holder_ref": None, "given_email": None, "given_number": None}
    work.execute(entries.values(blank))
    work.execute(_nameless(Attendance.id.in_(entry_ids)))
    folded = [compared(address) for address in addresses]
    work.execute(delete(SignIn).where(SignIn.identifier.in_(folded)))
    ids = [person.id, *(row.id for row in work.rows(_certifications(person)))]
    work.execute(delete(IdempotencyKey).where(or_(*(_tells_of(work, id_) for id_ in ids))))


def _tells_of(work: UnitOfWork, id_: str) -> ColumnElement[bool]:
    """Whether a kept answer has an id in it; on SQLite, LIKE matches no bytes."""
    body, text = IdempotencyKey.body, id_.encode()
    return func.instr(body, text) > 0 if work.dialect == "sqlite" else body.contains(text)


def only_own_addresses(work: UnitOfWork, person: ErasedPerson) -> list[str]:
    """The person's addresses that nobody else on record has."""
    lowered = {address.lower() for address in person.addresses}
    columns = (func.lower(Holder.email), func.lower(Holder.second_email))
    shared = or_(*(column.in_(lowered) for column in columns))
    statement = select(*columns).where(Holder.id != person.id, shared)
    others = {address for row in work.rows(statement) for address in row}
    return [address for address in person.addresses if address.lower() not in others]
