"""tracker schemes diff, publish and repair; the warnings of schemes check and doctor."""

import csv
import io
import json
import shutil
from dataclasses import replace
from datetime import date
from decimal import Decimal
from pathlib import Path

import pytest
from sqlalchemy import select

from tests.backends import SQLITE
from tests.services.credentials.policy_cases import everything, populate
from tracker import settings
from tracker.cli.policy_reports import ImpactReport
from tracker.domain.permissions import SYSTEM
from tracker.domain.schemes.policy_impact import PolicyOutcome, differences
from tracker.models import Cycle
from tracker.services.credentials import policy_impact
from tracker.services.credentials.policy_impact import Compared

SHIPPED = settings.ROOT / "config" / "schemes"
DAY = "2026-11-21"
EXPIRES = date(2029, 3, 15)


@pytest.fixture
def people(container):
    return populate(container, 40)


@pytest.fixture
def corrected(tmp_path):
    """A scheme file with a second version, which asks for fewer points."""
    text = (SHIPPED / "mssc-cpt.toml").read_text()
    start = text.index("[[policies]]")
    end = text.index("# Days before expiration")
    version = text[start:end].replace('version = "2015"', 'version = "2015b"\ncorrects = "2015"')
    version = version.replace('points_required = "100.00"', 'points_required = "60.00"')
    path = tmp_path / "draft.toml"
    path.write_text(text[:end] + version + text[end:])
    return path


@pytest.fixture
def installed(tmp_path, corrected):
    """The schemes directory with that file in its place; gives the variable that names it."""
    directory = tmp_path / "schemes"
    shutil.copytree(SHIPPED, directory)
    shutil.copy(corrected, directory / "mssc-cpt.toml")
    return {"TRACKER_APP_SCHEMES": str(directory)}


def edit(installed):
    """Change a rule of version 2015 in its installed file."""
    path = Path(installed["TRACKER_APP_SCHEMES"]) / "mssc-cpt.toml"
    path.write_text(
        path.read_text().replace('points_required = "100.00"', 'points_required = "90.00"')
    )


def governing(container):
    with container.reading(SYSTEM) as reading:
        return {row.policy for row in reading.rows(select(Cycle.policy))}


# diff
@SQLITE
def test_a_file_not_yet_installed_is_compared_with_what_is(tracker, people, corrected, container):
    before = everything(container)

    result = tracker("schemes", "diff", "2015", "2015b", "--as-of", DAY, "--file", corrected)

    *lines, examined, lowered, gained = result.stdout.splitlines()
    awarded = [p for p in people if p.awarded_on.isoformat() <= DAY]
    assert len(lines) == len(awarded)
    assert lines[0].startswith(f"{awarded[0].number}  {awarded[0].ref}  required 100.00 -> 60.00")
    assert examined == f"{len(awarded)} certifications examined: {len(awarded)} change"
    assert lowered.split() == [str(len(awarded)), "required", "lowered"]
    complete = sum(line.endswith(", now complete") for line in lines)
    assert gained.split() == [str(complete), "complete", "gained"]
    assert (result.exit_code, result.stderr) == (0, "")
    assert everything(container) == before


@SQLITE
@pytest.mark.usefixtures("people")
def test_json_and_csv_say_the_same_as_the_text(tracker, installed):
    asked = ("schemes", "diff", "2015", "2015b", "--as-of", DAY)
    text = tracker(*asked, **installed).stdout.splitlines()
    found = json.loads(tracker(*asked, "--json", **installed).stdout)
    table = tracker(*asked, "--csv", **installed)
    rows = list(csv.DictReader(io.StringIO(table.stdout)))

    assert (found["scheme"], found["old"], found["new"], found["as_of"]) == (
        "cpt",
        "2015",
        "2015b",
        DAY,
    )
    assert found["changed"] == found["kinds"]["required_lowered"] == len(rows)
    assert len(found["certifications"]) == len(rows) > 10
    for line, one, row in zip(text, found["certifications"], rows, strict=False):
        assert line.startswith(f"{one['certificate_number']}  {one['holder_ref']}  ")
        assert row["certificate_number"] == one["certificate_number"]
        assert row["version"] == one["version"] == "2015"
        assert row["changes"] == ";".join(change["kind"] for change in one["changes"])
        assert (row["required_before"], row["required_after"]) == ("100.00", "60.00")
        assert row["window_opens_on_before"] == row["window_opens_on_after"] != ""
        assert row["grace_ends_on_before"] == ""
    assert table.stderr.splitlines() == text[len(rows) :]


@SQLITE
def test_where_nothing_changes_it_says_so(tracker):
    asked = ("schemes", "diff", "2015", "2015", "--as-of", DAY, "--scheme", "cpt")

    assert tracker(*asked).stdout == "0 certifications examined: nothing changes\n"
    assert json.loads(tracker(*asked, "--json").stdout)["certifications"] == []
    assert tracker(*asked, "--csv").stdout.count("\n") == 1


