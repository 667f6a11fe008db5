"""The modules of a scheme side by side: which are passed, which are missing, what is optional."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass

from tracker.domain.credentials.candidates import Candidacy, ModuleProgress, candidacy
from tracker.domain.schemes.activity_types import translated
from tracker.domain.schemes.schemes import Scheme
from tracker.language import catalogues
from tracker.language.voice import in_words
from tracker.services.credentials.module_certificates import Progress


@dataclass(frozen=True, slots=True)
class ModuleGridWords:
    """One language's words."""

    passed: str
    passed_on: str
    missing: str
    retake: str
    optional: str
    optional_missing: str
    complete: str
    still: str


WORDS = {
    lang: ModuleGridWords(**catalogues.topic(lang, "module_grids_pages"))
    for lang in catalogues.LANGUAGES
}


@dataclass(frozen=True, slots=True)
class ModuleCell:
    """A module in the grid; ``state`` is passed, missing or optional."""

    code: str
    name: str
    state: str
    word: str
    said: str


@dataclass(frozen=True, slots=True)
class ModuleGrid:
    """The modules of a scheme, and in a sentence how many required ones are passed."""

    scheme: str
    title: str
    said: str
    cells: Sequence[ModuleCell]


def of_progress(found: Iterable[Progress], language: str) -> list[ModuleGrid]:
    """A grid for each scheme in which somebody attempted a module."""
    return [_grid(one.scheme, one.candidacy, language) for one in found]


def of_scheme(found: Iterable[Progress], scheme: Scheme, language: str) -> ModuleGrid:
    """The grid of one scheme, also for somebody who attempted nothing."""
    tried = (one.candidacy for one in found if one.scheme.code == scheme.code)
    return _grid(scheme, next(tried, candidacy(scheme, ())), language)


def names(schemes: Iterable[Scheme], language: str) -> Mapping[tuple[str, str], str]:
    """The names of all modules, by the codes of scheme and module."""
    return {
        (scheme.code, module.code): translated(module.name, language)
        for scheme in schemes
        for module in scheme.modules
    }


def _grid(scheme: Scheme, found: Candidacy, language: str) -> ModuleGrid:
    say, missing = WORDS[language], len(found.missing)
    count = sum(module.required for module in scheme.modules)
    said = say.still.format(passed=count - missing, count=count) if missing else say.complete
    cells = [_cell(one, language) for one in found.modules]
    return ModuleGrid(scheme.code, scheme.full_name(language), said, cells)


def _cell(one: ModuleProgress, language: str) -> ModuleCell:
    say, name = WORDS[language], translated(one.module.name, language)
    state, word, said = "missing", say.missing, ""
    if one.passed_on is not None:
        state, word = "passed", say.passed
        said = say.passed_on.format(in_words(one.passed_on, language))
    elif not one.module.required:
        state, word = "optional", say.optional_missing
    if one.retake_on is not None:
        said = say.retake.format(in_words(one.retake_on, language))
    if not one.module.required:
        said = f"{say.optional} {said}".strip()
    return ModuleCell(one.module.code, name, state, word, said)
