"""The README and its neighbors keep their word: the tour works as printed and answers as shown."""

from __future__ import annotations

import http.client
import json
import os
import re
import signal
import socket
import subprocess
import sys
import tomllib
import urllib.request
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from tracker.cli import main
from tracker.settings import ROOT

README = (ROOT / "README.md").read_text("utf-8")
MANUALS = {
    path.name: path.read_text("utf-8")
    for path in (ROOT / "README.md", *sorted((ROOT / "config").glob("*.md")))
}

# The tour's blocks of commands, each with what is shown of the answer, if anything is.
TOUR = re.findall(r"```sh\n(.*?)```\n(?:```(?:json|text)\n(.*?)```)?", README, re.DOTALL)

# For whom the people of organizations act in the demo.
ORGANIZATIONS = {
    "employer": "Kestrel Ridge Automotive",
    "center": "Saluda Forks Technical College",
    "provider": "Millrace Technical Training",
    "sponsor": "Maumee Valley Apprenticeship Council",
}

# Stands in for curl, which a machine may lack: the options that the README uses, and no others.
CURL = """#!{python}
import sys, urllib.error, urllib.request

flag, url, *rest = sys.argv[1:]
assert flag == "-s", flag
headers, data, method = {{}}, None, None
for option, value in zip(rest[::2], rest[1::2], strict=True):
    if option == "-H":
        name, _, text = value.partition(": ")
        headers[name] = text
    elif option == "-d":
        data = value.encode()
    else:
        assert option == "-X", option
        method = value
request = urllib.request.Request(url, data=data, headers=headers, method=method)
try:
    answer = urllib.request.urlopen(request, timeout=30)
except urllib.error.HTTPError as refused:
    answer = refused
with open("statuses", "a") as file:
    print(answer.status, url, file=file)
sys.stdout.write(answer.read().decode())
"""


@pytest.fixture(scope="module")
def demo(tmp_path_factory) -> Iterator[dict[str, str]]:
    """The demo as the README starts it; yields its folder, what it printed, and its variables."""
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
        printed = []
        for line in running.stdout:
            printed.append(line)
            if "Ctrl-C" in line:
                break
        try:
            variables = _exports((home / "var/demo/demo.env").read_text("utf-8"))
            yield {**variables, "PRINTED": "".join(printed), "FOLDER": str(home)}
        finally:
            running.send_signal(signal.SIGINT)
            running.wait(60)


def _exports(text: str) -> dict[str, str]:
    return dict(re.findall(r"export (\w+)='(.*)'", text))


def test_the_tour_works_as_printed_and_answers_as_shown(demo, tmp_path):
    folder = Path(demo["FOLDER"])
    script = "".join(f"{commands}echo '<end of block>'\n" for commands, _ in TOUR)
    environment = {"PATH": f"{_programs(tmp_path)}:{os.environ['PATH']}", "HOME": str(tmp_path)}
    done = subprocess.run(
        ["sh", "-e"],
        input=script,
        cwd=folder,
        env=environment,
        capture_output=True,
        text=True,
        check=False,
    )

    assert done.returncode == 0, done.stderr
    outputs = done.stdout.split("<end of block>\n")[:-1]
    for (commands, shown), output in zip(TOUR, outputs, strict=True):
        assert _is_shortened(shown, output), f"{commands}\nanswers\n{output}\nnot\n{shown}"
    statuses = (folder / "statuses").read_text("utf-8").splitlines()
    refused = [line for line in statuses if line.split()[0] not in {"200", "201"}]
    assert len(statuses) >= 12
    assert [line.split()[0] for line in refused] == ["409"]
    assert refused[0].endswith("/renewals")


def _programs(folder: Path) -> Path:
    """A folder with a ``curl``, and this Python as ``python3``."""
    curl = folder / "curl"
    curl.write_text(CURL.format(python=sys.executable), "utf-8")
    curl.chmod(0o755)
    (folder / "python3").symlink_to(sys.executable)
    return folder


def _is_shortened(shown: str, output: str) -> bool:
    """Whether what is shown is the output, in its order, but for what ``...`` leaves out."""
    rest = f"\n{output}"
    for part in re.split(r"^ *\.\.\.\n", shown, flags=re.MULTILINE):
        _, found, rest = rest.partition(f"\n{part}")
        if not found:
            return False
        rest = f"\n{rest}"
    return True


