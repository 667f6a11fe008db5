"""What people are told of their accounts (mail/accounts.py): every message, in both languages."""

from __future__ import annotations

import pytest

from tracker.domain.people.invitations import INVITED
from tracker.language import catalogues
from tracker.mail import accounts, previews
from tracker.mail.accounts import AccountMessage
from tracker.services.delivery import account_messages
from tracker.services.outbox import queue
from tracker.services.people import account_news

NEWS = {
    value
    for name, value in vars(account_news).items()
    if name.isupper() and isinstance(value, str) and value != queue.ACCOUNT
}
INVITATIONS = {f"{account_messages.INVITATION}_{role}" for role in INVITED}


@pytest.mark.parametrize("language", catalogues.LANGUAGES)
def test_every_message_has_its_words_and_its_sample(language):
    sections = catalogues.topic(language, "account_messages")

    assert set(sections) == NEWS | INVITATIONS | {account_messages.RESET}
    assert set(previews._ACCOUNT_SAMPLES) == set(sections)


@pytest.mark.parametrize("language", catalogues.LANGUAGES)
@pytest.mark.parametrize("tells", sorted(NEWS | INVITATIONS | {account_messages.RESET}))
def test_every_message_is_whole(tells, language):
    made = accounts.compose(
        AccountMessage(
            tells=tells,
            name="Ana",
            language=language,
            site="Tracker",
            link="https://tracker.example/x",
            lasts=previews._ACCOUNT_SAMPLES[tells],
            facts=(("by", "Kim Soto"), ("place", "Palmetto Motors"), ("why", "Who are you?")),
        )
    )

    assert "{" not in made.subject + made.text
    assert "https://tracker.example/x" in made.text
    assert "Tracker" in made.subject


def test_a_name_cannot_start_another_line():
    made = accounts.compose(
        AccountMessage(
            tells="invitation_employer",
            name="Ana\nBcc: x@y.z",
            language="en",
            site="Tracker",
            facts=(("by", "Kim\r\nBcc: v@e"), ("place", "{by}")),
            lasts=1,
        )
    )

    assert "\nBcc" not in made.text
    assert "The invitation works once, for 1 day." in made.text
