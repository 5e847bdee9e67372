"""How the lines of gRPC's core are logged."""

import pytest

from server.transport.aio.tls.core_log import MAX_KINDS, QUIET_SECONDS, CoreLog
from tests.support.clock import Clock

PREFIX = "I1124 00:02:50.142933    2707 ssl_transport_security.cc:2563] "
FAILED = (
    f"{PREFIX}Handshake failed with error SSL_ERROR_SSL: error:1000007d:SSL routines:OPENSSL_internal:"
)
MISMATCH = (
    "E1124 00:02:48.714113    2707 ssl_transport_security.cc:3238] No match found for server name: x"
)


@pytest.fixture
def clock() -> Clock:
    return Clock()


@pytest.fixture
def core_log(clock: Clock) -> CoreLog:
    return CoreLog(clock)


@pytest.mark.parametrize(
    ("detail", "reason"),
    [
        ("CERTIFICATE_VERIFY_FAILED: certificate has expired", "its certificate has expired"),
        ("CERTIFICATE_VERIFY_FAILED: certificate is not yet valid", "its certificate is not valid yet"),
        (
            "CERTIFICATE_VERIFY_FAILED: self signed certificate",
            "its certificate is of no CA in GRPC_TLS_CLIENT_CA_FILE",
        ),
        (
            "WRONG_CURVE: Invalid certificate verification context",
            "its TLS handshake failed: WRONG_CURVE",
        ),
        ("", "its TLS handshake failed: unknown"),
    ],
)
def test_a_refusal_is_told_in_words(
    core_log: CoreLog, caplog: pytest.LogCaptureFixture, detail: str, reason: str
) -> None:
    core_log.log(FAILED + detail)
    (record,) = caplog.records
    assert (record.name, record.levelname) == ("server.tls", "WARNING")
    assert vars(record)["reason"] == reason
    assert vars(record)["detail"].endswith(detail)


def test_each_reason_is_told_at_once_and_then_once_a_minute_with_its_number(
    core_log: CoreLog, clock: Clock, caplog: pytest.LogCaptureFixture
) -> None:
    for now in (0, 1, QUIET_SECONDS - 1, QUIET_SECONDS, QUIET_SECONDS + 1):
        clock.now = now
        core_log.log(f"{FAILED}HTTP_REQUEST")
    core_log.log(f"{FAILED}PEER_DID_NOT_RETURN_A_CERTIFICATE")
    assert [(vars(record)["reason"], vars(record)["times"]) for record in caplog.records] == [
        ("it speaks plain text, not TLS", 1),
        ("it speaks plain text, not TLS", 3),
        ("it shows no certificate", 1),
    ]


def test_what_else_the_core_says_is_told_as_its_own_and_no_oftener(
    core_log: CoreLog, caplog: pytest.LogCaptureFixture
) -> None:
    core_log.log(MISMATCH)
    core_log.log(MISMATCH)
    (record,) = caplog.records
    assert (record.name, record.levelname) == ("grpc.core", "ERROR")
    assert record.message == "No match found for server name: x"
    assert vars(record)["source"] == "ssl_transport_security.cc:3238"


def test_clients_cannot_fill_log_and_memory_with_lines_that_they_make_up(
    core_log: CoreLog, caplog: pytest.LogCaptureFixture
) -> None:
    for number in range(10 * MAX_KINDS):
        core_log.log(f"{FAILED}MADE_UP_{number}")
    assert len(caplog.records) == MAX_KINDS + 1


def test_lines_of_others_are_passed_on(
    core_log: CoreLog, caplog: pytest.LogCaptureFixture, capsys: pytest.CaptureFixture[str]
) -> None:
    core_log.log("Fatal Python error: Aborted")
    assert caplog.records == []
    assert capsys.readouterr().err == "Fatal Python error: Aborted\n"
