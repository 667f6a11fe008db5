"""web/desk/review_queue.py, reviews.py and evidence.py: the queue, one review, many at once."""

from __future__ import annotations

import io
import re
from datetime import date, timedelta
from decimal import Decimal

import pytest
from PIL import Image
from sqlalchemy import select

from tests import statements
from tests.browsers import content
from tests.services.desk.queue_cases import TODAY
from tracker.domain.permissions import SYSTEM
from tracker.models import Activity, Decision, Holder, OpenReview
from tracker.services.people import own_records
from tracker.services.points import evidence

HERE = "/desk/reviews"
SQLITE = pytest.mark.parametrize("backend", ["sqlite"], indirect=True)


@pytest.fixture
def sam(enter):
    """Sam's browser, a reviewer's."""
    return enter("reviewer", email="sam@x.org", name="Sam")[1]


def state(container, activity_id):
    with container.reading(SYSTEM) as reading:
        return reading.row(select(Activity.state).where(Activity.id == activity_id)).state


def decisions(container):
    with container.reading(SYSTEM) as reading:
        rows = reading.rows(
            select(Decision.verdict, Decision.points_limit, Decision.reason_code, Decision.reason)
        )
        return [tuple(row) for row in rows]


def attach(container, activity_id):
    """Add a picture to an activity; the id of the file."""
    picture = io.BytesIO()
    Image.new("RGB", (8, 8)).save(picture, "PNG")
    picture.seek(0)
    with container.work(SYSTEM) as work:
        return evidence.add(work, activity_id, evidence.checked(work.settings, picture, "scan.png"))


def version(page):
    return re.findall(r'name="version" value="(\d+)"', content(page))[0]


def test_a_reviewer_starts_approves_and_the_next_one_opens(sam, desk, container):
    """A plain review is one click; what was decided just before can be undone in another."""
    old = desk.waits("old", "ana", "8", title="Old course", submitted_on=date(2026, 10, 1))
    new = desk.waits("new", "bea", "8", title="New course", submitted_on=TODAY)
    queue = content(sam.get(HERE))
    assert "2 activities wait for a decision." in queue
    assert "1 of them has waited longer than 10 business days." in queue
    assert "Late: waiting for 36 business days" in queue
    assert queue.index("Old course") < queue.index("New course")

    first = sam.send_form(f"{HERE}/start").location
    assert first == f"{HERE}/{old}"
    page = sam.get(first)
    assert "You have it open until 17:15 UTC." in content(page)
    answer = {"verdict": "approved", "version": version(page)}
    second = sam.send_form(f"{first}/decide", **answer).location
    assert second == f"{HERE}/{new}?just={old}"
    assert state(container, old) == "approved"
    following = content(sam.get(second))
    assert "Approved: “Old course” of Ana Ruiz. No message leaves until 17:10 UTC." in following
    undo, version_then = re.findall(
        r'action="([^"]+/undo)".*?name="version" value="(\d+)"', following
    )[0]
    undone = sam.send_form(undo, version=version_then, reason="Decided by mistake").location
    assert "It waits for a decision again" in content(sam.get(undone))
    assert state(container, old) == "submitted"


@pytest.mark.parametrize(
    ("said", "stored"),
    [
        (
            {"verdict": "approved", "points_limit": "5", "reason_code": "fewer_hours_shown"},
            ("approved", Decimal(5), "El comprobante muestra menos horas que las declaradas"),
        ),
        (
            {"verdict": "rejected", "reason_code": "outside_cycle"},
            ("rejected", None, "Fuera del ciclo de certificación"),
        ),
        (
            {"verdict": "more_information", "reason_code": "dates_unclear", "reason": "¿Cuándo?"},
            ("more_information", None, "¿Cuándo?"),
        ),
    ],
)
@SQLITE
def test_a_reason_tells_the_holder_its_text_in_their_language(sam, desk, container, said, stored):
    with container.work(SYSTEM) as work:
        work.session.get(Holder, desk.people["ana"][0]).language = "es"
    id_ = desk.waits("x", "ana", "8")
    page = content(sam.get(f"{HERE}/{id_}"))
    assert "What the holder reads, in Spanish" in page
    done = sam.send_form(f"{HERE}/{id_}/decide", version="1", **said)
    assert done.location == f"{HERE}?just={id_}&told=all_done"

    ((verdict, limit, code, reason),) = decisions(container)
    assert (verdict, limit, reason) == stored
    assert code == said["reason_code"]
    assert "Nothing else is free" in content(sam.get(done.location))


