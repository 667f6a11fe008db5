"""What the paper of a certificate says, whether of a certification or of a single module."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from datetime import date
from typing import Any

from tracker.domain.schemes.activity_types import ENGLISH, translated
from tracker.domain.schemes.schemes import Module, Scheme
from tracker.domain.value_classes import value_class
from tracker.language import catalogues, voice


@value_class()
class CertificateFacts:
    """What is true of a certificate ``on`` the day its paper is made.

    With a ``module`` it is the certificate of that module alone, passed on ``awarded_on``.
    ``address`` is that of the public page.
    """

    scheme: Scheme
    module: Module | None
    holder: str
    number: str
    awarded_on: date
    expires_on: date | None
    on: date
    address: str


@value_class()
class CertificatePaper:
    """The texts of a certificate and of its card, all of them plain and in one language.

    ``translation`` is the credential in that language, if it is not English. ``facts`` are labels
    with their values.
    """

    language: str
    title: str
    card_title: str
    fold: str
    issuer: str
    certifies: str
    holder: str
    holds: str
    credential: str
    translation: str
    modules_label: str
    modules: Sequence[str]
    facts: Sequence[tuple[str, str]]
    check: str
    address: str
    printed: str
    code_says: str


def paper(facts: CertificateFacts, language: str) -> CertificatePaper:
    """The paper in a language; the credential keeps its English name, by which it is known."""
    say, more = (
        catalogues.topic(language, name) for name in ("certificates_pages", "certificates")
    )
    credential = _credential(facts, ENGLISH)
    translation = _credential(facts, language)
    modules = [one for one in facts.scheme.modules if one.required and facts.module is None]
    return CertificatePaper(
        language=language,
        title=f"{say['title']}: {credential}",
        card_title=f"{more['card']}: {credential}",
        fold=more["fold"],
        issuer=facts.scheme.issuer,
        certifies=say["awards"],
        holder=facts.holder,
        holds=say["to"] if facts.module is None else _holds_module(facts.scheme, more),
        credential=credential,
        translation=translation if translation != credential else "",
        modules_label=more["modules"],
        modules=[translated(one.name, language) for one in modules],
        facts=_facts(facts, say, more, language),
        check=say["check"],
        address=facts.address,
        printed=say["printed"].format(voice.in_words(facts.on, language)),
        code_says=say["qr"].format(facts.address),
    )


def _credential(facts: CertificateFacts, language: str) -> str:
    """The module, or the certification; with its abbreviation in English, as it is known."""
    if facts.module is not None:
        return translated(facts.module.name, language)
    scheme = facts.scheme
    return scheme.full_name(ENGLISH) if language == ENGLISH else translated(scheme.title, language)


def _holds_module(scheme: Scheme, words: Mapping[str, Any]) -> str:
    return str(words["holds_module"].format(scheme.full_name(ENGLISH)))


def _facts(
    facts: CertificateFacts, say: Mapping[str, Any], more: Mapping[str, Any], language: str
) -> list[tuple[str, str]]:
    awarded = say["awarded"] if facts.module is None else more["passed"]
    until = (more["validity"], say["never"])
    if facts.expires_on is not None:
        until = (say["through"], voice.in_words(facts.expires_on, language))
    return [
        (say["number"], facts.number),
        (awarded, voice.in_words(facts.awarded_on, language)),
        until,
    ]
