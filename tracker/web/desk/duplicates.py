"""Likely duplicates, two records side by side, and making one of them with a second person."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import date
from typing import Any
from uuid import UUID

from flask import Blueprint, Response, request

from tracker.api.desk.merges import MergeToProposeSchema, UndoneMergeSchema
from tracker.api.http import routing, session_cookies
from tracker.api.people.duplicates import PairSettlementSchema
from tracker.api.people.holders import HolderQuerySchema
from tracker.domain.credentials.certifications import Status
from tracker.domain.errors import Invalid, NotFound, Refusal
from tracker.domain.permissions import Actor
from tracker.language import catalogues
from tracker.language.voice import in_words
from tracker.services.core.context import UnitOfWork
from tracker.services.desk import merges
from tracker.services.overview import merge_overviews, person_overviews, two_person_acts
from tracker.services.people import duplicates
from tracker.web import navigation
from tracker.web.desk import desk_forms, module_grids, record_words
from tracker.web.people import forms, lists, visitors
from tracker.web.verify_words import WORDS as ON_THE_PAGE

pages = Blueprint("desk-duplicates", __name__)

HERE = "/desk/duplicates"
_ONE = f"{HERE}/<uuid:duplicate_id>"
_MERGE = "/desk/people/<uuid:holder_id>/merge"
_PAIR = f"{_MERGE}/<uuid:merged_id>"
_DONE = "/desk/merges/<uuid:merge_id>"
_MOST = 20


@dataclass(frozen=True, slots=True)
class DeskDuplicatesWords:
    """One language's words."""

    title: str
    why: str
    none: str
    compare: str
    found_on: str
    settled: str
    open: str
    settled_by: str
    reopen: str
    choose_title: str
    choose_why: str
    choose: str
    choose_hint: str
    find: str
    nobody: str
    pair_title: str
    stays: str
    goes: str
    swap: str
    rows: dict[str, str]
    same_signs: str
    merge: str
    merge_why: str
    preview: str
    preview_title: str
    not_stored: str
    second: str
    propose: str
    waits: str
    waits_link: str
    settle_title: str
    settle_why: str
    settle: str
    addresses: str
    left_out: str
    moved: str
    certificates: str
    leads: str
    extended: str
    reduced: str
    fates: dict[str, str]
    change: str
    done_title: str
    done: str
    undo_title: str
    undo_why: str
    undo: str
    undone: str
    accounts: dict[str, str]


WORDS = {
    lang: DeskDuplicatesWords(**catalogues.topic(lang, "desk_duplicates_pages"))
    for lang in catalogues.LANGUAGES
}


# The list.
@pages.get(HERE)
@visitors.for_staff
def listed(actor: Actor) -> Response:
    """The pairs that nobody has settled, or those that are."""
    return _list(actor)


@pages.post(f"{_ONE}/settle")
@visitors.for_staff
def settle(actor: Actor, *, duplicate_id: UUID) -> Response:
    """Say that they are two people: the pair is not listed any more."""
    return _decided(
        actor, lambda work, reason: duplicates.settle(work, str(duplicate_id), **reason)
    )


@pages.post(f"{_ONE}/reopen")
@visitors.for_staff
def reopen(actor: Actor, *, duplicate_id: UUID) -> Response:
    """Take back that they are two people."""
    return _decided(
        actor, lambda work, reason: duplicates.reopen(work, str(duplicate_id), **reason)
    )


def _decided(actor: Actor, decide: Any) -> Response:
    def act(work: UnitOfWork) -> str:
        decide(work, routing.load(PairSettlementSchema(), forms.sent("reason")))
        return HERE

    return forms.attempted(
        actor, act, here=HERE, refused=lambda refusal: _list(actor, refusal=refusal)
    )


def _list(actor: Actor, *, refusal: Refusal | None = None) -> Response:
    language, is_settled = routing.language(), request.args.get("settled") == "yes"
    with routing.container().reading(actor) as reading:
        found = duplicates.page(
            reading, after=lists.place(), limit=lists.LISTED + 1, settled=is_settled
        )
    rows, more = lists.cut(found, lambda one: one.id, HERE)
    codes = record_words.WORDS[language]
    errors, wrong = desk_forms.errors(refusal, {"reason": desk_forms.words().reason})
    return visitors.page(
        "desk/duplicates",
        language,
        422 if wrong else 200,
        say=WORDS[language],
        form=desk_forms.words(),
        areas=navigation.of_records(language),
        here=HERE,
        rows=rows,
        more=more,
        is_settled=is_settled,
        signs=lambda row: ", ".join(codes.said("signs", sign) for sign in row.signs),
        moment=lambda instant: desk_forms.moment(instant, language),
        errors=errors,
        wrong=wrong,
        csrf_token=session_cookies.csrf_token(actor),
    )


