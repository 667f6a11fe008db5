"""Publishing a version is an act on record; a published one that is edited is noticed."""

from dataclasses import replace
from decimal import Decimal

import pytest
from sqlalchemy import select

from tests.backends import SQLITE
from tests.services.credentials.policy_cases import everything, installed, next_version
from tracker.domain.errors import PublishedOtherwise, UnknownScheme, UnknownVersion
from tracker.domain.permissions import SYSTEM
from tracker.domain.schemes.schemes import Schemes
from tracker.models import HistoryEntry, PolicyPublication
from tracker.services.credentials import policy_versions


def publish(container, code="cpt", version="2015", note="Decided on 3 May."):
    with container.work(SYSTEM) as work:
        return policy_versions.publish(work, code, version, note=note)


def breaches(container):
    with container.reading(SYSTEM) as reading:
        return list(policy_versions.breaches(reading, container.schemes))


def edited(container, **changes):
    """The container after someone edited the shipped version in its file."""
    scheme = container.schemes["cpt"]
    return _with(container, replace(scheme, policies=(replace(scheme.policies[0], **changes),)))


def _with(container, scheme):
    return replace(container, schemes=Schemes({**container.schemes.by_code, scheme.code: scheme}))


def test_it_is_put_on_record_with_history(container):
    done = publish(container)

    table = PolicyPublication
    with container.reading(SYSTEM) as reading:
        [row] = reading.rows(select(table.scheme, table.version, table.sha256, table.note))
        line = reading.row(select(HistoryEntry).where(HistoryEntry.action == "publish"))
        assert policy_versions.published(reading) == [replace(done, new=False)]
    assert tuple(row) == ("cpt", "2015", done.sha256, "Decided on 3 May.")
    assert (line.subject, line.subject_id) == ("scheme", "cpt")
    assert line.detail == {
        "version": "2015",
        "sha256": done.sha256,
        "note": "Decided on 3 May.",
    }
    assert done.new


def test_published_again_as_it_stands_nothing_changes(container, clock):
    first = publish(container)
    before = everything(container)
    clock.advance(days=3)

    again = publish(container, note="Once more.")

    assert again == replace(first, new=False)
    assert everything(container) == before


@SQLITE
def test_published_again_with_other_rules_is_refused(container):
    publish(container)
    before = everything(container)

    with pytest.raises(
        PublishedOtherwise, match="was published on 2026-11-21 with a different text"
    ):
        publish(edited(container, points_required=Decimal(90)))

    assert everything(container) == before


@SQLITE
def test_only_what_is_in_a_file_can_be_published(container):
    with pytest.raises(UnknownVersion, match="its versions are: 2015"):
        publish(container, version="1999")
    with pytest.raises(UnknownScheme):
        publish(container, code="xyz")


@SQLITE
def test_a_published_version_that_was_edited_is_noticed(container):
    publish(container)
    assert breaches(container) == []
    assert breaches(edited(container, unverified=())) == []

    [breach] = breaches(edited(container, points_required=Decimal(90)))

    assert breach.what == "edited"
    assert str(breach) == (
        "scheme cpt, version 2015: published on 2026-11-21, has since been edited in its file"
    )


@SQLITE
def test_a_published_version_that_is_gone_is_noticed(container):
    publish(container)
    gone = replace(container, schemes=Schemes({}))

    [without_version] = breaches(_with(container, replace(container.schemes["cpt"], policies=())))
    [without_scheme] = breaches(gone)

    assert without_version == without_scheme
    assert str(without_scheme).endswith("is no longer in any file")


@SQLITE
def test_what_was_never_published_may_be_edited(container):
    publish(installed(container, next_version(container)), version="2015b")

    changed = edited(installed(container), points_required=Decimal(90))
    changed = installed(changed, next_version(container))

    assert breaches(changed) == []
