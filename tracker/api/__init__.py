"""HTTP: schemas and routes by noun."""

from __future__ import annotations

from flask import Flask

from tracker.services.work import Office


def register(app: Flask, office: Office) -> None:
    """Attach every route to the application."""
    del app, office
