"""Single sign-on: an identity provider says who somebody is; here is whom that lets in.

A provider's subject is bound to an account once, when its verified address is that of an account,
or of an open invitation, that the provider may sign in. From then on the subject alone counts: who
gets a former colleague's address does not get the account, nor does a second subject with it.
"""

from __future__ import annotations

import base64
import hmac
import secrets
from dataclasses import replace
from typing import NamedTuple

from sqlalchemy import delete, select, update
from sqlalchemy.exc import IntegrityError

from tracker.db import new_id
from tracker.domain.emails import compared
from tracker.domain.errors import NotFound
from tracker.domain.people import single_sign_on as rules
from tracker.domain.people.sign_in import AttemptPurpose
from tracker.domain.people.single_sign_on import Identity, IdentityProvider
from tracker.models import Account, ProviderIdentity, SignIn
from tracker.openid import ProviderAttempt
from tracker.services.core import history
from tracker.services.core.context import ReadContext, UnitOfWork
from tracker.services.people import (
    account_news,
    accounts,
    endings,
    invitations,
    password_sign_in,
    sessions,
    sign_in,
)
from tracker.services.people.accounts import AccountOwner

_BYTES = 32  # of randomness in a browser's secret


class SsoEntered(NamedTuple):
    """The secret of a new session; or that of a browser in which the second factor is missing."""

    session: str | None
    factor: str | None


def begin(
    work: UnitOfWork, provider: IdentityProvider, *, asks_again: bool = False
) -> tuple[str, ProviderAttempt]:
    """Begin an attempt at a provider; returns the secret for this browser, and what ties it.

    ``asks_again``: the person confirms who they are, even if the provider knows the browser.
    """
    secret, id_ = secrets.token_urlsafe(_BYTES), new_id()
    row = SignIn(
        id=id_,
        digest=sessions.digest_of(secret),
        recorded_at=work.now,
        expires_at=work.now + sign_in.lasts(work, AttemptPurpose.PROVIDER),
        purpose=AttemptPurpose.PROVIDER,
    )
    work.session.add(row)
    return secret, _attempt(work, provider, id_, asks_again=asks_again)


def take(
    work: UnitOfWork, provider: IdentityProvider, secret: str, state: str
) -> ProviderAttempt | None:
    """The attempt of a browser that comes back, which is then used up; None if it has none.

    Its state is that of this browser's attempt at this provider, or else somebody else began it.
    """
    waits = update(SignIn).where(
        SignIn.digest == sessions.digest_of(secret),
        *sign_in.is_usable(work, AttemptPurpose.PROVIDER),
    )
    row = work.row(waits.values(used_at=work.now).returning(SignIn.id))
    if row is None:
        return None
    given = state.encode(errors="surrogatepass")
    attempts = [_attempt(work, provider, row.id, asks_again=again) for again in (False, True)]
    return next((one for one in attempts if hmac.compare_digest(one.state.encode(), given)), None)


def _attempt(
    work: UnitOfWork, provider: IdentityProvider, id_: str, *, asks_again: bool
) -> ProviderAttempt:
    """What ties an attempt. Its state also says, unforgeably, whether the provider asks again."""

    def derived(what: str) -> str:
        told = f"{what}:{provider.name}:{id_}".encode()
        digest = hmac.digest(work.message_key, told, "sha256")
        return base64.urlsafe_b64encode(digest).rstrip(b"=").decode()

    base = work.settings.app.base_url.rstrip("/")
    return ProviderAttempt(
        state=derived("sso-state-again" if asks_again else "sso-state"),
        nonce=derived("sso-nonce"),
        verifier=derived("sso-verifier"),
        redirect=f"{base}/sign-in/with/{provider.name}/return",
        asks_again=asks_again,
    )


