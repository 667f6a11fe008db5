"""Correcting passes over HTTP: what stays, what moves, what falls, and what a preview says."""

from __future__ import annotations

from datetime import date
from decimal import Decimal

import pytest
from sqlalchemy import select

from tests import factories
from tests.backends import SQLITE
from tests.statements import counted
from tracker.domain.credentials.renewals import RenewalVerdict
from tracker.domain.permissions import SYSTEM
from tracker.domain.points.activities import ActivityVerdict
from tracker.models import FormerRenewalDecision, HistoryEntry, Notice
from tracker.services.credentials import renewals
from tracker.services.points import activities, activity_decisions, activity_rows

AWARDED = date(2021, 12, 25)  # valid through December 25, 2026; the window opened 26 September


@pytest.fixture
def ids(container):
    return factories.certified(container, AWARDED)


@pytest.fixture
def passes(staff, ids):
    """The ids of the passes by module."""
    items = staff.get(f"/holders/{ids[0]}/assessments").json["items"]
    return {one["module"]: one["id"] for one in items}


def held(staff, ids):
    return staff.get(f"/certifications/{ids[1]}").json


def amend(staff, assessment_id, **body):
    return staff.post(f"/assessments/{assessment_id}/amendment", {"reason": "mistyped", **body})


def renewed(container, ids, clock):
    """Renew the certification, approved today; returns the renewal's id."""
    course = {
        "category": "CE",
        "type": "third_party",
        "title": "Robots",
        "quantity": Decimal(100),
        "completed_on": date(2026, 1, 5),
    }
    with container.work(SYSTEM) as work:
        made = activities.log(work, ids[1], course)
        activities.submit(work, made)
        version = activity_rows.get(work, made).version
        activity_decisions.decide(
            work,
            made,
            activity_decisions.ReviewerDecision(ActivityVerdict.APPROVED),
            version=version,
        )
        renewal = renewals.apply(work, ids[1])
        version = renewals.get(work, renewal).version
        renewals.decide(
            work, renewal, decision=RenewalVerdict.APPROVED, reason=None, version=version
        )
    clock.advance(days=1)
    return renewal


def notices(container, *kinds):
    with container.engine.connect() as connection:
        found = connection.execute(
            select(Notice.kind, Notice.event).where(Notice.kind.in_(kinds)).order_by(Notice.id)
        )
        return [tuple(row) for row in found]


def test_an_amended_day_moves_the_award_which_keeps_number_and_address(
    container, staff, ids, passes
):
    before = held(staff, ids)
    answer = amend(staff, passes["safety"], taken_on="2021-12-28")
    assert answer.status_code == 200, answer.json
    after = held(staff, ids)
    assert [after[k] for k in ("id", "number", "public_id")] == [
        before[k] for k in ("id", "number", "public_id")
    ]
    assert (after["awarded_on"], after["standing"]["expires_on"]) == ("2021-12-28", "2026-12-28")
    (effect,) = answer.json["certifications"]
    assert (effect["change"], effect["number"]) == ("moved", before["number"])
    assert (effect["awarded_on_before"], effect["awarded_on_after"]) == ("2021-12-25", "2021-12-28")
    assert (effect["before"]["expires_on"], effect["after"]["expires_on"]) == (
        "2026-12-25",
        "2026-12-28",
    )
    ((_, event),) = notices(container, "award_corrected")
    assert event.startswith("2021-12-25:")


def test_history_keeps_before_and_after_of_each_field(container, staff, passes):
    amend(staff, passes["safety"], taken_on="2021-12-20", score="88.00")
    with container.engine.connect() as connection:
        detail = connection.execute(
            select(HistoryEntry.detail).where(HistoryEntry.action == "amend")
        ).scalar_one()
    assert detail == {
        "reason": "mistyped",
        "fields": ["score", "taken_on"],
        "score_after": "88.00",
        "taken_on_before": "2021-12-25",
        "taken_on_after": "2021-12-20",
    }