# Two records.
@pages.get(_MERGE)
@visitors.for_staff
def choose(actor: Actor, *, holder_id: UUID) -> Response:
    """Find the other record of the same person."""
    language, typed = routing.language(), request.args.get("q", "").strip()
    id_, wrong = str(holder_id), None
    rows: list[Any] = []
    with routing.container().reading(actor) as reading:
        found = person_overviews.of_modules(reading, id_)
        if typed:
            try:
                query = routing.load(HolderQuerySchema(), {"q": typed})["q"]
                others = person_overviews.search(reading, query, after=None, limit=_MOST)
                rows = [one for one in others if one.holder.id != id_]
            except Invalid:
                rows = []
            wrong = None if rows else WORDS[language].nobody
    return visitors.page(
        "desk/merge_choice",
        language,
        422 if wrong else 200,
        say=WORDS[language],
        form=desk_forms.words(),
        areas=navigation.of_records(language),
        here=f"/desk/people/{id_}",
        holder=found.holder,
        rows=rows,
        typed=typed,
        wrong=wrong,
    )


@pages.get(_PAIR)
@visitors.for_staff
def compare(actor: Actor, *, holder_id: UUID, merged_id: UUID) -> Response:
    """Two records side by side; the first one stays."""
    return _pair(actor, str(holder_id), str(merged_id))


@pages.post(f"{_PAIR}/preview")
@visitors.for_staff
def preview(actor: Actor, *, holder_id: UUID, merged_id: UUID) -> Response:
    """What a merge would bring; nothing is stored."""
    kept, merged = str(holder_id), str(merged_id)
    try:
        with routing.container().work(actor) as work:
            said = routing.load(MergeToProposeSchema(), _proposal(merged))
            summary = merges.preview(work, kept, merged)
            pair = merge_overviews.of_pair(work, kept, merged)
    except NotFound:
        raise
    except Refusal as refusal:
        return _pair(actor, kept, merged, refusal=refusal)
    language = routing.language()
    return visitors.page(
        "desk/merge_preview",
        language,
        **_summary(summary, language),
        say=WORDS[language],
        form=desk_forms.words(),
        areas=navigation.of_records(language),
        here=f"/desk/people/{kept}/merge/{merged}",
        pair=pair,
        reason=said["reason"],
        csrf_token=session_cookies.csrf_token(actor),
    )


@pages.post(_PAIR)
@visitors.for_staff
def propose(actor: Actor, *, holder_id: UUID, merged_id: UUID) -> Response:
    """Propose the merge; a second person carries it out."""
    kept, merged = str(holder_id), str(merged_id)
    here = f"/desk/people/{kept}/merge/{merged}"

    def act(work: UnitOfWork) -> str:
        said = routing.load(MergeToProposeSchema(), _proposal(merged))
        two_person_acts.propose_merge(work, kept, merged, reason=said["reason"])
        return here

    return forms.attempted(
        actor, act, here=here, refused=lambda refusal: _pair(actor, kept, merged, refusal=refusal)
    )


def _proposal(merged_id: str) -> dict[str, str]:
    return {"merged_id": merged_id, **forms.sent("reason")}


def _pair(actor: Actor, kept: str, merged: str, *, refusal: Refusal | None = None) -> Response:
    language = routing.language()
    with routing.container().reading(actor) as reading:
        pair = merge_overviews.of_pair(reading, kept, merged)
    codes = record_words.WORDS[language]
    errors, wrong = desk_forms.errors(refusal, {"reason": desk_forms.words().reason})
    return visitors.page(
        "desk/merge_pair",
        language,
        422 if wrong else 200,
        say=WORDS[language],
        form=desk_forms.words(),
        areas=navigation.of_records(language),
        here=f"/desk/people/{kept}/merge/{merged}",
        swapped=f"/desk/people/{merged}/merge/{kept}",
        pair=pair,
        signs=[codes.said("signs", sign) for sign in pair.signs],
        statuses=ON_THE_PAGE[language].statuses,
        modules=_module_names(language),
        moment=lambda instant: desk_forms.moment(instant, language),
        day=lambda day: in_words(day, language),
        stated=desk_forms.stated("reason"),
        errors=errors,
        wrong=wrong,
        csrf_token=session_cookies.csrf_token(actor),
    )


