"""documents/papers.py and language/certificates.py: certificates and cards as PDF."""

from __future__ import annotations

import io
from dataclasses import replace
from datetime import date

import pikepdf
import pytest

from tests import pdf_pages
from tracker import documents, scheme_files
from tracker.documents import papers
from tracker.language import certificates
from tracker.language.certificates import CertificateFacts, CertificatePaper
from tracker.settings import ROOT

CPT = scheme_files.load(ROOT / "config" / "schemes")["cpt"]
ADDRESS = "https://tracker.example/verify/8v1m2b3GkQ0aXyZpQrStUv"
LONG = "Wolfeschlegelsteinhausenbergerdorff-Nguyễn Thị Minh Khai Łu"
NAMES = [
    "Łukasz Gołębiewski",
    "Nguyễn Thị Minh Khai",
    LONG,
    "محمد عبد الرحمن الفارسي",
    "יעקב בן־דוד",
    "王小明",
    "歐陽菲菲",
    "Ελένη Παπαδοπούλου",
    "Олексій Мельник",
]


@pytest.fixture
def facts():
    return CertificateFacts(
        scheme=CPT,
        module=None,
        holder="Ana María Ruiz",
        number="CPT-7K3M-9QXD",
        awarded_on=date(2021, 12, 25),
        expires_on=date(2026, 12, 25),
        on=date(2026, 11, 21),
        address=ADDRESS,
    )


def said(facts, language="en", layout="certificate"):
    return pdf_pages.text(papers.pdf(certificates.paper(facts, language), layout))


def test_a_certificate_says_who_holds_what_and_until_when(facts):
    text = said(facts)

    for each in (
        "MSSC",
        "This certifies that Ana María Ruiz holds the certification",
        "Certified Production Technician (CPT)",
        "Safety · Quality Practices & Measurement",
        "Certificate number CPT-7K3M-9QXD",
        "Awarded on December 25, 2021",
        "Valid through December 25, 2026",
        f"Check today's status at this address: {ADDRESS}",
        "As of November 21, 2026.",
    ):
        assert each in text, each


def test_in_spanish_the_translation_stands_below_the_english_name(facts):
    text = said(facts, "es")

    assert "Certified Production Technician (CPT) Técnico Certificado en Producción" in text
    assert "Válida hasta el 25 de diciembre de 2026" in text
    assert "Conciencia de Mantenimiento" in text


def test_the_certificate_of_a_module_never_expires(facts):
    of_module = replace(facts, module=CPT.module("maintenance"), expires_on=None)
    text = said(of_module)

    assert "has passed the assessment of a module of Certified Production Technician" in text
    assert "Maintenance Awareness" in text
    assert "Passed on December 25, 2021 Validity Does not expire" in text
    assert "Quality" not in text
    assert "Conciencia de Mantenimiento" in said(of_module, "es")


@pytest.mark.parametrize("layout", ["certificate", "card"])
@pytest.mark.parametrize("language", ["en", "es"])
def test_a_phone_reads_the_address_from_the_code_in_color_and_in_grey(facts, language, layout):
    data = papers.pdf(certificates.paper(facts, language), layout)
    [page] = pdf_pages.pages(data)

    assert pdf_pages.codes(page) == [ADDRESS]
    assert pdf_pages.codes(page.convert("L")) == [ADDRESS]


def test_in_grey_every_line_stays_dark_enough_to_read(facts):
    """The lightest ink is that of the quiet lines; a cheap printer still prints a grey of 40 %."""
    [page] = pdf_pages.pages(papers.pdf(certificates.paper(facts, "en"), "certificate"))
    histogram = page.convert("L").histogram()
    ink, paper = sum(histogram[:100]), sum(histogram[250:])

    assert ink > 0.02 * sum(histogram)
    assert ink + paper > 0.97 * sum(histogram)  # the rest are the edges of letters


@pytest.mark.parametrize("layout", ["certificate", "card"])
@pytest.mark.parametrize("name", NAMES)
def test_a_name_is_set_in_its_own_letters_on_one_page(facts, name, layout):
    paper = certificates.paper(replace(facts, holder=name), "en")
    data = papers.pdf(paper, layout)

    assert papers.missing(paper) == []
    assert len(pdf_pages.pages(data, dots_per_inch=20)) == 1
    assert letters(name) <= letters(pdf_pages.text(data))


def letters(text):
    return {one for one in text if not one.isspace()}


@pytest.mark.parametrize("layout", ["certificate", "card"])
def test_the_longest_name_leaves_the_code_in_its_place(facts, layout):
    longest = replace(facts, holder=("W" * 100) + " " + ("M" * 49 + "-" + "Q" * 50))
    [page] = pdf_pages.pages(papers.pdf(certificates.paper(longest, "es"), layout))
    margin = page.crop((0, 0, page.width // 60, page.height)).convert("L")

    assert margin.getextrema() == (255, 255)
    assert pdf_pages.codes(page) == [ADDRESS]


def test_letters_that_no_font_has_are_named_and_not_left_out(facts):
    paper = certificates.paper(replace(facts, holder="𠮷野 अनिल 🙂"), "en")

    assert papers.missing(paper) == list("𠮷अनिल🙂")
    with pytest.raises(RuntimeError):  # Typst itself would not leave them out either
        papers.pdf(paper, "certificate")


def test_every_letter_on_the_lists_is_in_the_fonts(facts):
    """Otherwise a name of such letters would fail only once somebody wants the certificate."""
    listed = "".join(
        one
        for one in map(chr, range(33, 0x10000))
        if not documents.letters_not_in(documents.OF_PAPERS).match(one)
    )
    paper = certificates.paper(replace(facts, holder=" ".join(listed)), "en")

    assert len(listed) > 10_000
    assert papers.pdf(paper, "card")


@pytest.mark.parametrize("language", ["en", "es"])
@pytest.mark.parametrize("layout", ["certificate", "card"])
def test_it_is_made_for_screen_readers(facts, language, layout):
    paper = certificates.paper(facts, language)
    with pikepdf.open(io.BytesIO(papers.pdf(paper, layout))) as document:
        metadata = document.open_metadata()
        title = paper.title if layout == "certificate" else paper.card_title
        assert document.Root.Lang == language
        assert document.Root.MarkInfo.Marked
        assert metadata["dc:title"] == title
        assert metadata["pdfuaid:part"] == "1"


@pytest.mark.parametrize("layout", ["certificate", "card"])
def test_whatever_a_name_looks_like_it_is_shown_as_it_is(facts, layout):
    hostile = 'Ana *b* #eval("1") $x$ @ref <a>'

    assert hostile in said(replace(facts, holder=hostile), layout=layout)


def test_the_fingerprint_changes_with_what_the_paper_says_and_its_layout(facts):
    paper = certificates.paper(facts, "en")
    others: list[CertificatePaper] = [
        certificates.paper(facts, "es"),
        certificates.paper(replace(facts, holder="Ana Ruiz"), "en"),
    ]
    prints = [papers.fingerprint(each, "certificate") for each in (paper, *others)]

    assert len({*prints, papers.fingerprint(paper, "card")}) == 4
    assert papers.fingerprint(certificates.paper(facts, "en"), "certificate") == prints[0]
    assert papers.pdf(paper, "card") == papers.pdf(paper, "card")


def test_the_fonts_stay_of_bounded_size():
    folder = ROOT / "tracker" / "documents" / "fonts"

    assert sum(file.stat().st_size for file in folder.iterdir()) < 4_000_000
