"""The database's roles: tracker database."""

from __future__ import annotations

import click
from sqlalchemy.exc import SQLAlchemyError

from tracker import row_security
from tracker.cli.commands import container


@click.group()
def database() -> None:
    """Let the application use the database by a role that owns nothing."""


@database.command()
@click.option("--role", required=True, help="The name of a role that can log in.")
def grant(role: str) -> None:
    """Let a role use the tables, restricted by the policies on their rows.

    Run it as the role that owns the tables and migrates them. It can be run again.
    """
    opened = container()
    if opened.engine.dialect.name != "postgresql":
        raise click.ClickException("SQLite has no roles, and no policies on rows.")
    try:
        with opened.engine.begin() as connection:
            row_security.grant(connection, role)
    except SQLAlchemyError as error:
        cause = str(getattr(error, "orig", error)).strip()
        raise click.ClickException(f"Nothing was granted: {cause}") from error
    click.echo(
        f"{role} may use the tables. Put it into TRACKER_DATABASE_URL, but migrate as owner."
    )
