"""The sample: 400 people with eleven years of history, and what is known to follow from it."""

import csv
import io
import random

import pytest

from tests.services.imports.importing import (
    SAMPLE,
    SAMPLE_KINDS,
    as_csv,
    bring,
    counts,
    fates,
    standings,
)
from tracker import tabular

EXPECTED = SAMPLE / "expected-standings-2026-11-21.csv"


def read(path):
    with path.open(encoding="utf-8-sig", newline="") as file:
        return list(csv.DictReader(file))


def as_it_is(kind):
    return (SAMPLE / f"{kind}.csv").read_bytes()


def shuffled(kind):
    lines = read(SAMPLE / f"{kind}.csv")
    random.Random(kind).shuffle(lines)
    return as_csv(lines)


def with_semicolons(kind):
    return as_csv(read(SAMPLE / f"{kind}.csv"), ";")


def with_tabs(kind):
    return b"\xef\xbb\xbf" + as_csv(read(SAMPLE / f"{kind}.csv"), "\t")


def as_a_workbook(kind):
    lines = read(SAMPLE / f"{kind}.csv")
    stream = io.BytesIO()
    tabular.write_xlsx(stream, list(lines[0]), ([*line.values()] for line in lines))
    return stream.getvalue()


@pytest.mark.parametrize("form", [as_it_is, shuffled])
def test_the_sample_comes_to_the_expected_standings(container, form):
    _bring_all(container, form)


# A file is read before any database is asked.
@pytest.mark.parametrize("backend", ["sqlite"], indirect=True)
@pytest.mark.parametrize("form", [with_semicolons, with_tabs, as_a_workbook])
def test_it_comes_to_the_same_in_every_form(container, form):
    _bring_all(container, form)


def _bring_all(container, form):
    for kind in SAMPLE_KINDS:
        report = bring(container, kind, form(kind))
        assert fates(report) == (report.rows, 0, 0)

    assert standings(container) == read(EXPECTED)


def test_importing_all_files_again_changes_nothing_and_says_so(container):
    for kind in SAMPLE_KINDS:
        bring(container, kind, as_it_is(kind))
    before, exported = counts(container), standings(container)

    for kind in SAMPLE_KINDS:
        report = bring(container, kind, shuffled(kind))
        assert fates(report) == (0, 0, report.rows)
        assert report.effects == {}

    assert counts(container) == before
    assert standings(container) == exported


@pytest.mark.parametrize("backend", ["sqlite"], indirect=True)  # the sample itself goes to both
def test_files_cut_in_two_come_to_the_same(container):
    for kind in SAMPLE_KINDS:
        lines = read(SAMPLE / f"{kind}.csv")
        random.Random(7).shuffle(lines)
        half = len(lines) // 2
        for part in (lines[:half], lines[half:]):
            bring(container, kind, as_csv(part))

    assert standings(container) == read(EXPECTED)


@pytest.mark.parametrize("backend", ["sqlite"], indirect=True)  # as before
def test_rows_of_whole_lists_are_counted_as_they_stand_in_the_files(container):
    effects: dict[str, int] = {}
    for kind in SAMPLE_KINDS:
        effects |= bring(container, kind, as_it_is(kind)).effects

    approved = [r for r in read(SAMPLE / "renewals.csv") if r["decision"] == "approved"]
    consented = [r for r in read(SAMPLE / "roster.csv") if r["consented_on"]]
    assert effects["cycles opened"] == len(approved)
    assert effects["consents recorded"] == len(consented)
    assert effects["employers added"] == 4
    assert effects["centers added"] == 7
