"""domain/schemes/credentials.py: a kind is found by its code, or what was meant is named."""

from __future__ import annotations

import pytest

from tracker.domain.errors import Invalid
from tracker.domain.schemes.activity_types import Provenance
from tracker.domain.schemes.credentials import (
    CredentialActivity,
    CredentialCatalog,
    CredentialKind,
)

SOURCE = Provenance("A test.", verified=False)
OSHA = CredentialKind("osha_10", "OSHA 10", "OSHA", SOURCE)
CATALOG = CredentialCatalog({"osha_10": OSHA}, CredentialActivity("IC", "certification"), (30,))


def test_a_kind_is_found_by_its_code():
    assert CATALOG.kind("osha_10") == OSHA


@pytest.mark.parametrize(
    ("code", "rule"),
    [
        ("oshaa_10", "must be a code of the catalog (GET /credentials); did you mean 'osha_10'"),
        ("xyz", "must be a code of the catalog (GET /credentials)"),
    ],
)
def test_an_unknown_code_is_refused_with_what_was_meant(code, rule):
    with pytest.raises(Invalid) as refused:
        CATALOG.kind(code)

    assert refused.value.fields["credential"].removesuffix("?") == rule