@pytest.mark.parametrize("way", ["amendment", "void"])
def test_a_preview_says_what_would_change_and_stores_nothing(container, staff, ids, passes, way):
    path = f"/assessments/{passes['quality']}/{way}"
    body = {"reason": "x"} | ({"result": "fail"} if way == "amendment" else {})
    before = held(staff, ids), staff.get(f"/assessments/{passes['quality']}").json
    preview = staff.post(path, body | {"preview": True})
    assert (preview.status_code, preview.json["preview"]) == (200, True)
    (effect,) = preview.json["certifications"]
    assert (effect["change"], effect["awarded_on_after"]) == ("withdrawn", None)
    assert (effect["before"]["status"], effect["after"]["status"]) == ("renewal_open", "withdrawn")
    assert (held(staff, ids), staff.get(f"/assessments/{passes['quality']}").json) == before
    assert notices(container, "award_withdrawn") == []

    done = staff.post(path, body)
    assert done.json["certifications"] == preview.json["certifications"]
    assert held(staff, ids)["standing"]["status"] == "withdrawn"
    assert len(notices(container, "award_withdrawn")) == 1


@SQLITE
def test_a_preview_names_activities_that_would_fall_outside(container, staff, ids, passes):
    with container.work(SYSTEM) as work:
        course = {
            "category": "CE",
            "type": "third_party",
            "title": "Robots",
            "quantity": Decimal(9),
            "completed_on": date(2022, 1, 5),
        }
        activities.submit(work, activities.log(work, ids[1], course))
    told = amend(staff, passes["safety"], taken_on="2022-02-01", preview=True).json
    (effect,) = told["certifications"]
    assert [one["title"] for one in effect["activities"]] == ["Robots"]


@SQLITE
@pytest.mark.parametrize("kind", ["suspension", "revocation", "surrender"])
def test_what_was_decided_against_it_rules_again_when_it_comes_back(staff, ids, passes, kind):
    body = {"reason_code": "other", "reason": "x", "effective_on": "2026-01-10"}
    assert staff.by_two(f"/certifications/{ids[1]}/{kind}", body).status_code == 201
    before = held(staff, ids)
    amend(staff, passes["safety"], result="fail")
    withdrawn = held(staff, ids)
    assert (withdrawn["standing"]["status"], withdrawn["number"]) == ("withdrawn", before["number"])
    amend(staff, passes["safety"], result="pass")
    assert held(staff, ids) == before


def test_an_amended_module_takes_the_award_and_gives_it_back(staff, ids, passes):
    before = held(staff, ids)
    assert amend(staff, passes["safety"], module="green").json["module"] == "green"
    assert held(staff, ids)["standing"]["status"] == "withdrawn"
    amend(staff, passes["safety"], module="safety")
    assert held(staff, ids) == before


def test_the_clt_falls_and_returns_with_its_prerequisite(staff, container):
    with container.work(SYSTEM) as work:
        ana = factories.holder(work)
    recorded = {}
    for scheme, module in (("cla", "associate"), ("clt", "technician")):
        body = {"scheme": scheme, "module": module, "taken_on": "2024-05-01", "result": "pass"}
        recorded[scheme] = staff.post(f"/holders/{ana}/assessments", body).json["id"]
    told = amend(staff, recorded["cla"], result="fail").json["certifications"]
    assert {(one["scheme"], one["change"]) for one in told} == {
        ("cla", "withdrawn"),
        ("clt", "withdrawn"),
    }
    told = amend(staff, recorded["cla"], result="pass", taken_on="2024-06-01").json
    assert {
        (one["scheme"], one["change"], one["awarded_on_after"]) for one in told["certifications"]
    } == {
        ("cla", "restored", "2024-06-01"),
        ("clt", "restored", "2024-06-01"),
    }


NO_SENSE: list[tuple[dict[str, object], str]] = [
    ({"taken_on": "2026-11-22"}, "taken_on"),
    ({"score": "101.00"}, "score"),
    ({"module": "welding"}, "module"),
    ({"center_id": "01900000-0000-7000-8000-000000000000"}, "center_id"),
    ({"result": "pass"}, "result"),
    ({}, "body"),
    ({"taken_on": "2021-12-24", "reason": ""}, "reason"),
    ({"later_cycles": "burn", "result": "fail"}, "later_cycles"),
]


