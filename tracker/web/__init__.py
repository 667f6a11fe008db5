"""Pages for people: the start page, the documentation, verification, unsubscribing, signing in.

A page works like a route: parse, call one service, present. ``pages`` makes every plain page, with
inline style and no script (but for passkeys); templates are in ``templates``, their words in
``verify_words`` and ``unsubscribe_words``. A page that programs may read too, such as a
verification, is also in the OpenAPI document. The pages of people who sign in are in ``people``.
"""

from __future__ import annotations

from flask import Flask

from tracker import api
from tracker.api import PREFIX
from tracker.api.http.openapi import Document
from tracker.web import languages, pages, policies, problems, start, unsubscribe, verify
from tracker.web.people import (
    account,
    activities,
    appeals,
    approvals,
    attendance,
    certificates,
    colleagues,
    consents,
    credentials,
    details,
    erasures,
    evaluations,
    invitations,
    looks,
    messages,
    passkeys,
    password_resets,
    password_sign_in,
    personal_data,
    plans,
    problem_reports,
    progress,
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
    for module_of_all in (start, policies, problems, languages):
        app.register_blueprint(module_of_all.pages)
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
        plans,
        certificates,
        progress,
        credentials,
        attendance,
        details,
        messages,
        looks,
        problem_reports,
        activities,
    ):
        app.register_blueprint(module.pages)
