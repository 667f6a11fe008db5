"""Whether the keys of scheme files fit each other, within a file and between files.

The raw values are checked, so that a file with a misspelled key has its other mistakes reported in
the same run. The keys of one policy are checked in ``references``, ``limits`` and ``combinations``;
its versions in ``versions``.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping

from tracker.scheme_files import combinations, limits, raw, references, versions
from tracker.scheme_files.line_numbers import KeyPath
from tracker.scheme_files.raw import LocatedMistake, Raw
from tracker.scheme_files.values import near


def in_file(scheme: Raw) -> Iterator[LocatedMistake]:
    """The contradictions within one file, each with its key."""
    for table, key in (("modules", "code"), ("editions", "code"), ("policies", "version")):
        yield from raw.repeated((table,), scheme.get(table), key)
    needed = [module.get("required") for module in raw.tables(scheme.get("modules"))]
    if needed and all(value is False for value in needed):
        yield ("modules",), "at least one module must be required"
    yield from _validity(scheme)
    award = raw.table(scheme.get("award"))
    validity = raw.duration(award.get("validity"))
    for index, policy in enumerate(raw.tables(scheme.get("policies"))):
        here = ("policies", index)
        yield from references.in_policy(here, policy, scheme)
        yield from limits.in_policy(here, policy, validity)
        yield from combinations.in_policy(here, policy, validity)
    yield from versions.of_policies(scheme)
    yield from _in_assessment(scheme)
    yield from _in_fees(scheme)
    yield from _in_reminders(raw.table(scheme.get("reminders")))


def _validity(scheme: Raw) -> Iterator[LocatedMistake]:
    award, policies = raw.table(scheme.get("award")), scheme.get("policies", [])
    expires = "validity" in award
    if expires and policies == []:
        yield ("policies",), "a scheme that expires needs a policy"
    if raw.tables(policies) and award and not expires:
        yield ("award", "validity"), "is required when there are policies"
    yield from _fixed_day(award)
    if award and not expires and "lifetime_if_awarded_before" in award:
        rule = "must be absent: without a validity, certifications never expire"
        yield ("award", "lifetime_if_awarded_before"), rule


def _fixed_day(award: Raw) -> Iterator[LocatedMistake]:
    """A fixed day is given only if it is used, and validity is in whole years then."""
    is_fixed = award.get("valid_through") == "fixed_day"
    if is_fixed and "fixed_day" not in award:
        yield ("award", "fixed_day"), 'is required with valid_through = "fixed_day"'
    for key in ("fixed_day", "first_cycle"):
        if not is_fixed and key in award:
            yield ("award", key), 'must be absent unless valid_through = "fixed_day"'
    validity = raw.duration(award.get("validity"))
    if is_fixed and validity is not None and validity.unit != "years":
        rule = "must be in years, because a fixed day comes once a year"
        yield ("award", "validity", "unit"), rule


def _in_assessment(scheme: Raw) -> Iterator[LocatedMistake]:
    rule = raw.table(scheme.get("assessment"))
    fewest, most = rule.get("fewest_questions"), rule.get("most_questions")
    if (fewest is None) is not (most is None):
        given = "most" if fewest is None else "fewest"
        other = "fewest_questions" if fewest is None else "most_questions"
        yield ("assessment", f"{given}_questions"), f"needs {other} too"
    if type(fewest) is int and type(most) is int and fewest > most:
        yield ("assessment", "fewest_questions"), f"is more than most_questions, {most}"


def _in_fees(scheme: Raw) -> Iterator[LocatedMistake]:
    fees, code = raw.table(scheme.get("fees")), scheme.get("code")
    member, full = (raw.amount(fees.get(key)) for key in ("member_renewal", "renewal"))
    if "member_renewal" in fees and "renewal" not in fees:
        yield ("fees", "member_renewal"), "needs a renewal fee too"
    if member is not None and full is not None and member > full:
        yield ("fees", "member_renewal"), f"is more than the renewal fee, {full}"
    for index, bundle in enumerate(raw.tables(fees.get("bundles"))):
        named = [name for _, name in raw.texts(bundle.get("schemes"))]
        if named and code not in named:
            yield ("fees", "bundles", index, "schemes"), f"must name this scheme too, {code!r}"


def _in_reminders(reminders: Raw) -> Iterator[LocatedMistake]:
    offsets, fewer = (
        [day for day in raw.items(reminders.get(key)) if type(day) is int]
        for key in ("offsets", "offsets_when_complete")
    )
    extra = sorted(set(fewer) - set(offsets))
    if extra and offsets:
        surplus = ", ".join(map(raw.short, extra))
        yield ("reminders", "offsets_when_complete"), f"{surplus}: not in offsets"


def between_files(
    files: Mapping[str, Raw], *, readable: bool
) -> Iterator[tuple[str, LocatedMistake]]:
    """The contradictions between files, each with the name of its file.

    ``readable`` says whether every file could be read: if not, a scheme that is not found may be in
    a file that could not be read.
    """
    codes = [scheme.get("code") for scheme in files.values()]
    prefixes: dict[str, object] = {}
    needs = {raw.text(scheme.get("code")): _prerequisites(scheme) for scheme in files.values()}
    for name, scheme in files.items():
        code, prefix = scheme.get("code"), scheme.get("number_prefix")
        if code is not None and codes.count(code) > 1:
            yield name, (("code",), "is used by more than one file")
        if isinstance(prefix, str) and prefixes.setdefault(prefix, code) != code:
            yield name, (("number_prefix",), "is used by another scheme too")
        if readable:
            yield from ((name, found) for found in _unknown_schemes(scheme, codes))
        if raw.text(code) in _reached(needs, raw.text(code)):
            yield name, (("award", "prerequisites"), "lead back to this scheme")


def _unknown_schemes(scheme: Raw, codes: list[object]) -> Iterator[LocatedMistake]:
    """The schemes that a file names and no file has, and sharing with the scheme itself."""
    known = sorted(code for code in codes if isinstance(code, str))
    award = raw.table(scheme.get("award"))
    named: list[tuple[KeyPath, object]] = [(("award", "prerequisites"), award.get("prerequisites"))]
    for index, policy in enumerate(raw.tables(scheme.get("policies"))):
        shared = raw.table(policy.get("sharing")).get("schemes")
        named.append((("policies", index, "sharing", "schemes"), shared))
        for place, other in raw.texts(shared):
            if other == scheme.get("code"):
                yield ("policies", index, "sharing", "schemes", place), "is this scheme"
    for path, value in named:
        for place, other in raw.texts(value):
            if other not in known:
                there = ", ".join(map(raw.named, known))
                rule = f"is not a scheme; the schemes are: {there}{near(other, known)}"
                yield (*path, place), rule


def _prerequisites(scheme: Raw) -> list[str]:
    needed = raw.texts(raw.table(scheme.get("award")).get("prerequisites"))
    return [code for _, code in needed]


def _reached(needs: Mapping[str, list[str]], code: str) -> set[str]:
    """Every scheme that must be held before this one, directly or indirectly."""
    reached: set[str] = set()
    ahead = [*needs[code]]
    while ahead:
        following = ahead.pop()
        if following not in reached:
            reached.add(following)
            ahead += needs.get(following, [])
    return reached
