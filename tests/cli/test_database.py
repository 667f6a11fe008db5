"""tracker database grant: a role that owns nothing; what the doctor says of it."""

import json

import pytest
from sqlalchemy import create_engine, text

from tests import postgres


def finding(tracker, **variables):
    """What the doctor says of the role: its state and its remedy."""
    found = json.loads(tracker("doctor", "--json", **variables).stdout)
    (one,) = [line for line in found if line["check"] == "row security"]
    return one["state"], one["fix"]


@pytest.mark.parametrize("backend", ["postgresql"], indirect=True)
def test_a_role_is_granted_what_the_application_needs_and_the_doctor_sees_it(tracker, database_url):
    """Also for tables of later migrations; a role that there is not is named."""
    assert finding(tracker)[0] == "warning"
    assert "tracker database grant" in finding(tracker)[1]

    granted = tracker("database", "grant", "--role", postgres.ROLE)

    assert (granted.exit_code, granted.stdout.split()[0]) == (0, postgres.ROLE)
    by_role = {"TRACKER_DATABASE_URL": postgres.walled(database_url)}
    assert finding(tracker, **by_role) == ("ok", "")
    assert tracker("token", "create", "--role", "staff", **by_role).exit_code == 0
    engine = create_engine(database_url)
    with engine.begin() as connection:
        connection.execute(text("create table later (id int)"))
        told = text("select has_table_privilege(:role, 'later', 'select')")
        assert connection.execute(told, {"role": postgres.ROLE}).scalar_one()
    engine.dispose()

    missing = tracker("database", "grant", "--role", "nobody here")
    assert missing.exit_code == 1
    assert 'role "nobody here" does not exist' in missing.stderr


@pytest.mark.parametrize("backend", ["sqlite"], indirect=True)
def test_sqlite_has_no_roles_and_says_so(tracker):
    refused = tracker("database", "grant", "--role", postgres.ROLE)

    assert (refused.exit_code, "SQLite has no roles" in refused.stderr) == (1, True)
