"""The rules of a certification in plain words, for everybody."""

from __future__ import annotations

from dataclasses import dataclass

from flask import Blueprint, Response, abort, request

from tracker.api.http import routing
from tracker.domain.schemes.policies import Policy
from tracker.domain.schemes.schemes import Scheme
from tracker.language import catalogues
from tracker.language.policies import in_plain_words
from tracker.language.voice import in_words, version_name
from tracker.web import pages as plain_pages

pages = Blueprint("policy-pages", __name__)


@dataclass(frozen=True, slots=True)
class PolicyPageWords:
    """One language's words."""

    title: str
    by: str
    version: str
    since: str
    verified: str
    unverified: str
    contents: str
    versions: str
    own: str
    verify: str


WORDS = {
    lang: PolicyPageWords(**catalogues.topic(lang, "policy_pages")) for lang in catalogues.LANGUAGES
}


@dataclass(frozen=True, slots=True)
class VersionLink:
    """Another version, as a link."""

    href: str
    name: str


@pages.get("/policy/<string:scheme>")
def show(scheme: str) -> Response:
    """The version in force today, or the one that the address names, section by section."""
    language = routing.language()
    with routing.container().reading(routing.PUBLIC) as reading:
        if scheme not in reading.schemes.by_code:
            abort(404)
        found = reading.schemes[scheme]
        today = reading.today(found)
    wanted = request.args.get("version", "")
    if wanted and wanted not in [one.version for one in found.policies]:
        abort(404)
    policy = found.policy(wanted) if wanted else found.policy_for(today, awarded_on=today)
    say = WORDS[language]
    is_verified = policy.verified if policy else found.award.provenance.verified
    response = plain_pages.plain(
        "policy.html",
        language=language,
        say=say,
        scheme=found.full_name(language),
        issuer=say.by.format(found.issuer),
        version=_version(policy, language),
        standing=say.verified if is_verified else say.unverified.format(issuer=found.issuer),
        sections=list(enumerate(in_plain_words(found, policy, language), start=1)),
        versions=_others(found, policy, language),
    )
    response.vary.update(("Accept-Language", "Cookie"))
    return response


def _version(policy: Policy | None, language: str) -> str:
    """The version, and from when it is."""
    if policy is None:
        return ""
    say = WORDS[language]
    told = say.version.format(version_name(policy.version))
    if policy.effective_from is None:
        return told
    return f"{told} {say.since.format(in_words(policy.effective_from, language))}"


def _others(found: Scheme, policy: Policy | None, language: str) -> list[VersionLink]:
    say = WORDS[language]
    return [
        VersionLink(f"/policy/{found.code}?version={one.version}", say.version.format(one.version))
        for one in found.policies
        if policy is not None and one.version != policy.version
    ]
