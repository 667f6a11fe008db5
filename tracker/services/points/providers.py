"""Training providers: organizations whose courses count for points."""

from __future__ import annotations

from tracker.services.core.organizations import ContactDirectory, OrganizationRow

DIRECTORY = ContactDirectory("provider", OrganizationRow)
"""The directory of training providers."""
