"""Notices about access, requests, modules and other credentials, on the day of sending."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from dataclasses import replace
from datetime import date

from tracker.domain.credentials.fees import FeeState
from tracker.domain.credentials.next_steps import NextStep
from tracker.domain.delivery.notices import NoticeKind
from tracker.domain.desk.requests import RequestKind, RequestState, RequestVerdict
from tracker.domain.points.activities import ActivityState
from tracker.domain.schemes.activity_types import translated
from tracker.domain.schemes.schemes import Scheme
from tracker.mail.notices import NoticeToCompose
from tracker.mail.today import Today
from tracker.services.core.context import zone_of
from tracker.services.delivery.notice_facts import DueNotice
from tracker.services.delivery.notice_rows import NoticedEntry

_DECIDED = frozenset(RequestVerdict)


def _day(notice: DueNotice) -> Today:
    """The holder's own day, without a standing."""
    day = notice.reading.now.astimezone(zone_of(notice.row.time_zone)).date()
    return Today(on=day, status="", valid=False, step=NextStep("none"))


def _entries(notice: DueNotice) -> list[NoticedEntry]:
    of_employer = notice.facts.entries.get(notice.row.subject_id, ())
    mine = [entry for entry in of_employer if entry.holder_id == notice.row.holder_id]
    return [entry for entry in mine if not entry.barred]


def _is_employed(notice: DueNotice, entry: NoticedEntry) -> bool:
    """Whether employment goes on; the day on which it ended is the first day without access."""
    return entry.ended_on is None or entry.ended_on > _day(notice).on


def _consent_asked(notice: DueNotice) -> Iterator[NoticeToCompose]:
    entries = [entry for entry in _entries(notice) if _is_employed(notice, entry)]
    is_first = notice.of_kind(NoticeKind.CONSENT_ASKED)[0] is notice.row
    if is_first and entries and entries[0].is_asked:
        terms = entries[0].terms
        yield NoticeToCompose(
            "consent_asked",
            about=entries[0].name,
            asks=" ".join(terms.fields),
            purpose=terms.purpose.value,
            shares=entries[0].sharing_id is not None,
            now=_day(notice),
        )


def _listed(notice: DueNotice) -> Iterator[NoticeToCompose]:
    for entry in _entries(notice):
        is_it = entry.id == notice.row.event and entry.sharing_id is not None
        if is_it and _is_employed(notice, entry):
            yield NoticeToCompose(
                "listed",
                about=entry.name,
                until_on=entry.until_on,
                with_points=bool(entry.with_points),
                now=_day(notice),
            )


def _nudged(notice: DueNotice) -> Iterator[NoticeToCompose]:
    """A reminder from an employer, while the holder shares with it."""
    scheme = notice.reading.schemes[_what(notice.row.event)]
    for entry in _entries(notice):
        if entry.sharing_id is not None and _is_employed(notice, entry):
            yield nudge(scheme, entry.name, notice.row.language, now=_day(notice))
            return


def nudge(scheme: Scheme, employer: str, language: str, *, now: Today) -> NoticeToCompose:
    """What an employer's reminder says: nothing but who sends it, and of which certification."""
    return NoticeToCompose(
        "employer_nudge",
        about=employer,
        scheme_name=translated(scheme.title, language),
        full_name=scheme.full_name(language),
        now=now,
    )


def _ended(notice: DueNotice) -> Iterator[NoticeToCompose]:
    """The end of an employment, unless the employer lists the holder again."""
    entries = _entries(notice)
    entry = next((e for e in entries if e.id == notice.row.event), None)
    listed = any(_is_employed(notice, e) for e in entries if e is not entry)
    if entry is not None and entry.ended_on is not None and not listed:
        yield NoticeToCompose(
            "employment_ended", about=entry.name, on=entry.ended_on, now=_day(notice)
        )


def _renamed(notice: DueNotice) -> Iterator[NoticeToCompose]:
    """A new name of an employer that still has the holder's consent."""
    was = notice.row.event.partition(":")[2]
    shared = next((e for e in _entries(notice) if e.sharing_id is not None), None)
    if shared is not None and _is_employed(notice, shared) and shared.name != was:
        yield NoticeToCompose("employer_renamed", about=shared.name, was=was, now=_day(notice))


def _request_decided(notice: DueNotice) -> Iterator[NoticeToCompose]:
    request, row = notice.facts.requests.get(notice.row.subject_id), notice.row
    if request is None or request.state != row.event or request.state not in _DECIDED:
        return
    name = {"given_name": row.given_name, "family_name": row.family_name}
    is_name = name.items() >= {k: v for k, v in request.proposal.items() if k in name}.items()
    granted = request.state == RequestState.GRANTED
    if request.kind != RequestKind.NAME_CHANGE:
        asked, reason = f"request_{request.state}_{request.kind}", request.reason or ""
        yield NoticeToCompose(asked, before=request.requested_on, now=_day(notice), reason=reason)
        return
    yield NoticeToCompose(
        f"request_{request.state}",
        before=request.requested_on,
        now=_day(notice),
        about=f"{row.given_name} {row.family_name}".strip() if granted and is_name else "",
        reason="" if granted else request.reason or "",
    )


def _records_merged(notice: DueNotice) -> Iterator[NoticeToCompose]:
    """That two records were merged, or that this was undone, whichever is so today."""
    merge = notice.facts.merges.get(notice.row.subject_id)
    told = None if merge is None else "merge" if merge.undone_at is None else "undo_merge"
    if told == notice.row.event:
        tells = "records_merged" if told == "merge" else "records_parted"
        yield NoticeToCompose(tells, now=_day(notice))


