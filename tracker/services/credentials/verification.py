"""Public verification: a certificate found by its address, or by number and family name.

A certificate is of a whole certification, or of a single module. One statement reads the first;
the second is read where there is no first. A person who knows neither the address nor both number
and name learns nothing: an unknown number and a wrong name get the same answer. A certificate once
issued can always be verified: if withdrawn, the answer says so; if earned again, it names the
current one; if it leads to another one since two records of a person were merged, the answer is
about that one.
"""

from __future__ import annotations

import re
from collections import defaultdict
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import date, datetime

from sqlalchemy import BindParameter, ColumnElement, Select, and_, bindparam, func, or_, select
from sqlalchemy.orm import aliased

from tracker import row_security
from tracker.domain import numbers
from tracker.domain.credentials import certifications
from tracker.domain.credentials.certifications import Standing, Status
from tracker.domain.errors import NoLongerAvailable, NotFound
from tracker.domain.schemes.schemes import Module, Scheme
from tracker.domain.values import run_together
from tracker.models import Certification, FormerName, Holder, ModuleCertificate, Span
from tracker.services.core import bulk
from tracker.services.core.context import AnyRow, ReadContext, sees_everything
from tracker.services.standings.related_facts import SPAN

_PUBLIC_ID = re.compile(r"[A-Za-z0-9_-]{16,32}")
_CURRENT, _NUMBERED = aliased(Certification), aliased(Certification)
_AWARD = (
    Certification.number,
    Certification.scheme,
    Certification.awarded_on,
    Certification.replaced_on,
    _CURRENT.number.label("current_number"),
    Holder.given_name,
    Holder.family_name,
    Holder.deceased_on,
    Holder.erased_at,
    Holder.shows_modules,
    Certification.holder_id,
)
_SPAN = slice(len(_AWARD), len(_AWARD) + len(SPAN))
_STATEMENT = (
    select(*_AWARD, *SPAN)
    .join(Holder, Holder.id == Certification.holder_id)
    .join(Span, Span.certification_id == Certification.id)
    .join(
        _CURRENT,
        and_(
            _CURRENT.holder_id == Certification.holder_id,
            _CURRENT.scheme == Certification.scheme,
            _CURRENT.withdrawn_at.is_(None),
            _CURRENT.replaced_on.is_(None),
            Certification.replaced_on.is_not(None),
        ),
        isouter=True,
    )
    .order_by(Span.from_on)
)


def _leading(which: ColumnElement[bool]) -> Select[str]:
    """The certification that is asked for, or the one to which it leads since a merge."""
    return select(func.coalesce(_NUMBERED.merged_into_id, _NUMBERED.id)).where(which)


_ADDRESS: BindParameter[str] = bindparam("public_id")
_AT_ADDRESS = _STATEMENT.where(Certification.id.in_(_leading(_NUMBERED.public_id == _ADDRESS)))


_ShownModules = Mapping[tuple[str, str, str], date]
"""The day of the first pass by holder, scheme and module."""


@dataclass(frozen=True, slots=True)
class Verified:
    """What a public verifier sees.

    ``held_since`` is the day from which the certification is suspended, revoked or surrendered.
    ``again_on`` is the day from which the holder is certified again, ``again_number`` the current
    certificate number. ``is_over``: the holder has died, so it is not valid whatever its dates say;
    the reason is not public. With a ``module`` it is the certificate of that module alone, which
    was passed on ``awarded_on`` and never expires; ``amended_on`` is when that day was corrected.
    ``modules`` are those passed, with their days, if the holder shows them; None otherwise.
    """

    scheme: Scheme
    holder: str
    number: str
    awarded_on: date
    standing: Standing
    held_since: date | None
    is_over: bool
    checked_at: datetime
    again_on: date | None = None
    again_number: str | None = None
    module: Module | None = None
    amended_on: date | None = None
    modules: Sequence[tuple[Module, date]] | None = None

    @property
    def has_no_last_day(self) -> bool:
        """Whether no last valid day is told: it was taken away, so no date makes it valid."""
        return self.is_withdrawn or self.held_since is not None

    @property
    def is_withdrawn(self) -> bool:
        """Whether it was recorded in error."""
        return self.standing.status == Status.WITHDRAWN


def by_address(reading: ReadContext, public_id: str) -> Verified:
    """The certificate with that public id. Raises NotFound, NoLongerAvailable."""
    if not _PUBLIC_ID.fullmatch(public_id):
        raise NotFound
    _ask_for(reading, public_id)
    asked = {"public_id": public_id}
    rows = reading.rows(_AT_ADDRESS, asked)
    if rows:
        return _verified(reading, rows, _shown_modules(reading, rows))
    return _verified_module(reading, reading.row(_MODULE_AT_ADDRESS, asked))