@pytest.mark.parametrize(
    ("shown", "shortened"),
    [
        ("a\n  ...\nc\n", True),
        ("b\nc\n", True),
        ("", True),
        ("a\nc\n", False),
        ("c\n...\na\n", False),
        ("a\n...\na\n", False),
        ("a\nb\nd\n", False),
        ("a \n", False),
    ],
)
def test_what_counts_as_a_shortened_answer(shown, shortened):
    assert _is_shortened(shown, "a\nb\nc\n") is shortened


def test_the_reminders_were_really_delivered(demo):
    emails = sorted((Path(demo["FOLDER"]) / "var/demo/emails").glob("*.eml"))
    (count,) = re.findall(r"Reminders delivered: (\d+)", demo["PRINTED"])
    assert len(emails) == int(count) > 100
    assert any(b"vence" in email.read_bytes() for email in emails)
    for role in ("ADMIN", "STAFF", "EMPLOYER", "CENTER", "PROVIDER", "SPONSOR", "HOLDER"):
        assert demo[role] in demo["PRINTED"]


def test_each_role_signs_in_once_by_its_link_and_sees_its_page(demo):
    links = dict(
        re.findall(r"^  (\w+) +(http\S+/sign-in/link/\S+)$", demo["PRINTED"], re.MULTILINE)
    )
    assert links.keys() == {"holder", *ORGANIZATIONS, "staff", "admin"}
    server = demo["URL"].removeprefix("http://")
    for role, link in links.items():
        path, site = link.removeprefix(demo["URL"]), http.client.HTTPConnection(server, timeout=30)
        site.request("POST", path)
        answer = site.getresponse()
        assert (answer.status, answer.read() and answer.headers["Location"]) == (303, "/account")
        site.request("GET", "/account", headers={"Cookie": answer.headers["Set-Cookie"]})
        page = site.getresponse().read().decode()
        name = "Marcus Bennett" if role == "holder" else f"demo {role}"
        assert f"<h1>{name}</h1>" in page
        assert ORGANIZATIONS.get(role, "") in page
        site.request("POST", path)
        assert site.getresponse().status == 404
        site.close()


def test_rejections_of_the_demo_have_reasons_and_some_activities_have_evidence(demo):
    rejected = _get(demo, "activities?state=rejected&limit=200")["items"]
    waiting = _get(demo, "activities?state=submitted&limit=20")["items"]
    evidence = [file for row in waiting for file in _get(demo, f"activities/{row['id']}/evidence")]

    assert len(rejected) > 30
    assert [row for row in rejected if not row["decision"]["reason"]] == []
    assert len(evidence) > 5
    assert {file["content_type"] for file in evidence} == {
        "application/pdf",
        "image/jpeg",
    }
    assert not any(file["came_later"] for file in evidence)


def _get(demo: dict[str, str], path: str) -> Any:
    """What the staff read at an address of the API."""
    headers = {"Authorization": f"Bearer {demo['STAFF']}"}
    request = urllib.request.Request(f"{demo['URL']}/api/v1/{path}", headers=headers)
    with urllib.request.urlopen(request, timeout=30) as answer:
        return json.load(answer)


def test_every_setting_says_what_it_means():
    lines = (ROOT / "config/default.toml").read_text("utf-8").splitlines()
    settings = [line for line in lines if re.match(r"\w+ = ", line)]
    assert len(settings) > 50
    assert [line for line in settings if not re.search(r"\s# \S", line)] == []


@pytest.mark.parametrize("name", MANUALS)
def test_every_setting_that_is_named_is_one(name):
    values = tomllib.loads((ROOT / "config/default.toml").read_text("utf-8"))
    known = {(section, key) for section, keys in values.items() for key in keys}
    sections = "|".join(values)
    named = set(re.findall(rf"`({sections})\.(\w+)", MANUALS[name]))
    variables = {f"TRACKER_{section}_{key}".upper() for section, key in known}
    variables |= {f"{variable}_FILE" for variable in variables} | {"TRACKER_NOW", "TRACKER_ENV"}

    assert named - known == set()
    assert set(re.findall(r"\bTRACKER_[A-Z_]+\b", MANUALS[name])) - variables == set()


@pytest.mark.parametrize("name", MANUALS)
def test_every_command_that_is_named_is_one(name):
    text = MANUALS[name]
    named = set(re.findall(r"(?:^|[`&|] ?|    )tracker ([a-z]+)", text, re.MULTILINE))
    assert named <= set(main.entries)


def test_the_readme_stays_short():
    assert len(README.splitlines()) < 250
