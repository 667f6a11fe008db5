"""Writing the message with a code to sign in.

The phrases are in ``sign_in_messages.toml`` of the catalogues, the layouts those of every message.
"""

from __future__ import annotations

from dataclasses import dataclass

from tracker.mail import messages
from tracker.mail.messages import ComposedEmail, MessageSection, printable

_GROUP = 3  # digits that are read at once


@dataclass(frozen=True, slots=True)
class SignInMessage:
    """The facts of one message; code and link work for ``minutes``. ``site`` is our own name."""

    name: str
    language: str
    code: str
    link: str
    minutes: int
    site: str
    issuer: str = ""


def compose(facts: SignInMessage) -> ComposedEmail:
    """Write the message. The code is not in the subject, which shows on locked screens."""
    say, shared = (
        messages.phrases(facts.language, "sign_in_messages"),
        messages.phrases(facts.language),
    )
    site = printable(facts.site)
    code = f"{facts.code[:_GROUP]} {facts.code[_GROUP:]}"
    section: MessageSection = {
        "title": say["title"],
        "lead": code,
        "number": "",
        "percent": None,
        "share": "",
        "paragraphs": [
            (say["use"], messages.counted(say, "lasts", facts.minutes)),
            (say["secret"], say["not_you"]),
        ],
    }
    return messages.composed_email(
        {
            "language": facts.language,
            "subject": say["subject"].format(site=site),
            "greeting": messages.greeting(shared, facts.name),
            "sections": [section],
            "enclosed": "",
            "link": facts.link,
            "button": say["button"],
            "signed": messages.signed(shared, facts.issuer),
            "reason": say["reason"].format(site=site),
            "unsubscribe_link": None,
            "unsubscribe": "",
            "reversible": "",
        }
    )
