"""People who sign in with a password: accounts of staff, administrators and employers for tests."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Any

import pyotp
from sqlalchemy import select

from tests import factories
from tests.browsers import Browser
from tracker.domain.permissions import SYSTEM, Role
from tracker.models import Authenticator, SignIn
from tracker.services.core.context import Container
from tracker.services.people import accounts, password_changes, passwords, second_factors

PASSWORD = "correct horse battery"


@dataclass
class Member:
    """Somebody with an account and a password, and an app once it is set up."""

    container: Container
    id: str
    email: str
    codes: list[str] = field(default_factory=list)

    def secret(self) -> str:
        """The secret in the app."""
        with self.container.reading(SYSTEM) as reading:
            own = select(Authenticator.seed).where(Authenticator.account_id == self.id)
            seed = reading.row(own).seed
        return second_factors.secret_of(self.container.message_key, seed)

    def code(self, *, steps: int = 0) -> str:
        """The code that the app shows now, or so many steps later."""
        return pyotp.TOTP(self.secret()).at(self.container.clock(), counter_offset=steps)

    def set_up(self) -> list[str]:
        """Set the app up, without a browser; the recovery codes."""
        secret = second_factors.secret_of(self.container.message_key, self.id)
        with self.container.work(SYSTEM) as work:
            # With the code before, so that a test has two left without moving the clock.
            codes = second_factors.set_up(work, self.id, self.id, at(work.now, secret, -1))
        assert codes is not None
        return codes

    def enter_password(self, browser: Browser, password: str = PASSWORD, **more: Any) -> Any:
        """Enter address and password."""
        form = {"email": self.email, "password": password}
        return browser.post("/sign-in/password", form, **more)

    def sign_in(self, browser: Browser) -> Any:
        """Sign in with password and app."""
        assert self.enter_password(browser).status_code == 303
        answer = browser.post("/sign-in/factor", {"code": self.code()})
        assert answer.status_code == 303, answer.text
        return answer


def at(now: Any, secret: str, steps: int) -> str:
    """The code of a secret at an instant, or some steps from it."""
    return pyotp.TOTP(secret).at(now, counter_offset=steps)


def member(container: Container, role: Role = "staff", **values: Any) -> Member:
    """Open an account with a password."""
    email = values.pop("email", f"{role}@example.org")
    with container.work(SYSTEM) as work:
        values.setdefault("name", f"{role.title()} Doe")
        id_ = accounts.open_account(
            work, role=role, email=email, **factories.acting_for(role, values)
        )
        hashed = passwords.chosen(work.settings, PASSWORD, about=[])
        password_changes.replace_hash(work, id_, hashed)
    return Member(container, id_, email)


def set_up_code(container: Container, *, steps: int = 0) -> str:
    """The code of the app that the newest attempt is about to set up."""
    with container.reading(SYSTEM) as reading:
        newest = select(SignIn.id).order_by(SignIn.id.desc()).limit(1)
        secret = second_factors.secret_of(container.message_key, reading.row(newest).id)
    return at(container.clock(), secret, steps)
