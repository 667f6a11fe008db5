"""Consents: why an employer sees a holder's standing no longer."""

from __future__ import annotations

from enum import StrEnum


class ConsentEnd(StrEnum):
    """How a consent ended."""

    WITHDRAWN = "withdrawn"
    LAPSED = "lapsed"
    EMPLOYMENT_ENDED = "employment_ended"
    DECEASED = "deceased"
