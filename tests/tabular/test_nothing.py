"""reader.py: what programs write where they have nothing is refused with what to do."""

import io

import pytest

from tracker import tabular

COLUMNS = [
    tabular.Column("name", tabular.text(64)),
    tabular.Column("day", tabular.date()),
    tabular.Column("score", tabular.decimal(places=2)),
]


@pytest.mark.parametrize("nothing", ["nan", "NaN", "NaT", "NULL", "#N/A", "#NV", "<NA>", " NULL "])
def test_nothing_as_programs_write_it_is_refused_in_every_column(nothing):
    table = io.BytesIO(f"name,day,score\n{nothing},{nothing},{nothing}\n".encode())
    reader = tabular.read(table, filename="f.csv", columns=COLUMNS)
    assert list(reader) == []
    rules = {error.rule for error in reader.errors}
    assert rules == {"is what programs write for an empty value: leave it empty"}
    assert reader.total_errors == 3


def test_people_are_called_null_and_nan():
    table = io.BytesIO(b"name\nNull\nNan\nNancy NULL\n")
    reader = tabular.read(table, filename="f.csv", columns=COLUMNS)
    assert [row["name"] for _, row in reader] == ["Null", "Nan", "Nancy NULL"]
