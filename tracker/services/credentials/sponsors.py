"""Sponsors: who runs registered apprenticeships."""

from __future__ import annotations

from tracker.services.core.organizations import ContactDirectory

DIRECTORY = ContactDirectory("sponsor")
"""The directory of sponsors."""
