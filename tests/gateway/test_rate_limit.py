import http.client
from collections import Counter
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor

import grpc
import pytest
from livecalls.v1 import live_calls_pb2 as pb
from livecalls.v1.live_calls_pb2_grpc import LiveCallsStub

from tests.gateway.conftest import ALLOWED_ORIGIN
from tests.support.callers.rest import ask
from tests.support.data.sample_replies import sample_replies
from tests.support.envoy.envoy_configuration import EnvoyConfiguration
from tests.support.envoy.gateway import Gateway, gateway_running
from tests.support.stand_ins.upstream import Upstream

CALL_ID = "11111111-1111-4111-8111-111111111111"
CALL = f"/v1/live/calls/{CALL_ID}"
BURST = 100
LIMITED = {"RATE_LIMIT_PER_SECOND": "1", "RATE_LIMIT_BURST": str(BURST)}
TOO_MANY = "Too many requests. Try again shortly."
GRPC = {"content-type": "application/grpc", "content-length": "0"}


@pytest.fixture
def limited(
    upstream: Upstream, tmp_path_factory: pytest.TempPathFactory, request: pytest.FixtureRequest
) -> Iterator[Gateway]:
    """A gateway that admits so many requests of a caller, and never another."""
    upstream.serves(sample_replies())
    settings = {**LIMITED, "CORS_ORIGINS": ALLOWED_ORIGIN, **getattr(request, "param", {})}
    folder = tmp_path_factory.mktemp("limited")
    edit = EnvoyConfiguration.never_refill_buckets
    with gateway_running(upstream.port, folder, edit, **settings) as running:
        yield running


