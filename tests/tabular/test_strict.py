"""Workbooks in the Strict form of Open XML (`tabular.workbook`): refused as what they are."""

import io
import zipfile

import openpyxl
import pytest

from tracker import tabular
from tracker.tabular import BadTable, Column

COLUMNS = (Column("ref", tabular.text(80), required=True),)
# The names of the usual form, and those of the Strict one (ISO/IEC 29500-1, annex A).
STRICT = {
    "http://schemas.openxmlformats.org/spreadsheetml/2006/main": (
        "http://purl.oclc.org/ooxml/spreadsheetml/main"
    ),
    "http://schemas.openxmlformats.org/officeDocument/2006/": (
        "http://purl.oclc.org/ooxml/officeDocument/"
    ),
    "http://schemas.openxmlformats.org/drawingml/2006/main": (
        "http://purl.oclc.org/ooxml/drawingml/main"
    ),
}


def workbook(*refs, strict=lambda _: False):
    """Write a workbook of which the parts that ``strict`` names have the Strict form."""
    book, stream, copy = openpyxl.Workbook(), io.BytesIO(), io.BytesIO()
    for ref in ("ref", *refs):
        book.worksheets[0].append([ref])
    book.save(stream)
    with zipfile.ZipFile(stream) as before, zipfile.ZipFile(copy, "w") as after:
        for name in before.namelist():
            text = before.read(name).decode()
            for usual, other in STRICT.items() if strict(name) else ():
                text = text.replace(usual, other)
            after.writestr(name, text)
    copy.seek(0)
    return copy


def read(stream):
    rows = tabular.read(stream, filename="a.xlsx", columns=COLUMNS)
    good = [values["ref"] for _, values in rows]
    rows.check_clean()
    return good


@pytest.mark.parametrize(
    "strict",
    [
        lambda _: True,
        lambda name: name.startswith("xl/"),
        lambda name: "workbook" in name,
        lambda name: "sheet1" in name,
    ],
    ids=["whole", "without relations", "workbook alone", "sheet alone"],
)
def test_a_strict_workbook_is_refused_with_the_form_to_save_it_in(strict):
    with pytest.raises(BadTable) as caught:
        read(workbook("A", strict=strict))

    [error] = caught.value.errors
    assert (error.row, error.column) == (1, "")
    assert error.rule == (
        "is a Strict Open XML workbook, which Tracker does not read: in Excel, save it as “Excel "
        "Workbook (*.xlsx)”, not as “Strict Open XML Spreadsheet”"
    )


def test_a_workbook_that_only_speaks_of_that_form_is_read():
    assert read(workbook(*STRICT.values())) == [*STRICT.values()]
