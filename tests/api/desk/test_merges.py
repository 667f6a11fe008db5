"""Two people merge two records of one person, and one undoes it (api/desk/merges.py)."""

from __future__ import annotations

from datetime import date

import pytest
from sqlalchemy import select

from tests import factories
from tests.services.delivery import reminder_cases as cases
from tests.services.imports.importing import bring
from tracker import jobs
from tracker.db import new_id
from tracker.domain.permissions import SYSTEM, Actor
from tracker.models import Assessment, Base, Certification, Holder, LikelyDuplicate
from tracker.services.overview import erasures

WHY = {"reason": "One person, two records."}


@pytest.fixture
def records(container):
    """Ana certified under her maiden name, and again, earlier, in another record: both ids."""
    kept = factories.certified(
        container, date(2024, 3, 1), ref="K", family_name="Soto", email="soto@x.org"
    )
    merged = factories.certified(
        container, date(2023, 6, 1), ref="M", family_name="Peña-Ruiz", email="pena@x.org"
    )
    first, second = sorted([kept[0], merged[0]])
    with container.work(SYSTEM) as work:
        pair = LikelyDuplicate(
            first_id=first, second_id=second, signs=["name"], recorded_at=work.now
        )
        work.session.add(pair)
    return kept[0], merged[0]


@pytest.fixture
def sam(caller):
    return caller("staff", name="Sam")


def certificates(container, ids):
    with container.reading(SYSTEM) as reading:
        columns = (Certification.public_id, Certification.number)
        held = {
            holder_id: reading.row(select(*columns).where(Certification.holder_id == holder_id))
            for holder_id in ids
        }
    return [held[id_] for id_ in ids]


def refs(answer):
    return [row["ref"] for row in answer.json["items"]]


def test_a_merge_from_the_proposal_to_its_undoing(app, container, sam, caller, records):
    kept, merged = records
    own, theirs = certificates(container, records)
    made = sam.post(f"/holders/{kept}/merge", WHY | {"merged_id": merged})
    assert made.status_code == 201, made.json
    preview = made.json["preview"]
    assert (preview["refs"], preview["account"]) == (["K", "M"], "none")
    assert preview["addresses"] == ["soto@x.org", "pena@x.org"]
    told = {row["number"]: row for row in preview["certifications"]}
    assert (told[own.number]["leads_to"], told[theirs.number]["leads_to"]) == (theirs.number, None)
    assert sam.get(f"/holders/{merged}").json["merged_into_id"] is None
    path = f"/approvals/{made.json['id']}/approval"
    assert sam.post(path).json["code"] == "same_person"
    assert caller("staff", holder_id=merged).post(path).json["code"] == "self_review"

    lee = caller("staff", name="Lee")
    done = lee.post(path)

    assert done.status_code == 200, done.json
    merge = lee.get(f"/merges/{done.json['outcome_id']}").json
    assert (merge["summary"], merge["undone_at"]) == (preview, None)
    assert sam.get(f"/merges?holder_id={merged}").json["items"] == [merge]
    assert sam.get(f"/holders/{merged}").json["merged_into_id"] == kept
    for query in ("M", "soto", "pena ruiz", "ruiz-peña", "PENA@x.org", own.number.replace("-", "")):
        assert refs(sam.get(f"/holders?q={query}")) == ["K"], query
    refused = sam.patch(f"/holders/{merged}", {"language": "es"}, version='"2"')
    assert (refused.status_code, refused.json["code"]) == (409, "already_merged")
    again = sam.post(f"/holders/{kept}/merge", WHY | {"merged_id": merged})
    assert (again.status_code, again.json["merged_into"]) == (409, kept)

    browser = app.test_client()
    for one in (own, theirs):
        page = browser.get(f"/verify/{one.public_id}", headers={"Accept": "application/json"}).json
        assert (page["number"], page["awarded_on"]) == (theirs.number, "2023-06-01")
        for surname in ("Soto", "Pena Ruiz"):
            asked = {"number": one.number, "surname": surname}
            page = browser.get(
                "/verify", query_string=asked, headers={"Accept": "application/json"}
            )
            assert page.status_code == 200, (asked, page.text)
    # Files that know the former ref go on naming the person.
    head = "attempt_ref,holder_ref,scheme,module,taken_on,result\n"
    assert bring(container, "assessments", f"{head}a1,M,cpt,safety,2023-07-01,pass\n").created == 1
    head = "holder_ref,given_name,family_name,email\n"
    report = bring(container, "holders", f"{head}M,Bo,Li,other@x.org\n")
    assert (report.unchanged, len(report.warnings)) == (1, 1)

    history = [line["action"] for line in sam.get(f"/history?holder_id={kept}").json["items"]]
    assert history.count("register") == 2
    assert "merge" in history
    undo = f"/merges/{merge['id']}/undo"
    late = sam.post(undo, {"reason": "Two people."})
    assert (late.status_code, late.json["code"]) == (409, "cannot_be_undone")
    with container.work(SYSTEM) as work:
        work.session.delete(work.session.scalar(select(Assessment).where(Assessment.ref == "a1")))
    undone = sam.post(undo, {"reason": "Two people."})
    assert (undone.status_code, undone.json["undone_by"]) == (200, "Sam"), undone.json
    assert sam.post(undo, {"reason": "x"}).json["code"] == "illegal_transition"
    assert sam.get("/holders/duplicates?settled=true").json["items"][0]["settled_by"] == "Sam"
    assert refs(sam.get("/holders?q=pena-ruiz")) == ["M"]
    assert certificates(container, records) == [own, theirs]


def test_who_is_erased_is_erased_with_the_records_that_were_merged(container, sam, records):
    kept, merged = records
    with container.work(SYSTEM) as work:
        work.session.get(Holder, kept).second_email = "second@x.org"  # no room for the other's
    made = sam.by_two(f"/holders/{kept}/merge", WHY | {"merged_id": merged})
    assert made.json["preview"]["addresses_left_out"] == ["pena@x.org"]
    sam.by_two("/erasures", {"holder_id": kept, "reason": "Asked for it."})
    erasure = sam.get("/erasures").json["items"][0]
    assert sam.post(f"/erasures/{erasure['id']}/approval").status_code == 403

    with container.reading(SYSTEM) as reading:
        before = words(reading)
    assert "pena@x.org" in before
    with container.work(Actor("staff", "Lee", person_id=new_id())) as work:
        erasures.approve(work, erasure["id"])
    with container.reading(SYSTEM) as reading:
        left = [word for word in ("soto", "pena@", "Peña", "second@") if word in words(reading)]
    assert left == []


def words(reading):
    """Every value of every row, as text."""
    tables = Base.metadata.sorted_tables
    return " ".join(str(row) for table in tables for row in reading.rows(select(table)))


def test_the_person_is_told_in_their_language(container, sam, records, clock):
    kept, merged = records
    with container.work(SYSTEM) as work:
        work.session.get(Holder, kept).language = "es"
    sam.by_two(f"/holders/{kept}/merge", WHY | {"merged_id": merged})

    clock.advance(minutes=11)
    with cases.relay(container) as (sending, catcher):
        jobs.dispatch(sending)
        letters = [one for one in catcher.letters() if one.recipient == "soto@x.org"]
    assert "Teníamos dos registros suyos y los unimos en uno solo." in "".join(
        one.text for one in letters
    )
