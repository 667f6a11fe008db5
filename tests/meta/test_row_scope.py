"""A service that reads a row of others by an id from outside asks whose it is."""

from __future__ import annotations

import ast
from collections.abc import Iterator
from pathlib import Path

import tracker
from tracker.services.core.row_scope import TABLES

SERVICES = Path(tracker.__file__).parent / "services"
GUARDS = frozenset(
    {
        "scope",
        "check_own_holder",
        "check_own_employer",
        "check_not_own",
        "locked",
        "locked_to_decide",
        "lock_one_to_decide",
        "_locked",
    }
)
"""What says "no such record" to whom a row does not belong: in the condition, or beside it."""
KNOWN = frozenset(
    {
        # Called for one that the caller has seen, or by doors that only the body comes in by.
        "core/locks.lock_one",
        "core/tokens._check",  # of a token, whose maker has said for whom it may be
        "delivery/recipients.is_deceased",
        "desk/discrepancies._match",  # settle() has locked the holder to decide on
        "employers/bars.put",  # any employer may be barred
        "employers/sharing.consent",  # and shared with
        "employers/workforce.listed",  # by consent
        "overview/erasures._living",  # ask() and approve() have said who may
        "overview/me.check_own_certification",  # which is the question
        "people/accounts.may_sign_in",
        "people/recoveries._replace_address",
        "points/activity_decisions.take_back",  # desk/discrepancies.reopen() has locked the holder
        "points/evidence._check_open",  # activities.get() has said whose it is
        "points/evidence.remove",  # so has get()
    }
)


def test_whoever_reads_a_row_by_an_id_asks_whose_it_is():
    found = {place for place, guarded in _readers() if not guarded}

    assert found == KNOWN


def _readers() -> Iterator[tuple[str, bool]]:
    """Each function that compares the id of such a table with a parameter; whether it asks."""
    names = {table.__name__ for table in TABLES}
    for path in sorted(SERVICES.rglob("*.py")):
        place = path.relative_to(SERVICES).with_suffix("").as_posix()
        for node in ast.parse(path.read_text(encoding="utf-8")).body:
            if isinstance(node, ast.FunctionDef) and _reads(node, names):
                yield f"{place}.{node.name}", not GUARDS.isdisjoint(_words(node))


def _reads(function: ast.FunctionDef, tables: set[str]) -> bool:
    given = {one.arg for one in (*function.args.args, *function.args.kwonlyargs)}
    return any(
        _is_by_id(node, tables, given) or _is_got(node, tables, given)
        for node in ast.walk(function)
    )


def _is_by_id(node: ast.AST, tables: set[str], given: set[str]) -> bool:
    """``Table.id == parameter``."""
    if not isinstance(node, ast.Compare) or not isinstance(node.ops[0], ast.Eq):
        return False
    left, right = node.left, node.comparators[0]
    of_table = (
        isinstance(left, ast.Attribute)
        and left.attr == "id"
        and isinstance(left.value, ast.Name)
        and left.value.id in tables
    )
    return of_table and isinstance(right, ast.Name) and right.id in given


def _is_got(node: ast.AST, tables: set[str], given: set[str]) -> bool:
    """``session.get(Table, parameter)``."""
    if not isinstance(node, ast.Call) or not isinstance(node.func, ast.Attribute):
        return False
    words = [one.id for one in node.args[:2] if isinstance(one, ast.Name)]
    is_get = node.func.attr in {"get", "get_one"} and len(words) == len(node.args[:2]) > 1
    return is_get and words[0] in tables and words[1] in given


def _words(function: ast.FunctionDef) -> set[str]:
    nodes = list(ast.walk(function))
    names = {node.id for node in nodes if isinstance(node, ast.Name)}
    return names | {node.attr for node in nodes if isinstance(node, ast.Attribute)}
