"""Timelines hold the last day of applications in time, which may lie before the expiry.

Revision ID: 0013
Revises: 0012
"""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

from tracker import scheme_files, settings
from tracker.domain.schemes.policies import Policy

revision = "0013"
down_revision = "0012"
branch_labels = None
depends_on = None

kind = "contract"  # the release before writes spans without the day

_ID = sa.Uuid(as_uuid=False)
_SPAN = sa.table(
    "standing_span",
    sa.column("certification_id", _ID),
    sa.column("from_on", sa.Date()),
    sa.column("expires_on", sa.Date()),
    sa.column("window_opens_on", sa.Date()),
    sa.column("window_closes_on", sa.Date()),
)
_CERTIFICATION = sa.table("certification", sa.column("id", _ID), sa.column("scheme"))
_CYCLE = sa.table(
    "cycle",
    sa.column("certification_id", _ID),
    sa.column("ordinal"),
    sa.column("policy"),
    sa.column("opened_on", sa.Date()),
)


def upgrade() -> None:
    """Add the day: that of the expiry, except under policies whose windows close before it."""
    with op.batch_alter_table("standing_span") as batch_op:
        batch_op.add_column(sa.Column("window_closes_on", sa.Date(), nullable=True))
    write = sa.update(_SPAN).where(_SPAN.c.window_opens_on.is_not(None))
    op.get_bind().execute(write.values(window_closes_on=_SPAN.c.expires_on))
    for scheme in scheme_files.load(settings.load().schemes_directory):
        for policy in scheme.policies:
            if policy.window.closes_before is not None:
                _close_before(scheme.code, policy)


def _close_before(scheme: str, policy: Policy) -> None:
    """Write the days of one version, for all certifications of an expiry at once."""
    of_scheme = sa.select(_CERTIFICATION.c.id).where(_CERTIFICATION.c.scheme == scheme)
    opened = (_CYCLE.c.certification_id == _SPAN.c.certification_id) & (
        _CYCLE.c.opened_on <= _SPAN.c.from_on
    )
    last = sa.select(_CYCLE.c.policy).where(opened).order_by(_CYCLE.c.ordinal.desc()).limit(1)
    governed = (
        _SPAN.c.certification_id.in_(of_scheme)
        & _SPAN.c.window_opens_on.is_not(None)
        & (last.correlate(_SPAN).scalar_subquery() == policy.version)
    )
    ends = sa.select(_SPAN.c.expires_on).where(governed).distinct()
    for expires_on in op.get_bind().execute(ends).scalars().all():
        write = sa.update(_SPAN).where(governed, _SPAN.c.expires_on == expires_on)
        closes_on = policy.window_closes_on(expires_on)
        op.get_bind().execute(write.values(window_closes_on=closes_on))


def downgrade() -> None:
    with op.batch_alter_table("standing_span") as batch_op:
        batch_op.drop_column("window_closes_on")
