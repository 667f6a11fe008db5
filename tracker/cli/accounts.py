"""Accounts of organizations' people and of staff: account invite, account reset-factor."""

from __future__ import annotations

import click

from tracker.cli.commands import OPERATOR, complain, container
from tracker.cli.values import of_organizations, words
from tracker.domain import emails
from tracker.domain.errors import Invalid
from tracker.domain.people.accounts import OrganizationAccess
from tracker.domain.people.invitations import INVITED
from tracker.domain.permissions import ORGANIZATIONS, Role
from tracker.language.catalogues import LANGUAGES
from tracker.services.core import organizations
from tracker.services.people import invitations, recoveries
from tracker.services.people.invitations import PersonToInvite


@click.group()
def account() -> None:
    """Invite people who sign in with a password, and let them in again."""


@account.command("invite")
@click.option("--role", type=click.Choice(INVITED), required=True)
@click.option("--name", type=words(100), required=True, help="The person's name.")
@click.option("--email", required=True, metavar="ADDRESS", help="The person's email address.")
@of_organizations
@click.option(
    "--access",
    type=click.Choice([*OrganizationAccess]),
    help="For the roles of organizations. Default: manage.",
)
@click.option("--language", type=click.Choice(LANGUAGES), default="en", show_default=True)
def invite(
    *,
    role: Role,
    name: str,
    email: str,
    access: OrganizationAccess | None,
    language: str,
    **organization_names: str | None,
) -> None:
    """Invite somebody by email, and print the link, with which anyone can accept.

    This is how the first administrator gets an account.
    """
    address = _address(email)
    if role in ORGANIZATIONS:
        access = access or OrganizationAccess.MANAGE
    with container().work(OPERATOR) as work:
        organization_id = organizations.meant(work, role, organization_names)
        wanted = PersonToInvite(role, name, address, organization_id, access, language)
        made = invitations.invite(work, wanted)
        link = invitations.link(work, work.message_key, made.id, made.sendings)
    click.echo(link)
    complain(f"The link works once, until {made.expires_at:%Y-%m-%dT%H:%MZ}.")


@account.command("reset-factor")
@click.option("--email", required=True, metavar="ADDRESS", help="The address of the account.")
def reset_factor(*, email: str) -> None:
    """Remove the second factor of an account whose owner lost it.

    On the site two people of the staff do this; this is the way where there are not two. The owner
    is told by email, and the next sign-in sets up a new app.
    """
    with container().work(OPERATOR) as work:
        recoveries.reset_factor_at(work, _address(email))
    click.echo("The second factor was removed; the sessions have ended.")


def _address(text: str) -> str:
    """An email address in the form in which it is kept. Raises Invalid."""
    try:
        return emails.email(text)
    except ValueError as error:
        raise Invalid(f"--email {error}") from error