def by_number(reading: ReadContext, number: str, surname: str) -> Verified:
    """The certificate with that number, if its holder has or had that family name.

    The answer gives the current name, whichever was entered. Blanks, case, accents and hyphens in
    the name are ignored, and so are hyphens in the number. Raises NotFound.
    """
    key = numbers.key(number)
    called = or_(_NUMBERED.number_key == key, _NUMBERED.former_key == key)
    numbered = Certification.id.in_(_leading(called))
    _ask_for(reading, key)
    folded = run_together(surname)
    of_module = ModuleCertificate.number_key == key
    # All are always read, so that the response time does not reveal whether a number exists.
    whole = reading.rows(_STATEMENT.where(numbered))
    of_whole = reading.rows(_FORMER.where(numbered))
    modules = reading.rows(_MODULE.where(of_module))
    of_modules = reading.rows(_FORMER_OF_MODULE.where(of_module))
    rows = whole or modules
    if not _is_called(folded, rows, of_whole if whole else of_modules):
        raise NotFound
    return _certificate(reading, rows, _shown_modules(reading, rows))


def _is_called(folded: str, rows: Sequence[AnyRow], former: Iterable[AnyRow]) -> bool:
    """Whether these are the rows of one certificate, whose holder has or had that family name.

    They are the spans of a certification, or the one row of a module's certificate.
    """
    surnames = {run_together(row.family_name) for row in (*rows[:1], *former)}
    erased = any(row.erased_at is not None for row in rows)  # nobody knows the name any more
    return not erased and folded in surnames - {""} and len({row.number for row in rows}) == 1


def _certificate(reading: ReadContext, rows: Sequence[AnyRow], shown: _ShownModules) -> Verified:
    if hasattr(rows[0], "module"):
        return _verified_module(reading, rows[0])
    return _verified(reading, rows, shown)


@sees_everything
def by_numbers(reading: ReadContext, asked: Sequence[tuple[str, str]]) -> list[Verified | None]:
    """The same for many pairs of number and family name, in their order; None: there is none.

    However many there are, the same number of statements is read.
    """
    keys = sorted({numbers.key(number) for number, _ in asked})
    leads = _leads(reading, keys)
    ids = bulk.among(reading, Certification.id, sorted(set(leads.values())))
    modules = bulk.among(reading, ModuleCertificate.number_key, keys)
    rows: dict[str, list[AnyRow]] = defaultdict(list)
    former: dict[str, list[AnyRow]] = defaultdict(list)
    for row in reading.rows(_STATEMENT.add_columns(Certification.id).where(ids)):
        rows[row.id].append(row)
    for row in reading.rows(_FORMER.add_columns(Certification.id).where(ids)):
        former[row.id].append(row)
    key = ModuleCertificate.number_key
    for row in reading.rows(_MODULE.add_columns(key).where(modules)):
        rows[row.number_key].append(row)
    for row in reading.rows(_FORMER_OF_MODULE.add_columns(key).where(modules)):
        former[row.number_key].append(row)
    called: list[Sequence[AnyRow]] = []
    for number, surname in asked:
        place = leads.get(numbers.key(number), numbers.key(number))
        theirs = rows.get(place, ())
        is_called = _is_called(run_together(surname), theirs, former.get(place, ()))
        called.append(theirs if is_called else ())
    shown = _shown_modules(reading, [row for some in called for row in some[:1]])
    return [_known(reading, some, shown) for some in called]


def _known(reading: ReadContext, rows: Sequence[AnyRow], shown: _ShownModules) -> Verified | None:
    try:
        return _certificate(reading, rows, shown) if rows else None
    except NotFound:
        return None


def _leads(reading: ReadContext, keys: Sequence[str]) -> dict[str, str]:
    """The certification to which each number leads; one that two certifications had, to none."""
    columns = (
        _NUMBERED.number_key,
        _NUMBERED.former_key,
        func.coalesce(_NUMBERED.merged_into_id, _NUMBERED.id),
    )
    called = or_(
        bulk.among(reading, _NUMBERED.number_key, keys),
        bulk.among(reading, _NUMBERED.former_key, keys),
    )
    leads: dict[str, set[str]] = defaultdict(set)
    for number_key, former_key, id_ in reading.rows(select(*columns).where(called)):
        for key in (number_key, former_key):
            leads[key].add(id_)
    return {key: next(iter(ids)) for key, ids in leads.items() if len(ids) == 1}


