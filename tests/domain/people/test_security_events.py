"""What of the history is a security event (domain/people/security_events.py)."""

from tracker.domain.people.security_events import (
    OF_ACTIONS,
    SecurityEventKind,
    actions_of,
    kind_of,
)


def test_every_kind_of_event_comes_from_some_action():
    assert set(OF_ACTIONS.values()) == set(SecurityEventKind)


def test_what_is_not_about_security_is_no_event():
    assert kind_of("holder", "correct") is None
    assert kind_of("certification", "sign_in") is None
    assert kind_of("token", "create") == SecurityEventKind.TOKEN_MADE


def test_the_actions_on_a_subject_are_those_of_its_events():
    assert actions_of("sharing") == {"consent", "end"}
    assert actions_of("certification") == frozenset()
