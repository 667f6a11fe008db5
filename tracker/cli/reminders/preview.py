"""tracker reminders preview: every email as a file, to look at before anybody gets one."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import click

from tracker import scheme_files as files
from tracker import settings
from tracker.cli.commands import complain
from tracker.domain.schemes.schemes import Scheme, Schemes
from tracker.language.catalogues import LANGUAGES
from tracker.mail import digest_previews, previews
from tracker.mail.previews import Sample
from tracker.settings import Settings

_DIRECTORY = click.Path(file_okay=False, path_type=Path)


@click.command()
@click.argument("directory", type=_DIRECTORY)
@click.option("--scheme", "codes", multiple=True, metavar="CODE", help="Only of this scheme.")
def preview(directory: Path, codes: tuple[str, ...]) -> None:
    """Write every email there is into a DIRECTORY, with a page of links.

    Each stage of a scheme's reminders, each kind of news and an employer's digest, in every
    language, as a message (.eml), as text and as HTML. The people are made up; no database is
    needed.
    """
    chosen = settings.load()
    folders = dict(_folders(files.load(chosen.schemes_directory), codes))
    for folder, found in folders.items():
        _write(directory / folder, found, chosen)
    page = directory / "index.html"
    page.write_text(previews.index(folders), encoding="utf-8")
    complain(f"{sum(map(len, folders.values())):,} emails; open {page}")


def _folders(schemes: Schemes, codes: tuple[str, ...]) -> Iterator[tuple[str, list[Sample]]]:
    """The emails of each scheme, and those about several things. Raises UnknownScheme."""
    chosen = [schemes[code] for code in codes] if codes else list(schemes)
    for scheme in chosen:
        yield scheme.code, [s for lang in LANGUAGES for s in _of_scheme(scheme, lang)]
    yield "several", [s for lang in LANGUAGES for s in _of_several(list(schemes), lang)]


def _of_scheme(scheme: Scheme, language: str) -> Iterator[Sample]:
    yield from previews.of_scheme(scheme, language)
    yield from digest_previews.of_schemes([scheme], language, "digest")


def _of_several(schemes: list[Scheme], language: str) -> Iterator[Sample]:
    yield from previews.of_several(schemes, language)
    yield from digest_previews.of_schemes(schemes, language, "several-digest")


def _write(folder: Path, found: list[Sample], chosen: Settings) -> None:
    folder.mkdir(parents=True, exist_ok=True)
    for one in found:
        message = one.rendered(sender=chosen.mail.sender, reply_to=chosen.mail.reply_to)
        (folder / f"{one.name}.eml").write_bytes(message)
        (folder / f"{one.name}.txt").write_text(one.message.text, encoding="utf-8")
        (folder / f"{one.name}.html").write_text(one.message.html, encoding="utf-8")
