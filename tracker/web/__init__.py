"""Pages for people: the start page, the documentation, verification, unsubscribing, signing in.

A page works like a route: parse, call one service, present. ``pages`` makes every plain page, with
inline style and no script (but for passkeys and reviews); templates are in ``templates``, their
words in ``verify_words`` and ``unsubscribe_words``. A page that programs may read too, such as a
verification, is also in the OpenAPI document. The pages of people who sign in are in ``people``,
those of the certification body's staff in ``desk``.
"""

from __future__ import annotations

from flask import Flask

from tracker import api
from tracker.api import PREFIX
from tracker.api.http.openapi import Document
from tracker.web import pages, unsubscribe, verify
from tracker.web.desk import appeals as desk_appeals
from tracker.web.desk import (
    discrepancies,
    evidence,
    home,
    queue_figures,
    review_queue,
    reviews,
    standings,
)
from tracker.web.desk import renewals as desk_renewals
from tracker.web.people import (
    account,
    activities,
    appeals,
    approvals,
    colleagues,
    consents,
    erasures,
    evaluations,
    invitations,
    passkeys,
    password_resets,
    password_sign_in,
    personal_data,
    recoveries,
    renewals,
    security,
    security_events,
    sign_in,
    single_sign_on,
    tokens,
)


def is_undocumented(rule: str) -> bool:
    """Whether the OpenAPI document leaves a route out: pages for people, and the document."""
    return rule in api.UNDOCUMENTED or pages.is_only_for_people(rule)


def register(app: Flask, document: Document) -> None:
    """Attach the pages to the application, and those for programs to the OpenAPI document."""
    document.add(verify.resource, url_prefix=PREFIX)
    document.add(verify.public)
    document.add(unsubscribe.resource)
    pages.register(app)
    app.register_blueprint(sign_in.pages)
    for module in (
        password_sign_in,
        single_sign_on,
        password_resets,
        invitations,
        account,
        security,
        passkeys,
        security_events,
        tokens,
        colleagues,
        recoveries,
        approvals,
        erasures,
        consents,
        personal_data,
        renewals,
        appeals,
        evaluations,
        activities,
        home,
        review_queue,
        reviews,
        evidence,
        desk_renewals,
        desk_appeals,
        standings,
        queue_figures,
        discrepancies,
    ):
        app.register_blueprint(module.pages)