@SQLITE
def test_the_scheme_must_be_told_where_several_have_the_versions(tracker):
    several = tracker("schemes", "diff", "2015", "2015", "--as-of", DAY)
    none = tracker("schemes", "diff", "1999", "2015", "--as-of", DAY)

    assert several.exit_code == none.exit_code == 2
    assert "Several schemes have these versions: give --scheme, one of: " in several.stderr
    assert "No scheme has these versions" in none.stderr


@SQLITE
def test_what_is_not_there_is_refused(tracker, corrected, tmp_path):
    asked = ("schemes", "diff", "2015", "2016", "--as-of", DAY)
    unknown = tracker(*asked, "--file", corrected)
    other = tracker(*asked, "--file", corrected, "--scheme", "clt")
    broken = tmp_path / "broken.toml"
    broken.write_text("code = ")

    assert (unknown.exit_code, unknown.stdout) == (1, "")
    assert "has no policy version '2016'; its versions are: 2015, 2015b" in unknown.stderr
    assert other.exit_code == 2
    assert "contains scheme cpt, not clt" in other.stderr
    refused = tracker(*asked, "--file", broken)
    assert refused.exit_code == 1
    assert "broken.toml:1: " in refused.stderr
    assert tracker("schemes", "diff", "2015", "2016").exit_code == 2


@SQLITE
@pytest.mark.usefixtures("people")
def test_interrupted_nothing_is_printed(tracker, installed, monkeypatch):
    monkeypatch.setattr(policy_impact, "diff", _interrupted(policy_impact.diff))

    result = tracker("schemes", "diff", "2015", "2015b", "--as-of", DAY, "--json", **installed)

    assert (result.exit_code, result.stdout) == (1, "")
    assert "Aborted!" in result.stderr


def _interrupted(run):
    def begin(*arguments, **options):
        def interrupt(_rows):
            raise KeyboardInterrupt

        return run(*arguments, **options | {"on_progress": interrupt})

    return begin


def test_every_change_has_its_words():
    before = PolicyOutcome(
        total=Decimal("40.00"),
        required=Decimal("30.00"),
        complete=True,
        expires_on=EXPIRES,
        window_opens_on=EXPIRES,
        window_closes_on=EXPIRES,
        title_ends_on=EXPIRES,
    )
    others = [
        replace(
            before,
            total=Decimal("20.00"),
            complete=False,
            grace_ends_on=EXPIRES,
            title_ends_on=None,
        ),
        PolicyOutcome(),
    ]
    with ImpactReport() as report:
        for first, second in [(before, others[0]), (before, others[1]), (others[1], before)]:
            found = differences(first, second)
            report.add(Compared("CPT-1", "H-1", "2015", first, second, found))
        lines = b"".join(report.text()).decode().splitlines()

    lost, endless, ending = (line.removeprefix("CPT-1  H-1  ") for line in lines[:3])
    assert lost == (
        "total 40.00 -> 20.00, no longer complete, grace ends none -> 2029-03-15, "
        "title ends 2029-03-15 -> none"
    )
    assert endless == (
        "total 40.00 -> none, required 30.00 -> none, counts no points anymore, "
        "valid through 2029-03-15 -> no expiration, window opens 2029-03-15 -> none, "
        "window closes 2029-03-15 -> none, title ends 2029-03-15 -> none"
    )
    assert ending == (
        "total none -> 40.00, required none -> 30.00, counts points now, "
        "valid through no expiration -> 2029-03-15, window opens none -> 2029-03-15, "
        "window closes none -> 2029-03-15, title ends none -> 2029-03-15"
    )
    assert lines[3] == "3 certifications examined: 3 change"
    assert "        1  complete lost" in lines


# publish
def test_publishing_is_told_once(tracker):
    first = tracker("schemes", "publish", "cpt", "2015", "--note", "As decided.")
    second = tracker("schemes", "publish", "cpt", "2015", "--note", "As decided.")

    assert first.stdout.startswith("Published: scheme cpt, version 2015, sha256 ")
    assert second.stdout == (
        "It was already published on 2026-11-21 with the same text; nothing was changed.\n"
    )
    assert tracker("schemes", "publish", "cpt", "1999", "--note", "x").exit_code == 1
    assert tracker("schemes", "publish", "cpt", "2015").exit_code == 2


