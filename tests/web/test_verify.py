"""Verification: what anybody learns of a certificate, and what no one does."""

from __future__ import annotations

import re
import time
from datetime import date
from decimal import Decimal
from functools import partial

import pytest
from sqlalchemy import select, update

from tests import factories
from tests.backends import SQLITE
from tests.statements import counted
from tracker.domain.credentials.certifications import ChangeKind
from tracker.domain.permissions import SYSTEM, Actor
from tracker.domain.points.activities import ActivityVerdict
from tracker.models import Certification, Holder, Usage
from tracker.services.credentials import assessments, certifications, renewals
from tracker.services.people import preferences
from tracker.services.points import activities, activity_decisions, activity_rows
from tracker.services.standings import snapshots
from tracker.web.verify import VerificationSchema

KEYS = {
    "scheme",
    "issuer",
    "holder",
    "number",
    "status",
    "valid",
    "awarded_on",
    "expires_on",
    "note",
    "certified_again_on",
    "certified_again_number",
    "checked_at",
}
HTML = {"Accept": "text/html,application/xhtml+xml,*/*;q=0.8"}
PATHS = ["/verify", "/api/v1/verify"]


@pytest.fixture
def ids(container):
    return factories.certified(
        container, date(2021, 12, 25), given_name="Ana", family_name="Peña-García"
    )


@pytest.fixture
def row(container, ids):
    with container.reading(SYSTEM) as reading:
        return reading.row(
            select(Certification.public_id, Certification.number).where(Certification.id == ids[1])
        )


@pytest.fixture
def page(client, row):
    def get(**headers):
        return client.get(f"/verify/{row.public_id}", headers={**HTML, **headers})

    return get


def change(container, ids, kind, on="2026-11-01"):
    with container.work(SYSTEM) as work:
        certifications.change(
            work,
            ids[1],
            kind=kind,
            effective_on=date.fromisoformat(on),
            reason_code="misconduct",
            reason="A private matter.",
        )


def heading(page):
    (found,) = re.findall(r"<h1>(.*?)</h1>", page.text, re.DOTALL)
    return re.sub(r"<[^>]*>", "", found).strip()


@pytest.mark.parametrize("path", PATHS)
def test_a_program_gets_the_allowed_keys_and_no_others(client, row, path):
    answer = client.get(f"{path}/{row.public_id}")
    assert answer.status_code == 200
    assert answer.json.keys() == KEYS
    VerificationSchema().load(answer.json)
    assert answer.json == {
        "scheme": "Certified Production Technician",
        "issuer": "MSSC",
        "holder": "Ana Peña-García",
        "number": row.number,
        "status": "renewal_open",
        "valid": True,
        "awarded_on": "2021-12-25",
        "expires_on": "2026-12-25",
        "note": None,
        "certified_again_on": None,
        "certified_again_number": None,
        "checked_at": "2026-11-21T17:00:00Z",
    }
    assert answer.headers["X-Robots-Tag"] == "noindex, nofollow"
    assert answer.headers["Cache-Control"] == "no-store"


KINDS = [
    (None, "application/json"),
    ("*/*", "application/json"),
    ("application/json", "application/json"),
    ("image/png", "application/json"),
    (HTML["Accept"], "text/html"),
]


@SQLITE
def test_page_and_json_live_at_one_address(client, row):
    for accept, kind in KINDS:
        headers = {"Accept": accept} if accept else {}
        answer = client.get(f"/verify/{row.public_id}", headers=headers)
        assert answer.mimetype == kind, accept
        assert "Accept" in answer.headers["Vary"], accept


def test_one_statement_answers(client, row, container):
    with counted(container) as told:
        client.get(f"/verify/{row.public_id}")
    assert len([statement for statement in told if "SELECT" in statement.upper()]) == 1