def _module(notice: DueNotice) -> Iterator[NoticeToCompose]:
    """A module passed, or its certificate corrected; what nobody was told of is not taken back."""
    row = notice.facts.modules.get(notice.row.subject_id)
    if row is None:
        return
    scheme, language = notice.reading.schemes[row.scheme], notice.row.language
    action, _, before = notice.row.event.partition(":")
    told = NoticeToCompose(
        _MODULES[action],
        scheme_name=translated(scheme.title, language),
        full_name=scheme.full_name(language),
        number=row.number,
        about=translated(scheme.module(row.module).name, language),
        on=row.passed_on,
        before=date.fromisoformat(before[:10]) if before else None,
    )
    if (action == "withdraw") == (row.withdrawn_at is not None) and _is_module_news(notice, told):
        yield told


def _is_module_news(notice: DueNotice, told: NoticeToCompose) -> bool:
    """Whether the holder does not know it yet: from this message, or for want of an earlier one."""
    row, facts = notice.row, notice.facts
    if told.tells == "module_passed":
        return True
    if notice.of_kind(row.kind)[-1] is not row:
        return False
    if told.tells == "module_restored":
        return facts.was_sent(row.subject_id, row.kind, "withdraw")
    is_as_before = told.tells == "module_corrected" and told.before == told.on
    return not is_as_before and not facts.is_unsent(row.subject_id, row.kind, "issue")


_MODULES: Mapping[str, str] = {
    "issue": "module_passed",
    "correct": "module_corrected",
    "withdraw": "module_withdrawn",
    "restore": "module_restored",
}
"""What a notice about a module tells, by what was done to its certificate."""


def _credential_expires(notice: DueNotice) -> Iterator[NoticeToCompose]:
    """A credential that is about to expire, unless it was renewed, withdrawn, or told again."""
    row, kind = notice.facts.credentials.get(notice.row.subject_id), notice.row.kind
    if row is None or row.withdrawn_at is not None or row.expires_on is None:
        return
    now, is_last = _day(notice), notice.of_kind(kind)[-1] is notice.row
    is_same = notice.row.event.startswith(f"{row.expires_on}:")
    if is_last and is_same and row.expires_on >= now.on:
        known = notice.reading.credentials.by_code.get(row.credential)
        name = known.name if known else row.credential
        about = f"{name}, Level {row.level}" if row.level else name
        yield NoticeToCompose("credential_expires", about=about, on=row.expires_on, now=now)


def _attended(notice: DueNotice) -> Iterator[NoticeToCompose]:
    """What an attendance list has brought or changed, if it is still so; each is told once."""
    activity, what = notice.facts.attended.get(notice.row.subject_id), _what(notice.row.event)
    alike = [one for one in notice.of_kind(NoticeKind.ATTENDANCE) if _what(one.event) == what]
    if activity is None or alike[0] is not notice.row:
        return
    is_gone = activity.state == ActivityState.WITHDRAWN
    holds = {"draft": activity.state == ActivityState.DRAFT, "removed": is_gone}
    if holds.get(what, not is_gone):
        yield NoticeToCompose(
            f"attendance_{what}",
            about=activity.title,
            was=activity.provider,
            on=activity.completed_on,
            now=_day(notice),
        )


def _permission(notice: DueNotice) -> Iterator[NoticeToCompose]:
    """An employer's permission to work, if it still stands."""
    found, today = notice.facts.permissions.get(notice.row.subject_id), _day(notice)
    if found is not None and found.ended_at is None and found.ends_on >= today.on:
        yield NoticeToCompose(
            "permission_given", about=found.name, on=found.ends_on, reason=found.words, now=today
        )


def _fee(notice: DueNotice) -> Iterator[NoticeToCompose]:
    """Where a fee stands, if it is still so; of several changes in a message the last one."""
    fee, what = notice.facts.fees.get(notice.row.subject_id), _what(notice.row.event)
    if fee is None or notice.of_kind(NoticeKind.FEE_CHANGED)[-1] is not notice.row:
        return
    if what == ("refund_due" if fee.refund_due else fee.state):
        yield NoticeToCompose(
            f"fee_{what}",
            amount=fee.amount,
            reason=fee.reason or "" if what == FeeState.WAIVED else "",
            now=replace(_day(notice), currency=fee.currency),
        )


def _what(event: str) -> str:
    return event.partition(":")[0]


BY_KIND: Mapping[str, Callable[[DueNotice], Iterator[NoticeToCompose]]] = {
    NoticeKind.CONSENT_ASKED: _consent_asked,
    NoticeKind.LISTED: _listed,
    NoticeKind.EMPLOYER_RENAMED: _renamed,
    NoticeKind.EMPLOYMENT_ENDED: _ended,
    NoticeKind.EMPLOYER_NUDGE: _nudged,
    NoticeKind.REQUEST_DECIDED: _request_decided,
    NoticeKind.RECORDS_MERGED: _records_merged,
    NoticeKind.MODULE_CERTIFICATE: _module,
    NoticeKind.CREDENTIAL_EXPIRES: _credential_expires,
    NoticeKind.ATTENDANCE: _attended,
    NoticeKind.FEE_CHANGED: _fee,
    NoticeKind.PERMISSION_GIVEN: _permission,
}
