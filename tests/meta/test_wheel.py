"""The wheel carries all that it needs: it runs in an empty directory, far from any checkout."""

from __future__ import annotations

import os
import subprocess
import sys
import zipfile

import pytest

from tests.front.running import free_port, wait_for
from tracker import migrations
from tracker.settings import ROOT


@pytest.fixture(scope="module")
def installed(tmp_path_factory):
    """The wheel, built as pip builds it and unpacked as pip installs it."""
    built, site = tmp_path_factory.mktemp("built"), tmp_path_factory.mktemp("site")
    build = [sys.executable, "-m", "hatchling", "build", "-t", "wheel", "-d", str(built)]
    subprocess.run(build, cwd=ROOT, check=True, capture_output=True)
    (wheel,) = built.glob("tracker-*.whl")
    zipfile.ZipFile(wheel).extractall(site)
    return site


@pytest.fixture
def command(installed, tmp_path, monkeypatch):
    """What runs the installed program in an empty directory."""
    monkeypatch.setenv("PYTHONPATH", os.pathsep.join([str(installed), *_hidden()]))
    monkeypatch.delenv("TRACKER_ENV", raising=False)
    monkeypatch.chdir(tmp_path)
    return [sys.executable, "-m", "tracker.cli"]


def test_documents_are_set_with_the_layout_and_the_fonts_of_the_wheel(command, installed):
    program = (
        "from tracker import documents; from tracker.language.reports import Report;"
        "report = Report(language='en', title='A', lines=[], tables=[]);"
        "print(documents.FOLDER, documents.pdf(report)[:5])"
    )
    made = subprocess.run(
        [command[0], "-c", program], check=True, capture_output=True, text=True, timeout=60
    )

    assert made.stdout == f"{installed}/tracker/documents b'%PDF-'\n"


def _hidden():
    return filter(None, [os.environ.get("PYTHONPATH")])


def test_in_an_empty_directory_it_is_made_ready_serves_and_reminds(command, installed, tmp_path):
    def run(*arguments):
        done = subprocess.run(
            [*command, *arguments], check=False, capture_output=True, text=True, timeout=120
        )
        assert done.returncode == 0, done.stderr
        return done

    place = "from tracker import settings; print(settings.ROOT)"
    asked = subprocess.run(
        [sys.executable, "-c", place], check=True, capture_output=True, text=True
    )
    assert asked.stdout == f"{installed}/tracker/shipped\n"
    assert f"to version {migrations.head()}." in run("init").stderr
    assert "Certified Production Technician" in run("schemes", "list").stdout
    run("remind")
    assert "mssc-cpt.toml" in {p.name for p in (installed / "tracker/shipped").rglob("*.toml")}
    port = free_port()
    with subprocess.Popen([*command, "serve", "--port", str(port), "--workers", "1"]) as server:
        try:
            wait_for(port)
        finally:
            server.terminate()
            assert server.wait(60) == 0
    assert {path.name for path in tmp_path.iterdir()} == {"var"}
