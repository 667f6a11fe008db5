"""The caller's address and the site's name, and which proxies are trusted to report them.

``X-Forwarded-For``, ``-Proto`` and ``-Host`` count if they come from a proxy that
``server.trusted_proxies`` names; from anybody else they are ignored. A request for a name that is
not the site's is answered 404, since pages and links would repeat that name.
"""

from __future__ import annotations

import functools
import ipaddress
from collections.abc import Iterable
from urllib.parse import urlsplit
from wsgiref.types import StartResponse, WSGIApplication, WSGIEnvironment

from flask import Flask, Response, current_app, request
from werkzeug.middleware.proxy_fix import ProxyFix

from tracker.api.http import errors
from tracker.services.core.context import Container
from tracker.settings import Settings

_THIS_MACHINE = frozenset({"localhost", "127.0.0.1", "::1"})
_ASKED_BY_ADDRESS = frozenset({"/healthz", "/readyz"})  # balancers call a process by its address


def register(app: Flask) -> None:
    """Trust the proxies of the settings, and answer only to the site's own names."""
    container: Container = app.extensions["tracker"]
    if container.settings.proxies:
        setattr(app, "wsgi_app", Proxied(app.wsgi_app, container.settings))  # noqa: B010 - Flask's way
    app.before_request(_refuse_other_names)


class Proxied:
    """WSGI middleware: take caller, scheme and host from the headers of a trusted proxy."""

    def __init__(self, app: WSGIApplication, chosen: Settings) -> None:
        self._app, self._trusted = app, chosen.proxies

    def __call__(self, environ: WSGIEnvironment, start: StartResponse) -> Iterable[bytes]:
        """Answer one request."""
        if not self._is_trusted(environ.get("REMOTE_ADDR", "")):
            return self._app(environ, start)
        forwarded = environ.get("HTTP_X_FORWARDED_FOR", "").split(",")
        fixed = ProxyFix(self._app, x_for=self._hops(forwarded), x_proto=1, x_host=1)
        return fixed(environ, start)

    def _hops(self, forwarded: list[str]) -> int:
        """How far from the end the caller's address stands: only trusted proxies may follow it."""
        hops = 1
        for address in reversed(forwarded[1:]):
            if not self._is_trusted(address.strip()):
                break
            hops += 1
        return hops

    def _is_trusted(self, address: str) -> bool:
        try:
            known = ipaddress.ip_address(address)
        except ValueError:
            return False
        return any(known in network for network in self._trusted)


def _refuse_other_names() -> Response | None:
    if request.path in _ASKED_BY_ADDRESS:
        return None
    container: Container = current_app.extensions["tracker"]
    chosen = container.settings
    if _is_ours(request.host, chosen.app.base_url, chosen.server.hosts):
        return None
    detail = "There is no site with this name here."
    current_app.logger.info(
        "answered 404: Host is %r, which is neither in app.base_url nor in server.hosts",
        request.host[:200],
    )
    return errors.problem(404, "not_found", detail)


@functools.lru_cache(maxsize=64)  # few names are asked for, each with every request
def _is_ours(host: str, base_url: str, hosts: str) -> bool:
    more = {_name(name.strip()) for name in hosts.split(",") if name.strip()}
    return _name(host) in _THIS_MACHINE | {_name(urlsplit(base_url).netloc)} | more


def _name(host: str) -> str:
    """A host without its port, in lower case; an IPv6 address without brackets."""
    try:
        return (urlsplit(f"//{host}").hostname or "").rstrip(".")
    except ValueError:
        return ""
