"""Log lines: text, or one JSON object a line, as the settings say.

Who did what to whom stands in the history; a log line is about a request, a job or a fault. No line
holds a secret, an email address, a name or a body: what we write are ids, routes with the names of
their parameters, codes and numbers. What an error of a library quotes is masked (``masked``).
"""

from __future__ import annotations

import logging
import re

from pythonjsonlogger.core import LogData
from pythonjsonlogger.json import JsonFormatter

from tracker.settings import Settings

_TEXT = "%(asctime)s %(levelname)s %(message)s"
_JSON = "%(levelname)s %(name)s %(message)s"
_BREAK = re.compile(r"[\x00-\x1f\x7f-\x9f\u2028\u2029]")
_ADDRESS = re.compile(r"[^\s<>\"'(),;:=\[\]]+@[^\s<>\"'(),;:=\[\]]+")
_SECRET = re.compile(
    r"\btrk_[\w-]+|\b[0-9a-f]{64}\b"
    r"|\b[0-9a-f]{8}-[0-9a-f-]{27,}\.[a-z2-7]{15}\b"  # a signed link (services/core/signed_links)
)


def masked(text: str) -> str:
    """A text without the email addresses, tokens, signed links, secrets and digests in it."""
    if "@" in text:  # the pattern looks for one from every character
        text = _ADDRESS.sub("<address>", text)
    return _SECRET.sub("<secret>", text)


class TextLines(logging.Formatter):
    """A line of text; a fault's traceback follows it."""

    def format(self, record: logging.LogRecord) -> str:
        """The record in one line: line breaks and other control characters are written out."""
        message = record.getMessage()
        if _BREAK.search(message):
            message = _BREAK.sub(lambda found: repr(found[0])[1:-1], message)
        if record.exc_info or record.exc_text or record.stack_info:
            line = logging.makeLogRecord({**record.__dict__, "msg": message, "args": None})
            return masked(super().format(line))
        return masked(f"{self.formatTime(record)} {record.levelname} {message}")


class JsonLines(JsonFormatter):
    """One JSON object a line: ``timestamp`` (UTC), level, logger, message, and what was added."""

    def process_log_record(self, log_data: LogData) -> LogData:
        """Mask every text of the record."""
        return {
            key: masked(value) if isinstance(value, str) else value
            for key, value in log_data.items()
        }


def formatter(kind: str) -> logging.Formatter:
    """What writes the lines: ``text`` or ``json``."""
    if kind == "text":
        return TextLines(_TEXT)
    return JsonLines(_JSON, timestamp=True, rename_fields={"levelname": "level", "name": "logger"})


def configure(chosen: Settings) -> None:
    """Send the lines of this process to standard error, in the form that the settings name."""
    handler = logging.StreamHandler()
    handler.setFormatter(formatter(chosen.logs.format))
    logging.basicConfig(level=logging.INFO, handlers=[handler], force=True)
