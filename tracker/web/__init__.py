"""Pages for people: the start page, the documentation, verification, unsubscribing, signing in.

A page works like a route: parse, call one service, present. ``pages`` makes every plain page, with
inline style and no script (but for passkeys); templates are in ``templates``, their words in
``verify_words`` and ``unsubscribe_words``. A page that programs may read too, such as a
verification, is also in the OpenAPI document. The pages of people who sign in are in ``people``;
those of the body's staff about people and their records in ``desk``, about messages in
``delivery``, and about the history in ``overview``.
"""

from __future__ import annotations

from flask import Flask

from tracker import api
from tracker.api import PREFIX
from tracker.api.http.openapi import Document
from tracker.web import pages, unsubscribe, verify
from tracker.web.delivery import person_messages, reminders
from tracker.web.desk import (
    attempts,
    centers,
    decided_activities,
    duplicates,
    module_files,
    modules,
    person_changes,
    requests,
)
from tracker.web.desk import people as desk_people
from tracker.web.overview import history
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
        desk_people,
        modules,
        module_files,
        attempts,
        duplicates,
        person_changes,
        decided_activities,
        requests,
        centers,
        history,
        person_messages,
        reminders,
    ):
        app.register_blueprint(module.pages)
