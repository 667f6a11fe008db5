"""files/: what it costs to read hostile PDFs and pictures, in seconds and in memory."""

from __future__ import annotations

import io
import random
import resource

import pytest
from PIL import Image

from tests.files.heavy_pdfs import HEAVY, document, stream
from tests.files.heavy_pictures import HEAVY_PICTURES, picture
from tests.memory import Peak
from tracker import apart, files
from tracker.apart import CostsTooMuch, ProcessLimits
from tracker.domain.errors import UnacceptableEvidence

LIMITS = ProcessLimits(memory_bytes=192 << 20, seconds=10)
PIXELS = 50_000_000
ABOUT_THE_INTERPRETER = 60  # megabytes


def check(data, limits=LIMITS):
    return files.check(io.BytesIO(data), "x.pdf", maximum_pixels=PIXELS, limits=limits)


def processor_seconds():
    used = resource.getrusage(resource.RUSAGE_CHILDREN)
    return used.ru_utime + used.ru_stime


@pytest.mark.no_cover  # to make such a file takes longer than to read it
@pytest.mark.parametrize("name", HEAVY)
def test_a_heavy_pdf_is_refused_within_its_bounds(name):
    data = HEAVY[name]()
    assert len(data) < 10 << 20
    before = processor_seconds()
    with Peak(itself=False) as peak, pytest.raises(UnacceptableEvidence):
        check(data)
    assert processor_seconds() - before < LIMITS.seconds + 1
    assert _used(peak) < (LIMITS.memory_bytes >> 20) + ABOUT_THE_INTERPRETER


def _used(peak):
    """What the started processes took; a database server beside them is let be."""
    return peak.megabytes - Peak(itself=False)._now()


@pytest.mark.no_cover  # to make such a file takes longer than to read it
@pytest.mark.parametrize("name", HEAVY_PICTURES)
def test_a_heavy_picture_is_drawn_smaller_or_refused_within_its_bounds(name):
    data = HEAVY_PICTURES[name]()
    assert len(data) < 3 << 20
    before = processor_seconds()
    with Peak(itself=False) as peak:
        try:
            kept = check(data)
        except UnacceptableEvidence:
            assert name.startswith(("png", "progressive"))
        else:
            with Image.open(io.BytesIO(kept.data)) as drawn:
                assert 3_000 <= drawn.width <= 7_000
    assert processor_seconds() - before < LIMITS.seconds + 1
    assert _used(peak) < (LIMITS.memory_bytes >> 20) + ABOUT_THE_INTERPRETER


@pytest.mark.parametrize(
    ("kind", "mode", "size"),
    [
        ("JPEG", "RGB", (4_032, 3_024)),  # a telephone's 12 megapixels
        ("JPEG", "L", (5_100, 6_600)),  # a letter page at 600 dots an inch, in gray
        ("PNG", "1", (5_100, 6_600)),  # the same in black and white
        ("PNG", "RGB", (2_550, 3_300)),  # at 300 dots an inch, in color
    ],
)
def test_an_honest_picture_is_drawn_at_its_own_size(kind, mode, size):
    with Image.open(io.BytesIO(check(picture(kind, mode, size)).data)) as drawn:
        assert drawn.size == size


def test_a_photograph_of_many_pixels_is_drawn_at_half_its_size():
    with Image.open(io.BytesIO(check(picture("JPEG", "RGB", (8_000, 6_000))).data)) as drawn:
        assert drawn.size == (4_000, 3_000)


def test_honest_pdfs_pass_however_their_streams_are_written():
    noise = random.Random(1).randbytes(2_000_000)
    scan = stream(noise, b"/Type/XObject/Subtype/Image/Filter/DCTDecode")
    text = stream(b"9jqo^BlbD-BleB1DJ+*+F(f,q~>", b"/Filter/ASCII85Decode")
    pages = b"<</Type/Pages/Count 1/Kids[3 0 R]>>"
    page = b"<</Type/Page/Parent 2 0 R/MediaBox[0 0 9 9]/Contents[5 0 R]>>"
    data = document([b"<</Type/Catalog/Pages 2 0 R>>", pages, page, scan, text])
    assert check(data).data == data


# The separate process.
@pytest.mark.parametrize(
    ("limits", "name"),
    [
        (ProcessLimits(32 << 20, 10), "jpeg on its side"),
        (ProcessLimits(192 << 20, 1), "arrays of millions of numbers"),
    ],
    ids=["memory", "seconds"],
)
def test_what_costs_more_than_its_bounds_is_refused_in_words(limits, name):
    data = {**HEAVY_PICTURES, **HEAVY}[name]()
    with pytest.raises(UnacceptableEvidence, match="takes more memory or time"):
        check(data, limits)


def test_the_process_that_reads_is_told_nothing_secret(monkeypatch):
    monkeypatch.setenv("TRACKER_MAIL_PASSWORD", "secret")
    told = apart._environment()
    assert "secret" not in repr(told)
    assert not any(name.startswith("TRACKER") for name in told)


def test_a_job_that_is_broken_is_no_refusal(tmp_path):
    with (tmp_path / "a").open("w+b") as source, (tmp_path / "b").open("w+b") as into:
        with pytest.raises(RuntimeError, match="KeyError"):
            apart.run("tracker.files.child", {}, source, into=into, limits=LIMITS)
        with pytest.raises(CostsTooMuch):
            apart.run(
                "tracker.files.child", {}, source, into=into, limits=ProcessLimits(192 << 20, 0)
            )
