"""A third language is new files only (language/catalogues): the package copied, a folder added.

The toy language is English in capitals: whatever is left in small letters was not said in it.
"""

from __future__ import annotations

import json
import os
import re
import shutil
import subprocess
import sys
import tomllib
from pathlib import Path
from typing import Any

import pytest

from tracker import settings

TOY = "zz"
PROGRAM = Path(__file__).with_name("toy.py")
PLACES = re.compile(r"(\{[^{}:]*)((?::[^{}]*)?\})")  # "{limit", ":counts|count}"

WHY = re.compile(r"(?<=^Not verified: )(.*?) \(.*\)(?=\.$)")
HOUR = 'en = { one = "hour", many = "hours" }'
SMALL = re.compile(r"[a-z]{3,}")


def _capitals(text: str) -> str:
    """The text in capitals, with its places as they are."""
    *parts, rest = PLACES.split(text)
    told = [part if number % 3 == 1 else part.upper() for number, part in enumerate(parts)]
    return "".join([*told, rest.upper()])


def _translated(value: Any) -> Any:
    if isinstance(value, dict):
        return {key: _translated(inner) for key, inner in value.items()}
    return [_translated(each) for each in value] if isinstance(value, list) else _capitals(value)


def _toml(value: Any) -> str:
    """A value as TOML writes it, on one line."""
    if isinstance(value, dict):
        told = (f"{json.dumps(key)} = {_toml(inner)}" for key, inner in value.items())
        return f"{{ {', '.join(told)} }}"
    return json.dumps(value)


@pytest.fixture(scope="module")
def said(tmp_path_factory: pytest.TempPathFactory) -> Any:
    """What a copy of the package says in English, Spanish and the toy language."""
    copy = tmp_path_factory.mktemp("copy")
    shutil.copytree(settings.ROOT / "tracker", copy / "tracker")
    shutil.copytree(settings.ROOT / "config", copy / "config")
    catalogues = copy / "tracker" / "language" / "catalogues"
    (catalogues / TOY).mkdir()
    for english in (catalogues / "en").glob("*.toml"):
        words = _translated(tomllib.loads(english.read_text("utf-8")))
        lines = (f"{json.dumps(key)} = {_toml(value)}\n" for key, value in words.items())
        (catalogues / TOY / english.name).write_text("".join(lines), "utf-8")
    cpt = copy / "config" / "schemes" / "mssc-cpt.toml"
    before, mark, after = cpt.read_text("utf-8").partition("[policies.types.volunteer]")
    after = after.replace(HOUR, f'{HOUR}, {TOY} = {{ one = "HOUR", many = "HOURS" }}', 1)
    cpt.write_text(before + mark + after, "utf-8")
    done = subprocess.run(
        [sys.executable, str(PROGRAM)],
        env={**os.environ, "PYTHONPATH": str(copy)},
        cwd=copy,
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.returncode == 0, done.stderr
    return json.loads(done.stdout)


def test_the_folder_alone_makes_it_a_language_of_the_product(said):
    assert said["languages"] == ["en", "es", TOY]
    assert said["chosen"] == {"language": TOY}
    assert said["check"] == f"language in ('en', 'es', '{TOY}')"


def test_everything_is_said_in_it(said):
    english, toy = said["said"]["en"], said["said"][TOY]

    # Why a value is not verified is the file's own text, which is told in English only.
    english["policies"] = [WHY.sub(r"\1", text) for text in english["policies"]]

    assert [text.upper() for what in toy for text in toy[what]] == [
        text.upper() for what in english for text in english[what]
    ]
    alike = {text for what in toy for text in set(english[what]).intersection(toy[what])}
    assert alike == {"Certified Production Technician (CPT)", "3 contact hours", "3 months"}


def test_what_is_left_in_english_stands_in_the_scheme_file(said):
    scheme = (settings.ROOT / "config" / "schemes" / "mssc-cpt.toml").read_text("utf-8")
    told = " ".join(text for texts in said["said"][TOY].values() for text in texts)
    told = re.sub(r"https://\S+|Ana Gómez|Lima", "", told)  # of the sample reminder, and a place

    assert set(SMALL.findall(told)) - set(SMALL.findall(scheme)) == set()


def test_names_of_scheme_files_are_english_in_it(said):
    toy = said["said"][TOY]

    assert toy["voice"] == [
        "1 POINT",
        "2 POINTS",
        "3 contact hours",
        "3 months",
        "MAY 1, 2026",
        "1 YEAR",
        "a AND b",
        "THE CATEGORY “Other activities”",
        "Lima TIME",
    ]
    assert toy["title"] == ["Certified Production Technician (CPT)"]


def test_a_scheme_file_may_give_names_in_it(said):
    (course,) = (text for text in said["said"][TOY]["evaluations"] if text.startswith("ROBOTS: 1 "))

    assert course.startswith("ROBOTS: 1 HOUR × ")
