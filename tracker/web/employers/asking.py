"""The form by which an employer asks for consent: for one worker, or for many."""

from __future__ import annotations

from flask import request

from tracker.api.employers.consent_requests import ConsentTermsSchema
from tracker.api.http import routing
from tracker.domain.employers.consents import ConsentField, ConsentTerms, terms


def sent() -> ConsentTerms:
    """What the form asks for; the standing always. Raises Invalid without a purpose."""
    chosen = {ConsentField.STANDING, *request.form.getlist("fields")}
    body = {"fields": sorted(chosen), "purpose": request.form.get("purpose", "")}
    loaded = routing.load(ConsentTermsSchema(), body)
    return terms(loaded["covers"], loaded["purpose"])


def ticked(usual: ConsentTerms) -> frozenset[str]:
    """The boxes that are ticked: as they were sent, or as they usually are."""
    if request.method == "POST":
        return frozenset(request.form.getlist("fields"))
    return frozenset(usual.fields)
