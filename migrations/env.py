"""Alembic's environment: a connection from the caller, or a URL; the models' metadata."""

from typing import Any

from alembic import context
from alembic.runtime.migration import MigrationContext, MigrationInfo
from sqlalchemy import Connection, create_engine, inspect

from tracker.models import Base


def _note(ctx: MigrationContext, step: MigrationInfo, *_: Any, **__: Any) -> None:
    """Keep in the database of which kind a migration is, for releases that do not know it."""
    connection = ctx.connection
    if connection is None or not inspect(connection).has_table("applied_migration"):
        return
    table = Base.metadata.tables["applied_migration"]
    if not step.is_upgrade:
        connection.execute(table.delete().where(table.c.revision.in_(step.up_revision_ids)))
        return
    for script in step.up_revisions:
        kind = getattr(getattr(script, "module", None), "kind", "contract")
        connection.execute(
            table.insert().values(revision=getattr(script, "revision", ""), kind=kind)
        )


def _run(connection: Connection) -> None:
    context.configure(
        connection=connection,
        target_metadata=Base.metadata,
        render_as_batch=connection.dialect.name == "sqlite",
        compare_type=True,
        transaction_per_migration=True,
        on_version_apply=_note,
    )
    with context.begin_transaction():
        context.run_migrations()


def run() -> None:
    """Run on ``attributes["connection"]`` if the caller gave one, else on ``attributes["url"]``."""
    given = context.config.attributes.get("connection")
    if given is not None:
        _run(given)
        return
    engine = create_engine(context.config.attributes["url"])
    try:
        with engine.connect() as connection:
            _run(connection)
    finally:
        engine.dispose()


run()