@SQLITE
def test_an_amendment_that_makes_no_sense_is_refused_by_field(staff, ids, passes):
    for body, named in NO_SENSE:
        before = held(staff, ids)
        refused = amend(staff, passes["safety"], **body)
        assert refused.status_code == 422, refused.json
        assert named in {error["field"] for error in refused.json["errors"]}, body
        assert held(staff, ids) == before, body


def test_an_amendment_is_held_to_the_retake_wait_unless_it_is_overridden(staff, ids, passes):
    body = {"scheme": "cpt", "module": "safety", "taken_on": "2021-12-01", "result": "fail"}
    staff.post(f"/holders/{ids[0]}/assessments", body)
    early = amend(staff, passes["safety"], taken_on="2021-12-10")
    assert (early.status_code, early.json["code"]) == (409, "retake_too_soon")
    again = amend(staff, passes["safety"], taken_on="2021-12-10", override_reason="fire alarm")
    assert again.status_code == 200


def test_a_void_attempt_is_not_amended(staff, passes):
    staff.post(f"/assessments/{passes['safety']}/void", {"reason": "x"})
    refused = amend(staff, passes["safety"], score="50.00")
    assert (refused.status_code, refused.json["code"]) == (409, "illegal_transition")


# Renewed since.
@SQLITE
def test_a_small_correction_of_a_renewed_award_moves_its_cycles(
    container, staff, ids, passes, clock
):
    renewed(container, ids, clock)
    told = amend(staff, passes["safety"], taken_on="2021-12-28").json
    assert told["certifications"][0]["change"] == "moved"
    cycles = held(staff, ids)["cycles"]
    assert [one["expires_on"] for one in cycles] == ["2026-12-28", "2031-12-28"]


def test_a_correction_that_a_renewal_does_not_survive_is_refused_with_the_way_on(
    container, staff, ids, passes, clock
):
    renewed(container, ids, clock)
    before = held(staff, ids)
    for body in ({"result": "fail"}, {"taken_on": "2022-06-01"}):
        refused = amend(staff, passes["safety"], **body)
        assert (refused.status_code, refused.json["code"]) == (409, "supports_renewal")
        assert '"keep"' in refused.json["detail"]
        assert '"unwind"' in refused.json["detail"]
    assert held(staff, ids) == before


@SQLITE
def test_kept_the_award_and_its_later_cycles_stand(container, staff, ids, passes, clock):
    renewed(container, ids, clock)
    before = held(staff, ids)
    told = amend(staff, passes["safety"], result="fail", later_cycles="keep").json
    assert [one["change"] for one in told["certifications"]] == ["kept"]
    assert held(staff, ids) == before
    staff.post(
        f"/holders/{ids[0]}/assessments",
        {"scheme": "cpt", "module": "green", "taken_on": "2026-11-01", "result": "pass"},
    )
    assert held(staff, ids) == before


def test_unwound_the_approvals_become_denials_that_stay_readable(
    container, staff, ids, passes, clock
):
    renewal = renewed(container, ids, clock)
    told = amend(staff, passes["safety"], taken_on="2022-06-01", later_cycles="unwind").json
    (effect,) = told["certifications"]
    assert (effect["change"], [one["id"] for one in effect["renewals"]]) == ("moved", [renewal])
    assert staff.get(f"/renewals/{renewal}").json["decision"] == "denied"
    assert [one["expires_on"] for one in held(staff, ids)["cycles"]] == ["2027-06-01"]
    with container.engine.connect() as connection:
        former = connection.execute(
            select(FormerRenewalDecision.decision, FormerRenewalDecision.ended_reason)
        ).one()
    assert tuple(former) == ("approved", "mistyped")
    assert ("renewal_decided", "denied:1") in notices(container, "renewal_decided")