@SQLITE
def test_the_page_says_the_status_first_and_what_a_verifier_needs(page, row):
    got = page()
    assert heading(got) == "✓ Valid"
    body = got.text[got.text.index("<body>") :]
    assert body.index("<h1>") < body.index("<dl>")
    for said in (
        "This certification is valid today.",
        "Ana Peña-García",
        "MSSC",
        row.number,
        "November 21, 2026, 17:00 UTC",
        "http://127.0.0.1:8000/verify",
        "Certified Production Technician",
    ):
        assert said in body, said
    assert "example.org" not in body


@SQLITE
def test_the_page_is_small_and_runs_nothing(page):
    got = page()
    assert len(got.data) < 60_000
    data = '<script type="application/ld+json">'
    assert got.text.count("<script") == got.text.count(data) == 1  # no browser runs it
    told = got.text.replace("https://schema.org", "")
    assert "http" not in re.sub(r"http://127\.0\.0\.1:8000/verify", "", told)
    policy = got.headers["Content-Security-Policy"]
    assert "default-src 'none'" in policy
    assert "unsafe" not in policy
    assert got.headers["X-Robots-Tag"] == "noindex, nofollow"


@SQLITE
def test_spanish_is_by_browser_and_by_choice(client, page, row):
    got = page(**{"Accept-Language": "es-MX,es;q=0.9"})
    assert heading(got) == "✓ Válida"
    assert '<html lang="es">' in got.text
    assert f'href="/verify/{row.public_id}?lang=en"' in got.text
    chosen = client.get(f"/verify/{row.public_id}?lang=es", headers=HTML)
    assert heading(chosen) == "✓ Válida"
    told = client.get(f"/verify/{row.public_id}", headers={"Accept-Language": "es"})
    assert told.json["scheme"] == "Técnico Certificado en Producción"


def test_an_expired_certification_shows_its_last_day(client, page, row, clock):
    clock.set("2026-12-26")
    told = client.get(f"/verify/{row.public_id}").json
    assert (told["status"], told["valid"], told["expires_on"]) == ("expired", False, "2026-12-25")
    got = page()
    assert heading(got) == "✗ Expired"
    assert "Expired on</dt><dd>December 25, 2026" in got.text
    assert "not valid today" in got.text


def test_a_revoked_one_shows_since_when_and_not_why(container, ids, client, page, row):
    change(container, ids, "revoke")
    told = client.get(f"/verify/{row.public_id}").json
    assert told.keys() == KEYS
    assert (told["status"], told["valid"]) == ("revoked", False)
    got = page()
    assert heading(got) == "✗ Revoked"
    assert "not valid today" in got.text
    assert "December 25, 2026" not in got.text, "no day makes it valid"
    assert "Valid through" not in got.text
    assert "Since November 1, 2026" in got.text
    for secret in ("private", "misconduct"):
        assert secret not in got.text


def test_a_suspension_is_dated_from_its_own_first_day(container, ids, page):
    change(container, ids, "suspend", "2026-05-01")
    change(container, ids, "reinstate", "2026-06-01")
    change(container, ids, "suspend", "2026-09-01")
    got = page()
    assert heading(got) == "✗ Suspended"
    assert "Since September 1, 2026" in got.text  # the window that opened later is no new day


def test_a_renewal_under_review_is_told(container, ids, page, clock):
    with container.work(SYSTEM) as work:
        course = {
            "category": "CE",
            "type": "third_party",
            "title": "Course",
            "quantity": Decimal(100),
            "completed_on": date(2026, 1, 5),
        }
        made = activities.log(work, ids[1], course)
        activities.submit(work, made)
        version = activity_rows.get(work, made).version
        activity_decisions.decide(
            work,
            made,
            activity_decisions.ReviewerDecision(ActivityVerdict.APPROVED),
            version=version,
        )
        renewals.apply(work, ids[1])
    assert heading(page()) == "✓ Valid"
    assert re.search(r"A renewal applied for on \w+ \d+, \d+ is pending a decision\.", page().text)
    clock.set("2026-12-27")
    assert heading(page())[2:] == "Renewal under review"


def same(answer):
    assert answer.status_code == 404
    return {key: value for key, value in answer.json.items() if key != "request_id"}


UNKNOWN = ["A" * 22, "x", "%00" * 22, "A" * 5000, "'; drop table", "certificación"]


