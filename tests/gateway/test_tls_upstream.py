import socket
import ssl
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager, suppress
from pathlib import Path

import grpc
import pytest
from livecalls.v1 import live_calls_pb2 as pb
from livecalls.v1.live_calls_pb2_grpc import LiveCallsStub

from tests.support.callers.rest import ask
from tests.support.envoy.gateway import Gateway, gateway_running
from tests.support.network.certificates import Authority, Pair, server_credentials
from tests.support.stand_ins.upstream import upstream_running

PATH = "/v1/live/calls/any"

Credentials = Callable[[Authority, Authority], grpc.ServerCredentials | None]


@pytest.fixture
def authority(tmp_path: Path) -> Authority:
    return Authority(tmp_path)


@pytest.fixture
def other(tmp_path: Path) -> Authority:
    return Authority(tmp_path, "other")


@pytest.mark.parametrize(
    ("issued", "settings"),
    [
        ("127.0.0.1", {}),
        ("localhost", {"UPSTREAM_TLS_NAME": "localhost"}),
        ("*.example.com", {"UPSTREAM_TLS_NAME": "live.example.com"}),
        ("::1", {"UPSTREAM_TLS_NAME": "0:0:0:0:0:0:0:1"}),
    ],
)
def test_the_server_is_known_by_its_name(
    issued: str, settings: dict[str, str], authority: Authority
) -> None:
    with gateway_before(
        server_credentials(authority.issue("server", issued)), authority, **settings
    ) as gateway:
        assert ask(gateway.url, "GET", PATH).status == 404


def test_the_server_is_shown_a_certificate(authority: Authority) -> None:
    server = server_credentials(authority.issue("server"), authority)
    client = authority.issue("client", "gateway").settings("UPSTREAM_TLS")
    with gateway_before(server, authority, **client) as gateway:
        assert ask(gateway.url, "GET", PATH).status == 404


@pytest.mark.parametrize(
    ("server", "reason"),
    [
        (lambda _, other: server_credentials(other.issue("server")), "unable_to_get_local_issuer"),
        (lambda ours, _: server_credentials(ours.issue("server", days=0)), "certificate_has_expired"),
        (
            lambda ours, _: server_credentials(ours.issue("server", "other.example.com")),
            "certificate_SANs_are_[other.example.com]",
        ),
        (lambda *_: None, "WRONG_VERSION_NUMBER"),
    ],
    ids=["another CA", "expired", "another name", "plain text"],
)
def test_it_asks_no_server_that_it_cannot_trust(
    server: Credentials, reason: str, authority: Authority, other: Authority
) -> None:
    with gateway_before(server(authority, other), authority) as gateway:
        assert_unavailable(gateway)
        assert reason in gateway.access_logged("refused")["upstream_failure"]


@pytest.mark.parametrize("shown", ["nothing", "of another CA", "expired"])
def test_a_server_that_refuses_the_certificate_is_away(
    shown: str, authority: Authority, other: Authority
) -> None:
    server = server_credentials(authority.issue("server"), authority)
    client = {
        "nothing": {},
        "of another CA": other.issue("other-client").settings("UPSTREAM_TLS"),
        "expired": authority.issue("client", days=0).settings("UPSTREAM_TLS"),
    }
    with gateway_before(server, authority, **client[shown]) as gateway:
        assert_unavailable(gateway)
        # By TLS 1.3 a client is done before the server checks its certificate: all that Envoy knows.
        logged = gateway.access_logged("refused")
        assert logged["details"] == "upstream_reset_before_response_started{connection_termination}"
        assert logged["upstream"]


@pytest.mark.parametrize(
    ("settings", "name"), [({"UPSTREAM_TLS_NAME": "live.example.com"}, "live.example.com"), ({}, None)]
)
def test_the_server_hears_by_which_name_it_is_asked(
    settings: dict[str, str], name: str | None, authority: Authority
) -> None:
    trust = {"UPSTREAM_TLS_CA_FILE": str(authority.certificate), **settings}
    with (
        listening_for_names(authority.issue("server")) as (port, names),
        gateway_running(port, authority.folder, **trust) as gateway,
    ):
        assert ask(gateway.url, "GET", PATH).status == 503
        assert names[0] == name


def test_a_grpc_caller_learns_nothing_of_it(authority: Authority, other: Authority) -> None:
    with (
        gateway_before(server_credentials(other.issue("server")), authority) as gateway,
        grpc.insecure_channel(gateway.address) as channel,
        pytest.raises(grpc.RpcError) as caught,
    ):
        LiveCallsStub(channel).GetCall(pb.GetCallRequest(id="any"))
    assert caught.value.code() == grpc.StatusCode.UNAVAILABLE
    assert "TLS" not in str(caught.value.details())


@contextmanager
def gateway_before(
    server: grpc.ServerCredentials | None, trusted: Authority, **settings: str
) -> Iterator[Gateway]:
    """Run a gateway that trusts the CA, and before it a server with the credentials."""
    settings = {"UPSTREAM_TLS_CA_FILE": str(trusted.certificate), **settings}
    with (
        upstream_running(server) as upstream,
        gateway_running(upstream.port, trusted.folder, **settings) as gateway,
    ):
        yield gateway


@contextmanager
def listening_for_names(pair: Pair) -> Iterator[tuple[int, list[str | None]]]:
    """Accept TLS handshakes, disconnect, and remember the names that were requested."""
    names: list[str | None] = []
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.load_cert_chain(pair.certificate, pair.key)
    context.sni_callback = lambda _, name, __: names.append(name)

    def shake_hands() -> None:
        with suppress(OSError):
            while True:
                with context.wrap_socket(listening.accept()[0], server_side=True):
                    pass

    with ThreadPoolExecutor(1) as pool, socket.create_server(("127.0.0.1", 0)) as listening:
        pool.submit(shake_hands)
        yield listening.getsockname()[1], names
        listening.shutdown(socket.SHUT_RDWR)


def assert_unavailable(gateway: Gateway) -> None:
    reply = ask(gateway.url, "GET", PATH, {"x-request-id": "refused"})
    assert (reply.status, reply.header("retry-after")) == (503, "1")
    assert reply.json() == {
        "error": "unavailable",
        "message": "The service cannot be reached right now. Try again shortly.",
    }