@SQLITE
@pytest.mark.parametrize("ended", ["denied", "withdrawn", "pending"])
def test_a_renewal_that_was_not_approved_blocks_no_correction(container, staff, ids, passes, ended):
    course = {
        "category": "CE",
        "type": "third_party",
        "title": "Robots",
        "quantity": Decimal(100),
        "completed_on": date(2026, 1, 5),
    }
    with container.work(SYSTEM) as work:
        made = activities.log(work, ids[1], course)
        activities.submit(work, made)
        version = activity_rows.get(work, made).version
        activity_decisions.decide(
            work,
            made,
            activity_decisions.ReviewerDecision(ActivityVerdict.APPROVED),
            version=version,
        )
        renewal = renewals.apply(work, ids[1])
        version = renewals.get(work, renewal).version
        if ended == "denied":
            renewals.decide(
                work, renewal, decision=RenewalVerdict.DENIED, reason="x", version=version
            )
        elif ended == "withdrawn":
            renewals.withdraw(work, renewal)
    assert amend(staff, passes["safety"], result="fail").status_code == 200
    assert held(staff, ids)["standing"]["status"] == "withdrawn"


# Earned again.
def passed_again(staff, holder_id, day, modules=factories.REQUIRED):
    body = {"scheme": "cpt", "taken_on": day, "result": "pass"}
    return [
        staff.post(f"/holders/{holder_id}/assessments", body | {"module": module})
        for module in modules
    ]


@pytest.fixture
def lapsed(container):
    return factories.certified(container, date(2015, 3, 15))


def test_all_modules_passed_anew_are_a_new_award_and_the_old_one_stays_readable(
    staff, lapsed, caller
):
    old = held(staff, lapsed)
    assert {a.status_code for a in passed_again(staff, lapsed[0], "2026-10-01")} == {201}
    (new,) = staff.get(f"/certifications?holder_id={lapsed[0]}").json["items"]
    assert (new["awarded_on"], new["standing"]["status"]) == ("2026-10-01", "active")
    assert new["number"] != old["number"]
    was = held(staff, lapsed)
    assert (was["number"], was["replaced_on"]) == (old["number"], "2026-10-01")
    assert was["standing"]["status"] == "expired"
    by_number = staff.get(f"/certifications?number={old['number']}").json["items"]
    assert [one["id"] for one in by_number] == [lapsed[1]]
    then = staff.get(f"/certifications?holder_id={lapsed[0]}&as_of=2026-09-30").json["items"]
    assert [one["id"] for one in then] == [lapsed[1]]
    me = caller("holder", holder_id=lapsed[0]).get("/me").json["certifications"]
    assert [one["id"] for one in me] == [new["id"]]
    record = staff.get(f"/holders/{lapsed[0]}/record").json["certifications"]
    assert [one["id"] for one in record] == [new["id"]]


@SQLITE
def test_one_module_passed_anew_is_recorded_and_revives_nothing(staff, lapsed):
    (answer,) = passed_again(staff, lapsed[0], "2026-10-01", ("safety",))
    assert answer.status_code == 201
    assert held(staff, lapsed)["standing"]["status"] == "expired"


@SQLITE
def test_while_it_is_in_force_a_module_is_not_passed_anew_and_the_day_is_named(staff, ids):
    (refused,) = passed_again(staff, ids[0], "2026-10-01", ("safety",))
    assert (refused.status_code, refused.json["code"]) == (409, "already_passed")
    assert refused.json["again_from"] == "2026-12-26"
    assert "again from 2026-12-26" in refused.json["detail"]


@SQLITE
def test_failed_anew_the_wait_holds(staff, lapsed):
    body = {"scheme": "cpt", "module": "safety", "taken_on": "2026-10-01", "result": "fail"}
    assert staff.post(f"/holders/{lapsed[0]}/assessments", body).status_code == 201
    (early,) = passed_again(staff, lapsed[0], "2026-10-16", ("safety",))
    assert (early.status_code, early.json["lawful_on"]) == (409, "2026-10-17")


@SQLITE
@pytest.mark.parametrize(
    ("kind", "more", "status"),
    [
        ("surrender", {}, 201),
        ("revocation", {"barred_until": "2026-06-30"}, 201),
        ("revocation", {"barred_until": "2026-10-01"}, 409),
        ("revocation", {}, 409),
        ("suspension", {}, 409),
    ],
)
def test_what_ended_it_says_whether_it_may_be_earned_again(staff, ids, kind, more, status):
    body = {"reason_code": "other", "reason": "x", "effective_on": "2026-01-10", **more}
    assert staff.by_two(f"/certifications/{ids[1]}/{kind}", body).status_code == 201
    answers = passed_again(staff, ids[0], "2026-10-01")
    assert {one.status_code for one in answers} == {status}
    (now,) = staff.get(f"/certifications?holder_id={ids[0]}").json["items"]
    assert now["standing"]["valid"] is (status == 201)


