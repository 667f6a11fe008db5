"""Writing messages about accounts: links to choose a password, and what happened to an account.

The phrases are in ``account_messages.toml`` of the catalogues, a section for each kind of message.
"""

from __future__ import annotations

from dataclasses import dataclass

from tracker.language import catalogues
from tracker.mail import messages
from tracker.mail.messages import ComposedEmail, MessageSection, printable


@dataclass(frozen=True, slots=True, kw_only=True)
class AccountMessage:
    """The facts of one message; ``tells`` names the section of the catalogue.

    A link works for ``lasts`` minutes or days, as the section says. ``facts`` are further words
    that its sentences name, such as who did it. ``site`` is our own name.
    """

    tells: str
    name: str
    language: str
    site: str
    link: str = ""
    lasts: int = 0
    facts: tuple[tuple[str, str], ...] = ()
    issuer: str = ""


def compose(facts: AccountMessage) -> ComposedEmail:
    """Write the message."""
    say = catalogues.topic(facts.language, "account_messages")[facts.tells]
    shared = messages.phrases(facts.language)
    words = {key: printable(text) for key, text in (("site", facts.site), *facts.facts)}
    lines = [text.format_map(words) for text in say["lines"]]
    if facts.lasts:
        lines.append(messages.counted(say, "lasts", facts.lasts))
    section: MessageSection = {
        "title": say["title"],
        "lead": "",
        "number": "",
        "percent": None,
        "share": "",
        "paragraphs": [lines, (say["not_you"].format_map(words),)],
    }
    return messages.composed_email(
        {
            "language": facts.language,
            "subject": say["subject"].format_map(words),
            "greeting": messages.greeting(shared, facts.name),
            "sections": [section],
            "enclosed": "",
            "link": facts.link,
            "button": say["button"].format_map(words),
            "signed": messages.signed(shared, facts.issuer),
            "reason": say["reason"].format_map(words),
            "unsubscribe_link": None,
            "unsubscribe": "",
            "reversible": "",
        }
    )
