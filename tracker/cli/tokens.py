"""Machine tokens: token create, token list, token revoke."""

from __future__ import annotations

from datetime import datetime, timedelta

import click

from tracker.cli.commands import OPERATOR, complain, container
from tracker.cli.values import REFERENCE, of_organizations, words
from tracker.domain.permissions import ROLES, SCOPES, Role, Scope
from tracker.services.core import organizations, tokens
from tracker.services.core.tokens import TokenRow


@click.group()
def token() -> None:
    """Create, list and revoke API tokens."""


@token.command("create")
@click.option("--role", type=click.Choice(ROLES), required=True)
@click.option(
    "--holder", type=REFERENCE, metavar="REF", help="For a holder's token: the ref of the holder."
)
@of_organizations
@click.option(
    "--scope", "scopes", type=click.Choice(SCOPES), multiple=True, help="Default: read and write."
)
@click.option("--days", type=click.IntRange(1, 3650), help="Days until it expires. Default: never.")
@click.option(
    "--name", type=words(100), default="command line", show_default=True, help="What it is for."
)
def create(
    *,
    role: Role,
    holder: str | None,
    scopes: tuple[Scope, ...],
    days: int | None,
    name: str,
    **organization_names: str | None,
) -> None:
    """Create a token and print its secret, which is shown only once."""
    needed = {"holder": holder, **organization_names}
    if role in needed and needed[role] is None:
        raise click.UsageError(f"--role {role} needs --{role}, which names the token's owner.")
    with container().work(OPERATOR) as work:
        holder_id = tokens.holder_of_ref(work, holder) if holder else None
        id_, secret = tokens.create(
            work,
            name=name,
            role=role,
            scopes=scopes or SCOPES,
            holder_id=holder_id,
            organization_id=organizations.meant(work, role, organization_names),
            expires_at=work.now + timedelta(days=days) if days else None,
        )
    click.echo(secret)
    complain(f"Token {id_} was created; its secret is not shown again.")


@token.command("list")
def list_() -> None:
    """List the tokens without their secrets: id, role, scopes, state, last use, name."""
    with container().reading(OPERATOR) as reading:
        for row in tokens.page(reading):
            used = f"used {_minute(row.last_used_at)}" if row.last_used_at else "never used"
            state = _state(row, reading.now)
            scopes = ",".join(row.scopes)
            click.echo(f"{row.id}  {row.role:<8}  {scopes:<10}  {state}  {used}  {row.name}")


def _state(row: TokenRow, now: datetime) -> str:
    if row.revoked_at:
        return f"revoked {_minute(row.revoked_at)}"
    if row.expires_at is None:
        return "does not expire"
    return f"{'expired' if row.expires_at <= now else 'expires'} {_minute(row.expires_at)}"


def _minute(instant: datetime) -> str:
    return f"{instant:%Y-%m-%dT%H:%MZ}"


@token.command("revoke")
@click.argument("token_id", type=click.UUID)
def revoke(token_id: object) -> None:
    """Revoke a token at once."""
    with container().work(OPERATOR) as work:
        tokens.revoke(work, str(token_id))
    click.echo(f"Token {token_id} was revoked.")
