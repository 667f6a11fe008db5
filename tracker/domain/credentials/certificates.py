"""Certificates on paper: of which certification one may be printed."""

from __future__ import annotations

from datetime import date

from tracker.domain.credentials.certifications import Standing
from tracker.domain.errors import NotInForce


def check_printable(standing: Standing, *, is_over: bool, again_on: date | None) -> None:
    """Refuse a fresh paper for what is not valid today, or what a later award replaced.

    A paper goes on saying what was true on the day it was printed, so a suspended, revoked or
    expired certificate gets none, not even one that says so: the public page says how it stands.
    ``is_over``: its holder has died. Raises NotInForce.
    """
    replaced = again_on is not None and again_on <= standing.on
    if standing.valid and not is_over and not replaced:
        return
    raise NotInForce(
        "A certificate is printed only while it is valid. Its public page says how it stands.",
        standing="replaced" if replaced and standing.valid else standing.status,
    )
