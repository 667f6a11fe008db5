"""web/people/details.py: a holder asks in words, with files, and staff read it and answer."""

from __future__ import annotations

import io

import pytest
from PIL import Image

from tests.browsers import content
from tests.rows import count
from tests.statements import counted
from tracker.models import HolderRequest, RequestProof

pytestmark = pytest.mark.parametrize("backend", ["sqlite"], indirect=True)

HERE = "/account/details"


def ask(me, kind, statement, *names):
    """Send the form with files."""
    files = []
    for name in names:
        data = io.BytesIO()
        Image.new("RGB", (8, 8), "white").save(data, "PNG")
        data.seek(0)
        files.append((data, name))
    form = {"kind": kind, "statement": statement, "csrf_token": me.csrf(), "file": files}
    return me.post(f"{HERE}/requests", form, content_type="multipart/form-data")


def test_a_holder_asks_in_words_with_files_and_staff_read_and_refuse_it(
    browser, enter, ana, container
):
    me = browser()
    me.sign_in(ana)
    refused = ask(me, "extension", "", "letter.png")
    assert refused.status_code == 422
    assert '<a href="#statement">Say in at most 5,000' in refused.text
    assert ask(me, "name_change", "Soto").status_code == 422
    many = [f"{n}.png" for n in range(container.settings.evidence.maximum_files + 1)]
    too_many = ask(me, "extension", "I was ill.", *many)
    assert too_many.status_code == 422
    assert "I was ill.</textarea>" in too_many.text
    assert '<option value="extension" selected>' in too_many.text
    assert count(container, HolderRequest) == 0, "all of it or nothing"
    assert ask(me, "extension", "I was <ill>.", "letter.png").location == HERE
    assert "More time, asked for on November 21, 2026: I was &lt;ill&gt;." in me.get(HERE).text
    assert ask(me, "extension", "I was in hospital.").location == HERE
    assert (count(container, HolderRequest), count(container, RequestProof)) == (1, 1)

    _, sam = enter("staff", email="sam@x.org")
    with counted(container) as one:
        page = sam.get("/desk/requests").text
    assert "More time" in page
    assert "They write: I was in hospital." in page
    assert "letter.png</a>" in page
    assert "Asks for:" not in page
    assert ask(me, "correction", "My first day is wrong.", "a.png", "b.png").location == HERE
    with counted(container) as two:
        assert "Corrección" in content(sam.get("/desk/requests", headers={"Accept-Language": "es"}))
    assert len(one) == len(two)