def _module_names(language: str) -> Mapping[str, str]:
    found = module_grids.names(routing.container().schemes, language)
    return {f"{scheme}/{module}": name for (scheme, module), name in found.items()}


# Merges.
@pages.get(_DONE)
@visitors.for_staff
def show(actor: Actor, *, merge_id: UUID) -> Response:
    """What a merge brought, and the form to undo it."""
    return _merge(actor, str(merge_id))


@pages.post(f"{_DONE}/undo")
@visitors.for_staff
def undo(actor: Actor, *, merge_id: UUID) -> Response:
    """Undo a merge: both records are as they were."""
    id_ = str(merge_id)

    def act(work: UnitOfWork) -> str:
        merges.undo(work, id_, **routing.load(UndoneMergeSchema(), forms.sent("reason")))
        return f"/desk/merges/{id_}"

    return forms.attempted(
        actor,
        act,
        here=f"/desk/merges/{id_}",
        refused=lambda refusal: _merge(actor, id_, refusal=refusal),
    )


def _merge(actor: Actor, merge_id: str, *, refusal: Refusal | None = None) -> Response:
    language = routing.language()
    with routing.container().reading(actor) as reading:
        found = merge_overviews.of_merge(reading, merge_id)
    errors, wrong = desk_forms.errors(refusal, {"reason": desk_forms.words().reason})
    say, row = WORDS[language], found.merge
    by = say.done.format(
        by=row.recorded_by, at=desk_forms.moment(row.recorded_at, language), reason=row.reason
    )
    undone = ""
    if row.undone_at is not None:
        at = desk_forms.moment(row.undone_at, language)
        undone = say.undone.format(by=row.undone_by, at=at, reason=row.undone_reason)
    return visitors.page(
        "desk/merge",
        language,
        422 if wrong else 200,
        **_summary(row.summary, language),
        say=say,
        form=desk_forms.words(),
        areas=navigation.of_records(language),
        here=f"/desk/merges/{merge_id}",
        found=found,
        by=by,
        undone=undone,
        stated=desk_forms.stated("reason"),
        errors=errors,
        wrong=wrong,
        csrf_token=session_cookies.csrf_token(actor),
    )


def _summary(summary: Mapping[str, Any], language: str) -> dict[str, Any]:
    """What a merge brings, in words."""
    say, codes = WORDS[language], record_words.WORDS[language]
    return {
        "addresses": summary["addresses"],
        "left_out": summary["addresses_left_out"],
        "account": say.accounts[summary["account"]],
        "moved": [
            (codes.said("subjects", name), count)
            for name, count in summary["moved"].items()
            if count
        ],
        "certificates": [_certificate(one, language) for one in summary["certifications"]],
        "adjustments": [_adjustment(one, language) for one in summary.get("adjustments", ())],
    }


def _adjustment(one: Mapping[str, Any], language: str) -> str:
    """What becomes of an extension or a reduction of an award that leads on."""
    say = WORDS[language]
    if one["extended_to"]:
        day = in_words(date.fromisoformat(one["extended_to"]), language)
        what = say.extended.format(number=one["number"], day=day)
    else:
        what = say.reduced.format(number=one["number"], points=one["points_required"])
    return f"{what}: {say.fates[one['fate']]}"


def _certificate(one: Mapping[str, Any], language: str) -> tuple[str, str]:
    """A certificate's number, and what it is before and after."""
    statuses = ON_THE_PAGE[language].statuses
    before, after = (
        statuses[Status(each["status"])] if each["status"] else desk_forms.WORDS[language].none
        for each in (one["before"], one["after"])
    )
    if one["leads_to"]:
        return one["number"], WORDS[language].leads.format(one["leads_to"])
    return one["number"], before if before == after else f"{before} → {after}"
