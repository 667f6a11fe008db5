"""Pages for people: the start page, the documentation, verification, unsubscribing.

A page works like a route: parse, call one service, present. ``pages`` makes every plain page, with
inline style and no script; templates are in ``templates``, their words in ``verify_words`` and
``unsubscribe_words``. A page that programs may read too, such as a verification, is also in the
OpenAPI document.
"""

from __future__ import annotations

from flask import Flask

from tracker import api
from tracker.api import PREFIX
from tracker.api.http.openapi import Document
from tracker.web import pages, unsubscribe, verify

UNDOCUMENTED = api.UNDOCUMENTED | pages.UNDOCUMENTED
"""The public routes that the OpenAPI document leaves out."""


def register(app: Flask, document: Document) -> None:
    """Attach the pages to the application, and those for programs to the OpenAPI document."""
    document.add(verify.resource, url_prefix=PREFIX)
    document.add(verify.public)
    document.add(unsubscribe.resource)
    pages.register(app)
