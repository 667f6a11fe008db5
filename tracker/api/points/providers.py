"""Training providers: organizations whose courses count for points."""

from __future__ import annotations

from tracker.api.http import directories
from tracker.api.http.routing import Resource
from tracker.services.points import providers

resource = Resource("providers", __name__, description=__doc__)

directories.routes(resource, providers.DIRECTORY)