@SQLITE
def test_a_silent_edit_is_warned_of_by_check_and_doctor_and_cannot_be_published(tracker, installed):
    tracker("schemes", "publish", "cpt", "2015", "--note", "As decided.", **installed)
    assert tracker("schemes", "check", **installed).stderr == ""
    edit(installed)

    check = tracker("schemes", "check", **installed)
    doctor = tracker("doctor", "--json", **installed)
    again = tracker("schemes", "publish", "cpt", "2015", "--note", "x", **installed)

    said = "scheme cpt, version 2015: published on 2026-11-21, has since been edited in its file"
    assert check.exit_code == 0
    assert check.stderr.startswith(f"warning: {said}. Restore the old text, and put the changes in")
    assert "`tracker schemes repair`" in check.stderr
    [finding] = [f for f in json.loads(doctor.stdout) if f["check"] == "policies"]
    assert (finding["state"], finding["detail"]) == ("warning", said)
    assert "`tracker schemes repair`" in finding["fix"]
    assert again.exit_code == 1
    assert "was published on 2026-11-21 with a different text" in again.stderr


@SQLITE
def test_drafts_of_one_scheme_are_checked_without_the_others(tracker, corrected, tmp_path):
    tracker("schemes", "publish", "clt", "2015", "--note", "As decided.")
    drafts = tmp_path / "drafts"
    drafts.mkdir()
    text = corrected.read_text()
    start, end = text.index("[[fees.bundles]]"), text.index("[[policies]]")
    (drafts / "mssc-cpt.toml").write_text(text[:start] + text[end:])

    result = tracker("schemes", "check", drafts)

    assert (result.exit_code, result.stderr) == (0, "")


@SQLITE
def test_files_are_checked_without_a_database_and_none_is_made(tracker, tmp_path):
    nowhere = tmp_path / "no-such" / "tracker.sqlite3"

    result = tracker("schemes", "check", TRACKER_DATABASE_URL=f"sqlite:///{nowhere}")

    assert (result.exit_code, result.stderr) == (0, "")
    assert not nowhere.parent.exists()


@SQLITE
def test_a_database_that_is_away_or_not_migrated_is_no_mistake_of_the_files(tracker, tmp_path):
    empty = tmp_path / "empty.sqlite3"
    empty.touch()
    away = "postgresql://nobody@127.0.0.1:1/none"

    old = tracker("schemes", "check", TRACKER_DATABASE_URL=f"sqlite:///{empty}")
    gone = tracker("schemes", "check", TRACKER_DATABASE_URL=away)

    assert (old.exit_code, old.stderr) == (0, "")
    assert gone.exit_code == 0
    assert gone.stderr.startswith("Not compared with what was published: ")


# repair
@SQLITE
def test_a_repair_is_foretold_done_and_not_repeated(
    tracker, people, installed, container, tmp_path
):
    asked = ("schemes", "repair", "cpt", "--from", "2015", "--to", "2015b")
    foretold, path = tmp_path / "foretold.csv", tmp_path / "repaired.csv"

    dry = tracker(*asked, "--dry-run", "--csv", foretold, **installed)
    assert governing(container) == {"2015"}
    done = tracker(*asked, "--csv", path, **installed)
    again = tracker(*asked, "--csv", path, **installed)

    assert dry.exit_code == done.exit_code == again.exit_code == 0
    assert governing(container) == {"2015b"}
    *lines, last, said = dry.stdout.splitlines()
    assert (last, said) == (
        "Cycles would be moved from 2015 to 2015b: 40",
        "This was a dry run: nothing was stored.",
    )
    assert done.stdout.splitlines() == [*lines, "Cycles put from 2015 to 2015b: 40"]
    assert f"{len(people)} certifications examined: " in done.stdout
    assert done.stderr == f"Written: {path}\n"
    rows = foretold.read_text().splitlines()
    assert len(rows) > 10
    assert again.stdout == "No cycle is governed by version 2015; nothing was changed.\n"
    assert path.read_text().splitlines() == rows[:1]


@pytest.mark.usefixtures("people")
def test_an_interrupted_repair_leaves_neither_change_nor_file(
    tracker, installed, container, monkeypatch, tmp_path
):
    monkeypatch.setattr(policy_impact, "repair", _interrupted(policy_impact.repair))
    before, path = everything(container), tmp_path / "list.csv"

    result = tracker(
        "schemes", "repair", "cpt", "--from", "2015", "--to", "2015b", "--csv", path, **installed
    )

    assert (result.exit_code, result.stdout) == (1, "")
    assert everything(container) == before
    assert [p.name for p in tmp_path.iterdir() if ".csv" in p.name] == []


@SQLITE
@pytest.mark.usefixtures("people")
def test_only_a_correction_repairs(tracker, installed, container):
    result = tracker("schemes", "repair", "cpt", "--from", "2015b", "--to", "2015", **installed)

    assert (result.exit_code, result.stdout) == (1, "")
    assert (
        "Version 2015 of scheme cpt corrects no version; to repair the cycles under 2015b"
        in result.stderr
    )
    assert governing(container) == {"2015"}
    assert tracker("schemes", "repair", "cpt", "--from", "2015").exit_code == 2
