"""Scheme files read into the values of ``domain/schemes``; a mistake names file, line and rule.

The attributes of those values are the keys. ``tables`` makes marshmallow schemas of them, with the
fields of ``values``; ``format`` and ``policies`` say what a value needs beyond its keys.
``consistency``, ``references``, ``limits``, ``combinations`` and ``versions`` check that keys fit
each other. ``tomls`` reads a file, ``line_numbers`` finds the lines, ``json_schema`` writes the
format for editors. ``reasons`` reads the list of reason codes in the same way, ``credentials`` the
catalog of other credentials, ``pathways`` the pathways.

    schemes = load(Path("config/schemes"))      # SchemesRefusedError names every mistake

Nothing is half-loaded: one mistake in one file stops the start.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable
from pathlib import Path

from tracker.domain.schemes.schemes import Scheme, Schemes
from tracker.scheme_files import consistency, tomls, versions
from tracker.scheme_files.format import SchemeFile
from tracker.scheme_files.mistakes import Mistake, SchemesRefusedError
from tracker.scheme_files.raw import LocatedMistake, Raw
from tracker.scheme_files.tomls import ParsedFile

__all__ = ["Mistake", "SchemesRefusedError", "check", "load"]


def load(directory: Path) -> Schemes:
    """Read every scheme file of a directory. Raises SchemesRefusedError with every mistake."""
    schemes, found = _read_all(directory, consistency.in_file)
    if found:
        raise SchemesRefusedError(found)
    return Schemes(schemes)


def check(directory: Path) -> list[Mistake]:
    """Every mistake in the scheme files of a directory, in one run.

    In addition to the mistakes for which files are refused, this lists types that a version drops
    while cycles that used them are running.
    """
    return _read_all(directory, consistency.in_file, versions.dropped_types)[1]


def _read_all(
    directory: Path, *rules: Callable[[Raw], Iterable[LocatedMistake]]
) -> tuple[dict[str, Scheme], list[Mistake]]:
    loaded: dict[str, Scheme] = {}
    files: list[ParsedFile] = []
    found: list[Mistake] = []
    paths = sorted(directory.glob("*.toml"))
    if not paths:
        found.append(Mistake(str(directory), 0, "", "", "contains no scheme file (*.toml)"))
    for path in paths:
        file = tomls.parse(path, found)
        if file is not None:
            files.append(file)
            scheme: Scheme | None = tomls.build(SchemeFile(), file, found)
            found += [file.mistake(*each) for rule in rules for each in rule(file.raw)]
            if scheme is not None:
                loaded[scheme.code] = scheme
    by_name = {file.name: file for file in files}
    between = consistency.between_files(
        {file.name: file.raw for file in files}, readable=len(files) == len(paths)
    )
    found += [by_name[name].mistake(*each) for name, each in between]
    return loaded, sorted(found, key=lambda mistake: (mistake.file, mistake.line))
