"""roster: workers of employers, by employer and employee number.

A row with a current number is about the same employment; ``ended_on`` ends it, or corrects its end.
A row with a number that has ended, and without an end in the past, begins a new employment beside
the old one. ``employments`` decides what begins and ends, as for single entries, after all rows are
written.

The report on an employer's own file never says which people were found: that would reveal who is on
record.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Collection, Iterator
from dataclasses import astuple, dataclass, field
from datetime import date

from sqlalchemy import select

from tracker.db import new_id
from tracker.domain.values import company, fraction_rule
from tracker.models import Employer, RosterEntry
from tracker.services.core import bulk
from tracker.services.core.context import ReadContext
from tracker.services.employers import employers, employments, naming
from tracker.services.employers.consents import EMPLOYED
from tracker.services.employers.employments import Employment
from tracker.services.employers.naming import EntryRow, Meanings, NamedWorker
from tracker.services.imports import lookups, signed_consents
from tracker.services.imports.batches import Batch
from tracker.services.imports.run import ImportKind, ImportRow, RowValues, Run
from tracker.services.imports.scratch import Note
from tracker.tabular import Column, certificate_number, email, text
from tracker.tabular import date as a_date

_COLUMNS = {
    "holder_ref": "given_holder_ref",
    "email": "given_email",
    "certificate_number": "given_number",
    "site": "site",
    "department": "department",
    "shift": "shift",
    "ended_on": "ended_on",
}
_AHEAD = "is in the future: the worker stays on the list until then"
_DECEASED = "The holder has died; the entry is not linked to anyone."
_OVER = "The employment has ended, which also ends consent; no consent was recorded."
_NOBODY = "must be filled in at least once: a whole list without a worker would end all employment"
_MISSING = "is on your list and not in the file; the employment ends today."
ENDED_MISSING = "ended_missing"
"""The effect that counts whose employment ended since they are not in the file."""
_CURRENT, _ENDED = "current", "ended"  # what remains to be done after all rows are written


@dataclass(slots=True)
class _RosterFacts:
    """The facts on record for the rows of a chunk, and today's date."""

    employers: dict[str, str]
    entries: dict[tuple[str, str], list[EntryRow]]
    today: date
    meanings: Meanings = field(default_factory=Meanings)

    def employments(self, row: ImportRow) -> list[EntryRow]:
        """The employments under a row's number: ended ones first, then the current one."""
        return self.entries.get((self.employers.get(row["employer"], ""), row["employee_id"]), [])

    def last(self, row: ImportRow) -> EntryRow | None:
        """The current employment, or the one that ended last, or None."""
        return next(iter(self.employments(row)[-1:]), None)

    def is_over(self, ended_on: date | None) -> bool:
        """Whether the day on which an employment ends has come."""
        return ended_on is not None and ended_on <= self.today


def _take(run: Run, rows: Collection[ImportRow]) -> None:
    work = run.work
    on_record = lookups.by_name(work, Employer, {row["employer"] for row in rows})
    known = _RosterFacts(on_record, _entries(work, rows, on_record), employers.today(work))
    values = {row.number: _values(run, row, known) for row in rows}
    known.meanings = naming.meant(work, map(_named, values.values()))
    own = _own_name(run) if run.employer_id else None
    for row in rows:
        _check_number(run, row, known)
        if own is not None:
            _check_own(run, row, own)
        else:
            _check_match(run, row, known, _named(values[row.number]))
        _check_days(run, row, known)
    if own is None:
        lookups.refuse_unknown(run, _of_nobody(rows, known, values))
        _check_employers(run, rows, on_record)
    rows = run.good(rows)
    if not run.broken:
        _write(run, rows, known, values)


def _entries(
    reading: ReadContext, rows: Collection[ImportRow], on_record: dict[str, str]
) -> dict[tuple[str, str], list[EntryRow]]:
    """The employments by employer and employee_id, the current one last."""
    statement = select(*naming.ENTRY).where(
        bulk.among(reading, RosterEntry.employer_id, set(on_record.values())),
        bulk.among(reading, RosterEntry.employee_id, {row["employee_id"] for row in rows}),
    )
    by_number: dict[tuple[str, str], list[EntryRow]] = defaultdict(list)
    for entry in reading.rows_as(EntryRow, statement):
        by_number[entry.employer_id, entry.employee_id].append(entry)
    for entries in by_number.values():
        entries.sort(key=lambda entry: (_last_day(entry), entry.id))
    return by_number


def _last_day(entry: EntryRow) -> date:
    return entry.ended_on or date.max


