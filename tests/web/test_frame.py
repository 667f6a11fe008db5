"""The frame of every page: style sheets of our own site, and the links at the top."""

from __future__ import annotations

import gzip
import hashlib
import re

import pytest

from tests.backends import SQLITE
from tracker.web import pages, static_files

PICO = "fbc9a63fc9fc9f72d12fd7fc9806e11fa9f77ae4f9cad146b27003a1119ba3db"
FIRST_LOAD = 60_000  # bytes of a page with all that it loads
TEMPLATES = sorted(
    path
    for path in (pages.HERE / "templates").rglob("*.html")
    if path.read_text("utf-8").startswith('{% extends "plain.html" %}')
)


def links(page):
    top = page.text.partition("</header>")[0]
    return re.findall(r'<a href="([^"]+)"', top), re.findall(
        r'<a href="([^"]+)" aria-current="page">', top
    )


def loaded(page):
    return re.findall(r'<(?:link rel="stylesheet" href|script src)="([^"]+)"', page.text)


def test_the_style_sheet_of_others_is_as_they_published_it():
    pico = static_files.STYLES[0]

    assert hashlib.sha256(pico.content).hexdigest() == PICO
    assert gzip.decompress(pico.compressed) == pico.content


@SQLITE
def test_a_page_loads_what_is_there_and_its_policy_allows_it(client):
    page = client.get("/", headers={"Accept-Encoding": "gzip"})
    files = loaded(page)
    answers = [client.get(file, headers={"Accept-Encoding": "gzip"}) for file in files]

    assert len(files) == 2
    assert {one.status_code for one in answers} == {200}
    assert {one.headers["Content-Encoding"] for one in answers} == {"gzip"}
    assert {one.headers["Content-Type"] for one in answers} == {"text/css; charset=utf-8"}
    assert "style-src 'self'" in page.headers["Content-Security-Policy"]
    assert "<script" not in page.text
    assert len(page.data) + sum(len(one.data) for one in answers) < FIRST_LOAD


@SQLITE
def test_a_file_is_kept_as_long_as_its_address_names_its_content(client):
    for file in static_files.STYLES:
        got = client.get(file.address)

        assert got.data == file.content, file.address
        assert "Content-Encoding" not in got.headers, file.address
        assert "immutable" in got.headers["Cache-Control"], file.address
        assert "public" in got.headers["Cache-Control"], file.address
        assert hashlib.sha256(got.data).hexdigest()[:12] in file.address, file.address


OTHER_NAMES = ["pico.min.css", "pico.min-000000000000.css", "..%2fpages.py"]


@SQLITE
def test_another_name_is_not_found(client):
    for name in OTHER_NAMES:
        got = client.get(f"/static/{name}")

        assert got.status_code == 404, name
        assert "immutable" not in got.headers.get("Cache-Control", ""), name


@SQLITE
def test_whoever_is_not_signed_in_finds_both_doors(client):
    assert links(client.get("/verify", headers={"Accept": "text/html"})) == (
        ["/verify", "/sign-in", "/verify?lang=es"],
        ["/verify"],
    )
    assert links(client.get("/sign-in")) == (["/verify", "/sign-in"], ["/sign-in"])


@pytest.mark.parametrize("template", TEMPLATES, ids=lambda path: path.name)
def test_the_link_past_the_frame_leads_to_the_content_of_every_page(template):
    page = template.read_text("utf-8")

    assert page.count("<main") == page.count('<main id="main">') == 1
