"""Sponsors: who runs registered apprenticeships."""

from __future__ import annotations

from tracker.services.core.organizations import ContactDirectory, OrganizationRow

DIRECTORY = ContactDirectory("sponsor", OrganizationRow)
"""The directory of sponsors."""
