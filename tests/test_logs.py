"""logs.py and api/http/request_log.py: what a log line holds, and what it never does."""

from __future__ import annotations

import io
import json
import logging
import sys

import pytest

from tracker import logs
from tracker.services.core import signed_links

_ID = "01900000-0000-7000-8000-000000000000"
LINKS = [signed_links.proof(b"key", "invitation", id_) for id_ in (_ID, f"{_ID}-12")]
ADDRESSES = ["ana@example.org", "josé.núñez@münchen.de", "x+y@sub.example.com"]


def line_of(kind: str, message: str, *args: object, **extra: object) -> str:
    """What one record becomes."""
    written = io.StringIO()
    handler = logging.StreamHandler(written)
    handler.setFormatter(logs.formatter(kind))
    logger = logging.getLogger("tracker.test")
    logger.addHandler(handler)
    try:
        logger.error(message, *args, extra=extra, exc_info=sys.exc_info()[0] is not None)
    finally:
        logger.removeHandler(handler)
    return written.getvalue()


def test_a_json_line_is_one_object_with_what_was_added():
    told = json.loads(line_of("json", "answered %s", 200, request_id="r", status=200))

    assert (told["level"], told["logger"], told["message"]) == (
        "ERROR",
        "tracker.test",
        "answered 200",
    )
    assert (told["request_id"], told["status"]) == ("r", 200)
    assert told["timestamp"].endswith("+00:00")


@pytest.mark.parametrize("kind", ["text", "json"])
@pytest.mark.parametrize(
    "text",
    ["one\ntwo", "one\r\nBcc: two", "one\x0b\x1b[2J\u2028two\x85", '{"level": "forged"}\n{}'],
)
def test_a_line_break_in_a_value_begins_no_line(kind, text):
    assert len(line_of(kind, "name %s", text).splitlines()) == 1


@pytest.mark.parametrize("kind", ["text", "json"])
@pytest.mark.parametrize("secret", [*ADDRESSES, "trk_abc-DEF_123", "0f" * 32, *LINKS])
def test_addresses_and_secrets_are_masked_wherever_they_stand(kind, secret):
    try:
        raise ValueError(f"Key (email)=({secret}) already exists")  # noqa: TRY301 - a traceback
    except ValueError:
        line = line_of(kind, "failed for %s", secret, of=f"<{secret}>")

    assert secret not in line
    assert json.dumps(secret)[1:-1] not in line
    assert "ValueError" in line
    if kind == "json":
        assert "already exists" in json.loads(line)["exc_info"]
