"""What operators see of TLS: how it is served, and why handshakes failed."""

import json
import re
import socket
import ssl
from collections.abc import Callable, Iterator
from contextlib import suppress
from pathlib import Path

import grpc
import pytest
from grpc_health.v1 import health_pb2, health_pb2_grpc
from trustme import CA, LeafCert

from demo.readiness import wait_until
from tests.support.machine.commands import run_process
from tests.support.network.tls import TlsFiles, chain_of, client_context, expired, for_host
from tests.support.server.serve import Serve, serve_running, without_database

AUTHORITY, OTHER_CA = CA(), CA()
PAGE = Path(__file__).parents[2] / "docs" / "operations" / "logs.md"
PREFACE = b"PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n"


@pytest.fixture(scope="module")
def files(tmp_path_factory: pytest.TempPathFactory) -> TlsFiles:
    return TlsFiles(tmp_path_factory.mktemp("tls")).hold(for_host(AUTHORITY), AUTHORITY)


@pytest.fixture(scope="module")
def serve(files: TlsFiles, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Serve]:
    with serve_running(tmp_path_factory.mktemp("serve"), **files.variables()) as serve:
        yield serve


def serves(port: int, shown: LeafCert) -> bool:
    credentials = grpc.ssl_channel_credentials(
        AUTHORITY.cert_pem.bytes(), shown.private_key_pem.bytes(), chain_of(shown)
    )
    with grpc.secure_channel(f"localhost:{port}", credentials) as channel:
        reply = health_pb2_grpc.HealthStub(channel).Check(health_pb2.HealthCheckRequest(), timeout=10)
    return bool(reply.status == health_pb2.HealthCheckResponse.SERVING)


def speak(port: int, context: ssl.SSLContext) -> None:
    """Shake hands, until the server ends it."""
    with (
        suppress(OSError),
        socket.create_connection(("127.0.0.1", port)) as connection,
        context.wrap_socket(connection) as encrypted,
    ):
        encrypted.recv(1)


def without_certificate(port: int) -> None:
    speak(port, client_context())


def of_another_ca(port: int) -> None:
    context = client_context()
    for_host(OTHER_CA).configure_cert(context)
    speak(port, context)


def with_an_expired_one(port: int) -> None:
    context = client_context()
    expired(AUTHORITY).configure_cert(context)
    speak(port, context)


def with_an_old_tls(port: int) -> None:
    context = client_context(ssl.TLSVersion.TLSv1_1)
    for_host(AUTHORITY).configure_cert(context)
    speak(port, context)


def that_distrusts(port: int, version: ssl.TLSVersion = ssl.TLSVersion.TLSv1_2) -> None:
    context = client_context(version)
    context.verify_mode = ssl.CERT_REQUIRED
    speak(port, context)


def that_distrusts_by_tls_1_3(port: int) -> None:
    that_distrusts(port, ssl.TLSVersion.TLSv1_3)


def in_plain_http_2(port: int) -> None:
    with socket.create_connection(("127.0.0.1", port)) as connection:
        connection.sendall(PREFACE)
        connection.recv(1000)


def in_plain_http_1(port: int) -> None:
    with socket.create_connection(("127.0.0.1", port)) as connection:
        connection.sendall(b"GET / HTTP/1.1\r\n\r\n")
        connection.recv(1000)


@pytest.mark.parametrize(
    ("client", "reason"),
    [
        (without_certificate, "PEER_DID_NOT_RETURN_A_CERTIFICATE"),
        (of_another_ca, "unable to get local issuer certificate"),
        (with_an_expired_one, "certificate has expired"),
        (with_an_old_tls, "UNSUPPORTED_PROTOCOL"),
        (that_distrusts, "ALERT_UNKNOWN_CA"),
        (that_distrusts_by_tls_1_3, "BAD_PACKET_LENGTH"),
        (in_plain_http_2, "WRONG_VERSION_NUMBER"),
        (in_plain_http_1, "HTTP_REQUEST"),
    ],
)
def test_core_writes_why_a_handshake_failed_as_documented(
    serve: Serve, client: Callable[[int], None], reason: str
) -> None:
    so_far = len(failures(serve))
    client(serve.port)
    assert wait_until(lambda: len(failures(serve)) > so_far, 20)
    (line,) = failures(serve)[so_far:]
    assert reason in line
    assert f"`{reason}`" in PAGE.read_text()
    assert serves(serve.port, for_host(AUTHORITY))


def failures(serve: Serve) -> list[str]:
    return re.findall("Handshake failed with error .*", serve.log.read_text())


def test_how_it_serves_is_told(serve: Serve) -> None:
    (serving,) = serve.lines("serving")
    assert serving["tls"] == "mutual"
    (loaded,) = serve.lines("TLS certificate loaded")
    assert loaded["certificate"] == "certificate for localhost, 127.0.0.1, until 3000-01-01T00:00:00Z"


def test_tls_is_off_without_certificates(tmp_path: Path) -> None:
    with serve_running(tmp_path) as serve:
        (serving,) = serve.lines("serving")
    assert serving["tls"] == "off"
    assert serve.lines("gRPC is plain text, and other machines may reach it") == []


def started_in_vain(files: TlsFiles | None = None) -> list[str]:
    """Try to serve on an address that is not of this machine."""
    variables = files.variables() if files else {}
    result = run_process("serve", stdin=b"", GRPC_HOST="192.0.2.1", **without_database(), **variables)
    assert result.returncode == 1
    return result.stderr.decode().splitlines()


def test_plain_text_for_other_machines_is_warned_of() -> None:
    warning = "gRPC is plain text, and other machines may reach it"
    (line,) = (line for line in started_in_vain() if warning in line)
    assert json.loads(line)["level"] == "WARNING"


def test_tls_for_other_machines_is_not(files: TlsFiles) -> None:
    lines = started_in_vain(files)
    assert not any("plain text" in line for line in lines)
    assert lines[-1].startswith("Error: Cannot listen on 192.0.2.1:50051")


def test_it_does_not_start_with_an_expired_certificate(tmp_path: Path) -> None:
    files = TlsFiles(tmp_path).hold(expired(AUTHORITY), AUTHORITY)
    last = started_in_vain(files)[-1]
    assert last.startswith("Error: GRPC_TLS_CERTIFICATE_FILE: the certificate for localhost expired at ")
