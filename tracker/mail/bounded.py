"""Parsing mail from strangers at a bounded cost.

The time of Python's parser grows with the square of the length of a Content-Type, and with the
number of lines times the depth of nested parts. So long fields are cut, parts nested too deeply are
read as text, and a message with too many parts is refused. No delivery report comes near these
limits.
"""

from __future__ import annotations

from collections.abc import Mapping
from email import message_from_bytes, message_from_string
from email.message import Message
from email.policy import Compat32, Policy
from typing import Any

_FIELD = 2_000  # characters of a field's value
_NESTED = 10  # parts that contain other parts
_PARTS = 500  # parts of all kinds, including one for each recipient in a delivery report
_HOLDING = ("multipart/", "message/")


class TooManyParts(ValueError):  # noqa: N818 - named for the refused fact
    """The message has more parts than are read."""


class _Bounded(Compat32):
    """The policy for one message; ``left`` counts the parts that it may still have."""

    left: Mapping[str, int] = {}

    def header_source_parse(self, sourcelines: list[str]) -> tuple[str, str]:
        """A field, cut to size; a part nested too deeply gets the type of plain text."""
        name, value = super().header_source_parse(sourcelines)
        value = value[:_FIELD]
        if name.lower() == "content-type" and value.lower().startswith(_HOLDING):
            self._take("nested")
            if self.left["nested"] < 0:
                value = "text/plain"
        return name, value

    def message_factory(self, policy: Policy[Message]) -> Message:
        """Start another part. Raises TooManyParts."""
        self._take("parts")
        if self.left["parts"] < 0:
            raise TooManyParts(f"has more than {_PARTS} parts")
        return Message(policy=policy)

    def _take(self, what: str) -> None:
        self.left[what] -= 1  # type: ignore[index]


def _policy() -> _Bounded:
    limits: dict[str, Any] = {"left": {"nested": _NESTED, "parts": _PARTS}}  # kept by ``Policy``
    return _Bounded(**limits)


def parsed(data: bytes | str) -> Message:
    """Parse a message within the limits. Raises TooManyParts."""
    if isinstance(data, bytes):
        return message_from_bytes(data, policy=_policy())
    return message_from_string(data, policy=_policy())
