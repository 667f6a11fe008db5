"""Reading rows as values (``tracker.services.core.context``)."""

from dataclasses import dataclass
from datetime import datetime
from typing import NamedTuple

import pytest
from sqlalchemy import select
from sqlalchemy.exc import NoSuchColumnError

from tests import factories
from tests.backends import SQLITE
from tracker.models import Holder


class Named(NamedTuple):
    given_name: str
    id: str


@dataclass(frozen=True)
class Dated:
    recorded_at: datetime
    given_name: str


class Misnamed(NamedTuple):
    given_names: str


ALL = select(Holder.id, Holder.given_name, Holder.recorded_at)


def test_rows_become_values_by_the_names_of_fields_whatever_their_order(work):
    ids = [factories.holder(work, given_name=name) for name in ("Ana", "Bo")]
    found = work.rows_as(Named, ALL.order_by(Holder.given_name))
    assert found == [Named("Ana", ids[0]), Named("Bo", ids[1])]
    assert work.row_as(Dated, ALL.where(Holder.id == ids[0])) == Dated(work.now, "Ana")


@SQLITE
def test_there_is_none_where_no_row_is(work):
    assert work.row_as(Named, ALL) is None
    assert work.rows_as(Named, ALL) == []


def test_a_field_without_a_column_is_an_error(work):
    with pytest.raises(NoSuchColumnError, match="given_names"):
        work.rows_as(Misnamed, ALL)


def test_a_unit_of_work_sees_what_it_has_not_flushed(work):
    row = work.session.get_one(Holder, factories.holder(work))
    row.given_name = "Changed"
    found = work.row_as(Named, ALL)
    assert found is not None
    assert found.given_name == "Changed"
