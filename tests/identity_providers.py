"""Identity providers (OpenID Connect) for tests: a real one from a package, and one that lies."""

from __future__ import annotations

import json
import threading
import warnings
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any
from urllib.parse import parse_qs, urlsplit

import oidc_provider_mock
from joserfc import jwt
from joserfc.jwk import ECKey, Key, KeySet, OctKey
from oidc_provider_mock import User

SECRET = "s3cret/with+signs"
CLIENT = "tracker & co"
FILE = """
[acme]
label = "Acme"
issuer = "{issuer}"
client_id = "tracker & co"
roles = ["employer", "staff", "admin"]
domains = ["acme.example"]
strong_amr = ["mfa"]
strong_acr = ["urn:two"]
{more}
"""


def describe(folder: Path, issuer: str, more: str = "") -> dict[str, str]:
    """The settings of a site with this provider."""
    file = folder / "providers.toml"
    file.write_text(FILE.format(issuer=issuer, more=more), encoding="utf-8")
    return {"TRACKER_SSO_PROVIDERS": str(file), "TRACKER_SSO_SECRETS": f"acme:{SECRET}"}


@contextmanager
def real(**users: dict[str, Any]) -> Iterator[str]:
    """A provider of a package, on a socket of this machine, that knows these users; its issuer."""
    known = [User(sub=name, claims=claims) for name, claims in users.items()]
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        with oidc_provider_mock.run_server_in_thread(user_claims=known) as server:
            yield f"http://127.0.0.1:{server.server_port}"


@dataclass
class Liar:
    """A provider that answers what a test tells it to.

    ``claims`` are those of the next token, beside or instead of the right ones; None leaves one
    out. ``sends`` replaces the answer of a path: its status, headers and body.
    """

    issuer: str = ""
    key: Key = field(default_factory=lambda: ECKey.generate_key("P-256", {"kid": "one"}))
    signs: Key | None = None
    algorithm: str = "ES256"
    claims: dict[str, Any] = field(default_factory=dict)
    token: str | None = None
    sends: dict[str, tuple[int, dict[str, str], bytes]] = field(default_factory=dict)
    asked: list[str] = field(default_factory=list)
    forms: list[dict[str, list[str]]] = field(default_factory=list)
    authorizations: list[str] = field(default_factory=list)
    nonce: str = ""
    now: int = 0

    def signed(self) -> str:
        """The token that the provider hands out."""
        told = {
            "iss": self.issuer,
            "aud": CLIENT,
            "sub": "248289761001",
            "iat": self.now,
            "exp": self.now + 300,
            "nonce": self.nonce,
            "email": "kim@acme.example",
            "email_verified": True,
            "amr": ["pwd", "mfa"],
            **self.claims,
        }
        claims = {name: value for name, value in told.items() if value is not None}
        key = self.signs or self.key
        header = {"alg": self.algorithm, "kid": key.kid}
        return jwt.encode(header, claims, key, algorithms=[self.algorithm])

    def document(self) -> dict[str, Any]:
        """The discovery document."""
        return {
            "issuer": self.issuer,
            "authorization_endpoint": f"{self.issuer}/authorize",
            "token_endpoint": f"{self.issuer}/token",
            "jwks_uri": f"{self.issuer}/jwks",
        }

    def answer(self, path: str) -> tuple[int, dict[str, str], bytes]:
        """What is answered at a path."""
        if path in self.sends:
            return self.sends[path]
        found: dict[str, Any] = {
            "/.well-known/openid-configuration": self.document,
            "/jwks": lambda: KeySet([self.key]).as_dict(private=False),
            "/token": lambda: {"access_token": "x", "id_token": self.token or self.signed()},
        }
        return 200, {}, json.dumps(found[path]()).encode()


@contextmanager
def liar() -> Iterator[Liar]:
    """A provider that lies, on a socket of this machine."""
    told = Liar()

    class Handler(BaseHTTPRequestHandler):
        def do_GET(self) -> None:
            told.asked.append(self.path)
            status, headers, body = told.answer(self.path)
            self.send_response(status)
            for name, value in headers.items():
                self.send_header(name, value)
            self.send_header("Content-Length", str(len(body)))
            self.end_headers()
            self.wfile.write(body)

        def do_POST(self) -> None:
            length = int(self.headers["Content-Length"])
            told.forms.append(parse_qs(self.rfile.read(length).decode()))
            told.authorizations.append(self.headers["Authorization"])
            self.do_GET()

        def log_message(self, *_: Any) -> None:
            """Say nothing."""

    with ThreadingHTTPServer(("127.0.0.1", 0), Handler) as server:
        told.issuer = f"http://127.0.0.1:{server.server_port}"
        thread = threading.Thread(target=server.serve_forever, args=(0.05,))
        thread.start()
        yield told
        server.shutdown()
        thread.join()


def oct_of(key: Key) -> Key:
    """The public key of a pair as a secret, for a token that is signed with what everybody has."""
    public = json.dumps(key.as_dict(private=False)).encode()
    return OctKey.import_key(public, {"kid": "one"})


def query_of(address: str) -> dict[str, str]:
    """What an address asks, by name."""
    return {name: one for name, (one,) in parse_qs(urlsplit(address).query).items()}
