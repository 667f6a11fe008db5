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

from tracker.bench import requests
from tracker.bench.measurements import REGISTRY, Measured, Measurement, NotHereError
from tracker.bench.workshop import Workshop, workshop

__all__ = ["main"]

_AREAS = (requests,)  # importing an area registers its measurements, in this order


def main(args: Sequence[str] | None = None) -> int:
    """Measure and print the table. Always 0: what to make of the numbers is the reader's."""
    given = _arguments(args)
    chosen = [REGISTRY[name] for name in given.only or REGISTRY]
    with workshop(given.database, seconds=given.seconds, scale=given.scale) as shop:
        rows = list(_measure(shop, chosen))
    print(json.dumps(rows, indent=1) if given.json else _table(rows))  # noqa: T201 - asked for
    return 0


def _arguments(args: Sequence[str] | None) -> argparse.Namespace:
    parser = argparse.ArgumentParser("tracker bench", description=(__doc__ or "").splitlines()[0])
    parser.add_argument("--only", action="append", choices=[*REGISTRY], metavar="NAME",
                        help=f"measure this alone, may be repeated: {', '.join(REGISTRY)}")  # fmt: skip
    parser.add_argument("--seconds", type=float, default=5.0, help="for each side of each pair")
    parser.add_argument("--scale", type=float, default=1.0, help="part of the usual rows to make")
    parser.add_argument("--database", metavar="URL", default=os.environ.get("TRACKER_BENCH_URL"),
                        help="a PostgreSQL whose user may make databases, or sqlite://")  # fmt: skip
    parser.add_argument("--json", action="store_true", help="numbers for programs")
    return parser.parse_args(args)


def _measure(shop: Workshop, chosen: Sequence[Measurement]) -> Iterator[dict[str, object]]:
    for one in chosen:
        print(f"measuring {one.name} ...", file=sys.stderr)  # noqa: T201 - progress
        try:
            found = one.run(shop)
        except NotHereError as reason:
            print(f"{one.name}: left out, {reason}", file=sys.stderr)  # noqa: T201 - progress
            continue
        yield _row(one, found)


def _row(one: Measurement, found: Measured) -> dict[str, object]:
    return {
        "name": one.name, "work": one.work, "against": one.against, "value": round(found.value, 4),
        "unit": one.goal.unit, "goal": str(one.goal), "reached": one.goal.reached_by(found.value),
        "parts": {what: round(number, 2) for what, number in found.parts.items()},
    }  # fmt: skip


def _table(rows: Sequence[dict[str, object]]) -> str:
    """The rows as text in columns."""
    cells = [("work", "against", "measured", "goal", "reached", "made of")]
    for row in rows:
        parts = row["parts"]
        told = ", ".join(f"{k} {v:,.{0 if v >= 10 else 2}f}" for k, v in parts.items()) if isinstance(parts, dict) else ""
        cells.append((
            str(row["work"]), str(row["against"]), f"{row['value']:,.2f}{row['unit']}",
            str(row["goal"]), "yes" if row["reached"] else "no", told,
        ))  # fmt: skip
    widths = [max(len(line[column]) for line in cells) for column in range(len(cells[0]))]
    return "\n".join(
        "  ".join(cell.ljust(width) for cell, width in zip(line, widths, strict=True)).rstrip()
        for line in cells
    )
