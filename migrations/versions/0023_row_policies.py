"""Policies on the rows of PostgreSQL's tables: a second wall behind the services.

They restrict a role that does not own the tables (``tracker database grant``). SQLite has no roles
and no policies: there this migration changes nothing.

Revision ID: 0023
Revises: 0022
"""

from __future__ import annotations

from pathlib import Path

from alembic import op

revision = "0023"
down_revision = "0022"
branch_labels = None
depends_on = None

# The release before goes on as the owner of the tables, whom policies do not restrict. It does not
# say who looks, so as any other role it would see nothing: grant to one after the upgrade.
kind = "expand"

_FUNCTIONS = (
    "tracker_admit(text)",
    "tracker_asked_holders()",
    "tracker_employer()",
    "tracker_holder()",
    "tracker_saw_holder(uuid)",
    "tracker_sees_all()",
)
_POLICIES = """
    select format('drop policy %I on %I', polname, relname),
    format('alter table %I disable row level security', relname)
    from pg_policy join pg_class on pg_class.oid = polrelid
    where relnamespace = current_schema()::regnamespace
"""


def upgrade() -> None:
    """Create the functions and the policies (the file of SQL beside this one)."""
    connection = op.get_bind()
    if connection.dialect.name != "postgresql":
        return
    schema = connection.exec_driver_sql("select quote_ident(current_schema())").scalar_one()
    text = Path(__file__).with_suffix(".sql").read_text("utf-8").replace("{schema}", schema)
    for statement in text.split(";\n"):
        if statement.strip():
            connection.exec_driver_sql(statement.replace("%", "%%"))


def downgrade() -> None:
    """Drop them again."""
    connection = op.get_bind()
    if connection.dialect.name != "postgresql":
        return
    for drop, disable in connection.exec_driver_sql(_POLICIES.replace("%", "%%")).fetchall():
        connection.exec_driver_sql(drop)
        connection.exec_driver_sql(disable)
    for function in _FUNCTIONS:
        connection.exec_driver_sql(f"drop function {function}")
