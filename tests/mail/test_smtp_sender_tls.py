"""Encryption: certificates are checked, and nothing ever falls back to clear text."""

from __future__ import annotations

import json
import ssl
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from click.testing import CliRunner

from tests.mail_faults import Catcher
from tracker.cli import main
from tracker.mail.smtp_sender import DeliveryOutcome, SmtpSender

# A server of its own certificate: for 127.0.0.1, from 2020 to 2120, secret to nobody.
CERTIFICATE = """\
MIIBczCCARqgAwIBAgIBATAKBggqhkjOPQQDAjAYMRYwFAYDVQQDDA1BIHRlc3Qg
c2VydmVyMCAXDTIwMDEwMTAwMDAwMFoYDzIxMjAwMTAxMDAwMDAwWjAYMRYwFAYD
VQQDDA1BIHRlc3Qgc2VydmVyMFkwEwYHKoZIzj0CAQYIKoZIzj0DAQcDQgAEIfxl
m9G3AaQFDI0Q/iMzHQxP4oGzcm5fqS32LIAfzgbqThbWzZFlEWNw0A1jEzFA3FdA
o1MC08WHt5/KKOBrRqNTMFEwHQYDVR0OBBYEFHCAiJQx5+9znLt5nUErz+Nrm4Rf
MA8GA1UdEQQIMAaHBH8AAAEwDwYDVR0TAQH/BAUwAwEB/zAOBgNVHQ8BAf8EBAMC
AoQwCgYIKoZIzj0EAwIDRwAwRAIgSI9zeDzug0F0dFfyHbwznFalVuIbqbRKPR3c
UTQyz+kCIGpmN+FvwU56cA7uY+DH0SNQySq16hyqL5NA3XIqxu28
"""
KEY = """\
MIGHAgEAMBMGByqGSM49AgEGCCqGSM49AwEHBG0wawIBAQQgzg9IniktedC0aV0O
KCnSkzrVQtTCj/nJT2CReLbwVkGhRANCAAQh/GWb0bcBpAUMjRD+IzMdDE/igbNy
bl+pLfYsgB/OBupOFtbNkWURY3DQDWMTMUDcV0CjUwLTxYe3n8oo4GtG
"""


def pem(kind: str, body: str) -> str:
    return f"-----BEGIN {kind}-----\n{body}-----END {kind}-----\n"


@pytest.fixture(scope="module")
def files(tmp_path_factory: pytest.TempPathFactory) -> tuple[Path, Path]:
    folder = tmp_path_factory.mktemp("tls")
    certificate, key = folder / "certificate.pem", folder / "key.pem"
    certificate.write_text(pem("CERTIFICATE", CERTIFICATE))
    key.write_text(pem("PRIVATE KEY", KEY))
    return certificate, key


@pytest.fixture
def catcher(files: tuple[Path, Path]) -> Iterator[Catcher]:
    context = ssl.create_default_context(ssl.Purpose.CLIENT_AUTH)
    context.load_cert_chain(*files)
    with Catcher(tls=context) as server:
        yield server


@pytest.fixture
def trusted(files: tuple[Path, Path], monkeypatch: pytest.MonkeyPatch) -> None:
    """Make this machine trust the certificate, as an operator would."""
    monkeypatch.setenv("SSL_CERT_FILE", str(files[0]))


def send(port: int, **settings: Any) -> tuple[DeliveryOutcome, str, bool]:
    usual: dict[str, Any] = {
        "server": "127.0.0.1",
        "port": port,
        "use_tls": True,
        "use_ssl": False,
        "username": None,
        "password": None,
        "timeout": 5.0,
        "local_hostname": "tracker.example",
    }
    with SmtpSender(**(usual | settings)) as by:
        for _ in range(2):
            delivery = by.deliver(
                envelope_sender="b@bounce.example",
                recipient="ana@example.com",
                data=b"Subject: x\r\n\r\nx\r\n",
                mark=lambda: True,
            )
    return delivery.outcome, delivery.reply, delivery.connection_failed


