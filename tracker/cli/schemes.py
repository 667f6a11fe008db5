"""Scheme files: schemes check, list, schema, and a policy explained in plain words."""

from __future__ import annotations

import json
import textwrap
from pathlib import Path

import click

from tracker import clock, settings
from tracker import scheme_files as files
from tracker.cli import policies
from tracker.cli.commands import complain
from tracker.domain.schemes.activity_types import ENGLISH
from tracker.domain.schemes.policies import Policy
from tracker.domain.schemes.schemes import Scheme
from tracker.language.catalogues import LANGUAGES
from tracker.language.policies import in_plain_words
from tracker.scheme_files import json_schema

_DIRECTORY = click.Path(exists=True, file_okay=False, path_type=Path)


@click.group()
def schemes() -> None:
    """Check, explain and compare schemes and their policies."""


for _command in policies.COMMANDS:
    schemes.add_command(_command)


@schemes.command("check")
@click.argument("directory", type=_DIRECTORY, required=False)
def check(directory: Path | None) -> None:
    """Report every mistake in the scheme files of a DIRECTORY (default: the configured one)."""
    chosen = directory or settings.load().schemes_directory
    mistakes = files.check(chosen)
    for mistake in mistakes:
        complain(str(mistake))
    if mistakes:
        raise SystemExit(1)
    found = files.load(chosen)
    click.echo(f"{chosen}: {len(found.by_code)} schemes, no mistakes")
    policies.warn_of_breaches(found)


@schemes.command("schema")
def schema() -> None:
    """Print the JSON Schema of scheme files, for editors that complete and check TOML."""
    click.echo(json.dumps(json_schema.generate(), ensure_ascii=False, indent=2))


@schemes.command("list")
def list_() -> None:
    """List the configured schemes and their policy versions."""
    for scheme in files.load(settings.load().schemes_directory):
        click.echo(f"{scheme.code:<8} {scheme.name}")
        click.echo(f"{'':<8} modules: {_modules(scheme)}")
        for policy in scheme.policies:
            since = f"from {policy.effective_from}" if policy.effective_from else "from the start"
            checked = "verified" if policy.verified else "has unverified values"
            click.echo(f"{'':<8} policy {policy.version}: {since}, {checked}")
        if not scheme.policies:
            click.echo(f"{'':<8} never expires")


def _modules(scheme: Scheme) -> str:
    return ", ".join(m.code if m.required else f"{m.code} (optional)" for m in scheme.modules)


@schemes.command("explain")
@click.argument("code")
@click.option("--version", "name", help="The policy version. Default: the one in force today.")
@click.option("--language", type=click.Choice(LANGUAGES), default=ENGLISH, show_default=True)
@click.option(
    "--directory",
    type=_DIRECTORY,
    help="The directory of the scheme files. Default: the configured one.",
)
def explain(code: str, *, name: str | None, language: str, directory: Path | None) -> None:
    """Print the whole policy of scheme CODE in plain words, generated from the scheme file."""
    scheme = files.load(directory or settings.load().schemes_directory)[code]
    click.echo(f"{scheme.name} ({scheme.issuer})")
    for section in in_plain_words(scheme, _version(scheme, name), language):
        click.echo(f"\n{section.title}\n{'-' * len(section.title)}")
        for sentence in section.sentences:
            click.echo(textwrap.fill(sentence, 88, initial_indent="- ", subsequent_indent="  "))


def _version(scheme: Scheme, name: str | None) -> Policy | None:
    if name is None:
        today = clock.system().astimezone(scheme.time_zone).date()
        return scheme.policy_for(today, awarded_on=today)
    versions = {policy.version: policy for policy in scheme.policies}
    if name not in versions:
        choices = ", ".join(versions) or "none"
        raise click.BadParameter(f"is not a version of {scheme.code}; the versions are: {choices}")
    return versions[name]
