"""tracker schemes explain: a policy in plain words at the terminal."""

from __future__ import annotations

from tests.backends import SQLITE
from tracker import settings

pytestmark = SQLITE

EXAMPLES = settings.ROOT / "config" / "schemes" / "examples"


def test_a_policy_is_printed_in_plain_words(tracker):
    result = tracker("schemes", "explain", "cpt")

    assert result.exit_code == 0
    assert result.stdout.startswith("Certified Production Technician (CPT 4.0) (MSSC)\n\nThe cert")
    assert "\n- Each cycle needs 100 points.\n" in result.stdout


def test_the_language_and_the_version_may_be_chosen(tracker):
    result = tracker("schemes", "explain", "cpt", "--language", "es", "--version", "2015")

    assert "\n- Cada ciclo exige 100 puntos.\n" in result.stdout


def test_a_programme_that_is_not_installed_is_read_from_its_directory(tracker):
    result = tracker("schemes", "explain", "pmp", "--directory", EXAMPLES)

    assert "\n- Each cycle needs 60 PDUs.\n" in result.stdout


def test_a_scheme_without_a_policy_is_told_too(tracker):
    assert "- It never expires.\n" in tracker("schemes", "explain", "cla").stdout


def test_what_is_not_there_is_refused_by_name(tracker):
    unknown = tracker("schemes", "explain", "abc")
    version = tracker("schemes", "explain", "cpt", "--version", "1999")

    assert (unknown.exit_code, version.exit_code) == (1, 2)
    assert "There is no scheme 'abc'" in unknown.stderr
    assert "is not a version of cpt; the versions are: 2015" in version.stderr
