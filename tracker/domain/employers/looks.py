"""Looks: in which ways an employer sees the standing of workers who share with it."""

from __future__ import annotations

from enum import StrEnum


class LookKind(StrEnum):
    """What was looked at: a page of the list, one worker, a file, numbers, a digest by email.

    ``CLEARANCE``: whether workers have what a requirement asks; ``GATE_LIST``: the list of those
    who have it, to be kept for some hours.

    Numbers are looks, too: those of one worker say how that one stands.
    """

    LIST = "list"
    WORKER = "worker"
    FILE = "file"
    NUMBERS = "numbers"
    DIGEST = "digest"
    CLEARANCE = "clearance"
    GATE_LIST = "gate_list"