def enter(
    work: UnitOfWork,
    provider: IdentityProvider,
    found: Identity,
    *,
    agent: str,
    asked_again: bool = False,
    former: str | None = None,
) -> SsoEntered | None:
    """Sign somebody in whom a provider has named; None if it may not, or there is nobody.

    ``asked_again``: the provider was to have them prove who they are (``ProviderAttempt``). Where
    the provider's word is not both factors, our own second factor follows. ``former`` is the secret
    of the browser's session until now, which ends.
    """
    account = _account(work, provider, found)
    if account is None:
        return None
    own, email = replace(work, actor=account.actor), account.email or ""
    if not found.is_strong(provider):
        return SsoEntered(None, password_sign_in.begin_factor(own, account.id, email))
    session = sessions.enter(
        own,
        account.id,
        email=email,
        agent=agent,
        former=former,
        proved_at=rules.proved_at(found, work.now, asked_again=asked_again),
        provider=provider.name,
    )
    return None if session is None else SsoEntered(session, None)


def _account(work: UnitOfWork, provider: IdentityProvider, found: Identity) -> AccountOwner | None:
    """The account of an identity, locked, if the provider may sign it in."""
    same = (ProviderIdentity.issuer == provider.issuer) & (
        ProviderIdentity.subject == found.subject
    )
    bound = work.row(select(ProviderIdentity.account_id).where(same))
    account_id = bound.account_id if bound else _known(work, provider, found)
    if account_id is None:
        return None
    account = accounts.lock(work, account_id)
    is_over = account.deactivated_at is not None
    if is_over or not provider.admits(account.role, account.organization_id, account.email):
        return None
    if bound is None and not _bind(work, provider, found, account):
        return None
    work.execute(update(ProviderIdentity).where(same).values(last_used_at=work.now))
    return account


def _known(work: UnitOfWork, provider: IdentityProvider, found: Identity) -> str | None:
    """The account with the identity's address; opened if somebody is invited at it."""
    key = compared(found.email)
    if not provider.admits_address(key):
        return None
    row = work.row(select(Account.id).where(Account.email_key == key, accounts.IS_LIVING))
    if row is not None:
        return str(row.id)
    return invitations.accept_at(work, key, provider.admits)


def _bind(
    work: UnitOfWork, provider: IdentityProvider, found: Identity, account: AccountOwner
) -> bool:
    """Bind a subject to an account; False if the account has another one of this provider."""
    row = ProviderIdentity(
        account_id=account.id,
        issuer=provider.issuer,
        subject=found.subject,
        recorded_at=work.now,
    )
    try:
        with work.session.begin_nested():
            work.session.add(row)
    except IntegrityError:
        return False
    own = replace(work, actor=account.actor)
    history.record(own, "bind_provider", "account", account.id, provider=provider.name)
    account_news.tell(own, account, account_news.PROVIDER_BOUND)
    return True


def unbind(work: UnitOfWork, name: str) -> None:
    """Have the actor's account no longer tied to a provider; other sessions and tokens end.

    The provider's next verified sign-in with the account's address ties it again: so somebody whose
    subject there has changed comes back. Raises NotFound, ReauthenticationRequired.
    """
    account = sessions.lock_fresh(work)
    provider = next((one for one in own(work) if one.name == name), None)
    if provider is None:
        raise NotFound
    mine = (ProviderIdentity.account_id == account.id) & (
        ProviderIdentity.issuer == provider.issuer
    )
    work.execute(delete(ProviderIdentity).where(mine))
    endings.of_access(work, account.id, but=work.actor.session_id)
    history.record(work, "unbind_provider", "account", account.id, provider=name)
    account_news.tell(work, account, account_news.PROVIDER_UNBOUND, place=provider.label)


def own(reading: ReadContext) -> list[IdentityProvider]:
    """The providers that know the actor."""
    mine = ProviderIdentity.account_id.in_(sessions.mine(reading.actor))
    issuers = {row.issuer for row in reading.rows(select(ProviderIdentity.issuer).where(mine))}
    known = reading.settings.identity_providers.values()
    return [provider for provider in known if provider.issuer in issuers]
