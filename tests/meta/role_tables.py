"""What each role may, in words for people, made from the tables of what is answered.

The tables are tests/api/access/access_table.txt and page_table.txt, which the program is held to.
"""

from __future__ import annotations

import functools
from collections import defaultdict
from collections.abc import Collection, Iterable, Iterator
from dataclasses import dataclass
from pathlib import Path

from flask import Flask

from tests.api.access import test_access_table, test_page_table
from tests.api.access.tables import lines_of
from tracker import settings
from tracker.app import create_app
from tracker.domain.permissions import OF_THE_BODY, Role

REFUSED = frozenset({"401", "403", "404", "405", "in"})
HEAD = """# What each role may

This is made from the tables that the tests hold the program to (`tests/api/access`), by
`.venv/bin/pytest tests/meta/test_roles.py --rewrite-table`. Nothing is allowed that is not listed
here. `…` stands for the path in the first column; `{…}` are ids. Everybody may also do what the
public may. Addresses are below `/api/v1`, those of pages are not. A token does at most what its
maker may, and only what its scopes say: one that only reads changes nothing. `/relay-events` is for
the mail relay alone, by its signature.
"""
ROLES = {
    "nobody": ("The public", "Anybody, without a token and without signing in."),
    "holder": ("Holder", "A person on record: sees and changes what is their own."),
    "viewer": (
        "Employer, who views",
        (
            "Sees the company and the workers who share with it. Who views for a center, a "
            "provider or a sponsor sees what those who manage for it see, and changes nothing."
        ),
    ),
    "employer": ("Employer, who manages", "The same, and changes roster and colleagues."),
    "center": ("Assessment center, who manages", "Acts for one center."),
    "provider": ("Training provider, who manages", "Acts for one provider."),
    "sponsor": ("Sponsor, who manages", "Acts for one sponsor of apprenticeships."),
    "reviewer": ("Reviewer", "Works the queue of activities for the certification body."),
    "staff": ("Staff", "Records, imports, decides; some acts need a second person."),
    "admin": ("Administrator", "Everything that anybody may, and accounts and sending."),
}


@dataclass(frozen=True, slots=True)
class TableLine:
    """A line of a table: what is asked, for which kind of id, and the answer in each column."""

    method: str
    path: str
    kind: str
    answers: dict[str, str]

    def allows(self, role: str) -> bool:
        """Whether the role is not turned away."""
        return self.answers[role] not in REFUSED


def routes() -> list[TableLine]:
    """The lines of the interface's table, but for pages."""
    table = lines_of(test_access_table.TABLE)
    return list(_read((one for one in table if "(page)" not in one), test_access_table.COLUMNS))


def pages() -> list[TableLine]:
    """The lines of the table of pages."""
    return list(_read(lines_of(test_page_table.TABLE), test_page_table.COLUMNS))


def _read(lines: Iterable[str], columns: Collection[str]) -> Iterator[TableLine]:
    for line in lines:
        method, path, kind, *answers = line.split()
        yield TableLine(method, path, kind, dict(zip(columns, answers, strict=True)))


def document() -> str:
    """The whole of config/ROLES.md."""
    return "\n".join([HEAD, *(_section(role) for role in ROLES)])


def _section(role: str) -> str:
    title, about = ROLES[role]
    lines, declared = routes(), _declared(role)
    parts = [f"## {title}\n", f"{about}\n"]
    public = {(one.method, one.path) for one in lines if one.allows("nobody")}
    lists, own, anybodys = (_allowed(lines, role, kind) for kind in ("-", "own", "other"))
    # What the records of the table are in no state for is answered like what there is not.
    for one in lines:
        route = (one.method, one.path)
        if one.answers[role] != "404" or route not in declared or route in own | anybodys:
            continue
        is_anybodys = role in OF_THE_BODY and not one.path.startswith("/me/")
        if one.kind == "-":
            lists.add(route)
        elif one.kind == "own":
            (anybodys if is_anybodys else own).add(route)
    own -= anybodys
    if role != "nobody":
        lists, anybodys, own = lists - public, anybodys - public, own - public
    for heading, found in (
        ("Their own records", own),
        ("Records of everybody", anybodys),
        ("Lists of these, and what is about themselves", lists),
    ):
        if found:
            parts += [f"### {heading}\n", _table(found)]
    parts += _never(role, lines, own | anybodys | lists | public)
    if role != "nobody":
        parts += _pages(role)
    return "\n".join(parts)


def _declared(role: str) -> set[tuple[str, str]]:
    """The routes that name the role, by method and path."""
    app = _application()
    named: Role = "employer" if role == "viewer" else role  # type: ignore[assignment]
    found = set()
    for method, path, _, rule in test_access_table.routes(app):
        view = app.view_functions[rule.endpoint]
        if getattr(view, "public", False):
            continue
        changes_nothing = getattr(view, "scope", "read") == "read"
        if (named in getattr(view, "allowed", ()) or named == "admin") and (
            role != "viewer" or changes_nothing
        ):
            found.add((method, path))
    return found


@functools.cache
def _application() -> Flask:
    return create_app(settings.load("testing", {}))


def _allowed(lines: Iterable[TableLine], role: str, kind: str) -> set[tuple[str, str]]:
    return {(one.method, one.path) for one in lines if one.kind == kind and one.allows(role)}


def _table(found: Iterable[tuple[str, str]]) -> str:
    rows: dict[str, dict[bool, list[str]]] = defaultdict(lambda: {True: [], False: []})
    for method, path in sorted(found, key=lambda pair: (pair[1], pair[0])):
        rest = path.removeprefix(first := _first(path))
        shown = f"…{rest}"
        if method != "GET":
            shown = f"{method} {shown}"
        rows[first][method == "GET"].append(f"`{shown}`")
    lines = ["| records | reads | changes |", "|---|---|---|"]
    for first, cells in rows.items():
        lines.append(f"| `{first}` | {' '.join(cells[True])} | {' '.join(cells[False])} |")
    return "\n".join(lines) + "\n"


def _first(path: str) -> str:
    return "/" + path.split("/")[1]


def _never(
    role: str, lines: Iterable[TableLine], allowed: Collection[tuple[str, str]]
) -> Iterator[str]:
    opened = {_first(path) for _, path in allowed}
    closed = sorted({_first(one.path) for one in lines} - opened)
    if closed:
        yield "### Never\n"
        yield f"Anything of {', '.join(f'`{one}`' for one in closed)}.\n"
    if role == "staff":
        own = {
            f"`{one.method} {one.path}`"
            for one in lines
            if one.kind == "own" and one.allows("staff") and not one.allows("self")
        }
        yield "### Never on a record of their own, nor may administrators\n"
        yield "\n".join(f"- {one}" for one in sorted(own)) + "\n"


def _pages(role: str) -> Iterator[str]:
    opened = {
        one.path
        for one in pages()
        if one.method == "GET"
        and one.kind in {"own", "-"}
        and one.allows(role)
        and not one.allows("nobody")
    }
    yield "### Pages that open\n"
    yield "\n".join(f"- `{path}`" for path in sorted(opened)) + "\n"


PATH = Path(__file__).parents[2] / "config" / "ROLES.md"
