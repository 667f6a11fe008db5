"""Random histories: the order of the rows of any file never changes what comes of them."""

from datetime import date, timedelta

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from sqlalchemy import text

from tests.conftest import examples
from tests.services.imports.importing import as_csv, bring, fates, standings
from tracker.models import Base

START = date(2012, 1, 1)
TODAY = date(2026, 11, 21)  # of the container; nothing is decided later
DAYS = st.integers(0, 5400).map(lambda n: START + timedelta(days=n))
HOLDERS = ("A", "B")
REFS = st.sampled_from(HOLDERS)
MODULES = st.sampled_from(("safety", "quality", "processes", "maintenance", "green"))
TYPES = (("CE", "third_party"), ("IC", "industry_certification"), ("X", "volunteer"))


def awarded(ref, day):
    """Four passes, so that every history holds a certification."""
    return [
        {
            "attempt_ref": f"{ref}-{module}",
            "holder_ref": ref,
            "scheme": "cpt",
            "module": module,
            "taken_on": day + timedelta(days=n),
            "result": "pass",
        }
        for n, module in enumerate(("safety", "quality", "processes", "maintenance"))
    ]


@st.composite
def attempt(draw):
    return {
        "holder_ref": draw(REFS),
        "scheme": "cpt",
        "module": draw(MODULES),
        "taken_on": draw(DAYS),
        "result": draw(st.sampled_from(("pass", "fail"))),
    }


@st.composite
def activity(draw):
    category, kind = draw(st.sampled_from(TYPES))
    done, status = draw(DAYS), draw(st.sampled_from(("draft", "submitted", "approved", "rejected")))
    decided = status in {"approved", "rejected"}
    return {
        "holder_ref": draw(REFS),
        "scheme": "cpt",
        "category": category,
        "type": kind,
        "title": draw(st.sampled_from(("Welding", "Lean"))),
        "quantity": draw(st.integers(1, 30)),
        "completed_on": done,
        "status": status,
        "submitted_on": "" if status == "draft" else done + timedelta(days=3),
        "decided_on": done + timedelta(days=9) if decided else "",
    }


@st.composite
def renewal(draw):
    submitted = draw(DAYS)
    return {
        "holder_ref": draw(REFS),
        "scheme": "cpt",
        "submitted_on": submitted,
        "decided_on": min(submitted + timedelta(days=draw(st.integers(0, 60))), TODAY),
        "decision": draw(st.sampled_from(("approved", "approved", "denied"))),
    }


@st.composite
def change(draw):
    kinds = ("suspend", "reinstate", "revoke", "surrender")
    return {
        "holder_ref": draw(REFS),
        "scheme": "cpt",
        "kind": draw(st.sampled_from(kinds)),
        "effective_on": draw(DAYS),
        "reason": "x",
    }


def keyed(column, rows):
    return [{column: f"{column[0]}{n}", **row} for n, row in enumerate(rows)]


@st.composite
def history(draw):
    """The four files of a history, each with an order of its rows."""
    certified = [row for ref in HOLDERS for row in awarded(ref, draw(DAYS))]
    files = {
        "assessments": certified + keyed("attempt_ref", draw(st.lists(attempt(), max_size=6))),
        "activities": keyed("activity_ref", draw(st.lists(activity(), max_size=6))),
        "renewals": keyed("renewal_ref", draw(st.lists(renewal(), max_size=4))),
        "standing-changes": keyed("change_ref", draw(st.lists(change(), max_size=4))),
    }
    shuffled = {kind: draw(st.permutations(rows)) for kind, rows in files.items()}
    return files, shuffled, draw(DAYS)


def emptied(container):
    """Forget everything but the history, which nobody can delete."""
    tables = [t.name for t in reversed(Base.metadata.sorted_tables)]
    tables = [name for name in tables if not name.startswith("history")]
    with container.engine.begin() as connection:
        if connection.dialect.name == "postgresql":
            connection.execute(text(f"truncate {', '.join(tables)}"))
        else:
            for table in tables:
                connection.execute(text(f"delete from {table}"))


def outcome(container, files, on):
    """The exports of a day and of today, and what was told; the second time changes nothing."""
    emptied(container)
    people = [
        {"holder_ref": r, "given_name": r, "family_name": "E", "email": f"{r}@x.org"}
        for r in HOLDERS
    ]
    warnings = []
    for kind, rows in {"holders": people, **files}.items():
        if rows:
            warnings += sorted(w.message for w in bring(container, kind, as_csv(rows)).warnings)
    exported = standings(container, on), standings(container)
    for kind, rows in files.items():
        if rows:
            assert fates(bring(container, kind, as_csv(rows))) == (0, 0, len(rows))
    assert (standings(container, on), standings(container)) == exported
    return exported, warnings


SLOW = [HealthCheck.function_scoped_fixture, HealthCheck.too_slow]


@pytest.mark.parametrize("backend", ["sqlite"])
@settings(examples(25), suppress_health_check=SLOW)
@given(history())
def test_the_order_of_rows_never_changes_what_comes_of_them(container, given_history):
    files, shuffled, on = given_history

    assert outcome(container, shuffled, on) == outcome(container, files, on)


@pytest.mark.parametrize("backend", ["postgresql"])
@settings(examples(5), suppress_health_check=SLOW)
@given(history())
def test_nor_does_it_on_postgresql(container, given_history):
    files, shuffled, on = given_history

    assert outcome(container, shuffled, on) == outcome(container, files, on)
