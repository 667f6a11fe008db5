"""Answers that are remembered for repeated requests, and forgotten when they are old."""

from __future__ import annotations

from datetime import timedelta
from typing import Any

from sqlalchemy import delete

from tracker.models import IdempotencyKey
from tracker.services.core.context import UnitOfWork


def forget_old(work: UnitOfWork) -> int:
    """Forget the answers older than the settings say; returns how many there were."""
    oldest = work.now - timedelta(days=work.settings.api.idempotency_days)
    statement = delete(IdempotencyKey).where(IdempotencyKey.recorded_at < oldest)
    result: Any = work.connection.execute(statement)
    return int(result.rowcount)
