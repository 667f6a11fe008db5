"""api/sending: administrators stop and allow messages; staff see whether they leave."""

from __future__ import annotations

from sqlalchemy import select

from tracker.api.delivery.sending import SendingSchema
from tracker.domain.permissions import SYSTEM
from tracker.models import HistoryEntry

URL = "/reminders/sending"


def test_an_administrator_stops_messages_and_allows_them_again(caller, container):
    admin = caller("admin")
    stopped = admin.post(URL, {"enabled": False, "reason": "The relay moves."})
    SendingSchema().load(stopped.json)
    allowed = admin.post(URL, {"enabled": True, "reason": "It has moved."})

    assert stopped.json["enabled"] is False
    assert stopped.json["obstacle"] == "Sending is disabled: The relay moves."
    assert "tracker reminders enable" in stopped.json["remedy"]
    assert allowed.json == {"enabled": True, "obstacle": None, "remedy": None}
    with container.reading(SYSTEM) as reading:
        lines = select(HistoryEntry.action).where(HistoryEntry.subject == "sending")
        assert [line.action for line in reading.rows(lines)] == ["disable", "enable"]


def test_staff_see_it_and_change_nothing(caller):
    staff = caller("staff")

    assert staff.get(URL).json["enabled"] is True
    assert staff.post(URL, {"enabled": False, "reason": "I would."}).status_code == 403
    assert staff.get(URL).json["enabled"] is True


def test_it_needs_a_reason_and_a_truth(caller):
    admin = caller("admin")

    assert admin.post(URL, {"enabled": False}).status_code == 422
    assert admin.post(URL, {"enabled": "no", "reason": "x"}).status_code == 422
