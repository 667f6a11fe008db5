"""web/desk/queue_figures.py: decisions a week, waits, reviewers, reasons and kinds."""

from __future__ import annotations

import pytest

from tests import statements
from tests.browsers import content
from tests.services.desk.queue_cases import TODAY

HERE = "/desk/figures"
pytestmark = pytest.mark.parametrize("backend", ["sqlite"], indirect=True)


def test_figures_of_a_period_in_words_picture_and_tables(enter, desk, container):
    _, sam = enter("staff", email="sam@x.org", name="Sam")
    _, rae = enter("reviewer", email="rae@x.org")
    assert "Nothing was decided in this time." in content(sam.get(HERE))
    waiting = [desk.waits(str(n), "ana", "8", submitted_on=TODAY) for n in range(3)]
    answers = ({"verdict": "approved"}, {"verdict": "rejected", "reason_code": "duplicate"})
    for id_, answer in zip(waiting, answers, strict=False):
        sam.send_form(f"/desk/reviews/{id_}/decide", version="1", **answer)
    text = content(sam.get(HERE))

    assert "2 decided: 1 approved, 1 rejected." in text
    assert "Half were decided within 0 business days" in text
    assert 'class="ages"' in text
    for line in ("November 16, 2026", "Sam", "Already claimed or on record", "Third-party"):
        assert f'<th scope="row">{line}' in text
    wrong = sam.get(f"{HERE}?from=soon")
    assert (wrong.status_code, '<a href="#from">' in content(wrong)) == (422, True)
    before = content(sam.get(f"{HERE}?from=2026-01-01&until=2026-02-01"))
    assert "Nothing was decided in this time." in before
    assert rae.get(HERE).status_code == 404
    told = {"headers": {"Accept-Language": "es"}}
    assert "2 decididas: 1 aprobadas" in content(sam.get(HERE, **told))

    def sent():
        with statements.counted(container) as found:
            assert sam.get(HERE).status_code == 200
        return len(found)

    cost = sent()
    sam.send_form(f"/desk/reviews/{waiting[2]}/decide", version="1", verdict="approved")
    assert sent() == cost