def test_an_unknown_address_answers_alike_and_says_why_it_may_be(client):
    for address in UNKNOWN:
        told = same(client.get("/verify/" + address))
        assert told == same(client.get("/verify/" + "B" * 22)), address
        assert "typing mistake" in told["detail"], address
        got = client.get("/verify/" + address, headers=HTML)
        assert (got.status_code, heading(got)) == (404, "Not found"), address
        assert "A typo" in got.text, address
        assert "another issuer" in got.text, address
        assert got.headers["X-Robots-Tag"] == "noindex, nofollow", address


@pytest.mark.parametrize(
    ("language", "said"),
    [
        (
            "en",
            ("Withdrawn", "This certificate was withdrawn because it had been recorded in error."),
        ),
        ("es", ("Retirada", "Este certificado fue retirado porque se había registrado por error.")),
    ],
)
def test_a_withdrawn_one_says_so_at_its_old_address_and_number(
    container, ids, client, language, said
):
    """A certificate that was handed out never answers "not found"."""
    title, sentence = said
    with container.work(SYSTEM) as work:
        row = factories.certification(work, ids[0], "cpt")
        passed = assessments.of_holder(work, ids[0])[0]
        assessments.void(work, passed.id, reason="A mistake.")
    by_address = client.get(f"/verify/{row.public_id}?lang={language}")
    assert by_address.status_code == 200
    assert (by_address.json["status"], by_address.json["valid"]) == ("withdrawn", False)
    assert (by_address.json["note"], by_address.json["expires_on"]) == (sentence, None)
    by_number = f"/verify?number={row.number}&surname=Peña-García&lang={language}"
    assert client.get(by_number).json == by_address.json
    shown = client.get(f"/verify/{row.public_id}?lang={language}", headers=HTML)
    assert (shown.status_code, heading(shown)) == (200, f"✗ {title}")
    assert sentence in shown.text
    assert not {"Does not expire", "No vence"} & set(re.findall(r"<dd>(.*?)</dd>", shown.text))


def test_one_that_was_earned_again_names_the_certificate_that_speaks_now(
    container, ids, client, row
):
    with container.work(SYSTEM) as work:
        certifications.change(
            work,
            ids[1],
            kind=ChangeKind.SURRENDER,
            effective_on=date(2026, 1, 10),
            reason_code="own_wish",
            reason="Moved.",
        )
        factories.passed(work, ids[0], date(2026, 11, 3))
        now = factories.certification(work, ids[0], "cpt").number
    told = client.get(f"/verify/{row.public_id}").json
    assert (told["status"], told["number"]) == ("surrendered", row.number)
    assert (told["certified_again_on"], told["certified_again_number"]) == ("2026-11-03", now)
    english = client.get(f"/verify/{row.public_id}?lang=en", headers=HTML).text
    assert f"Certified again since November 3, 2026, with certificate number {now}." in english
    spanish = client.get(f"/verify/{row.public_id}?lang=es", headers=HTML).text
    assert f"desde el 3 de noviembre de 2026, con el certificado número {now}." in spanish
    current = client.get(f"/verify?number={now}&surname=Peña-García").json
    assert (current["status"], current["note"]) == ("active", None)


SURNAMES = ["Peña-García", "PENA GARCIA", "  peña garcía ", "penagarcia"]


@pytest.mark.parametrize("path", PATHS)
def test_number_and_surname_find_it_too(client, row, path):
    for surname in SURNAMES:
        query = {"number": f" {row.number.lower()} ", "surname": surname}
        answer = client.get(path, query_string=query)
        assert answer.status_code == 200, surname
        assert answer.json == client.get(f"/verify/{row.public_id}").json, surname


WRONG = [
    ("CPT-AAAAA-AAAAA", "Peña-García"),
    (None, "Peña"),
    (None, "García"),
    (None, "-"),
    ("ñ", "x"),
]


def test_without_the_right_surname_a_number_is_unknown(client, row):
    for number, surname in WRONG:
        query = {"number": number or row.number, "surname": surname}
        told = same(client.get("/verify", query_string=query))
        assert told == same(client.get("/verify/" + "B" * 22)), query


