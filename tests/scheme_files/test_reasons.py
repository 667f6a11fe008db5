"""The file of reason codes: what is refused in it, at which line, in which words."""

from __future__ import annotations

from pathlib import Path

import pytest

from tracker import settings
from tracker.app import create_container
from tracker.scheme_files import reasons
from tracker.scheme_files.mistakes import SchemesRefusedError

SHIPPED = settings.ROOT / "config" / "reasons.toml"
TEXT = 'text = { en = "x", es = "y" }'
ALL = (
    '["activity_rejection", "renewal_denial", "suspension", "extension", "appeal_outcome",'
    ' "correction"]'
)
GOOD = f"[reasons.other]\nacts = {ALL}\n{TEXT}\n"


def mistakes(path: Path, text: str) -> list[str]:
    path.write_text(text, "utf-8")
    with pytest.raises(SchemesRefusedError) as refused:
        reasons.load(path)
    return [str(mistake) for mistake in refused.value.mistakes]


@pytest.fixture
def path(tmp_path: Path) -> Path:
    return tmp_path / "reasons.toml"


def test_the_shipped_file_is_read_and_every_code_is_once_in_it():
    found = reasons.load(SHIPPED)

    assert SHIPPED.read_text("utf-8").count("[reasons.") == len(found.by_code)
    assert [r.code for r in found.by_code.values() if r.own_words] == ["other"]


def test_the_smallest_file_that_is_taken(path):
    path.write_text(GOOD, "utf-8")
    [reason] = reasons.load(path).by_code.values()

    assert (reason.code, reason.own_words, reason.text) == ("other", False, {"en": "x", "es": "y"})
    assert len(reason.acts) == 6


@pytest.mark.parametrize(
    ("text", "told"),
    [
        (
            f"{GOOD}[reasons.a]\nacts = ['surrender']\n{TEXT}\ntexts = 1\n",
            "reasons.toml:7: reasons.a.texts = 1: is not a known key; did you mean 'text'?",
        ),
        (
            f"{GOOD}[reasons.a]\nacts = ['surender']\n{TEXT}\n",
            'reasons.toml:5: reasons.a.acts.0 = "surender": must be one of: ',
        ),
        (
            f"{GOOD}[reasons.a]\nacts = []\n{TEXT}\n",
            "reasons.toml:5: reasons.a.acts = []: must not be empty",
        ),
        (f"{GOOD}[reasons.a]\nacts = ['surrender', 'surrender']\n{TEXT}\n", "given more than once"),
        (f"{GOOD}[reasons.a]\n{TEXT}\n", "reasons.toml:4: reasons.a.acts: is required but missing"),
        (
            f"{GOOD}[reasons.a]\nacts = ['surrender']\n",
            "reasons.toml:4: reasons.a.text: is required but missing",
        ),
        (
            f"{GOOD}[reasons.a]\nacts = ['surrender']\ntext = {{ en = 'x' }}\n",
            "reasons.toml:6: reasons.a.text.es: is required but missing",
        ),
        (
            f"{GOOD}[reasons.a]\nacts = ['surrender']\ntext = 'x'\n",
            'reasons.toml:6: reasons.a.text = "x": must be a table',
        ),
        (
            f"{GOOD}[reasons.a]\nacts = ['surrender']\n{TEXT}\nown_words = 1\n",
            "reasons.toml:7: reasons.a.own_words = 1: must be true or false",
        ),
        (
            f"{GOOD}[reasons.'a b']\nacts = ['surrender']\n{TEXT}\n",
            "must be at most 32 letters, digits or _, beginning with a letter",
        ),
        (f"reason = 1\n{GOOD}", "reason = 1: is not a known key; did you mean 'reasons'?"),
        ("", "reasons.toml:1: reasons: is required but missing"),
        ("reasons = 3\n", "reasons.toml:1: reasons = 3: must be a table"),
        (f"{GOOD}{GOOD}", "is not valid TOML"),
        ("[reasons.a\n", "is not valid TOML"),
        (
            GOOD.replace('"suspension", ', ""),
            "has no code for suspension or revocation or reinstatement or surrender",
        ),
    ],
)
def test_a_mistake_is_named_with_file_line_key_and_rule(path, text, told):
    assert any(told in mistake for mistake in mistakes(path, text))


def test_every_mistake_is_told_in_one_run(path):
    found = mistakes(path, f"{GOOD}[reasons.a]\nacts = ['x']\n[reasons.b]\n{TEXT}\nwords = true\n")

    assert len(found) == 4


def test_a_file_that_is_not_there_is_named(path):
    with pytest.raises(SchemesRefusedError) as refused:
        reasons.load(path)

    assert "reasons.toml:1: cannot be read" in str(refused.value)


def test_nothing_starts_on_a_spoiled_file(path, tmp_path):
    path.write_text("[reasons]\n", "utf-8")
    given = {
        "TRACKER_APP_REASONS": str(path),
        "TRACKER_DATABASE_URL": f"sqlite:///{tmp_path}/x.sqlite3",
        "TRACKER_STORAGE_DIRECTORY": str(tmp_path),
    }

    with pytest.raises(SchemesRefusedError):
        create_container(settings.load("testing", given))
