"""Looks: in which ways an employer sees the standing of workers who share with it."""

from __future__ import annotations

from enum import StrEnum


class LookKind(StrEnum):
    """What was looked at: a page of the list, one worker, a file, numbers, a digest by email.

    Numbers are looks, too: those of one worker say how that one stands.
    """

    LIST = "list"
    WORKER = "worker"
    FILE = "file"
    NUMBERS = "numbers"
    DIGEST = "digest"
