"""Which requests are in the access log if only a fraction of the successes is to be."""

from collections.abc import Iterator
from contextlib import closing
from http.client import HTTPConnection
from itertools import count

import grpc
import pytest
from livecalls.v1 import live_calls_pb2 as pb
from livecalls.v1.live_calls_pb2_grpc import LiveCallsStub

from tests.support.callers.rest import ask, send_raw
from tests.support.data.sample_replies import sample_replies
from tests.support.envoy.forwarding import gateway_forwarding
from tests.support.envoy.gateway import Gateway, gateway_running, wait_for
from tests.support.stand_ins.upstream import Context, Request, Upstream

# One of a million, by the digits that the request's id begins with.
RATIO = "0.000001"
FOUND = f"/v1/live/calls/{next(iter(sample_replies()))}"
METHOD = "/livecalls.v1.LiveCalls/GetCall"
ids = map("{:08x}-aaaa-4aaa-8aaa-aaaaaaaaaaaa".format, count(1_000_001))


@pytest.fixture(scope="module", params=["standalone", "embedded"])
def gateway(
    request: pytest.FixtureRequest,
    running_upstream: Upstream,
    tmp_path_factory: pytest.TempPathFactory,
) -> Iterator[Gateway]:
    run = gateway_running if request.param == "standalone" else gateway_forwarding
    folder = tmp_path_factory.mktemp("sampling")
    with run(running_upstream.port, folder, LOG_REQUESTS_RATIO=RATIO) as gateway:
        yield gateway


def is_logged(gateway: Gateway, request_id: str) -> bool:
    """Return whether a request has a line by the time that an error after it has one."""
    error = next(ids)
    assert ask(gateway.url, "POST", FOUND, {"x-request-id": error}).status == 405
    gateway.access_logged(error)
    return any(line.get("request_id") == request_id for line in gateway.access_log())


def call_by_grpc(gateway: Gateway, request_id: str) -> None:
    with grpc.insecure_channel(gateway.address) as channel:
        LiveCallsStub(channel).GetCall(
            pb.GetCallRequest(id="any"), metadata=(("x-request-id", request_id),), timeout=20
        )


@pytest.mark.parametrize(
    ("path", "status"), [(FOUND, 200), ("/v1/live/calls/any", 404), ("/elsewhere", 404), ("/docs", 200)]
)
def test_an_answer_is_logged_by_the_request_s_id_alone(
    gateway: Gateway, upstream: Upstream, path: str, status: int
) -> None:
    upstream.serves(sample_replies())
    request_id = next(ids)
    assert ask(gateway.url, "GET", path, {"x-request-id": request_id}).status == status
    assert not is_logged(gateway, request_id)
    low = f"00000000-{request_id[9:-8]}{request_id[:8]}"
    assert ask(gateway.url, "GET", path, {"x-request-id": low}).status == status
    assert gateway.access_logged(low)["status"] == status


@pytest.mark.parametrize(
    "code",
    [grpc.StatusCode.UNAVAILABLE, grpc.StatusCode.INTERNAL, grpc.StatusCode.UNAUTHENTICATED],
    ids=lambda code: code.name,
)
def test_every_error_is_logged(gateway: Gateway, upstream: Upstream, code: grpc.StatusCode) -> None:
    upstream.fails(code, "x")
    request_id = next(ids)
    status = ask(gateway.url, "GET", FOUND, {"x-request-id": request_id}).status
    assert gateway.access_logged(request_id)["status"] == status
    with pytest.raises(grpc.RpcError):
        call_by_grpc(gateway, request_id := next(ids))
    assert gateway.access_logged(request_id)["grpc_status"] == str(code.value[0])


def fail_after_data(_request: Request, context: Context) -> pb.Call:
    """Respond with a call, and then a status that is an error."""
    context.set_code(grpc.StatusCode.DATA_LOSS)
    return pb.Call(id="any")


def test_an_error_after_data_is_logged(gateway: Gateway, upstream: Upstream) -> None:
    upstream.runs(fail_after_data)
    with pytest.raises(grpc.RpcError):
        call_by_grpc(gateway, by_grpc := next(ids))
    assert gateway.access_logged(by_grpc)["grpc_status"] == "15"
    by_rest = {"x-request-id": next(ids)}
    assert ask(gateway.url, "GET", FOUND, by_rest).status == 500
    assert gateway.access_logged(by_rest["x-request-id"])["status"] == 500


def test_grpc_s_answers_are_sampled_too(gateway: Gateway, upstream: Upstream) -> None:
    with pytest.raises(grpc.RpcError):
        call_by_grpc(gateway, not_found := next(ids))
    assert not is_logged(gateway, not_found)
    upstream.serves({"any": pb.Call(id="any")})
    call_by_grpc(gateway, found := next(ids))
    assert not is_logged(gateway, found)


def test_a_caller_who_has_gone_is_logged(gateway: Gateway, upstream: Upstream) -> None:
    upstream.hangs()
    request_id = next(ids)
    with closing(HTTPConnection(gateway.address)) as connection:
        connection.request("GET", FOUND, headers={"x-request-id": request_id})
        wait_for(lambda: upstream.requests)
    assert "DC" in gateway.access_logged(request_id)["flags"]


def test_what_is_no_request_is_logged(gateway: Gateway) -> None:
    request_id = send_raw(gateway.url, b"GARBAGE\r\n\r\n").header("x-request-id")
    assert request_id is not None
    assert gateway.access_logged(request_id)["status"] == 400