@SQLITE
def test_a_refused_answer_keeps_what_was_typed_and_names_the_field(sam, desk, container):
    id_ = desk.waits("x", "ana", "8")
    for said, wrong in (
        ({"verdict": "rejected", "reason": "My words"}, "Choose a reason from the list."),
        ({"verdict": "rejected", "reason_code": "other"}, "Say it in your own words"),
        ({"verdict": "approved", "points_limit": "many"}, "Enter points as a number"),
    ):
        refused = sam.send_form(f"{HERE}/{id_}/decide", version="1", **said)
        text = content(refused)
        assert refused.status_code == 422
        assert "<title>Error: " in refused.text
        assert wrong in text
        field = re.findall(r'<a href="#(\w+)">', text)[0]
        assert f'id="{field}"' in text
        assert said.get("reason", "") in text
        assert said.get("points_limit", "") in text
    assert decisions(container) == []


@SQLITE
def test_a_decision_is_changed_with_a_reason(sam, desk, container):
    id_ = desk.decided("rejected", "ana", "8")
    page = content(sam.get(f"{HERE}/{id_}"))
    assert "Change the decision" in page
    assert '<option value="meets_requirements"' in page
    approved = {"verdict": "approved", "version": version(sam.get(f"{HERE}/{id_}"))}
    refused = content(sam.send_form(f"{HERE}/{id_}/decide", **approved))
    assert "Say it in your own words" in refused
    sam.send_form(f"{HERE}/{id_}/decide", reason_code="meets_requirements", **approved)
    assert state(container, id_) == "approved"
    assert decisions(container)[-1][3] == "All requirements are met"


@SQLITE
def test_what_happened_meanwhile_is_told_in_words(enter, desk, container):
    _, sam = enter("staff", email="sam@x.org", name="Sam")
    _, lee = enter("reviewer", email="lee@x.org", name="Lee")
    id_ = desk.waits("x", "ana", "8")
    assert sam.send_form(f"{HERE}/{id_}/open").location == f"{HERE}/{id_}"
    seen = content(lee.get(f"{HERE}/{id_}"))
    assert "Sam has it open until 17:15 UTC." in seen
    assert f"{id_}/decide" not in seen
    barred = lee.send_form(f"{HERE}/{id_}/decide", verdict="approved", version="1")
    assert "Sam has this open until 17:15 UTC." in content(barred)
    assert "Nothing else is free" in content(lee.get(lee.send_form(f"{HERE}/start").location))

    sam.send_form(f"{HERE}/{id_}/decide", verdict="approved", version="1")
    late = lee.send_form(f"{HERE}/{id_}/decide", verdict="approved", version="1")
    assert late.status_code == 422
    assert "Sam decided this in the meantime: Approved, November 21, 2026." in content(late)
    assert len(decisions(container)) == 1


@SQLITE
def test_nobody_decides_on_their_own_record_and_rounds_pass_it_over(enter, desk, container):
    who, sam = enter("staff", email="sam@x.org")
    with container.work(SYSTEM) as work:
        own_records.name(work, who.id, desk.people["ana"][0])
    own = desk.waits("own", "ana", "8", submitted_on=date(2026, 10, 1))
    other = desk.waits("other", "bea", "8")

    assert sam.send_form(f"{HERE}/start").location == f"{HERE}/{other}"
    page = content(sam.get(f"{HERE}/{own}"))
    assert "You can&#39;t decide this one" in page
    assert f"{own}/decide" not in page
    refused = sam.send_form(f"{HERE}/{own}/decide", verdict="approved", version="1")
    assert "You can&#39;t decide this one" in content(refused)
    assert state(container, own) == "submitted"


@SQLITE
def test_one_is_left_to_others_for_the_next_one(sam, desk, container):
    ids = [desk.waits(str(n), "ana", "8", submitted_on=date(2026, 10, n + 1)) for n in range(3)]
    here = sam.send_form(f"{HERE}/start").location
    for following in (*ids[1:], ids[0]):
        here = sam.send_form(f"{here}/skip").location
        assert here == f"{HERE}/{following}"
    with container.reading(SYSTEM) as reading:
        assert [row.subject_id for row in reading.rows(select(OpenReview.subject_id))] == [ids[0]]
    assert sam.send_form(f"{here}/hand-back").location == HERE
    with container.reading(SYSTEM) as reading:
        assert reading.row(select(OpenReview.subject_id)) is None


@SQLITE
def test_a_review_shows_evidence_rule_points_likely_duplicates_and_history(sam, desk, container):
    same = {"title": "Welding 1", "provider": "Amatrol"}
    before = desk.approved("ana", "8", **same)
    id_ = desk.waits("x", "ana", "8", **same)
    file_id = attach(container, id_)
    page = sam.get(f"{HERE}/{id_}")
    text = content(page)

    assert f'<img src="/desk/evidence/{file_id}" alt="Evidence 1 of 1: scan.png">' in text
    assert "Likely duplicate" in text
    assert "Alike: title, provider, days close to each other" in text
    assert f'href="{HERE}/{before}"' in text
    assert re.search(r"<th scope=\"row\">Now</th><td>8 points \(not complete\)", text)
    assert "script-src 'self'" in page.headers["Content-Security-Policy"]
    assert "frame-src 'self'" in page.headers["Content-Security-Policy"]
    shown = sam.get(f"/desk/evidence/{file_id}")
    assert (shown.content_type, shown.headers["Content-Disposition"]) == ("image/png", "inline")
    assert "frame-ancestors 'self'" in shown.headers["Content-Security-Policy"]
    assert shown.headers["X-Content-Type-Options"] == "nosniff"


