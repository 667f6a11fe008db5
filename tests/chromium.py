"""Where a Chromium is found for the tests of pages."""

from __future__ import annotations

import os
import shutil

_NAMES = ("chromium", "google-chrome", "chromium-browser")
PROGRAM = os.environ.get("TRACKER_BROWSER") or next(filter(None, map(shutil.which, _NAMES)), None)
"""Where the Chromium is that the tests start; None if there is none."""