@pytest.mark.usefixtures("trusted")
def test_starttls_with_a_certificate_this_machine_trusts(catcher):
    outcome, _, failed = send(catcher.port)
    assert (outcome, failed) == (DeliveryOutcome.ACCEPTED, False)
    assert (catcher.connections, len(catcher.letters())) == (1, 2)


def test_a_certificate_nobody_vouches_for_is_refused(catcher):
    outcome, reply, failed = send(catcher.port)
    assert (outcome, failed) == (DeliveryOutcome.RETRY, True)
    assert "certificate verify failed" in reply
    assert catcher.letters() == []


@pytest.mark.usefixtures("trusted")
def test_a_certificate_for_another_name_is_refused(catcher):
    outcome, reply, _ = send(catcher.port, server="localhost")
    assert outcome is DeliveryOutcome.RETRY
    assert "certificate verify failed" in reply
    assert catcher.letters() == []


def test_starttls_that_is_not_offered_never_falls_back_to_clear_text():
    with Catcher() as catcher:
        outcome, reply, failed = send(catcher.port)
        assert (outcome, failed) == (DeliveryOutcome.RETRY, True)
        assert "STARTTLS extension not supported" in reply
        assert catcher.letters() == []


def test_implicit_tls_against_a_server_of_clear_text_is_a_failed_connection():
    with Catcher() as catcher:
        outcome, _, failed = send(catcher.port, use_tls=False, use_ssl=True)
        assert (outcome, failed) == (DeliveryOutcome.RETRY, True)
        assert catcher.letters() == []


@pytest.mark.usefixtures("trusted")
def test_a_wrong_password_is_the_relays_business_and_not_the_messages(catcher):
    outcome, reply, failed = send(catcher.port, username="tracker", password="hunter2")
    assert (outcome, failed) == (DeliveryOutcome.RETRY, True)
    assert "535" in reply
    assert "hunter2" not in reply
    assert catcher.letters() == []


@pytest.mark.parametrize("way", ["USE_TLS", "USE_SSL"])
def test_the_doctor_gives_the_password_to_no_server_that_nobody_vouches_for(files, tmp_path, way):
    """It speaks to the relay by the same connection as letters do."""
    context = ssl.create_default_context(ssl.Purpose.CLIENT_AUTH)
    context.load_cert_chain(*files)
    with Catcher(tls=context) as catcher:
        finding = examine(
            tmp_path,
            catcher,
            **{f"TRACKER_MAIL_{way}": "true"},
            TRACKER_MAIL_USERNAME="tracker",
            TRACKER_MAIL_PASSWORD="hunter2",
        )

    assert finding["state"] == "problem"
    assert "hunter2" not in str(finding)
    if way == "USE_TLS":
        assert "certificate verify failed" in finding["detail"]


def test_the_doctor_gives_no_password_in_clear_text(tmp_path):
    finding = examine(
        tmp_path,
        None,
        TRACKER_MAIL_SERVER="relay.example.org",
        TRACKER_MAIL_USERNAME="tracker",
        TRACKER_MAIL_PASSWORD="hunter2",
    )

    assert (finding["state"], "sent encrypted only" in finding["detail"]) == ("problem", True)


@pytest.mark.usefixtures("trusted")
def test_the_doctor_tells_that_the_relay_takes_messages_and_sends_none(catcher, tmp_path):
    finding = examine(tmp_path, catcher, TRACKER_MAIL_USE_TLS="true")

    assert (finding["state"], catcher.letters()) == ("ok", [])


def examine(home: Path, catcher: Catcher | None, **more: str) -> dict[str, str]:
    """What the doctor finds of mail."""
    variables = {
        "TRACKER_ENV": "testing",
        "TRACKER_DATABASE_URL": f"sqlite:///{home}/tracker.sqlite3",
        "TRACKER_STORAGE_DIRECTORY": str(home),
        **more,
    }
    if catcher:
        variables["TRACKER_MAIL_PORT"] = str(catcher.port)
    told = CliRunner(env=variables).invoke(main, ["doctor", "--json"]).stdout
    (found,) = [finding for finding in json.loads(told) if finding["check"] == "mail"]
    return dict(found)
