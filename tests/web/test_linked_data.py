"""What the public page says to programs that read schema.org (web/linked_data.py)."""

from __future__ import annotations

import json
import re
from datetime import date

import pytest
from sqlalchemy import select, update

from tests import factories
from tracker.domain.credentials.certifications import ChangeKind
from tracker.domain.permissions import SYSTEM
from tracker.models import Certification, Holder, ModuleCertificate
from tracker.services.credentials import certifications

HTML = {"Accept": "text/html"}
BLOCK = r'<script type="application/ld\+json">(.*?)</script>'


@pytest.fixture
def ids(container):
    return factories.certified(container, date(2021, 12, 25), given_name="Łukasz")


def told(client, container, table=Certification):
    with container.reading(SYSTEM) as reading:
        public_id = reading.row(select(table.public_id).order_by(table.id)).public_id
    page = client.get(f"/verify/{public_id}", headers=HTML).text
    [block] = re.findall(BLOCK, page)
    return json.loads(block)


def test_it_says_how_the_certificate_stands_and_not_whose_it_is(client, container, ids):
    found = told(client, container)

    assert ids
    assert found["@type"] == "EducationalOccupationalCredential"
    assert found["name"] == "Certified Production Technician (CPT)"
    assert found["recognizedBy"]["name"] == "MSSC"
    assert (found["dateCreated"], found["expires"]) == ("2021-12-25", "2026-12-25")
    assert found["creativeWorkStatus"] == "valid"
    assert "/verify/" in found["url"]
    assert "Łukasz" not in json.dumps(found, ensure_ascii=False)


def test_what_was_suspended_has_no_last_day(client, container, ids):
    with container.work(SYSTEM) as work:
        certifications.change(
            work, ids[1], kind=ChangeKind.SUSPEND, reason_code="other", reason="x"
        )
    found = told(client, container)

    assert found["creativeWorkStatus"] == "suspended"
    assert "expires" not in found


def test_a_module_says_its_name_and_no_end(client, container, ids):
    assert ids
    found = told(client, container, ModuleCertificate)

    assert found["credentialCategory"] == "certificate"
    assert "expires" not in found


def test_of_a_holder_who_has_died_it_is_not_in_force(client, container, ids):
    assert ids
    with container.work(SYSTEM) as work:
        work.execute(update(Holder).values(deceased_on=date(2026, 11, 1)))

    assert told(client, container)["creativeWorkStatus"] == "not in force"
