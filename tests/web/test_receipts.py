"""web/receipts.py, services/credentials/receipts.py: what was so, signed, to be kept."""

from __future__ import annotations

from contextlib import ExitStack
from dataclasses import replace
from datetime import date

import pytest
from sqlalchemy import select

from tests import factories, pdf_texts
from tests.api.employers.employer_cases import read
from tests.backends import SQLITE
from tracker import signatures
from tracker.domain.credentials.certifications import ChangeKind
from tracker.domain.permissions import SYSTEM
from tracker.language.catalogues import LANGUAGES
from tracker.models import Certification
from tracker.services.core import turns
from tracker.services.credentials import certifications, receipts
from tracker.web.receipts import ReceiptSchema


@pytest.fixture
def ids(container):
    return factories.certified(
        container, date(2023, 12, 25), given_name="Ana", family_name="Peña-García"
    )


@pytest.fixture
def path(container, ids):
    with container.reading(SYSTEM) as reading:
        row = reading.row(select(Certification.public_id).where(Certification.id == ids[1]))
    return f"/verify/{row.public_id}/receipt"


def key(client):
    (found,) = client.get("/api/v1/signing-keys").json["keys"]
    return found


def test_a_receipt_says_what_is_so_and_anybody_can_check_it(client, path):
    told = read(ReceiptSchema, client.get(path))
    signed = told.pop("signed")

    assert signatures.read(key(client), receipts.KIND, signed) == told
    assert (told["holder"], told["status"], told["valid"]) == ("Ana Peña-García", "active", True)
    assert (told["as_of"], told["known_at"]) == ("2026-11-21", "2026-11-21T17:00:00+00:00")
    assert told["sub"].endswith(path.removesuffix("/receipt"))


def test_an_old_receipt_stays_true_of_its_instant_whatever_comes_later(
    container, client, clock, ids, path
):
    before = client.get(path).json
    clock.advance(hours=1)
    with container.work(SYSTEM) as work:
        certifications.change(
            work,
            ids[1],
            kind=ChangeKind.REVOKE,
            effective_on=date(2026, 11, 21),
            reason_code="other",
            reason="A test.",
        )
    after = client.get(path).json

    kept = signatures.read(key(client), receipts.KIND, before["signed"]) or {}
    assert kept["valid"] is True
    assert (after["status"], after["valid"]) == ("revoked", False)
    assert before["known_at"] < after["known_at"]


@pytest.mark.parametrize("language", LANGUAGES)
def test_the_paper_says_the_same_and_quotes_the_signed_text(client, path, language):
    answer = client.get(f"{path}.pdf", query_string={"lang": language})
    signed = client.get(path).json["signed"]
    text = "".join(pdf_texts.text(answer.data).split())

    assert answer.mimetype == "application/pdf"
    assert "AnaPeña-García" in text
    assert signed in text


def test_what_is_not_there_has_no_receipt_and_is_counted(client, path):
    wrong = "/verify/AAAAAAAAAAAAAAAAAAAA/receipt"
    assert {client.get(wrong).status_code for _ in range(30)} == {404}
    assert client.get(wrong).status_code == 429
    assert client.get(path).status_code == 200


def test_so_many_papers_an_hour_are_made(client, path):
    for _ in range(20):
        client.get(f"{path}.pdf")
    assert client.get(f"{path}.pdf").status_code == 429
    assert client.get(path).status_code == 200


@SQLITE
def test_no_more_papers_are_set_at_once_than_the_machine_has_turns_for(
    app, container, client, path, monkeypatch
):
    impatient = replace(container.settings.files, patience_seconds=0)
    settings = replace(container.settings, files=impatient)
    monkeypatch.setitem(app.extensions, "tracker", replace(container, settings=settings))
    with ExitStack() as others:
        for _ in range(container.settings.files.at_once):
            others.enter_context(turns.making_a_public_paper(container.settings))
        assert client.get(f"{path}.pdf").status_code == 503
    assert client.get(f"{path}.pdf").status_code == 200


def test_the_paper_of_what_was_suspended_names_no_last_day(container, client, ids, path):
    before = pdf_texts.text(client.get(f"{path}.pdf").data)
    with container.work(SYSTEM) as work:
        certifications.change(
            work, ids[1], kind=ChangeKind.SUSPEND, reason_code="other", reason="x"
        )
    after = pdf_texts.text(client.get(f"{path}.pdf").data)

    assert "2028" in before
    assert "2028" not in after
