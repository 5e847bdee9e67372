"""nginx before the gateway: by default HTTP/1.0, a connection for each request, and its own Host."""

from collections.abc import Iterator
from pathlib import Path
from uuid import uuid4

import grpc
import httpx
import pytest
from livecalls.v1 import live_calls_pb2 as pb
from livecalls.v1.live_calls_pb2_grpc import LiveCallsStub

from demo.readiness import wait_until
from tests.support.data.calls import CALL_ID, PLAIN_CALL, new_id
from tests.support.envoy.gateway import gateway_running
from tests.support.network.proxies import nginx_running
from tests.support.server.stack import Stack
from tests.support.stand_ins.stream import closed_port

PATH = f"/v1/live/calls/{CALL_ID}"
GET_CALL = "/livecalls.v1.LiveCalls/GetCall"


@pytest.fixture(scope="module")
def nginx(stack: Stack, tmp_path_factory: pytest.TempPathFactory) -> Iterator[str]:
    """The URL of an nginx with its defaults."""
    folder = tmp_path_factory.mktemp("nginx")
    with nginx_running(folder, f"proxy_pass {stack.gateway.url};") as address:
        yield f"http://{address}"


@pytest.fixture(scope="module")
def grpc_nginx(stack: Stack, tmp_path_factory: pytest.TempPathFactory) -> Iterator[str]:
    """The address of an nginx that proxies gRPC."""
    folder = tmp_path_factory.mktemp("grpc-nginx")
    passes = f"grpc_pass grpc://{stack.gateway.address};"
    with nginx_running(folder, passes, "http2") as address:
        yield address


def test_a_call_and_its_headers_pass(nginx: str, authorization: dict[str, str]) -> None:
    request_id = str(uuid4())
    reply = httpx.get(f"{nginx}{PATH}", headers={**authorization, "x-request-id": request_id})
    assert (reply.status_code, reply.json()["title"]) == (200, PLAIN_CALL.title)
    assert reply.headers["content-type"] == "application/json"
    assert reply.headers["x-request-id"] == request_id
    known = {**authorization, "if-none-match": reply.headers["etag"]}
    assert httpx.get(f"{nginx}{PATH}", headers=known).status_code == 304


def test_head_has_the_headers_alone(nginx: str, authorization: dict[str, str]) -> None:
    reply = httpx.head(f"{nginx}{PATH}", headers=authorization)
    assert (reply.status_code, reply.content) == (200, b"")
    assert reply.headers["etag"]


def test_a_refusal_keeps_its_shape(nginx: str, authorization: dict[str, str]) -> None:
    reply = httpx.get(f"{nginx}/v1/live/calls/{new_id()}", headers=authorization)
    assert reply.status_code == 404
    assert reply.json() == {"error": "not_found", "message": "No call has this id."}
    assert reply.headers["cache-control"] == "no-store"
    assert reply.headers["x-request-id"]


def test_an_id_with_a_slash_stays_one(nginx: str, authorization: dict[str, str]) -> None:
    reply = httpx.get(f"{nginx}/v1/live/calls/a%2Fb", headers=authorization)
    assert reply.json() == {"error": "not_found", "message": "No call has this id."}


def test_a_caller_without_a_token_is_asked_for_one(nginx: str) -> None:
    reply = httpx.get(f"{nginx}{PATH}")
    assert (reply.status_code, reply.json()["error"]) == (401, "unauthenticated")
    assert reply.headers["www-authenticate"] == 'Bearer realm="livecalls"'


@pytest.mark.parametrize(
    ("method", "path", "status", "error"),
    [("GET", "/elsewhere", 404, "not_found"), ("DELETE", PATH, 405, "method_not_allowed")],
    ids=["no page", "another verb"],
)
def test_what_the_gateway_answers_itself_passes(
    nginx: str, method: str, path: str, status: int, error: str
) -> None:
    reply = httpx.request(method, f"{nginx}{path}")
    assert (reply.status_code, reply.json()["error"]) == (status, error)


@pytest.mark.parametrize(
    "path", ["/docs", f"/calls/{CALL_ID}", "/openapi.yaml"], ids=["docs", "call", "document"]
)
def test_the_pages_pass(nginx: str, stack: Stack, path: str) -> None:
    through, straight = httpx.get(f"{nginx}{path}"), httpx.get(f"{stack.gateway.url}{path}")
    assert through.status_code == 200
    assert through.content == straight.content


def test_callers_have_a_rate_limit_each_once_it_names_them(
    tmp_path: Path,
) -> None:
    limits = {"TRUSTED_PROXIES": "1", "RATE_LIMIT_PER_SECOND": "1", "RATE_LIMIT_BURST": "1"}
    names = "proxy_set_header X-Forwarded-For $proxy_add_x_forwarded_for;"
    with (
        gateway_running(closed_port(), tmp_path, **limits) as gateway,
        nginx_running(tmp_path, f"proxy_pass {gateway.url}; {names}") as address,
        caller_from("127.0.0.1") as one,
        caller_from("127.0.0.2") as another,
    ):
        url = f"http://{address}/elsewhere"
        assert wait_until(lambda: one.get(url).status_code == 429, 20)
        assert another.get(url).status_code == 404


def caller_from(address: str) -> httpx.Client:
    return httpx.Client(transport=httpx.HTTPTransport(local_address=address))


def test_grpc_passes(grpc_nginx: str, authorization: dict[str, str]) -> None:
    metadata = tuple(authorization.items())
    with grpc.insecure_channel(grpc_nginx) as channel:
        stub = LiveCallsStub(channel)
        assert stub.GetCall(pb.GetCallRequest(id=CALL_ID), metadata=metadata).title == PLAIN_CALL.title
        with pytest.raises(grpc.RpcError) as refused:
            stub.GetCall(pb.GetCallRequest(id=new_id()), metadata=metadata)
    assert refused.value.code() == grpc.StatusCode.NOT_FOUND
    assert refused.value.details() == "No call has this id."
    assert "grpc-status-details-bin" in {pair.key for pair in refused.value.trailing_metadata() or ()}


def ask_grpc_web(nginx: str, authorization: dict[str, str], call_id: str) -> httpx.Response:
    message = pb.GetCallRequest(id=call_id).SerializeToString()
    kind = {"content-type": "application/grpc-web+proto", "grpc-timeout": "60S"}
    frame = b"\0" + len(message).to_bytes(4) + message
    reply = httpx.post(f"{nginx}{GET_CALL}", headers={**authorization, **kind}, content=frame)
    assert reply.status_code == 200
    assert reply.headers["content-type"] == "application/grpc-web+proto"
    return reply


def test_grpc_web_passes(nginx: str, authorization: dict[str, str]) -> None:
    body = ask_grpc_web(nginx, authorization, CALL_ID).content
    length = int.from_bytes(body[1:5])
    assert pb.Call.FromString(body[5 : 5 + length]).title == PLAIN_CALL.title
    assert b"grpc-status:0" in body[5 + length :]


def test_a_refusal_by_grpc_web_passes(nginx: str, authorization: dict[str, str]) -> None:
    reply = ask_grpc_web(nginx, authorization, new_id())
    assert (reply.headers["grpc-status"], reply.content) == ("5", b"")
