"""The start page and the rules in plain words, for everybody (web/start.py, web/policies.py)."""

from __future__ import annotations

import re

import pytest

from tracker.language.catalogues import LANGUAGES

pytestmark = pytest.mark.parametrize("backend", ["sqlite"], indirect=True)


@pytest.mark.parametrize("language", LANGUAGES)
def test_the_start_page_has_a_door_for_everybody_and_each_opens(client, language):
    page = client.get("/", headers={"Accept-Language": language})

    assert f'<html lang="{language}">' in page.text
    doors = re.findall(r'<li><a href="([^"]+)"', page.text.partition("<main")[2])
    assert len(doors) == 9
    assert {client.get(door).status_code for door in doors} <= {200, 303}
    assert '<form action="/verify" method="get">' in page.text


@pytest.mark.parametrize("language", LANGUAGES)
def test_every_scheme_has_its_rules_with_the_unverified_marked(client, language):
    start = client.get("/", headers={"Accept-Language": language}).text
    pages = re.findall(r'href="(/policy/[^"]+)"', start)
    assert len(pages) == 3
    for path in pages:
        text = client.get(path, headers={"Accept-Language": language}).text
        assert f'<html lang="{language}">' in text
        assert text.count("<h2 id=") == text.count('href="#part-') >= 3
    cpt = client.get("/policy/cpt", headers={"Accept-Language": language}).text
    mark = {"en": "not verified", "es": "sin verificar"}[language]
    assert cpt.count(mark) > 3


@pytest.mark.parametrize("path", ["/policy/nothing", "/policy/cpt?version=1"])
def test_rules_that_there_are_not_are_not_found(client, path):
    assert client.get(path).status_code == 404