def _values(run: Run, row: ImportRow, known: _RosterFacts) -> RowValues:
    """The values of the entry. Columns that the file lacks keep what is on record.

    The exception is an end that has come: it belongs to the previous employment.
    """
    old = known.last(row)
    values = {
        name: row[column] if column in run.header else getattr(old, name, None)
        for column, name in _COLUMNS.items()
    }
    if "ended_on" not in run.header and known.is_over(values["ended_on"]):
        values["ended_on"] = None
    return values


_UNASKED: dict[str, object] = {
    "asked_at": None,
    "purpose": None,
    "asks_dates": False,
    "asks_points": False,
    "asks_modules": False,
    "asks_credentials": False,
}


def _named(values: RowValues) -> NamedWorker:
    return NamedWorker(values["given_holder_ref"], values["given_number"], values["given_email"])


# Checks.
def _own_name(run: Run) -> str:
    row = run.work.row(select(Employer.name).where(Employer.id == run.employer_id))
    return row.name if row else ""


def _check_own(run: Run, row: ImportRow, own: str) -> None:
    """Refuse what an employer's own file may not say."""
    if row["employer"] != own:
        run.refuse(row, "employer", f"must be your own company, {own}")
    if row["consented_on"] is not None:
        rule = "must be empty: only workers can give consent, not their employer"
        run.refuse(row, "consented_on", rule)
    if row["holder_ref"] is not None:
        rule = "must be empty: use the worker's email or certificate_number instead"
        run.refuse(row, "holder_ref", rule)


def _check_number(run: Run, row: ImportRow, known: _RosterFacts) -> None:
    """Refuse a number that a spreadsheet turned into a fraction, unless the employer uses it."""
    if (rule := fraction_rule(row["employee_id"])) and not known.employments(row):
        run.refuse(row, "employee_id", rule)


def _check_match(run: Run, row: ImportRow, known: _RosterFacts, named: NamedWorker) -> None:
    """Refuse consent of an unknown worker; warn of an unknown or deceased one."""
    holder_id, old = known.meanings.of(named), known.last(row)
    if row["holder_ref"] is not None and holder_id is None:
        return  # refused together with the others
    if holder_id in known.meanings.deceased:
        run.warn(row.number, "holder_ref" if row["holder_ref"] else "employee_id", _DECEASED)
    elif holder_id is not None:
        return
    elif row["consented_on"] is not None and not (old and old.holder_id):
        run.refuse(row, "consented_on", "needs a worker on record, but no match was found")
    elif row["certificate_number"] is not None:
        run.warn(
            row.number, "certificate_number", "No holder with this certificate number was found."
        )
    elif row["email"] is not None:
        run.warn(row.number, "email", _unmatched(run, known, named))


def _of_nobody(
    rows: Collection[ImportRow], known: _RosterFacts, values: dict[int, RowValues]
) -> list[ImportRow]:
    """The rows with an unknown holder_ref."""
    return [
        row
        for row in rows
        if row["holder_ref"] is not None and known.meanings.of(_named(values[row.number])) is None
    ]


def _unmatched(run: Run, known: _RosterFacts, named: NamedWorker) -> str:
    """Why an address means nobody; only staff are told whether several people have it."""
    if run.employer_id is not None:
        return "Either no holder or several holders have this address."
    if named.deciding in known.meanings.several:
        return (
            "Several holders have this address: add the right one's holder_ref or "
            "certificate_number."
        )
    return "No holder with this address was found."


def _check_days(run: Run, row: ImportRow, known: _RosterFacts) -> None:
    """Refuse a consent in the future, and an end before what must precede it."""
    run.refuse_future(row, "consented_on", today=known.today)
    ended_on = row["ended_on"]
    if ended_on is None:
        return
    if row["consented_on"] is not None and row["consented_on"] > ended_on:
        run.refuse(row, "ended_on", f"must not be before consented_on ({row['consented_on']})")
    if not known.is_over(ended_on):
        run.warn(row.number, "ended_on", f"{ended_on} {_AHEAD}.")
    elif (earlier := known.employments(row)[-2:-1]) and ended_on < _last_day(earlier[0]):
        rule = f"must not be before the end of the previous employment ({earlier[0].ended_on})"
        run.refuse(row, "ended_on", rule)


def _check_employers(run: Run, rows: Collection[ImportRow], on_record: dict[str, str]) -> None:
    """Refuse another spelling of a known name; warn of a similar name.

    Names of new employers are also compared with each other.
    """
    new: dict[str, ImportRow] = {}
    for row in rows:
        if row["employer"] not in on_record:
            new.setdefault(row["employer"], row)
    for row in new.values():
        _check_company(run, row)
    if not new:
        return
    near = employers.DIRECTORY.near(run.work, new)
    refused = lookups.refuse_spellings(
        run, "employer", new, {name: same for name, (same, _) in near.items()}
    )
    for name, row in new.items():
        if name not in refused and (similar := near[name][1]) is not None:
            run.warn(row.number, "employer", f"{name} is new. Did you mean {similar}?")


