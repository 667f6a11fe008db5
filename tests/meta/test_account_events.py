"""Nobody's account changes without them seeing it: what is recorded of one is a security event."""

from __future__ import annotations

import re
from pathlib import Path

from tracker.domain.people.security_events import OF_ACTIONS

SERVICES = Path(__file__).parents[2] / "tracker" / "services"
RECORDED = re.compile(r'history\.record\(\s*\w+,\s*"(\w+)",\s*"account"')
UNSEEN = {"rename_passkey", "name_own_record"}
"""A label of the person's own; and what an administrator names, which lets nobody in."""


def test_every_change_of_an_account_is_a_security_event():
    recorded = {
        action
        for path in SERVICES.rglob("*.py")
        for action in RECORDED.findall(path.read_text(encoding="utf-8"))
    }
    assert {"sign_in", "add_passkey", "deactivate"} <= recorded

    assert {action for action in recorded if ("account", action) not in OF_ACTIONS} == UNSEEN
