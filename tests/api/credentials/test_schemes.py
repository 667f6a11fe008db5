"""The schemes as anybody reads them: as data, and in plain words."""

from __future__ import annotations

import pytest

from tests.backends import SQLITE

POLICY = "/api/v1/schemes/cpt/policy"


def sections(answer):
    assert answer.status_code == 200, answer.text
    return {section["title"]: section["sentences"] for section in answer.json["sections"]}


@SQLITE
def test_a_scheme_shows_what_a_claim_may_state(client):
    told = client.get("/api/v1/schemes/cpt").json["policies"][0]
    course = next(kind for kind in told["types"] if kind["code"] == "third_party")

    assert told["window"] == {"length": 90, "unit": "days", "counted_from": "expiry"}
    assert (told["grace"], told["tags"]) == (None, [])
    assert (course["points"], course["counted_by"], course["roles"]) == ("1.00", "quantity", [])


@SQLITE
@pytest.mark.parametrize(
    ("language", "title", "sentences"),
    [
        (
            "en",
            "What a cycle needs",
            [
                "Each cycle needs 100 points.",
                (
                    "It is not known whether anything carries over into the next cycle; here,"
                    " nothing does."
                ),
            ],
        ),
        (
            "es",
            "Lo que exige un ciclo",
            [
                "Cada ciclo exige 100 puntos.",
                "No se sabe si lo que sobra pasa al ciclo siguiente; aquí no pasa.",
            ],
        ),
    ],
)
def test_a_policy_is_read_in_plain_words(client, language, title, sentences):
    answer = client.get(POLICY, headers={"Accept-Language": language})

    assert sections(answer)[title] == sentences
    assert answer.headers["Content-Language"] == answer.json["language"] == language
    assert (answer.json["version"], answer.json["verified"]) == ("2015", False)


@SQLITE
def test_a_version_is_chosen_by_its_name_or_by_a_day(client):
    named = client.get(f"{POLICY}?version=2015")

    assert named.json == client.get(f"{POLICY}?as_of=2026-11-21").json
    assert client.get(f"{POLICY}?version=1999").status_code == 404
    assert client.get("/api/v1/schemes/abc/policy").status_code == 404


@SQLITE
def test_a_scheme_that_never_expires_is_told_without_a_version(client):
    answer = client.get("/api/v1/schemes/cla/policy")

    assert answer.json["version"] is None
    assert "It never expires." in sections(answer)["The certification"]