@SQLITE
def test_a_number_alone_is_not_enough(client, row):
    refused = client.get("/verify", query_string={"number": row.number})
    assert refused.status_code == 422
    assert refused.json["errors"] == [{"field": "surname", "message": "is required"}]


@SQLITE
def test_a_browser_without_a_question_gets_the_form(client, row):
    got = client.get("/verify", headers=HTML)
    assert (got.status_code, heading(got)) == (200, "Verify a certificate")
    assert 'name="number"' in got.text
    asked = {"number": row.number, "surname": "Peña-García", "lang": "es"}
    assert heading(client.get("/verify", headers=HTML, query_string=asked)) == "✓ Válida"


@SQLITE
def test_what_is_shown_is_text_and_never_markup(container, client):
    ids = factories.certified(
        container, date(2024, 3, 1), given_name="{{7*7}}<script>", family_name="<b>x</b>"
    )
    with container.reading(SYSTEM) as reading:
        public_id = snapshots.certification(reading, ids[1]).public_id
    got = client.get(f"/verify/{public_id}", headers=HTML)
    assert "{{7*7}}&lt;script&gt; &lt;b&gt;x&lt;/b&gt;" in got.text
    asked = client.get(
        "/verify", headers=HTML, query_string={"number": '"><script>', "surname": "x"}
    )
    assert "<script" not in asked.text


def test_whoever_guesses_is_stopped_and_told_when_to_come_back(client, clock):
    def guess(n, **options):
        return client.get(f"/verify/{n:022}", **options)

    answers = [guess(n) for n in range(100)]
    assert [answer.status_code for answer in answers] == [404] * 30 + [429] * 70
    assert len({str(same(answer)) for answer in answers[:30]}) == 1
    stopped = answers[-1]
    assert stopped.headers["Retry-After"] == "61"
    assert stopped.json["code"] == "too_many_requests"
    shown = guess(1, headers=HTML)
    assert (shown.status_code, heading(shown)) == (429, "Too many attempts")
    assert "61 seconds" in shown.text
    elsewhere = {"REMOTE_ADDR": "192.0.2.8"}
    assert client.get(f"/verify/{1:022}", environ_base=elsewhere).status_code == 404
    clock.advance(seconds=61)
    assert guess(1).status_code == 404


def test_a_true_address_is_answered_whoever_guesses_beside_it(client, row):
    for n in range(40):
        client.get(f"/verify/{n:022}")
    assert client.get(f"/verify/{row.public_id}").status_code == 200
    assert client.get(f"/api/v1/verify/{row.public_id}").status_code == 200


