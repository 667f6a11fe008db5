"""Where `tracker serve` may listen. That the command asks is seen in test_serving_ends.py."""

import pytest

from tracker.cli import processes


@pytest.mark.parametrize("host", ["127.0.0.1", "localhost", "0.0.0.0"])
def test_a_port_that_is_taken_is_not_shared(host, taken, capsys):
    with pytest.raises(SystemExit, match="1"):
        processes._free(host, taken)
    said = capsys.readouterr().err
    assert f"Cannot listen at {host}, port {taken}: Address already in use." in said


@pytest.mark.parametrize("host", ["nowhere.invalid", "a" * 64, "999.1.1.1"])
def test_a_host_that_there_is_not_is_named(host, capsys):
    with pytest.raises(SystemExit, match="1"):
        processes._free(host, 8000)
    assert f"Cannot listen at {host}, port 8000: " in capsys.readouterr().err
