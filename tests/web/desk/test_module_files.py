"""web/desk/module_files.py: nothing is stored before what was checked is confirmed."""

from __future__ import annotations

import html
import io
import re
from datetime import date

import pytest

from tests import factories
from tests.browsers import content
from tests.rows import count
from tracker.domain.permissions import SYSTEM
from tracker.models import Assessment, Certification
from tracker.services.people import holders

HERE = "/desk/modules/file"
HEADER = "attempt_ref,holder_ref,scheme,module,taken_on,result\n"

pytestmark = pytest.mark.parametrize("backend", ["sqlite"], indirect=True)


@pytest.fixture
def ref(container):
    """The reference of a person who lacks one module."""
    with container.work(SYSTEM) as work:
        holder_id = factories.holder(work)
        factories.passed(work, holder_id, date(2026, 10, 5), modules=factories.REQUIRED[:3])
        return holders.get(work, holder_id).ref


def send(me, *rows):
    body = (HEADER + "\n".join(rows)).encode()
    form = {"file": (io.BytesIO(body), "results.csv"), "csrf_token": me.csrf()}
    return me.post(f"{HERE}/preview", form, content_type="multipart/form-data")


def test_a_file_is_checked_then_confirmed_and_awards(enter, container, ref):
    _, me = enter("staff")
    assert "holder_ref" in content(me.get(HERE))
    shown = send(me, f"a1,{ref},cpt,maintenance,2026-11-02,pass")
    text = content(shown)
    assert "Nothing has been stored yet." in text
    assert "<dt>New results</dt><dd>1</dd>" in text
    assert "<button>Record this row</button>" in text
    assert "<dt>Certifications awarded</dt><dd>1</dd>" in text
    assert (count(container, Assessment), count(container, Certification)) == (3, 0)

    hidden = re.findall(r'<input type="hidden" name="([^"]+)" value="([^"]*)">', text)
    confirmed = {name: html.unescape(value) for name, value in hidden}
    stored = me.post(HERE, confirmed)
    assert stored.status_code == 303
    assert "The file was stored" in content(me.get(stored.location))
    assert (count(container, Assessment), count(container, Certification)) == (4, 1)


def test_every_wrong_row_is_named_and_nothing_is_stored(enter, container, ref):
    _, me = enter("staff")
    refused = send(me, f"a1,{ref},cpt,welding,2026-11-02,pass", "a2,nobody,cpt,safety,2026,pass")
    text = content(refused)
    assert refused.status_code == 422
    assert re.search(r'<th scope="row">2</th><td>module</td><td>welding</td>', text)
    assert re.search(r'<th scope="row">3</th><td>taken_on</td><td>2026</td>', text)
    assert count(container, Assessment) == 3

    for text in ("no file!", "²"):
        forged = me.send_form(HERE, content=text, name="x.csv")
        assert (forged.status_code, "Send it once more" in forged.text) == (422, True)
    token = {"csrf_token": me.csrf()}
    none = me.post(f"{HERE}/preview", token, content_type="multipart/form-data")
    assert "Choose a file first." in none.text
    assert send(me, "x" * 400_000).status_code == 413
    spanish = me.get(HERE, headers={"Accept-Language": "es"})
    assert "Revisar el archivo" in spanish.text
