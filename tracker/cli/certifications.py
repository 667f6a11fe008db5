"""tracker certifications extend: one act that extends many certifications."""

from __future__ import annotations

import re
from datetime import date
from typing import cast

import click

from tracker.cli.commands import OPERATOR, complain, container, progress
from tracker.cli.values import DAY, DAYS, REFERENCE, words
from tracker.domain.errors import Invalid
from tracker.domain.periods import Duration, Period, TimeUnit
from tracker.services.core import organizations
from tracker.services.core.context import Container
from tracker.services.employers import mass_extensions
from tracker.services.employers.mass_extensions import (
    ExtensionOutcome,
    ExtensionResult,
    MassExtension,
    Selection,
)


class _Length(click.ParamType[Duration]):
    """A number of days, months or years."""

    name = "DURATION"

    def convert(
        self, value: object, param: click.Parameter | None, ctx: click.Context | None
    ) -> Duration:
        """The duration; fails with the form in which it must be written."""
        found = re.fullmatch(r"([0-9]{1,5}) ?(day|month|year)s?", str(value))
        if found is None:
            self.fail(
                f"{value!r} is not a length of time; write it like '90 days', '6 months' or "
                "'1 year'.",
                param,
                ctx,
            )
        return Duration(int(found[1]), cast("TimeUnit", f"{found[2]}s"))


@click.group()
def certifications() -> None:
    """Change many certifications at once."""


@certifications.command("extend")
@click.option(
    "--ref",
    type=REFERENCE,
    required=True,
    help="A name of your choice for this act; running it again under that name changes nothing.",
)
@click.option("--scheme", required=True, help="The scheme's code, such as cpt.")
@click.option(
    "--expiring",
    type=DAYS,
    required=True,
    help="The range of current expiration dates, both included.",
)
@click.option("--until", type=DAY, help="One new expiration date for all of them.")
@click.option(
    "--by", type=_Length(), help="How much later than now each expires, such as '6 months'."
)
@click.option("--reason", type=words(1000), required=True, help="Why; kept in the history.")
@click.option(
    "--reason-code",
    default="mass_extension",
    show_default=True,
    help="A code from config/reasons.toml or the scheme file.",
)
@click.option("--override", type=words(500), help="Why it is granted against the policy's rule.")
@click.option(
    "--holder",
    "holders",
    type=REFERENCE,
    multiple=True,
    help="Only the holder with this ref; may be repeated.",
)
@click.option(
    "--employer",
    type=words(200),
    help="The name of an employer: only workers who share their status with it.",
)
@click.option("--effective-on", type=DAY, help="The day from which it applies. Default: today.")
@click.option("--dry-run", is_flag=True, help="List who would be extended; store nothing.")
def extend(
    *,
    ref: str,
    scheme: str,
    expiring: Period,
    until: date | None,
    by: Duration | None,
    holders: tuple[str, ...],
    employer: str | None,
    effective_on: date | None,
    dry_run: bool,
    override: str | None,
    reason: str,
    reason_code: str,
) -> None:
    """Extend all certifications of a scheme that expire in a period, in one act.

    Those that the policy does not allow are listed and left unchanged, unless --override says why.
    """
    opened = container()
    selection = Selection(scheme, expiring, holders, _employer(opened, employer))
    extension = MassExtension(
        ref=ref,
        selection=selection,
        reason_code=reason_code,
        reason=reason,
        until=until,
        by=by,
        effective_on=effective_on,
        override_reason=override,
    )
    with progress(f"Extending {scheme}") as tell:
        if dry_run:
            with opened.reading(OPERATOR) as reading:
                found = mass_extensions.foresee(reading, extension, on_progress=tell)
        else:
            with opened.work(OPERATOR) as work:
                found = mass_extensions.extend(work, extension, on_progress=tell)
    _tell(found)


def _employer(opened: Container, name: str | None) -> str | None:
    if name is None:
        return None
    with opened.reading(OPERATOR) as reading:
        found = organizations.of_name(reading, "employer", name)
    if found is None:
        raise Invalid("There is no such employer.", fields={"employer": "is unknown"})
    return found


def _tell(found: ExtensionOutcome) -> None:
    for fate in found.fates:
        if fate.refused is None:
            click.echo(_line(fate))
        else:
            complain(f"refused: {_line(fate)}: {fate.detail}")
    verb = "would be extended" if found.dry_run else "extended"
    click.echo(f"{found.extended:,} {verb}, {found.refused:,} refused")
    if found.repeated:
        click.echo(
            f"{found.ref} was already carried out ({found.unchanged:,} extended); nothing changed."
        )
    elif found.dry_run:
        click.echo("This was a dry run: nothing was stored.")


def _line(fate: ExtensionResult) -> str:
    return f"{fate.holder_ref}  {fate.certificate_number}  {fate.expires_on} -> {fate.extended_to}"
