"""A browser of somebody who signs in, as far as the pages see it: it keeps cookies, sends forms."""

from __future__ import annotations

import re
from dataclasses import dataclass, field
from typing import Any

from flask import Flask
from flask.testing import FlaskClient
from sqlalchemy import select

from tracker import jobs
from tracker.domain.permissions import SYSTEM
from tracker.models import SignIn
from tracker.services.core.context import Container
from tracker.services.people import sign_in


def content(page: Any) -> str:
    """What a page says below the links at its top, which are the same on every page."""
    text: str = page.text
    return text.partition("</header>")[2]


@dataclass
class Browser:
    """A browser at the site of an application; ``address`` is the caller's."""

    app: Flask
    address: str = "127.0.0.1"
    client: FlaskClient = field(init=False)

    def __post_init__(self) -> None:
        """Begin without cookies."""
        self.client = self.app.test_client()

    @property
    def container(self) -> Container:
        """What the application is made of."""
        container: Container = self.app.extensions["tracker"]
        return container

    def open(self, method: str, path: str, **options: Any) -> Any:
        """Send a request to the site's own name."""
        base = self.container.settings.app.base_url
        caller = {"REMOTE_ADDR": self.address}
        return self.client.open(
            path, method=method, base_url=base, environ_overrides=caller, **options
        )

    def get(self, path: str, **options: Any) -> Any:
        """Open a page."""
        return self.open("GET", path, **options)

    def post(self, path: str, data: Any = None, **options: Any) -> Any:
        """Send a form."""
        return self.open("POST", path, data=data, **options)

    def send_form(self, path: str, **form: str) -> Any:
        """Send a form of the pages for who signed in, with the token of the session."""
        token = re.findall(r'name="csrf_token" value="([^"]+)"', self.get("/account").text)[0]
        return self.post(path, {**form, "csrf_token": token})

    def ask(self, identifier: str, **more: Any) -> Any:
        """Ask for a code, and have it mailed."""
        answer = self.post("/sign-in", {"identifier": identifier, **more})
        jobs.look_up_sign_ins(self.container)
        return answer

    def mailed(self) -> str:
        """The code of the newest attempt."""
        return sign_in.code(self.container.message_key, self._newest())

    def link(self) -> str:
        """The path of the link of the newest attempt."""
        with self.container.reading(SYSTEM) as reading:
            link = sign_in.link(reading, self.container.message_key, self._newest())
        return link.removeprefix(self.container.settings.app.base_url)

    def _newest(self) -> str:
        with self.container.reading(SYSTEM) as reading:
            newest = select(SignIn.id).order_by(SignIn.id.desc()).limit(1)
            return str(reading.row(newest).id)

    def sign_in(self, identifier: str, **more: Any) -> Any:
        """Sign in by a mailed code; the answer to the code."""
        self.ask(identifier, **more)
        return self.post("/sign-in/code", {"code": self.mailed(), **more})

    def csrf(self) -> str:
        """The token in the forms of the account page."""
        page = self.get("/account").text
        (found,) = set(re.findall(r'name="csrf_token" value="([^"]+)"', page))
        return str(found)

    def cookie(self) -> str | None:
        """The session's cookie."""
        prefix = "__Host-" if self.container.settings.app.base_url.startswith("https") else ""
        found = self.client.get_cookie(f"{prefix}session", domain=self._domain())
        return found.value if found else None

    def set_cookie(self, value: str) -> None:
        """Have the browser send another session's cookie, as a thief would."""
        self.client.set_cookie("__Host-session", value, domain=self._domain())

    def _domain(self) -> str:
        return self.container.settings.app.base_url.rpartition("/")[2].partition(":")[0]
