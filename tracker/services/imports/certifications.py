"""certifications: awards of another system, by number and cycle start; one row for each cycle.

The file says what was awarded when, under which number, and through which day; this is recorded as
given, with or without passes. Rows with the same number are one certification, wherever they stand
in the file. Rows that contradict each other or the record are refused.

For an award that was surrendered or revoked, ``replaced_on`` is the day of the next one if that
came before its expiry; the standing changes say what ended it.

An award on record that follows from passes becomes the file's award: it takes the number of the
file, and our own number still finds it.
"""

from __future__ import annotations

from collections.abc import Collection, Iterable, Mapping
from datetime import date

from tracker.domain import numbers
from tracker.domain.credentials.imported_awards import Said, Stretch
from tracker.services.credentials import (
    certificate_numbers,
    imported_award_rows,
    imported_awards,
)
from tracker.services.credentials.imported_awards import Planned, StatedAward
from tracker.services.imports import award_changes, lookups
from tracker.services.imports.run import ImportKind, ImportRow, Run
from tracker.tabular import Column, certificate_number, text
from tracker.tabular import date as a_date

_Row = tuple[int, list[str | None]]  # its number and its cells
_Rows = list[_Row]
_CELLS = (
    "holder_ref",
    "certificate_number",
    "awarded_on",
    "cycle_starts_on",
    "expires_on",
    "edition",
    "source",
    "replaced_on",
)
_ALIKE = ("awarded_on", "edition", "source")  # columns that all rows of a certification must share


def _number(value: str) -> str:
    """Read a certificate number as printed."""
    return numbers.from_elsewhere(certificate_number(value))


def _take(run: Run, rows: Collection[ImportRow]) -> None:
    ids = lookups.holders(run, rows)
    for row in rows:
        scheme = run.scheme(row)
        if scheme is not None:
            run.refuse_future(row, "awarded_on", today=run.work.today(scheme))
    _check_owners(run, rows)
    good = run.good(rows)
    owners = [(row, ids[row["holder_ref"]]) for row in good]
    run.scratch.touch((row["scheme"], id_, row.number, True) for row, id_ in owners)
    run.scratch.group(
        (_owner(row["scheme"], id_), row.number, [_plain(row[name]) for name in _CELLS])
        for row, id_ in owners
    )


def _owner(scheme: str, holder_id: str) -> str:
    return f"{scheme}\x1f{holder_id}"


def _plain(value: object) -> object:
    return value.isoformat() if isinstance(value, date) else value


def _check_owners(run: Run, rows: Collection[ImportRow]) -> None:
    """Refuse a number that the file gives to two holders, or in two schemes."""
    keys = {row.number: numbers.key(row["certificate_number"]) for row in rows}
    whose = {row.number: _owner(row["scheme"], row["holder_ref"]) for row in rows}
    first = run.scratch.first_rows("number", [(keys[row.number], row.number) for row in rows])
    owned = run.scratch.first_rows(
        "owner", [(f"{keys[row.number]}\x1f{whose[row.number]}", row.number) for row in rows]
    )
    for row in rows:
        other = first[keys[row.number]]
        if owned[f"{keys[row.number]}\x1f{whose[row.number]}"] != other:
            rule = (
                f"appears in row {other} for another holder or scheme; a number belongs to one "
                "certification of one holder"
            )
            run.refuse(row, "certificate_number", rule)


def _finish(run: Run) -> None:
    """Plan and write the awards of each holder, from all rows about them."""
    for code, touched in run.scratch.touched():
        scheme = run.work.schemes[code]
        kept = run.scratch.grouped(_owner(code, id_) for id_, _, _ in touched)
        rows_by_award: dict[int, _Rows] = {}
        awards: list[StatedAward] = []
        by_owner = {owner: _by_number(rows) for owner, rows in kept.items()}
        keys = {_key(of_one) for stated in by_owner.values() for of_one in stated}
        leading = certificate_numbers.leading(run.work, keys)
        for owner, stated in by_owner.items():
            for of_one in stated:
                if (other := leading.get(_key(of_one))) is not None:
                    _leave_out(run, of_one, other)
                    continue
                _check_alike(run, of_one)
                awards.append(_award(run, owner.split("\x1f")[1], of_one))
                rows_by_award[id(awards[-1])] = of_one
        plan = imported_awards.plan(run.work, scheme, awards)
        for planned in plan.awards:
            _say(run, planned, rows_by_award[id(planned.as_given)])
        if not run.broken:
            _write(run, plan)


