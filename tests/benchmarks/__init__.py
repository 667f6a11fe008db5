"""``tracker bench``: the ratios of this machine, each measured against what it is made of.

Every line compares one piece of work with something simpler on the same machine, in turns, and
prints the median ratio beside its goal. It measures and never judges: a busy machine is no bug.
"""

from __future__ import annotations

import argparse
import json
import os
import sys
from collections.abc import Iterator, Sequence

from tests.benchmarks import (
    comparing,
    importing,
    pages,
    planner,
    requests,
    rules,
    statements,
    workforces,
)
from tests.benchmarks.measurements import REGISTRY, Measured, Measurement, NotHereError
from tests.benchmarks.workshop import Workshop, workshop

__all__ = ["main"]

_AREAS = (requests, pages, statements, rules, comparing, planner, importing, workforces)
_ORDER = [area.__name__ for area in _AREAS]  # of the table
_FEW = 10  # numbers below it are shown with decimals


def main(args: Sequence[str] | None = None) -> int:
    """Measure and print the table. Always 0: what to make of the numbers is the reader's."""
    given = _arguments(args)
    chosen = [one for one in REGISTRY.values() if not given.only or one.name in given.only]
    chosen.sort(key=lambda one: _ORDER.index(one.run.__module__))
    with workshop(
        given.database, seconds=given.seconds, scale=given.scale, role=given.role
    ) as shop:
        measured = list(_measure(shop, chosen))
    told = (
        json.dumps([_row(*one) for one in measured], indent=1) if given.json else _table(measured)
    )
    print(told)  # noqa: T201 - asked for
    return 0


def _arguments(args: Sequence[str] | None) -> argparse.Namespace:
    parser = argparse.ArgumentParser("tracker bench", description=(__doc__ or "").splitlines()[0])
    told = f"measure this alone, may be repeated: {', '.join(REGISTRY)}"
    parser.add_argument("--only", action="append", choices=[*REGISTRY], metavar="NAME", help=told)
    told = "for each side of each pair (default 5)"
    parser.add_argument("--seconds", type=float, default=5.0, help=told)
    told = "make so many times the usual rows (default 1)"
    parser.add_argument("--scale", type=float, default=1.0, help=told)
    told = "a PostgreSQL whose user may make databases, or sqlite:// (TRACKER_BENCH_URL)"
    server = os.environ.get("TRACKER_BENCH_URL")
    parser.add_argument("--database", metavar="URL", default=server, help=told)
    told = "connect as this role, which is there, within the policies of the tables"
    parser.add_argument("--role", metavar="ROLE", help=told)
    parser.add_argument("--json", action="store_true", help="numbers for programs")
    return parser.parse_args(args)


def _measure(
    shop: Workshop, chosen: Sequence[Measurement]
) -> Iterator[tuple[Measurement, Measured]]:
    for one in chosen:
        print(f"measuring {one.name} ...", file=sys.stderr)  # noqa: T201 - progress
        try:
            found = one.run(shop)
        except NotHereError as reason:
            print(f"{one.name}: left out, {reason}", file=sys.stderr)  # noqa: T201 - progress
            continue
        yield one, found


def _row(one: Measurement, found: Measured) -> dict[str, object]:
    return {
        "name": one.name,
        "work": one.work,
        "against": one.against,
        "value": round(found.value, 4),
        "unit": one.goal.unit,
        "goal": str(one.goal),
        "reached": one.goal.reached_by(found.value),
        "parts": {what: round(number, 2) for what, number in found.parts.items()},
    }


def _table(measured: Sequence[tuple[Measurement, Measured]]) -> str:
    """The rows as text in columns."""
    cells = [("work", "against", "measured", "goal", "reached", "made of")]
    for one, found in measured:
        parts = ", ".join(f"{what} {_shown(part)}" for what, part in found.parts.items())
        reached = "yes" if one.goal.reached_by(found.value) else "no"
        value = f"{_shown(found.value)}{one.goal.unit}"
        cells.append((one.work, one.against, value, str(one.goal), reached, parts))
    widths = [max(len(line[column]) for line in cells) for column in range(len(cells[0]))]
    return "\n".join(
        "  ".join(cell.ljust(width) for cell, width in zip(line, widths, strict=True)).rstrip()
        for line in cells
    )


def _shown(number: float) -> str:
    whole = number >= _FEW or float(number).is_integer()
    return f"{number:,.0f}" if whole else f"{number:,.2f}"
