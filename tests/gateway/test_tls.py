import socket
import ssl
from collections.abc import Iterator
from contextlib import closing
from pathlib import Path

import grpc
import pytest
from livecalls.v1 import live_calls_pb2 as pb
from livecalls.v1.live_calls_pb2_grpc import LiveCallsStub

from tests.support.callers.http2 import DATA, ask_http2
from tests.support.callers.rest import ask, ask_over, connected, connected_by_tls, tls_connection
from tests.support.data.sample_replies import sample_replies
from tests.support.envoy.forwarding import gateway_forwarding
from tests.support.envoy.gateway import Gateway, gateway_running, wait_for
from tests.support.network.certificates import Authority
from tests.support.server.deployments import Deployment
from tests.support.stand_ins.upstream import Upstream

CALL_ID = "11111111-1111-4111-8111-111111111111"
PATH = f"/v1/live/calls/{CALL_ID}"
HSTS = "strict-transport-security"


@pytest.fixture(scope="module")
def authority(tmp_path_factory: pytest.TempPathFactory) -> Authority:
    return Authority(tmp_path_factory.mktemp("certificates"))


@pytest.fixture(scope="module", params=Deployment)
def running(
    request: pytest.FixtureRequest,
    authority: Authority,
    running_upstream: Upstream,
    tmp_path_factory: pytest.TempPathFactory,
) -> Iterator[Gateway]:
    folder = tmp_path_factory.mktemp("gateway")
    certificate = authority.issue("listener").settings("REST_TLS")
    run = gateway_running if request.param is Deployment.STANDALONE else gateway_forwarding
    with run(running_upstream.port, folder, **certificate) as gateway:
        yield gateway


@pytest.fixture
def tls_gateway(running: Gateway, upstream: Upstream) -> Gateway:
    """An Envoy that uses TLS, and serves the sample calls."""
    upstream.serves(sample_replies())
    return running


@pytest.mark.parametrize("version", [ssl.TLSVersion.TLSv1_2, ssl.TLSVersion.TLSv1_3])
def test_rest_by_http_1(version: ssl.TLSVersion, tls_gateway: Gateway, authority: Authority) -> None:
    context = authority.trusting("http/1.1")
    context.minimum_version = context.maximum_version = version
    with closing(tls_connection(tls_gateway.address, context)) as connection:
        reply = ask_over(connection, "GET", PATH, {"x-request-id": f"by-{version.name}"})
    assert (reply.status, reply.json()["id"]) == (200, CALL_ID)
    assert tls_gateway.access_logged(f"by-{version.name}")["protocol"] == "HTTP/1.1"


def test_rest_by_http_2(tls_gateway: Gateway, authority: Authority) -> None:
    context = authority.trusting("h2")
    frames = ask_http2(tls_gateway.address, "GET", PATH, {"x-request-id": "by-h2"}, context)
    assert CALL_ID.encode() in b"".join(frame.payload for frame in frames if frame.kind == DATA)
    assert tls_gateway.access_logged("by-h2")["protocol"] == "HTTP/2"


@pytest.mark.parametrize(
    ("offered", "chosen"),
    [(("h2", "http/1.1"), "h2"), (("http/1.1", "h2"), "h2"), (("http/1.1",), "http/1.1"), ((), None)],
)
def test_http_2_is_preferred(
    offered: tuple[str, ...], chosen: str | None, tls_gateway: Gateway, authority: Authority
) -> None:
    with connected_by_tls(tls_gateway.address, authority.trusting(*offered)) as connection:
        assert connection.selected_alpn_protocol() == chosen


def test_grpc(tls_gateway: Gateway, authority: Authority) -> None:
    with grpc.secure_channel(tls_gateway.address, authority.client_credentials()) as channel:
        assert LiveCallsStub(channel).GetCall(pb.GetCallRequest(id=CALL_ID)).id == CALL_ID


# Embedded, no upstream gets it: it is passed as the scheme, on which nothing depends.
@pytest.mark.parametrize("running", [Deployment.STANDALONE], indirect=True)
@pytest.mark.parametrize("claimed", [{}, {"x-forwarded-proto": "http"}], ids=["silent", "lying"])
def test_the_server_reads_that_it_was_https(
    claimed: dict[str, str], tls_gateway: Gateway, authority: Authority, upstream: Upstream
) -> None:
    with closing(tls_connection(tls_gateway.address, authority.trusting())) as connection:
        ask_over(connection, "GET", PATH, claimed)
    assert upstream.requests[0].metadata["x-forwarded-proto"] == "https"


