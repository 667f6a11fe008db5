"""Pages for people: the start page, the documentation, verification, unsubscribing, signing in.

A page works like a route: parse, call one service, present. ``pages`` makes every plain page, with
style sheets and without a script, but for passkeys and reviews; templates are in ``templates``,
their words in modules whose names end in ``words``. A page that programs may read too, such as a
verification, is also in the OpenAPI document. The pages of people who sign in stand in the areas
of their subjects, as everywhere: ``people`` (with what they all share), ``desk`` for the
certification body's staff, ``employers``, ``credentials``, ``points``, ``delivery``, ``overview``.

A module that has a blueprint named ``pages`` is found and attached; no list names it.
"""

from __future__ import annotations

import importlib
import pkgutil
from collections.abc import Iterator

from flask import Blueprint, Flask

from tracker import api
from tracker.api import PREFIX
from tracker.api.http.openapi import Document
from tracker.web import many_numbers, pages, receipts, unsubscribe, verify


def is_undocumented(rule: str) -> bool:
    """Whether the OpenAPI document leaves a route out: pages for people, and the document."""
    return rule in api.UNDOCUMENTED or pages.is_only_for_people(rule)


def register(app: Flask, document: Document) -> None:
    """Attach the pages to the application, and those for programs to the OpenAPI document."""
    document.add(verify.resource, url_prefix=PREFIX)
    document.add(verify.public)
    document.add(receipts.public)
    document.add(many_numbers.resource, url_prefix=PREFIX)
    document.add(unsubscribe.resource)
    pages.register(app)
    for found in _blueprints():
        app.register_blueprint(found)


def _blueprints() -> Iterator[Blueprint]:
    for module in pkgutil.walk_packages(__path__, f"{__name__}."):
        found = getattr(importlib.import_module(module.name), "pages", None)
        if isinstance(found, Blueprint) and found is not pages.pages:
            yield found
