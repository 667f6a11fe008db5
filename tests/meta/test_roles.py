"""config/ROLES.md says what each role may, as the tables of what is answered say it."""

from __future__ import annotations

import pytest

from tests.meta import role_tables
from tracker.domain.permissions import ROLES


def test_the_manual_of_roles_says_what_the_tables_say(request: pytest.FixtureRequest) -> None:
    made = role_tables.document()
    if request.config.getoption("--rewrite-table"):
        role_tables.PATH.write_text(made, "utf-8")

    assert role_tables.PATH.read_text("utf-8") == made, (
        "pytest tests/meta/test_roles.py --rewrite-table, and read the difference"
    )


def test_every_role_has_its_section() -> None:
    assert role_tables.ROLES.keys() == {"nobody", "viewer", *ROLES}


def test_what_is_allowed_is_told_apart_from_what_is_refused() -> None:
    """By lines that everybody knows: whose activities they are, and who revokes."""
    reading = ("GET", "/activities/{activity_id}")
    lines = role_tables.routes()
    for role, is_own, is_anybodys in (
        ("nobody", False, False),
        ("holder", True, False),
        ("employer", False, False),
        ("reviewer", True, True),
        ("staff", True, True),
    ):
        allowed = [reading in role_tables._allowed(lines, role, kind) for kind in ("own", "other")]
        assert allowed == [is_own, is_anybodys], role