def _check_company(run: Run, row: ImportRow) -> None:
    """Refuse a new company whose name could not be registered."""
    try:
        company(row["employer"])
    except ValueError as rule:
        run.refuse(row, "employer", str(rule))


# Writing.
def _write(
    run: Run, rows: Collection[ImportRow], known: _RosterFacts, values: dict[int, RowValues]
) -> None:
    ids = lookups.added_by_name(run, Employer, {row["employer"] for row in rows}, email=None)
    employments.lock(run.work, set(ids.values()))
    chunk = _RosterChunk(run, known, ids)
    for row in rows:
        chunk.write(row, values[row.number])
    chunk.batch.write()
    run.scratch.note(_CURRENT, chunk.current)
    run.scratch.note(_ENDED, chunk.ended)


class _RosterChunk:
    """Writes rows: finds the employment of each, and notes what follows from it."""

    def __init__(self, run: Run, known: _RosterFacts, employer_ids: dict[str, str]) -> None:
        self._run, self._known, self._ids = run, known, employer_ids
        self.batch = Batch(run, RosterEntry, subject="roster_entry")
        self.current: list[tuple[int, object]] = []
        self.ended: list[tuple[int, object]] = []

    def write(self, row: ImportRow, values: RowValues) -> None:
        """Begin an employment, end it, or update it."""
        old, is_over = self._known.last(row), self._known.is_over(values["ended_on"])
        if is_over and row["consented_on"] is not None:
            self._run.warn(row.number, "consented_on", _OVER)
        if old is None or (self._known.is_over(old.ended_on) and not is_over):
            self._begin(row, values)
        elif is_over:
            self.batch.add(old, {**values, "holder_id": old.holder_id})
            if not self._known.is_over(old.ended_on):
                self._end(row, old, values["ended_on"])
        elif self._is_another_person(old, values):
            self._replace(row, old, values)
        else:
            self._say_again(row, old, values)

    def _begin(self, row: ImportRow, values: RowValues) -> None:
        id_ = new_id()
        self.batch.add(
            None,
            {**values, "holder_id": None},
            id=id_,
            employer_id=self._ids[row["employer"]],
            employee_id=row["employee_id"],
            recorded_at=self._run.work.now,
            **_UNASKED | employments.asked_as_listed(self._run.work, _named(values)),
        )
        if not self._known.is_over(values["ended_on"]):
            self._follow(row, id_, values, None, changed=True)

    def _is_another_person(self, old: EntryRow, values: RowValues) -> bool:
        """Whether an employer's own file gives a number to somebody else: no word stays the same.

        The people whom the words mean are not considered, since the employer sees the result.
        """
        before = old.named.words
        return bool(self._run.employer_id and before and not before & _named(values).words)

    def _replace(self, row: ImportRow, old: EntryRow, values: RowValues) -> None:
        """End the one person's employment today, and begin the other's."""
        before = {name: getattr(old, name) for name in (*values, "holder_id")}
        self.batch.add(old, before | {"ended_on": self._known.today})
        self._end(row, old, self._known.today)
        self._begin(row, values)
        self._run.counts["created"] -= 1  # the row counts once, as changed

    def _say_again(self, row: ImportRow, old: EntryRow, values: RowValues) -> None:
        """Keep the person whom the entry means, unless staff give it words for somebody else.

        The holder may have been tied to the entry since by consenting; that is not undone.
        """
        named, kept = _named(values), old.holder_id
        by_staff = self._run.employer_id is None and old.named.words != named.words
        if by_staff and self._known.meanings.of(named) != kept:
            kept = None
        fate = self.batch.add(old, {**values, "holder_id": kept})
        if kept != old.holder_id:
            self._end(row, old, None)
        self._follow(row, old.id, values, kept, changed=fate != "unchanged")

    def _end(self, row: ImportRow, old: EntryRow, ended_on: date | None) -> None:
        """Note an ended employment for ``_finish``, if the entry meant somebody."""
        if old.holder_id is not None:
            named, day = old.named, ended_on and ended_on.isoformat()
            note = [old.id, old.employer_id, old.holder_id, astuple(named), day]
            self.ended.append((row.number, note))

    def _follow(
        self,
        row: ImportRow,
        id_: str,
        values: RowValues,
        tied_to: str | None,
        *,
        changed: bool,
    ) -> None:
        """Note a current entry for ``_finish``, to tie it and to record its holder's consent."""
        named = _named(values)
        holder_id = tied_to or self._known.meanings.living(named)
        if holder_id is None or (tied_to and row["consented_on"] is None):
            return
        note = [id_, self._ids[row["employer"]], holder_id, astuple(named)]
        signed = row["consented_on"] and row["consented_on"].isoformat()
        self.current.append((row.number, [note, tied_to is not None, signed, changed]))


