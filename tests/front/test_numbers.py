"""/metrics of several processes: whichever is asked, the numbers are those of all."""

from __future__ import annotations

import re
import urllib.request

from tests import factories
from tests.front.running import free_port, serving

ASKED = 40


def test_the_numbers_are_those_of_all_processes_also_at_their_own_address(templates, tmp_path):
    own = free_port()
    place = f"127.0.0.1:{own}"
    home = tmp_path, templates("sqlite")
    with serving(*home, workers=2, TRACKER_SERVER_METRICS=place) as (port, container):
        for _ in range(ASKED):  # each on a separate connection, so that both processes get some
            read(f"http://127.0.0.1:{port}/healthz")
        headers = {"Authorization": f"Bearer {factories.secret(container, 'admin')}"}
        told = [read(f"http://127.0.0.1:{port}/metrics", headers) for _ in range(6)]
        told.append(read(f"http://127.0.0.1:{own}/metrics"))

    line = r'tracker_http_requests_total{method="GET",route="/healthz",status="200"} (\S+)'
    assert [re.findall(line, text) for text in told] == [[f"{ASKED}.0"]] * 7
    assert all("tracker_database_up 1.0" in text for text in told)


def read(url, headers=None):
    request = urllib.request.Request(url, headers=headers or {})
    with urllib.request.urlopen(request, timeout=30) as answer:
        return answer.read().decode()
