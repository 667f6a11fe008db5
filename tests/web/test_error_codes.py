"""Every error leads to a page that says what it means (web/error_codes.py, api/http/errors.py)."""

from __future__ import annotations

import importlib
import re
from urllib.parse import urldefrag, urlsplit

import pytest

from tests.backends import SQLITE
from tracker.api.http import errors
from tracker.domain.errors import Refusal
from tracker.language.catalogues import LANGUAGES
from tracker.language.refusals import CODES
from tracker.web.error_codes import WORDS

pytestmark = SQLITE


class Toy(Refusal):
    """A refusal that is none of ours, as other tests have them; the page does not list it."""

    code = "toy"


importlib.import_module("tracker.services.imports.folder")  # has a kind without its own code

REQUESTS = {
    "not_found": ("GET", "/api/v1/nothing", {}),
    "unauthorized": ("GET", "/api/v1/holders", {}),
    "method_not_allowed": ("DELETE", "/api/v1/schemes", {}),
    "invalid": ("GET", "/verify?number=CPT-1", {"headers": {"Accept": "application/json"}}),
}


@pytest.mark.parametrize("code", REQUESTS)
def test_the_type_of_an_error_leads_to_its_row(client, container, code):
    method, path, options = REQUESTS[code]
    told = client.open(path, method=method, **options).json

    page, anchor = urldefrag(told["type"])
    assert (told["code"], anchor) == (code, code)
    assert page.startswith(container.settings.app.base_url)
    assert len(told["request_id"]) == 36
    shown = client.get(urlsplit(page).path)
    assert f'<tr role="row" id="{code}">' in shown.text
    assert str(told["status"]) in shown.text.partition(f'id="{code}"')[2].partition("</tr>")[0]


@pytest.mark.parametrize("language", LANGUAGES)
def test_each_code_stands_there_once_with_words_of_its_own(client, language):
    page = client.get(errors.DOCUMENTATION, headers={"Accept-Language": language})

    codes = re.findall(r'<tr role="row" id="([a-z_]+)">', page.text)
    assert f'<html lang="{language}">' in page.text
    assert len(codes) == len(set(codes))
    assert set(codes) == CODES[language].keys() | WORDS[language].failures.keys()


def test_an_exception_to_a_rule_is_told_with_its_field(client):
    page = client.get(errors.DOCUMENTATION).text

    row = page.partition('id="retake_too_soon"')[2].partition("</tr>")[0]
    assert "send the reason in override_reason" in row
