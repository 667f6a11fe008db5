"""The demo's people (``tracker.demo.people``): believable, and the same on every run."""

from __future__ import annotations

import io
from collections import Counter
from datetime import date
from zoneinfo import available_timezones

import pikepdf
import pytest

from tracker import files
from tracker.demo import documents, names, people
from tracker.demo.workers import DemoDocument, History
from tracker.files.kinds import content_type
from tracker.scheme_files.reasons import load
from tracker.settings import ROOT

TODAY = date(2026, 11, 21)


@pytest.fixture(scope="module")
def history() -> History:
    return people.generate(TODAY)


def test_the_same_day_gives_the_same_people(history):
    assert people.generate(TODAY) == history


def test_no_two_people_share_a_name_or_an_address(history):
    holders = history.rows["holders"]
    full_names = {(row["given_name"], row["family_name"]) for row in holders}
    addresses = {row["email"] for row in holders}

    assert len(full_names) == len(addresses) == len(holders) == 400
    assert {address.rpartition("@")[2] for address in addresses} <= {
        "example.com",
        "example.net",
        "example.org",
    }


def test_names_come_in_the_shares_of_their_groups(history):
    assert sum(group.per_thousand for group in names.NAME_GROUPS) == 1000
    spanish_speaking = next(group for group in names.NAME_GROUPS if group.prefer_spanish)
    holders = history.rows["holders"]
    own = [row for row in holders if row["family_name"] in spanish_speaking.family.split()]

    assert len(own) / len(holders) == pytest.approx(0.185, abs=0.05)
    spanish = [row for row in holders if row["language"] == "es"]
    assert 20 < len(spanish) < len(own)


def test_people_live_where_their_employer_is(history):
    zone_of = {employer.name: employer.time_zone for employer in names.EMPLOYERS}
    employer_of = {row["holder_ref"]: row["employer"] for row in history.rows["roster"]}

    assert set(zone_of.values()) <= {
        zone for zone in available_timezones() if zone[:8] == "America/"
    }
    for row in history.rows["holders"]:
        assert row["time_zone"] == zone_of[employer_of[row["holder_ref"]]]


def test_every_employer_has_workers_and_the_largest_has_most(history):
    counts = Counter(row["employer"] for row in history.rows["roster"])

    assert set(counts) == {employer.name for employer in names.EMPLOYERS}
    assert counts.most_common(1)[0][0] == max(names.EMPLOYERS, key=lambda one: one.weight).name


def test_every_rejection_has_a_reason_from_the_list_and_words(history):
    reasons = load(ROOT / "config/reasons.toml")
    rejected = [row for row in history.rows["activities"] if row["status"] == "rejected"]

    assert len(rejected) > 30
    assert {row["activity_ref"] for row in rejected} == set(history.reasons)
    for rejection in names.REJECTIONS:
        reasons.check("activity_rejection", rejection.reason_code, words=rejection.reason)
        assert rejection.reason.endswith(".")


def test_what_was_rejected_for_lack_of_evidence_has_none(history):
    missing = {ref for ref, why in history.reasons.items() if why.reason_code == "missing_evidence"}

    assert missing
    assert not missing & set(history.documents)


def test_only_recent_activities_wait_for_review(history):
    waiting = [row for row in history.rows["activities"] if row["status"] == "submitted"]

    assert len(waiting) > 20
    assert all((TODAY - row["completed_on"]).days <= 60 for row in waiting)


def test_nobody_holds_the_same_job_twice(history):
    going_on = Counter(
        row["holder_ref"]
        for row in history.rows["activities"]
        if row["category"] == "E" and row["completed_on"] is None
    )

    assert len(going_on) > 200
    assert set(going_on.values()) == {1}


def test_evidence_is_a_pdf_that_would_be_accepted_from_a_holder(history):
    some = list(history.documents.values())[:5]
    for document in some:
        data = documents.pdf(document)

        assert files.checked(data, maximum_pixels=1) == data
        assert files.safe_name(document.filename, "application/pdf") == document.filename
        with pikepdf.open(io.BytesIO(data)) as pdf:
            shown = pdf.pages[0].Contents.read_bytes().decode("cp1252")
        assert shown.count(" Tj") == len(document.lines) == 5


def test_a_photo_would_be_accepted_from_a_holder(history):
    document = next(iter(history.documents.values()))
    data = files.checked(documents.photo(document), maximum_pixels=2_000_000)

    assert content_type(data) == "image/jpeg"
    assert len(data) < 200_000


def test_evidence_keeps_accents_and_brackets():
    data = documents.pdf(DemoDocument("a.pdf", ("Peña (José)", "a\\b")))

    with pikepdf.open(io.BytesIO(data)) as pdf:
        shown = [
            str(one.operands[0])
            for one in pikepdf.parse_content_stream(pdf.pages[0])
            if str(one.operator) == "Tj"
        ]
    assert shown == ["Peña (José)", "a\\b"]