def _ask_for(reading: ReadContext, key: str) -> None:
    """Whoever verifies sees no more than the one holder whose certificate they ask for."""
    if not reading.actor.is_staff:
        row_security.look_as(reading.connection, row_security.who_asks_for(key))


_FORMER = select(FormerName.family_name).join(
    Certification, Certification.holder_id == FormerName.holder_id
)

_FORMER_OF_MODULE = select(FormerName.family_name).join(
    ModuleCertificate, ModuleCertificate.holder_id == FormerName.holder_id
)
_MODULE = select(
    ModuleCertificate.number,
    ModuleCertificate.scheme,
    ModuleCertificate.module,
    ModuleCertificate.passed_on,
    ModuleCertificate.amended_at,
    ModuleCertificate.withdrawn_at,
    Holder.given_name,
    Holder.family_name,
    Holder.deceased_on,
    Holder.erased_at,
).join(Holder, Holder.id == ModuleCertificate.holder_id)
_MODULE_AT_ADDRESS = _MODULE.where(ModuleCertificate.public_id == _ADDRESS)


def _verified_module(reading: ReadContext, row: AnyRow) -> Verified:
    """A module's certificate as the verifier sees it, in force from the pass on, without end."""
    if row is None:
        raise NotFound
    if row.erased_at is not None:
        raise NoLongerAvailable(_ERASED)
    scheme, amended = reading.schemes[row.scheme], row.amended_at
    is_over, is_withdrawn = row.deceased_on is not None, row.withdrawn_at is not None
    standing = Standing(
        status=Status.WITHDRAWN if is_withdrawn else Status.ACTIVE,
        valid=not (is_over or is_withdrawn),
        on=reading.today(scheme),
        cycle=1,
        cycle_starts_on=row.passed_on,
        expires_on=None,
        window_opens_on=None,
        window_closes_on=None,
        pending_since=None,
    )
    return Verified(
        scheme=scheme,
        holder=f"{row.given_name} {row.family_name}",
        number=row.number,
        awarded_on=row.passed_on,
        standing=standing,
        held_since=None,
        is_over=is_over,
        checked_at=reading.now,
        module=scheme.module(row.module),
        amended_on=amended.astimezone(scheme.time_zone).date() if amended else None,
    )


_ERASED = "The certificate at this address is no longer available."


def _verified(reading: ReadContext, rows: Sequence[AnyRow], shown: _ShownModules) -> Verified:
    if not rows:
        raise NotFound
    first, scheme = rows[0], reading.schemes[rows[0].scheme]
    if first.erased_at is not None:
        raise NoLongerAvailable(_ERASED)
    spans = [certifications.StandingSpan(*row[_SPAN]) for row in rows]
    on = reading.today(scheme)
    span = certifications.span_on(spans, on)
    if span is None:
        raise NotFound
    standing = certifications.standing_on(span, on)
    is_over = first.deceased_on is not None
    return Verified(
        scheme=scheme,
        holder=f"{first.given_name} {first.family_name}",
        number=first.number,
        awarded_on=first.awarded_on,
        standing=replace(standing, valid=False) if is_over else standing,
        held_since=None if span.hold == Status.WITHDRAWN else _held_since(spans, span),
        is_over=is_over,
        checked_at=reading.now,
        again_on=first.replaced_on,
        again_number=first.current_number,
        modules=_in_order(scheme, shown, first.holder_id) if first.shows_modules else None,
    )


def _shown_modules(reading: ReadContext, rows: Iterable[AnyRow]) -> _ShownModules:
    """The modules passed by those of some holders who show them; nothing is read if nobody does."""
    ids = {row.holder_id for row in rows if getattr(row, "shows_modules", False)}
    if not ids:
        return {}
    table = ModuleCertificate
    statement = select(table.holder_id, table.scheme, table.module, table.passed_on).where(
        bulk.among(reading, table.holder_id, ids), table.withdrawn_at.is_(None)
    )
    passed = reading.rows(statement)
    return {(row.holder_id, row.scheme, row.module): row.passed_on for row in passed}


def _in_order(scheme: Scheme, shown: _ShownModules, holder_id: str) -> list[tuple[Module, date]]:
    """The modules passed under a scheme, in its order, with the days of the first passes."""
    days = ((one, shown.get((holder_id, scheme.code, one.code))) for one in scheme.modules)
    return [(one, day) for one, day in days if day is not None]


def _held_since(
    spans: Sequence[certifications.StandingSpan], now: certifications.StandingSpan
) -> date | None:
    """The first day of the unbroken run of spans with the same hold."""
    since = None
    for span in spans[: spans.index(now) + 1]:
        if span.hold is None or span.hold != now.hold:
            since = None
        elif since is None:
            since = span.from_on
    return since