@SQLITE
def test_a_bar_is_refused_where_there_is_no_revocation_or_before_it(staff, ids):
    body = {"reason_code": "other", "reason": "x", "effective_on": "2026-01-10"}
    for kind, until in (("suspension", "2027-01-01"), ("revocation", "2026-01-09")):
        refused = staff.post(f"/certifications/{ids[1]}/{kind}", body | {"barred_until": until})
        assert refused.status_code == 422
        assert "barred_until" in {error["field"] for error in refused.json["errors"]}


@SQLITE
def test_a_replaced_certification_is_changed_for_its_own_days_only(staff, lapsed):
    passed_again(staff, lapsed[0], "2026-10-01")
    (new,) = staff.get(f"/certifications?holder_id={lapsed[0]}").json["items"]
    body = {"reason_code": "other", "reason": "x"}
    for path, more in (("suspension", {}), ("adjustments", {"extended_to": "2027-01-01"})):
        refused = staff.post(f"/certifications/{lapsed[1]}/{path}", body | more)
        assert (refused.status_code, refused.json["state"]) == (409, "replaced"), refused.json
        assert refused.json["number"] == new["number"]


def test_reinstating_the_old_one_withdraws_the_new_award_and_undoing_that_gives_it_back(staff, ids):
    body = {"reason_code": "other", "reason": "x", "effective_on": "2026-01-10"}
    staff.post(f"/certifications/{ids[1]}/surrender", body)
    passed_again(staff, ids[0], "2026-10-01")
    (new,) = staff.get(f"/certifications?holder_id={ids[0]}").json["items"]
    staff.post(f"/certifications/{ids[1]}/reinstatement", body)
    assert held(staff, ids)["standing"]["status"] == "renewal_open"
    assert staff.get(f"/certifications/{new['id']}").json["standing"]["status"] == "withdrawn"
    (now,) = staff.get(f"/certifications?holder_id={ids[0]}").json["items"]
    assert now["id"] == ids[1]
    staff.post(f"/certifications/{ids[1]}/surrender", body)
    (now,) = staff.get(f"/certifications?holder_id={ids[0]}").json["items"]
    assert (now["id"], now["number"]) == (new["id"], new["number"])


# Told, and days given back.
@SQLITE
def test_whoever_is_suspended_today_is_told_however_long_ago_it_took_effect(container, staff, ids):
    body = {"reason_code": "other", "reason": "x", "effective_on": "2026-01-10"}
    staff.post(f"/certifications/{ids[1]}/suspension", body)
    assert [kind for kind, _ in notices(container, "suspended")] == ["suspended"]


@SQLITE
@pytest.mark.parametrize("act", ["suspension", "revocation", "surrender"])
def test_nothing_is_taken_away_before_the_award(staff, ids, act):
    before = staff.get(f"/certifications/{ids[1]}").json
    body = {"reason_code": "other", "reason": "x", "effective_on": "1998-01-10"}

    refused = staff.post(f"/certifications/{ids[1]}/{act}", body)

    assert refused.status_code == 422
    rule = f"must not be before the award ({before['awarded_on']})"
    assert refused.json["errors"] == [{"field": "effective_on", "message": rule}]
    assert staff.get(f"/certifications/{ids[1]}").json == before


@SQLITE
def test_an_extension_is_told(container, staff, ids):
    body = {
        "extended_to": "2027-01-25",
        "reason_code": "other",
        "reason": "x",
        "override_reason": "x",
    }
    made = staff.post(f"/certifications/{ids[1]}/adjustments", body)
    assert made.status_code == 201
    assert [kind for kind, _ in notices(container, "adjusted")] == ["adjusted"]


