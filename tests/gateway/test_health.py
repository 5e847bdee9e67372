"""The paths by which load balancers and whoever restarts processes look at the gateway."""

from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.support.callers.rest import Reply, ask, send_raw
from tests.support.envoy.gateway import Gateway, gateway_running, wait_for
from tests.support.stand_ins.upstream import Upstream, upstream_running

PATHS = ("/healthz", "/readyz")
UNAVAILABLE = {
    "error": "unavailable",
    "message": "The service cannot be reached right now. Try again shortly.",
}


@pytest.fixture(scope="module")
def mortal() -> Iterator[Upstream]:
    with upstream_running() as upstream:
        yield upstream


@pytest.fixture(scope="module")
def its_gateway(mortal: Upstream, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Gateway]:
    """A gateway whose only server may go away; a test leaves it well."""
    with gateway_running(mortal.port, tmp_path_factory.mktemp("mortal")) as running:
        yield running


@pytest.mark.parametrize("path", [*PATHS, "/healthz?verbose", "/readyz?verbose"])
@pytest.mark.parametrize("times", [1, 2], ids=["at first", "again"])
def test_all_is_well(gateway: Gateway, path: str, times: int) -> None:
    for _ in range(times):
        reply = ask(gateway.url, "GET", path)
    assert_well(reply)
    assert reply.json() == {"status": "ok"}


@pytest.mark.parametrize("path", PATHS)
def test_head_is_the_get_without_its_body(gateway: Gateway, path: str) -> None:
    reply = ask(gateway.url, "HEAD", path)
    assert_well(reply)
    assert reply.body == b""
    assert reply.header("content-length") == str(len(ask(gateway.url, "GET", path).body))


@pytest.mark.parametrize("path", PATHS)
@pytest.mark.parametrize("host", [b"", b"host: a\r\n"], ids=["no host", "a host"])
def test_http_1_0_is_answered(gateway: Gateway, path: str, host: bytes) -> None:
    assert_well(send_raw(gateway.url, b"GET " + path.encode() + b" HTTP/1.0\r\n" + host + b"\r\n"))


def assert_well(reply: Reply) -> None:
    assert reply.status == 200
    assert reply.header("content-type") == "application/json"
    assert reply.header("cache-control") == "no-store"
    assert reply.header("x-request-id")
    assert not [name for name, _ in reply.headers if name.startswith("x-envoy")]


@pytest.mark.parametrize("path", PATHS)
@pytest.mark.parametrize("verb", ["POST", "PUT", "DELETE", "OPTIONS", "NONE"])
def test_another_verb_is_not_allowed(gateway: Gateway, path: str, verb: str) -> None:
    reply = ask(gateway.url, verb, path)
    assert (reply.status, reply.json()["error"]) == (405, "method_not_allowed")
    assert reply.header("allow") == "GET, HEAD"


@pytest.mark.parametrize("path", ["/healthz/", "/readyz/", "/readyz/x", "/Healthz"])
def test_no_other_path_is_one_of_them(gateway: Gateway, path: str) -> None:
    assert ask(gateway.url, "GET", path).status == 404


def test_they_leave_no_line_in_the_access_log(gateway: Gateway) -> None:
    for path in PATHS * 2:
        ask(gateway.url, "GET", path, {"x-request-id": "silent"})
    ask(gateway.url, "GET", "/other", {"x-request-id": "after them"})
    gateway.access_logged("after them")
    assert "silent" not in [line["request_id"] for line in gateway.access_log()]


def becomes(gateway: Gateway, status: int) -> Reply:
    """Wait until it is ready, or is so no more."""
    return wait_for(
        lambda: reply if (reply := ask(gateway.url, "GET", "/readyz")).status == status else None
    )


def assert_unready(gateway: Gateway) -> None:
    reply = becomes(gateway, 503)
    assert reply.json() == UNAVAILABLE
    assert reply.header("retry-after") == "1"
    assert reply.header("cache-control") == "no-store"
    assert ask(gateway.url, "HEAD", "/readyz").body == b""
    assert ask(gateway.url, "GET", "/healthz").status == 200


def test_it_is_not_ready_while_its_server_does_not_serve(mortal: Upstream, its_gateway: Gateway) -> None:
    becomes(its_gateway, 200)
    mortal.says_it_serves(serves=False)
    assert_unready(its_gateway)
    mortal.says_it_serves()
    becomes(its_gateway, 200)


def test_it_is_not_ready_while_its_server_is_away(mortal: Upstream, its_gateway: Gateway) -> None:
    becomes(its_gateway, 200)
    mortal.stop()
    assert_unready(its_gateway)
    mortal.start()
    becomes(its_gateway, 200)


def test_it_is_not_ready_before_it_has_found_a_server(tmp_path: Path) -> None:
    with gateway_running(1, tmp_path) as lonely:
        assert ask(lonely.url, "GET", "/readyz").json() == UNAVAILABLE