def flooded(gateway: Gateway, number: int, headers: dict[str, str] | None = None) -> Counter[int]:
    """Send so many requests, on several connections at once; count the statuses."""

    def send(share: int) -> list[int]:
        connection = http.client.HTTPConnection(gateway.address, timeout=20)
        try:
            return [status_of(connection, headers or {}) for _ in range(share)]
        finally:
            connection.close()

    with ThreadPoolExecutor(10) as pool:
        return Counter(status for part in pool.map(send, [number // 10] * 10) for status in part)


def status_of(connection: http.client.HTTPConnection, headers: dict[str, str]) -> int:
    connection.request("GET", CALL, headers=headers)
    response = connection.getresponse()
    response.read()
    return response.status


@pytest.mark.parametrize("path", ["/healthz", "/readyz"])
def test_health_is_looked_at_by_whoever_has_spent_the_limit(limited: Gateway, path: str) -> None:
    assert flooded(limited, 2 * BURST)[429]
    assert ask(limited.url, "GET", path).status == 200


def status_from(source: str, gateway: Gateway) -> int:
    connection = http.client.HTTPConnection(gateway.address, timeout=20, source_address=(source, 0))
    try:
        return status_of(connection, {})
    finally:
        connection.close()


def grpc_code(call: "grpc.Future[pb.Call]") -> grpc.StatusCode:
    error = call.exception()
    return error.code() if isinstance(error, grpc.RpcError) else grpc.StatusCode.OK


def test_exactly_the_surplus_of_a_flood_is_refused(limited: Gateway, upstream: Upstream) -> None:
    assert flooded(limited, BURST + 50) == {200: BURST, 429: 50}
    assert len(upstream.requests) == BURST


def test_so_is_that_of_a_flood_by_grpc(limited: Gateway, upstream: Upstream) -> None:
    with grpc.insecure_channel(limited.address) as channel:
        get_call = LiveCallsStub(channel).GetCall
        calls = [get_call.future(pb.GetCallRequest(id=CALL_ID), timeout=20) for _ in range(BURST + 50)]
        codes = Counter(grpc_code(call) for call in calls)
        with pytest.raises(grpc.RpcError) as caught:
            get_call(pb.GetCallRequest(id=CALL_ID))
    assert codes == {grpc.StatusCode.OK: BURST, grpc.StatusCode.RESOURCE_EXHAUSTED: 50}
    assert caught.value.details() == TOO_MANY
    assert len(upstream.requests) == BURST


@pytest.mark.parametrize("path", [CALL, "/elsewhere"])
@pytest.mark.parametrize("verb", ["GET", "HEAD", "POST"])
@pytest.mark.parametrize("limited", [{"RATE_LIMIT_BURST": "1"}], indirect=True)
def test_the_refusal_has_the_documented_shape(verb: str, path: str, limited: Gateway) -> None:
    ask(limited.url, "GET", "/elsewhere")
    reply = ask(limited.url, verb, path, {"x-request-id": "refused"})
    assert reply.status == 429
    assert verb == "HEAD" or reply.json() == {"error": "resource_exhausted", "message": TOO_MANY}
    assert reply.header("content-type") == "application/json"
    assert reply.header("retry-after") == "1"
    assert reply.header("cache-control") == "no-store"
    assert reply.header("x-request-id") == "refused"
    assert limited.access_logged("refused")["path"] == path


@pytest.mark.parametrize("limited", [{"RATE_LIMIT_BURST": "1"}], indirect=True)
def test_the_allowed_origin_may_read_it(limited: Gateway) -> None:
    replies = [ask(limited.url, "GET", CALL, {"origin": ALLOWED_ORIGIN}) for _ in range(2)]
    assert [reply.status for reply in replies] == [200, 429]
    assert replies[1].header("access-control-allow-origin") == ALLOWED_ORIGIN


@pytest.mark.parametrize("limited", [{"RATE_LIMIT_BURST": "1"}], indirect=True)
def test_to_grpc_it_is_a_status_on_any_path(limited: Gateway) -> None:
    ask(limited.url, "GET", CALL)
    for path in (CALL, "/livecalls.v1.LiveCalls/GetCall", "/other.Service/Method"):
        reply = ask(limited.url, "POST", path, GRPC)
        assert reply.header("grpc-status") == str(grpc.StatusCode.RESOURCE_EXHAUSTED.value[0])
        assert reply.header("grpc-message") == TOO_MANY


@pytest.mark.parametrize("limited", [{"RATE_LIMIT_BURST": "2"}], indirect=True)
def test_two_addresses_do_not_share_a_bucket(limited: Gateway) -> None:
    for source in ("127.0.0.1", "127.0.0.2"):
        assert [status_from(source, limited) for _ in range(3)] == [200, 200, 429]


@pytest.mark.parametrize("limited", [{"RATE_LIMIT_BURST": "2"}], indirect=True)
def test_what_a_caller_says_of_its_address_is_not_believed(limited: Gateway) -> None:
    replies = [
        ask(limited.url, "GET", CALL, {"x-forwarded-for": f"192.0.2.{number}"}) for number in range(3)
    ]
    assert [reply.status for reply in replies] == [200, 200, 429]


@pytest.mark.parametrize("limited", [{"RATE_LIMIT_BURST": "1", "TRUSTED_PROXIES": "1"}], indirect=True)
@pytest.mark.parametrize(
    ("first", "second", "status"),
    [
        ("192.0.2.1", "192.0.2.2", 200),
        ("192.0.2.1", "192.0.2.1", 429),
        # Only the last was written by the proxy.
        ("192.0.2.3, 192.0.2.1", "192.0.2.4, 192.0.2.1", 429),
        # A customer has a whole IPv6 network.
        ("2001:db8::1", "2001:db8::ffff:1", 429),
        ("2001:db8::1", "2001:db8:0:1::1", 200),
        # Some write a port with it, which is another for each connection.
        ("192.0.2.1:4711", "192.0.2.2:4711", 200),
        ("192.0.2.1:4711", "192.0.2.1:4712", 429),
        ("192.0.2.1:4711", "192.0.2.1", 429),
        ("192.0.2.3:1, 192.0.2.1:2", "192.0.2.4:1, 192.0.2.1:3", 429),
        ("192.0.2.3, 192.0.2.1:2", "192.0.2.3, 192.0.2.2:2", 200),
        ("[2001:db8::1]:4711", "[2001:db8:0:1::1]:4711", 200),
        ("[2001:db8::1]:4711", "[2001:db8::ffff:1]:4712", 429),
        ("[2001:db8::1]", "2001:db8::1", 429),
    ],
)
def test_what_a_trusted_proxy_says_is(first: str, second: str, status: int, limited: Gateway) -> None:
    assert ask(limited.url, "GET", CALL, {"x-forwarded-for": first}).status == 200
    assert ask(limited.url, "GET", CALL, {"x-forwarded-for": second}).status == status


@pytest.mark.parametrize("limited", [{"RATE_LIMIT_BURST": "1", "TRUSTED_PROXIES": "2"}], indirect=True)
@pytest.mark.parametrize(
    ("first", "second", "status"),
    [
        # The last is the first proxy, as the second has seen it.
        ("192.0.2.1:1, 198.51.100.1:2", "192.0.2.2:1, 198.51.100.1:2", 200),
        ("192.0.2.1:1, 198.51.100.1:2", "192.0.2.1:3, 198.51.100.2:4", 429),
        ("192.0.2.3, 192.0.2.1:1, 198.51.100.1", "192.0.2.4, 192.0.2.1:2, 198.51.100.1", 429),
    ],
)
def test_of_two_the_first_one_says_it(first: str, second: str, status: int, limited: Gateway) -> None:
    assert ask(limited.url, "GET", CALL, {"x-forwarded-for": first}).status == 200
    assert ask(limited.url, "GET", CALL, {"x-forwarded-for": second}).status == status


@pytest.mark.parametrize("limited", [{"RATE_LIMIT_BURST": "2", "TRUSTED_PROXIES": "1"}], indirect=True)
@pytest.mark.parametrize(
    "odd", ["", "none", "192.0.2.{}:1:2", "192.0.2.{}:", "[2001:db8:{}::1", "1.2.3.{}.5:1"]
)
def test_what_is_no_address_hides_nobody(odd: str, limited: Gateway) -> None:
    replies = [
        ask(limited.url, "GET", CALL, {"x-forwarded-for": odd.format(number)}) for number in range(3)
    ]
    assert [reply.status for reply in replies] == [200, 200, 429]


@pytest.mark.parametrize("limited", [{"RATE_LIMIT_PER_SECOND": "0"}], indirect=True)
def test_there_need_be_no_limit(limited: Gateway) -> None:
    assert flooded(limited, BURST + 50) == {200: BURST + 50}
