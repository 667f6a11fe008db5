"""QR codes as pictures of a page (web/qr_codes.py)."""

from __future__ import annotations

import re

from tracker.web import qr_codes


def test_a_code_is_a_square_with_white_around_it():
    made = qr_codes.of("https://tracker.example/verify/abc")
    dark = [(int(x), int(y)) for x, y in re.findall(r"M(\d+) (\d+)h1", made.path)]

    assert min(map(min, dark)) == 4
    assert max(map(max, dark)) == made.side - 5