def _by_number(rows: _Rows) -> Iterable[_Rows]:
    """The rows of each certification, in the order of their days."""
    by_number: dict[str, _Rows] = {}
    for row in rows:
        by_number.setdefault(_key([row]), []).append(row)
    for of_one in by_number.values():
        of_one.sort(key=lambda row: (_cell(row, "cycle_starts_on"), row[0]))
    return by_number.values()


def _key(of_one: _Rows) -> str:
    """What the number of a certification is compared by."""
    return numbers.key(_cell(of_one[0], "certificate_number"))


def _leave_out(run: Run, of_one: _Rows, leading: str) -> None:
    """Warn of a certification that leads to another since two records were merged."""
    for row in of_one:
        words = f"leads to {leading} since two records were merged; the row is left out"
        run.warn(row[0], "certificate_number", words)
        run.counts["unchanged"] += 1


def _cell(row: _Row, name: str) -> str:
    """A cell of the row; an empty one as an empty text."""
    return row[1][_CELLS.index(name)] or ""


def _check_alike(run: Run, rows: _Rows) -> None:
    """Refuse rows of one certification that differ in its common values."""
    first = min(rows, key=lambda row: row[0])
    for row in rows:
        for name in _ALIKE:
            value, other = _cell(row, name), _cell(first, name)
            if value != other:
                rule = (
                    f"is {other or 'empty'} in row {first[0]}, which has the same number; all "
                    "rows of a certification must agree"
                )
                run.refuse_at(row[0], name, value, rule)


def _award(run: Run, holder_id: str, rows: _Rows) -> StatedAward:
    return StatedAward(
        holder_id=holder_id,
        number=_cell(rows[0], "certificate_number"),
        awarded_on=date.fromisoformat(_cell(rows[0], "awarded_on")),
        stretches=tuple(
            Stretch(_day(_cell(row, "cycle_starts_on")), _day(_cell(row, "expires_on")))
            for row in rows
        ),
        replaced_on=_day(_cell(rows[-1], "replaced_on")),
        edition=_cell(rows[0], "edition") or None,
        source=_cell(rows[0], "source") or None,
        silent=tuple(name for name in imported_awards.WORDS if name not in run.header),
    )


def _day(value: str) -> date | None:
    return date.fromisoformat(value) if value else None


def _say(run: Run, planned: Planned, rows: _Rows) -> None:
    """Refuse rows with their faults, warn of what is unusual, and count the rest.

    If rows were refused before, a missing cycle may be one of theirs, so no gap is reported.
    """
    for said in planned.faults:
        if not (run.broken and said.field == "cycle_starts_on"):
            number, value = _place(rows, said)
            run.refuse_at(number, said.field, value, said.words)
    for said in planned.notes:
        run.warn(_place(rows, said)[0], said.field, said.words)
    run.counts.update(planned.fates)


def _place(rows: _Rows, said: Said) -> tuple[int, str]:
    row = rows[min(said.place, len(rows) - 1)]
    return row[0], _cell(row, said.field)


def _write(run: Run, plan: imported_awards.ImportedAwardPlan) -> None:
    done = imported_award_rows.write(run.work, plan, action="import", why={"run": run.id})
    _count(run, {"certifications imported": done.created, "certifications changed": done.altered})
    award_changes.name(run, plan.scheme.code, done.changed)
    award_changes.follow(run, done.followed)


def _count(run: Run, counts: Mapping[str, int]) -> None:
    for what, count in counts.items():
        run.effects[what] += count


KIND = ImportKind(
    name="certifications",
    columns=(
        Column("holder_ref", text(64), required=True),
        Column("scheme", text(32), required=True),
        Column("certificate_number", _number, required=True),
        Column("awarded_on", a_date(), required=True),
        Column("cycle_starts_on", a_date()),
        Column("expires_on", a_date()),
        Column("edition", text(64)),
        Column("source", text(200)),
        Column("replaced_on", a_date()),
    ),
    key=("holder_ref", "scheme", "certificate_number", "cycle_starts_on"),
    take=_take,
    finish=_finish,
    checks_on=True,
)
