"""Strangers' mail parsed at a bounded cost.

Python's parser takes a time that grows with the square of a long Content-Type, and with the lines
times the depth of nested parts. So fields are cut, what lies too deep is read as text, and a
message of too many parts is refused: no delivery report comes near these bounds.
"""

from __future__ import annotations

from collections.abc import Mapping
from email import message_from_bytes, message_from_string
from email.message import Message
from email.policy import Compat32
from typing import Any

_FIELD = 2_000  # characters of a field's value
_NESTED = 10  # parts that hold others
_PARTS = 500  # of all kinds, among them the recipients of a delivery report
_HOLDING = ("multipart/", "message/")


class TooManyParts(ValueError):  # noqa: N818 - named for the refused fact
    """The message has more parts than are read."""


class _Bounded(Compat32):
    """The policy of one message; ``left`` is what it may still hold."""

    left: Mapping[str, Any] = {}

    def header_source_parse(self, sourcelines: list[str]) -> tuple[str, str]:
        """A field, cut; the type of a part that lies too deep is that of text."""
        name, value = super().header_source_parse(sourcelines)
        value = value[:_FIELD]
        if name.lower() == "content-type" and value.lower().startswith(_HOLDING):
            self._take("nested")
            if self.left["nested"] < 0:
                value = "text/plain"
        return name, value

    def message_factory(self, policy: Any) -> Message:
        """A further part. Raises TooManyParts."""
        self._take("parts")
        if self.left["parts"] < 0:
            raise TooManyParts(f"has more than {_PARTS} parts")
        return Message(policy=policy)

    def _take(self, what: str) -> None:
        self.left[what] -= 1  # type: ignore[index]


def _policy() -> _Bounded:
    kept: dict[str, Any] = {"left": {"nested": _NESTED, "parts": _PARTS}}
    return _Bounded(**kept)


def parsed(data: bytes | str) -> Message:
    """The message that these bytes are, as far as it is read. Raises TooManyParts."""
    if isinstance(data, bytes):
        return message_from_bytes(data, policy=_policy())
    return message_from_string(data, policy=_policy())
