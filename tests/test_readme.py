"""The README keeps its word: its examples work as printed, its table of settings is the file's."""

from __future__ import annotations

import json
import os
import re
import shlex
import signal
import socket
import string
import subprocess
import sys
import tomllib
import urllib.error
import urllib.request
from collections.abc import Iterator
from pathlib import Path

import pytest

from tracker.cli import main
from tracker.settings import ROOT

README = (ROOT / "README.md").read_text("utf-8")


@pytest.fixture(scope="module")
def demo(tmp_path_factory) -> Iterator[dict[str, str]]:
    """The demonstration as the README starts it; yields what demo.env exports."""
    home = tmp_path_factory.mktemp("demo")
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port = str(probe.getsockname()[1])
    program = [sys.executable, "-m", "tracker.cli", "demo", "--port", port]
    measured = {k: v for k, v in os.environ.items() if k.startswith("COVERAGE_")}
    environment = {"PATH": os.environ["PATH"], "PYTHONPATH": str(ROOT), "HOME": str(home)}
    environment |= measured
    with subprocess.Popen(
        program, cwd=home, env=environment, stdout=subprocess.PIPE, text=True
    ) as running:
        assert running.stdout is not None
        told = []
        for line in running.stdout:
            told.append(line)
            if "Ctrl-C" in line:
                break
        try:
            variables = _exports((home / "var/demo/demo.env").read_text("utf-8"))
            yield {**variables, "TOLD": "".join(told), "LETTERS": str(home / "var/demo/letters")}
        finally:
            running.send_signal(signal.SIGINT)
            running.wait(60)


def _exports(text: str) -> dict[str, str]:
    return dict(re.findall(r"export (\w+)='(.*)'", text))


def test_the_tour_works_as_printed(demo):
    blocks = re.findall(r"```sh\n(.*?)```", README, re.DOTALL)
    commands = [line for block in blocks for line in block.splitlines() if line]
    assert commands.pop(0) == ". var/demo/demo.env"
    assert len(commands) >= 12
    for command in commands:
        status, body = _curl(command, demo)
        assert status in {200, 201}, (command, body)
        if "workforce.csv" not in command:
            assert json.loads(body)


def test_the_reminders_were_really_delivered(demo):
    letters = sorted(Path(demo["LETTERS"]).glob("*.eml"))
    (count,) = re.findall(r"Reminders delivered: (\d+)", demo["TOLD"])
    assert len(letters) == int(count) > 100
    assert any(b"vence" in letter.read_bytes() for letter in letters)
    for role in ("ADMIN", "STAFF", "EMPLOYER", "HOLDER"):
        assert demo[role] in demo["TOLD"]


def _curl(command: str, variables: dict[str, str]) -> tuple[int, str]:
    """Do what the curl command says; only the options that the README uses are known."""
    words = shlex.split(_expanded(command, variables))
    assert words[:2] == ["curl", "-s"]
    url, rest = words[2], words[3:]
    headers, data, method = {}, None, None
    for option, value in zip(rest[::2], rest[1::2], strict=True):
        if option == "-H":
            name, _, text = value.partition(": ")
            headers[name] = text
        elif option == "-d":
            data = value.encode()
        else:
            assert option == "-X", command
            method = value
    request = urllib.request.Request(url, data=data, headers=headers, method=method)
    try:
        with urllib.request.urlopen(request, timeout=30) as answer:
            return answer.status, answer.read().decode()
    except urllib.error.HTTPError as refused:
        return refused.code, refused.read().decode()


def _expanded(command: str, variables: dict[str, str]) -> str:
    return string.Template(command).substitute(variables)


def test_the_table_of_settings_is_that_of_the_file():
    text = (ROOT / "config/default.toml").read_text("utf-8")
    values = tomllib.loads(text)
    rows = re.findall(r"^\| `(\w+)\.(\w+)` \| `(\w+)` \| (.*?) \| (.*) \|$", README, re.MULTILINE)
    meanings = dict(re.findall(r"^(\w+) = .*?\s+# (.*)$", text, re.MULTILINE))
    assert {(section, key) for section, key, *_ in rows} == {
        (section, key) for section, keys in values.items() for key in keys
    }
    for section, key, variable, default, meaning in rows:
        assert variable in {f"TRACKER_{section}_{key}".upper(), "TRACKER_NOW"}
        value = values[section][key]
        shown = str(value).lower() if isinstance(value, bool) else str(value)
        assert default.strip("`") == shown
        assert meaning in text
    assert len(meanings) == len({key for keys in values.values() for key in keys})


def test_every_command_of_the_readme_is_one_of_ours():
    named = set(re.findall(r"`tracker ([a-z]+)", README)) | {"import", "export"}
    assert named <= set(main.entries)