# Consequences.
def _finish(run: Run) -> None:
    """End consents, tie entries, record consents and notify workers, in the order of the rows.

    Ends come first, so that their place in the file does not matter.
    """
    if run.ends_missing and not run.broken:
        _end_missing(run)
    for notes in run.scratch.noted(_ENDED):
        ended = [_entry(*note) for _, note in notes]
        employments.ask(run.work, employments.finish(run.work, ended))
    for notes in run.scratch.noted(_CURRENT):
        _follow_up(run, notes)


def _end_missing(run: Run) -> None:
    """End today the employment of everybody on the employer's list who is not in the file.

    A file that lists nobody is refused: it is likelier an export that failed than a company that
    ends.
    """
    if not run.counts.total():
        run.refuse_at(1, "employee_id", "", _NOBODY)
        return
    own, today = _own_name(run), employers.today(run.work)
    for entries in _current(run, today):
        keys = {entry.id: KIND.key_of(_named_by(own, entry)) for entry in entries}
        seen = run.scratch.rows_of("key", keys.values())
        missing = [entry for entry in entries if keys[entry.id] not in seen]
        batch = Batch(run, RosterEntry, subject="roster_entry")
        for entry in missing:
            batch.add(entry, {"ended_on": today})
            run.warn(1, "employee_id", f"{entry.employee_id} {_MISSING}")
        batch.write()
        run.counts["changed"] -= len(missing)  # they are no rows of the file
        run.effects[ENDED_MISSING] += len(missing)
        ended = [
            Employment(entry.id, entry.employer_id, entry.holder_id, entry.named, today)
            for entry in missing
            if entry.holder_id is not None
        ]
        employments.ask(run.work, employments.finish(run.work, ended))


def _named_by(own: str, entry: EntryRow) -> RowValues:
    """What a row about an entry would have as its key."""
    return {"employer": own, "employee_id": entry.employee_id}


def _current(run: Run, today: date) -> Iterator[list[EntryRow]]:
    """The employer's current entries, in chunks by their ids."""
    statement = select(*naming.ENTRY).where(RosterEntry.employer_id == run.employer_id, EMPLOYED)
    last = ""
    while True:
        more = statement.where(RosterEntry.id > last) if last else statement
        page = more.order_by(RosterEntry.id).limit(bulk.CHUNK)
        entries = run.work.rows_as(EntryRow, page, {"today": today})
        if not entries:
            return
        yield entries
        last = entries[-1].id


def _entry(
    id_: str, employer_id: str, holder_id: str, named: list[str | None], day: str | None = None
) -> Employment:
    ended_on = date.fromisoformat(day) if day else None
    return Employment(id_, employer_id, holder_id, NamedWorker(*named), ended_on)


def _follow_up(run: Run, notes: Collection[tuple[int, Note]]) -> None:
    entries = {number: _entry(*note[0]) for number, note in notes}
    claims = [entries[number] for number, (_, is_tied, *_) in notes if not is_tied]
    tied = employments.begin(run.work, claims)
    signed = {
        number: (entries[number], date.fromisoformat(day)) for number, (*_, day, _) in notes if day
    }
    brought = signed_consents.record(run, signed)
    agreed = {entries[number].pair for number in brought}
    employments.ask(run.work, (entry for entry in tied if entry.pair not in agreed))
    employments.tell_listed(run.work, [signed[number] for number in brought])
    # In an employer's own file a count of tied entries would reveal whom we know.
    new = {entry.id for entry in tied} if run.employer_id is None else set()
    altered = [
        number
        for number, (*_, changed) in notes
        if not changed and (number in brought or entries[number].id in new)
    ]
    run.counts["unchanged"] -= len(altered)
    run.counts["changed"] += len(altered)


KIND = ImportKind(
    name="roster",
    columns=(
        Column("employer", text(200), required=True),
        Column("employee_id", text(64), required=True),
        Column("holder_ref", text(64)),
        Column("email", email),
        Column("certificate_number", certificate_number),
        Column("site", text(100)),
        Column("department", text(100)),
        Column("shift", text(32)),
        Column("consented_on", a_date()),
        Column("ended_on", a_date()),
    ),
    key=("employer", "employee_id"),
    take=_take,
    finish=_finish,
    own_column="employer",
    own_name=_own_name,
)
