"""Pages for people: the start page, the documentation, verification, unsubscribing, signing in.

A page works like a route: parse, call one service, present. ``pages`` makes every plain page, with
inline style and no script (but for passkeys); templates are in ``templates``, their words in
``verify_words`` and ``unsubscribe_words``. A page that programs may read too, such as a
verification, is also in the OpenAPI document. The pages of people who sign in are in ``people``,
those of the certification body's staff in ``desk``.
"""

from __future__ import annotations

from flask import Flask

from tracker import api
from tracker.api import PREFIX
from tracker.api.http.openapi import Document
from tracker.web import languages, pages, policies, start, unsubscribe, verify
from tracker.web.credentials import apprentices, center_results
from tracker.web.desk import appeals as desk_appeals
from tracker.web.desk import (
    attempts,
    duplicates,
    evidence,
    home,
    module_files,
    modules,
    queue_figures,
    review_queue,
    reviews,
    standings,
)
from tracker.web.desk import people as desk_people
from tracker.web.desk import renewals as desk_renewals
from tracker.web.employers import (
    consent_requests,
    digests,
    looks,
    roster_imports,
    workers,
    workforce,
)
from tracker.web.overview import operations
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
    progress,
    recoveries,
    renewals,
    security,
    security_events,
    sign_in,
    single_sign_on,
    tokens,
)
from tracker.web.points import courses


def is_undocumented(rule: str) -> bool:
    """Whether the OpenAPI document leaves a route out: pages for people, and the document."""
    return rule in api.UNDOCUMENTED or pages.is_only_for_people(rule)


def register(app: Flask, document: Document) -> None:
    """Attach the pages to the application, and those for programs to the OpenAPI document."""
    document.add(verify.resource, url_prefix=PREFIX)
    document.add(verify.public)
    document.add(unsubscribe.resource)
    pages.register(app)
    for module_of_all in (start, policies, languages):
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
        activities,
        workforce,
        workers,
        consent_requests,
        roster_imports,
        looks,
        digests,
        operations,
        home,
        review_queue,
        reviews,
        evidence,
        desk_renewals,
        desk_people,
        modules,
        module_files,
        attempts,
        duplicates,
        center_results,
        apprentices,
        courses,
        desk_appeals,
        standings,
        queue_figures,
    ):
        app.register_blueprint(module.pages)
