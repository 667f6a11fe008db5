"""What the keys of scheme files must say about each other.

Checked on the raw values, so that a file with a misspelt key is told of its other mistakes in
the same run. A value of the wrong kind passes here: ``format.py`` names it.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from datetime import date
from decimal import Decimal
from typing import Any

from tracker.schemes.lines import KeyPath

AMOUNT = re.compile(r"\d{1,6}(\.\d{1,2})?")  # points or money: at most two decimals

Raw = Mapping[str, Any]
Finding = tuple[KeyPath, str]


def in_file(raw: Raw) -> Iterator[Finding]:
    """The contradictions within one file, each with the key that it is found at."""
    for table, key in (("modules", "code"), ("editions", "code"), ("policies", "version")):
        yield from _repeated(raw, table, key)
    needed = [module.get("required") for module in _tables(raw.get("modules"))]
    if needed and all(value is False for value in needed):
        yield ("modules",), "at least one module must be required"
    expires = "validity" in _table(raw.get("award"))
    if expires and raw.get("policies", []) == []:
        yield ("policies",), "a scheme that expires needs a policy"
    if _tables(raw.get("policies")) and _table(raw.get("award")) and not expires:
        yield ("award", "validity"), "is required where there are policies"
    for index, policy in enumerate(_tables(raw.get("policies"))):
        yield from _in_policy(("policies", index), policy)
    yield from _date_order(_tables(raw.get("policies")))
    yield from _in_reminders(_table(raw.get("reminders")))


def _in_policy(here: KeyPath, policy: Raw) -> Iterator[Finding]:
    categories, types = _table(policy.get("categories")), _table(policy.get("types"))
    for code, kind in types.items():
        category = _table(kind).get("category")
        if isinstance(category, str) and categories and category not in categories:
            rule = f"is no category of this policy; there are: {', '.join(categories)}"
            yield (*here, "types", code, "category"), rule
        if _table(kind).get("counted_by") == "months" and "increment" in kind:
            rule = "must be absent: months are counted by the month_rule"
            yield (*here, "types", code, "increment"), rule
    for code, category in categories.items():
        least, most = (_amount(_table(category).get(key)) for key in ("minimum", "maximum"))
        if least is not None and most is not None and least > most:
            yield (*here, "categories", code, "minimum"), f"is more than the maximum, {most}"


def _date_order(policies: list[Raw]) -> Iterator[Finding]:
    starts = [policy.get("effective_from") for policy in policies]
    for index, start in enumerate(starts[1:], start=1):
        before = starts[index - 1]
        if start is None or (type(start) is type(before) is date and start <= before):
            rule = "each version but the first needs a later date than the one before it"
            yield ("policies", index, "effective_from"), rule


def _in_reminders(reminders: Raw) -> Iterator[Finding]:
    offsets, fewer = (
        [day for day in _list(reminders.get(key)) if type(day) is int]
        for key in ("offsets", "offsets_when_complete")
    )
    twice = sorted({day for day in offsets if offsets.count(day) > 1})
    if twice:
        yield ("reminders", "offsets"), f"{twice} are given twice"
    extra = sorted(set(fewer) - set(offsets))
    if extra and offsets:
        yield ("reminders", "offsets_when_complete"), f"{extra} are not among the offsets"


def _repeated(raw: Raw, table: str, key: str) -> Iterator[Finding]:
    values = [entry.get(key) for entry in _tables(raw.get(table))]
    for index, value in enumerate(values):
        if value is not None and value in values[:index]:
            yield (table, index, key), "is used twice"


def between_files(raws: Mapping[str, Raw], *, readable: bool) -> Iterator[tuple[str, Finding]]:
    """The contradictions between files, each with the name of its file.

    ``readable`` says whether every file could be read: otherwise a prerequisite that is not
    found may stand in the one that could not.
    """
    codes = [raw.get("code") for raw in raws.values()]
    prefixes: dict[str, Any] = {}
    needs = {str(raw.get("code")): _prerequisites(raw) for raw in raws.values()}
    for name, raw in raws.items():
        code, prefix = raw.get("code"), raw.get("number_prefix")
        if code is not None and codes.count(code) > 1:
            yield name, (("code",), "is used by more than one file")
        if isinstance(prefix, str) and prefixes.setdefault(prefix, code) != code:
            yield name, (("number_prefix",), "is used by another scheme too")
        unknown = [needed for needed in _prerequisites(raw) if needed not in codes]
        if unknown and readable:
            there = ", ".join(sorted(map(str, codes)))
            yield name, (("award", "prerequisites"), f"{unknown} is no scheme; there are: {there}")
        if str(code) in _reached(needs, str(code)):
            yield name, (("award", "prerequisites"), "lead back to this scheme itself")


def _prerequisites(raw: Raw) -> list[str]:
    needed = _list(_table(raw.get("award")).get("prerequisites"))
    return [code for code in needed if isinstance(code, str)]


def _reached(needs: Mapping[str, list[str]], code: str) -> set[str]:
    """Every scheme that must be held before this one, directly or not."""
    reached: set[str] = set()
    ahead = [*needs[code]]
    while ahead:
        following = ahead.pop()
        if following not in reached:
            reached.add(following)
            ahead += needs.get(following, [])
    return reached


def _table(value: Any) -> Raw:
    return value if isinstance(value, dict) else {}


def _list(value: Any) -> list[Any]:
    return value if isinstance(value, list) else []


def _tables(value: Any) -> list[Raw]:
    """The tables of an array; an element of another kind stands as an empty one."""
    return [_table(entry) for entry in _list(value)]


def _amount(value: Any) -> Decimal | None:
    return Decimal(value) if isinstance(value, str) and AMOUNT.fullmatch(value) else None