def test_a_number_is_guarded_from_callers_everywhere_and_an_unknown_one_like_a_known(client, row):
    guess = partial(look_up, client)
    plain = row.number.replace("-", "").lower()
    for number, spelled in ((row.number, plain), ("CPT-22222-22222", "cpt2222222222")):
        told = [guess(spelled if n % 2 else number, f"x{n}", n // 5) for n in range(20)]
        assert told == [404] * 20
        assert [guess(number, f"y{n}", n % 4) for n in range(4)] == [429] * 4
        assert [guess(number, f"y{n}", 50) for n in range(4)] == [404] * 3 + [429]
    assert guess(row.number, "Peña-García", 0) == 429
    assert client.get(f"/verify/{row.public_id}").status_code == 200


def test_a_true_name_is_answered_to_the_honest_whatever_strangers_guessed(client, row):
    for n in range(40):
        look_up(client, row.number, f"x{n}", n)

    assert look_up(client, row.number, "Peña-García", 99) == 200
    assert look_up(client, row.number, "Penya", 99) == 404
    assert look_up(client, row.number, "Peña-García", 99) == 200


def look_up(client, number, surname, caller):
    asked = {"number": number, "surname": surname}
    where = {"REMOTE_ADDR": f"198.51.100.{caller}"}
    return client.get("/api/v1/verify", query_string=asked, environ_base=where).status_code


def test_a_wrong_guess_waits_for_no_writer_and_is_counted_all_the_same(client, container):
    begins = time.monotonic()
    with container.work(SYSTEM) as work:
        work.connection.execute(update(Holder).values(given_name=Holder.given_name))
        answers = [client.get(f"/verify/{n:022}").status_code for n in range(31)]
    waited = time.monotonic() - begins
    client.get(f"/verify/{1:022}", environ_base={"REMOTE_ADDR": "203.0.113.7"})
    with container.reading(SYSTEM) as reading:
        counts = sorted(row.count for row in reading.rows(select(Usage.count)))

    assert answers == [404] * 30 + [429]
    assert counts == [1, 30]
    assert waited < container.settings.database.busy_timeout_seconds


def test_guesses_are_counted_for_all_processes_and_tell_nobodys_address(client, container):
    client.get(f"/verify/{1:022}", environ_base={"REMOTE_ADDR": "203.0.113.7"})
    with container.reading(SYSTEM) as reading:
        (kept,) = reading.rows(select(Usage.key, Usage.count))
    assert (kept.count, len(kept.key)) == (1, 64)


def test_finding_costs_nothing(client, row):
    for _ in range(40):
        assert client.get(f"/verify/{row.public_id}").status_code == 200


@SQLITE
def test_one_network_is_one_caller(client):
    for n in range(30):
        client.get(f"/verify/{n:022}", environ_base={"REMOTE_ADDR": f"2001:db8::{n:x}"})
    unknown = "/verify/" + "B" * 22
    assert client.get(unknown, environ_base={"REMOTE_ADDR": "2001:db8::ffff"}).status_code == 429
    assert client.get(unknown, environ_base={"REMOTE_ADDR": "2001:db8:1::1"}).status_code == 404


@SQLITE
def test_addresses_cannot_be_guessed(row):
    assert len(row.public_id) >= 22  # 128 random bits in base64


@SQLITE
def test_the_page_says_what_it_attests_and_its_own_address_for_paper(page, row):
    text = page().text

    assert "has passed the assessments of MSSC in Safety, Quality Practices" in text
    assert "It is valid for 5 years, and its holder can renew it" in text
    assert f"http://127.0.0.1:8000/verify/{row.public_id}</dd>" in text


def test_a_number_is_typed_in_any_way(client, row):
    bare, spaced, dashed = (row.number.replace("-", sign) for sign in ("", " ", "\N{EN DASH}"))
    for number in (row.number.lower(), bare, f" {spaced} ", dashed):
        query = {"number": number, "surname": "pena garcia"}

        assert heading(client.get("/verify", query_string=query, headers=HTML)) == "✓ Valid", number


@SQLITE
def test_a_form_with_half_of_it_comes_back_as_it_was_typed(client):
    refused = client.get("/verify?number=CPT-1&lang=en", headers=HTML)

    assert refused.status_code == 422
    assert "<title>Error: " in refused.text
    assert 'value="CPT-1"' in refused.text
    assert '<a href="#surname">Enter the holder&#39;s last name.</a>' in refused.text


@pytest.mark.parametrize("path", PATHS)
def test_modules_are_shown_while_the_holder_allows_it(client, container, ids, row, path):
    address = f"{path}/{row.public_id}"

    def allow(*, shows):
        with container.work(Actor(role="holder", name="Ana", holder_id=ids[0])) as work:
            preferences.change_mine(work, {"shows_modules": shows})

    def shown():
        page = client.get(address, headers=HTML).get_data(as_text=True)
        found = client.get(address, headers={"Accept": "application/json"}).json
        VerificationSchema(unknown="raise").load(found)
        return "Modules passed" in page, found.get("modules")

    assert shown() == (False, None), "off by default"
    allow(shows=True)
    is_on_page, modules = shown()
    assert is_on_page
    assert [one["code"] for one in modules] == ["safety", "quality", "processes", "maintenance"]
    assert {one["passed_on"] for one in modules} == {"2021-12-25"}
    allow(shows=False)
    assert shown() == (False, None), "it ends at once"
