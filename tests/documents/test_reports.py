"""documents: reports as PDF."""

from __future__ import annotations

import io
import subprocess
import sys

import pikepdf
import pytest

from tests import pdf_texts
from tracker import documents
from tracker.language.reports import Report, ReportTable

SAYS_CODE = '{{7*7}}<script> #eval("1") #panic() *not bold* $x^2$ @ref <label> \\u{41} // a comment'


def report(*cells, language="en"):
    table = ReportTable(
        title="Table", columns=["One", "Two"], widths=[1, 4], rows=cells, note="End."
    )
    return Report(language=language, title="A report", lines=["First."], tables=[table])


def text(*cells):
    return pdf_texts.text(documents.pdf(report(*cells)))


def test_it_says_title_lines_tables_and_pages():
    lines = ReportTable(title="Lines", rows=[["only this"]])
    whole = Report(language="en", title="A report", lines=["First."], tables=[lines])

    assert pdf_texts.text(documents.pdf(whole)) == "A report First. Lines • only this 1 / 1"
    assert text(["a", "b"]) == "A report First. Table One Two a b End. 1 / 1"


def test_whatever_a_text_looks_like_it_is_shown_as_it_is():
    assert SAYS_CODE in text([SAYS_CODE, "b"])


def test_it_is_made_for_screen_readers():
    with pikepdf.open(io.BytesIO(documents.pdf(report(["a", "b"], language="es")))) as document:
        metadata = document.open_metadata()
        assert document.Root.Lang == "es"
        assert document.Root.MarkInfo.Marked
        assert metadata["dc:title"] == "A report"
        assert metadata["pdfuaid:part"] == "1"


@pytest.mark.parametrize(
    "letters",
    ["Łukasz Gołębiewski", "Nguyễn Thị Hồng", "Ελένη Παπαδοπούλου", "Олексій", "¿Señor? “ß” €"],
)
def test_it_shows_latin_greek_and_cyrillic(letters):
    assert letters in text([letters, "b"])


@pytest.mark.parametrize(
    ("letters", "seen"),
    [
        ("王 Wang", "\ufffd Wang"),
        ("🙂🏽", "\ufffd\ufffd"),
        ("מ", "\ufffd"),
        ("\u202egnp.exe", "\ufffdgnp.exe"),
        ("a\x07b\x00c", "a\ufffdb\ufffdc"),
        ("one\ntwo\tthree", "one two three"),
        ("Jose\u0301", "José"),
    ],
)
def test_letters_that_no_font_has_are_replaced_and_fail_nothing(letters, seen):
    assert documents.shown(letters) == seen
    assert f"One Two {seen} b" in text([letters, "b"])


def test_every_letter_on_the_list_is_in_both_fonts():
    """Typst refuses an accessible PDF with a letter that no font has."""
    every = "".join(filter(lambda one: documents.shown(one) == one, map(chr, range(33, 0x10000))))
    lines = [every[at : at + 64] for at in range(0, len(every), 64)]
    table = ReportTable(title=every, columns=[every], widths=[1], rows=[[line] for line in lines])

    assert len(every) > 1300
    assert documents.pdf(Report(language="en", title="Letters", lines=lines, tables=[table]))


def test_a_word_wider_than_its_column_stays_in_the_report():
    assert text(["W" * 200, "b"]).replace(" ", "").count("W") == 200


def test_the_same_report_gives_the_same_bytes():
    assert documents.pdf(report(["a", "b"])) == documents.pdf(report(["a", "b"]))


def test_the_server_does_not_load_typst():
    program = "import sys, tracker.app, tracker.documents; sys.exit('typst' in sys.modules)"

    assert subprocess.run([sys.executable, "-c", program], check=False).returncode == 0
