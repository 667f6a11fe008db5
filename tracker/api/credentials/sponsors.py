"""Sponsors: who runs registered apprenticeships."""

from __future__ import annotations

from tracker.api.http import directories
from tracker.api.http.routing import Resource
from tracker.services.credentials import sponsors

resource = Resource("sponsors", __name__, description=__doc__)

directories.routes(resource, sponsors.DIRECTORY)