@SQLITE
def test_claims_of_one_course_are_decided_together(sam, desk, container):
    course = {"title": "Robot safety", "provider": "Fanuc", "hours": "8"}
    ids = sorted([desk.waits("a", "ana", **course), desk.waits("b", "bea", **course)])
    other = desk.waits("c", "bea", title="Other", hours="8")
    none = sam.get(f"{HERE}/together?activity=x")
    assert "Choose at least one activity first." in content(none)
    asked = "&".join(f"activity={id_}" for id_ in [*ids, other])
    unlike = content(sam.get(f"{HERE}/together?{asked}"))
    assert "they can&#39;t be decided together: the title differs" in unlike
    assert 'name="verdict"' not in unlike
    page = content(sam.get(f"{HERE}/together?activity={ids[0]}&activity={ids[1]}"))
    assert "You are about to give one answer to 2 activities." in page
    (chosen,) = set(re.findall(r'name="activities" value="([^"]+)"', page))

    form = {"activities": chosen, "verdict": "rejected"}
    refused = sam.send_form(f"{HERE}/together", **form)
    assert "Choose a reason from the list." in content(refused)
    for version in ("9" * 5000, "x", ""):  # no version that a record can have
        odd = form | {"activities": ",".join(f"{id_}:{version}" for id_ in ids)}
        stale = sam.send_form(f"{HERE}/together", reason_code="duplicate", **odd)
        assert (stale.status_code, decisions(container)) == (422, [])
    done = sam.send_form(f"{HERE}/together", reason_code="duplicate", **form)
    assert done.location == f"{HERE}?told=together"
    assert [row[3] for row in decisions(container)] == ["Already claimed or on record"] * 2
    assert state(container, other) == "submitted"


@SQLITE
def test_the_filter_is_in_the_address_and_a_wrong_one_is_told(sam, desk):
    desk.waits("a", "ana", title="Alpha", submitted_on=date(2026, 9, 1))
    desk.waits("b", "bea", title="Beta", submitted_on=TODAY)
    old = content(sam.get(f"{HERE}?overdue=true&state=submitted"))
    assert ("Alpha" in old, "Beta" in old) == (True, False)
    assert f'action="{HERE}/start?state=submitted&amp;overdue=true"' in old
    assert "Nothing matches." in content(sam.get(f"{HERE}?category=IC"))
    flagged = content(sam.get(f"{HERE}?flag=no_evidence&scheme=cpt"))
    assert ("Alpha" in flagged, 'class="ages"' in flagged) == (True, False)
    wrong = sam.get(f"{HERE}?expires_before=soon")
    assert wrong.status_code == 422
    assert '<a href="#expires_before">Enter a day such as 2026-12-31.' in content(wrong)


@SQLITE
def test_it_is_all_in_spanish_for_who_reads_it(sam, desk):
    id_ = desk.waits("a", "ana")
    told = {"headers": {"Accept-Language": "es"}}
    assert "1 actividad espera una decisión." in content(sam.get(HERE, **told))
    assert "Lo que se declara" in content(sam.get(f"{HERE}/{id_}", **told))


@SQLITE
def test_more_activities_cost_no_more_statements(sam, desk, container):
    def counted(path):
        with statements.counted(container) as sent:
            assert sam.get(path).status_code == 200
        return len(sent)

    ids = [desk.waits("0", "ana", "8"), desk.waits("1", "bea", "8")]
    together = f"{HERE}/together?activity={ids[0]}&activity={ids[1]}"
    before = [counted(path) for path in (HERE, f"{HERE}/{ids[0]}", together)]
    more = []
    for n in range(2, 12):
        day = TODAY - timedelta(days=n)
        more.append(desk.waits(str(n), "ana" if n % 2 else "bea", "8", submitted_on=day))
        attach(container, ids[0]) if n < 6 else desk.approved("ana", "2")
    together += "".join(f"&activity={id_}" for id_ in more)
    assert [counted(path) for path in (HERE, f"{HERE}/{ids[0]}", together)] == before


@SQLITE
def test_others_find_no_desk(enter, employer_id, desk):
    _, hal = enter("employer", employer_id=employer_id)
    id_ = desk.waits("a", "ana")
    for path in (HERE, f"{HERE}/{id_}", f"/desk/evidence/{id_}"):
        assert hal.get(path).status_code == 404
    assert hal.send_form(f"{HERE}/{id_}/decide", verdict="approved").status_code == 404
