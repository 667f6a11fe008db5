"""Scheme files: schemes check, schemes list."""

from __future__ import annotations

from pathlib import Path

import click

from tracker import schemes as files
from tracker import settings
from tracker.cli.doors import complain
from tracker.domain.schemes import Scheme

_DIRECTORY = click.Path(exists=True, file_okay=False, path_type=Path)


@click.group()
def schemes() -> None:
    """The certification schemes and their recertification policies."""


@schemes.command("check")
@click.argument("directory", type=_DIRECTORY, required=False)
def check(directory: Path | None) -> None:
    """Name every mistake in the scheme files of a DIRECTORY (the configured one by default)."""
    chosen = directory or settings.load().schemes_directory
    mistakes = files.check(chosen)
    for mistake in mistakes:
        complain(str(mistake))
    if mistakes:
        raise SystemExit(1)
    found = len(files.load(chosen).by_code)
    click.echo(f"{chosen}: {found} schemes, no mistake")


@schemes.command("list")
def list_() -> None:
    """The schemes that are configured, each with its policy versions."""
    for scheme in files.load(settings.load().schemes_directory):
        click.echo(f"{scheme.code:<8} {scheme.name}")
        click.echo(f"{'':<8} modules: {_modules(scheme)}")
        for policy in scheme.policies:
            since = f"from {policy.effective_from}" if policy.effective_from else "from the start"
            checked = "verified" if policy.verified else "holds unverified values"
            click.echo(f"{'':<8} policy {policy.version}: {since}, {checked}")
        if not scheme.policies:
            click.echo(f"{'':<8} never expires")


def _modules(scheme: Scheme) -> str:
    return ", ".join(m.code if m.required else f"{m.code} (optional)" for m in scheme.modules)