def test_a_suspension_by_mistake_gives_back_the_days_of_the_window_once(
    container, staff, ids, clock
):
    """Suspended on 1 December with 25 days left of the window, undone on 10 January."""
    clock.set("2026-12-01")
    body = {"reason_code": "other", "reason": "x", "effective_on": "2026-12-01"}
    staff.post(f"/certifications/{ids[1]}/suspension", body)
    clock.set("2027-01-10")
    assert held(staff, ids)["standing"]["status"] == "suspended"
    assert staff.post(f"/certifications/{ids[1]}/reinstatement", body).status_code == 201
    now = held(staff, ids)
    assert (now["standing"]["status"], now["standing"]["expires_on"]) == (
        "renewal_open",
        "2027-02-03",
    )
    (given,) = now["adjustments"]
    assert (given["reason_code"], given["extended_to"]) == ("gap_restored", "2027-02-03")
    assert [kind for kind, _ in notices(container, "adjusted")] == ["adjusted"]
    again = staff.post(f"/certifications/{ids[1]}/reinstatement", body)
    assert (again.status_code, len(held(staff, ids)["adjustments"])) == (409, 1)


@SQLITE
def test_a_reinstatement_for_a_mistake_undoes_it_from_its_own_day(staff, ids, clock):
    clock.set("2026-12-01")
    body = {"reason_code": "other", "reason": "x", "effective_on": "2026-12-01"}
    staff.post(f"/certifications/{ids[1]}/suspension", body)
    clock.set("2027-01-10")
    mended = {"reason_code": "mistake", "reason": "The wrong person."}
    assert staff.post(f"/certifications/{ids[1]}/reinstatement", mended).status_code == 201
    assert held(staff, ids)["standing"]["expires_on"] == "2027-02-03"


@SQLITE
def test_the_next_cycle_is_anchored_as_if_no_days_had_been_given_back(container, staff, ids, clock):
    clock.set("2026-12-01")
    body = {"reason_code": "other", "reason": "x", "effective_on": "2026-12-01"}
    staff.post(f"/certifications/{ids[1]}/suspension", body)
    clock.set("2027-01-10")
    staff.post(f"/certifications/{ids[1]}/reinstatement", body)
    renewed(container, ids, clock)
    assert held(staff, ids)["standing"]["expires_on"] == "2031-12-25"


@SQLITE
def test_a_reinstatement_that_takes_effect_later_gives_nothing_back(staff, ids, clock):
    clock.set("2026-12-01")
    body = {"reason_code": "other", "reason": "x", "effective_on": "2026-12-01"}
    staff.post(f"/certifications/{ids[1]}/suspension", body)
    clock.set("2026-12-20")
    staff.post(f"/certifications/{ids[1]}/reinstatement", body | {"effective_on": "2026-12-20"})
    assert held(staff, ids)["adjustments"] == []


def test_an_upheld_appeal_gives_them_back_too(caller, staff, ids, clock):
    clock.set("2026-12-01")
    body = {"reason_code": "other", "reason": "x", "effective_on": "2026-12-01"}
    staff.by_two(f"/certifications/{ids[1]}/revocation", body)
    own = caller("holder", holder_id=ids[0])
    appeal = own.post(f"/certifications/{ids[1]}/appeals", {"statement": "It was not me."}).json
    clock.set("2027-01-10")
    other = caller("staff", name="somebody-else")
    decided = other.post(
        f"/appeals/{appeal['id']}/decision", {"outcome": "upheld", "reason": "x"}, version='"1"'
    )
    assert decided.status_code == 200, decided.json
    assert held(staff, ids)["standing"]["expires_on"] == "2027-02-03"


def test_correcting_costs_as_many_statements_with_many_passes_as_with_few(container, staff, lapsed):
    def sent(score):
        items = staff.get(f"/holders/{lapsed[0]}/assessments").json["items"]
        with counted(container) as statements:
            answer = amend(staff, items[0]["id"], score=score)
        assert answer.status_code == 200
        return len([one for one in statements if "UPDATE token" not in one])

    passed_again(staff, lapsed[0], "2026-10-01")
    before = sent("80.00")
    for day in ("2026-10-05", "2026-10-25", "2026-11-15"):
        body = {"scheme": "cpt", "module": "green", "taken_on": day, "result": "fail"}
        staff.post(f"/holders/{lapsed[0]}/assessments", body)
    assert sent("81.00") == before
