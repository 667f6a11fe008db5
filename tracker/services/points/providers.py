"""Training providers: organizations whose courses count for points."""

from __future__ import annotations

from tracker.services.core.organizations import ContactDirectory

DIRECTORY = ContactDirectory("provider")
"""The directory of training providers."""