@pytest.mark.parametrize(
    ("verb", "path"),
    [("GET", PATH), ("GET", f"{PATH}x"), ("POST", PATH), ("GET", "/docs"), ("GET", "/elsewhere")],
    ids=["200", "404", "405", "page", "elsewhere"],
)
def test_browsers_are_told_to_stay_with_https(
    verb: str, path: str, tls_gateway: Gateway, authority: Authority
) -> None:
    with closing(tls_connection(tls_gateway.address, authority.trusting())) as connection:
        assert ask_over(connection, verb, path).header(HSTS) == "max-age=31536000"


def test_in_plain_text_they_are_not(rest_url: str) -> None:
    assert ask(rest_url, "GET", PATH).header(HSTS) is None


def test_a_plain_text_caller_is_refused(tls_gateway: Gateway) -> None:
    with connected(tls_gateway.address) as caller:
        caller.sendall(b"GET / HTTP/1.1\r\nHost: a\r\n\r\n")
        assert caller.recv(1) == b""
        assert "HTTP_REQUEST" in tls_failure(tls_gateway, caller)


def test_a_plain_text_grpc_caller_is_refused(tls_gateway: Gateway) -> None:
    with grpc.insecure_channel(tls_gateway.address) as channel, pytest.raises(grpc.RpcError) as caught:
        LiveCallsStub(channel).GetCall(pb.GetCallRequest(id=CALL_ID))
    assert caught.value.code() == grpc.StatusCode.UNAVAILABLE
    wait_for(lambda: "WRONG_VERSION_NUMBER" in str(failures(tls_gateway)) or None)


@pytest.mark.parametrize(
    ("version", "reason"),
    # By TLS 1.3 OpenSSL sends an alert that BoringSSL cannot read.
    [(ssl.TLSVersion.TLSv1_2, "ALERT_UNKNOWN_CA"), (ssl.TLSVersion.TLSv1_3, "BAD_RECORD_MAC")],
)
def test_a_caller_with_another_ca_refuses(
    version: ssl.TLSVersion, reason: str, tls_gateway: Gateway, tmp_path: Path
) -> None:
    assert reason in refused(tls_gateway, Authority(tmp_path), version)


def test_a_caller_refuses_what_is_expired(
    authority: Authority, running_upstream: Upstream, tmp_path: Path
) -> None:
    expired = authority.issue("expired", days=0).settings("REST_TLS")
    with gateway_running(running_upstream.port, tmp_path, **expired) as gateway:
        assert "CERTIFICATE_EXPIRED" in refused(gateway, authority, ssl.TLSVersion.TLSv1_2)


def test_a_slow_handshake_is_ended(tls_gateway: Gateway) -> None:
    with connected(tls_gateway.address) as caller:
        caller.sendall(b"\x16\x03\x01")
        assert caller.recv(1) == b""
        assert tls_failure(tls_gateway, caller) == "transport socket timeout was reached"


def test_only_failures_are_logged_so(tls_gateway: Gateway, authority: Authority) -> None:
    with connected_by_tls(tls_gateway.address, authority.trusting()) as content:
        address = name(content)
    with connected(tls_gateway.address) as caller:
        caller.sendall(b"plain text\r\n\r\n")
        assert tls_failure(tls_gateway, caller)
    assert address not in failures(tls_gateway)


def refused(gateway: Gateway, trusted: Authority, version: ssl.TLSVersion) -> str:
    """Assert that a caller who trusts the CA rejects the certificate, and return what was logged."""
    context = trusted.trusting()
    context.minimum_version = context.maximum_version = version
    plain = connected(gateway.address)
    with context.wrap_socket(
        plain, server_hostname="localhost", do_handshake_on_connect=False
    ) as caller:
        with pytest.raises(ssl.SSLCertVerificationError):
            caller.do_handshake()
        return tls_failure(gateway, caller)


def tls_failure(gateway: Gateway, caller: socket.socket) -> str:
    """Wait for the log line of the caller's TLS failure, and return the reason."""
    return wait_for(lambda: failures(gateway).get(name(caller)))


def failures(gateway: Gateway) -> dict[str, str]:
    logged = [line for line in gateway.access_log() if "tls_failure" in line]
    assert all(line.keys() == {"time", "client", "tls_failure"} for line in logged)
    return {line["client"]: line["tls_failure"] for line in logged}


def name(caller: socket.socket) -> str:
    host, port = caller.getsockname()
    return f"{host}:{port}"
