"""HAProxy before the gateway: REST, gRPC, and whether its checks find the gateway healthy."""

import socket
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import grpc
import httpx
import pytest
from livecalls.v1 import live_calls_pb2 as pb
from livecalls.v1.live_calls_pb2_grpc import LiveCallsStub

from demo.readiness import wait_until
from tests.support.data.calls import CALL_ID, PLAIN_CALL, new_id
from tests.support.network.proxies import haproxy_running
from tests.support.server.stack import Stack

PATH = f"/v1/live/calls/{CALL_ID}"
# As in docs/operations/edge.md. By HTTP/1.0 and without a Host, as HAProxy checks by default.
CHECKED = ("option httpchk GET /readyz",)
PASSED, FAILED = "L7OK", "L7STS"


@pytest.fixture(scope="module")
def haproxy(stack: Stack, tmp_path_factory: pytest.TempPathFactory) -> Iterator[str]:
    """The URL of an HAProxy with its defaults."""
    folder = tmp_path_factory.mktemp("haproxy")
    with haproxy_running(folder, f"server one {stack.gateway.address}") as address:
        yield f"http://{address}"


@contextmanager
def checking(stack: Stack, folder: Path, *lines: str) -> Iterator[str]:
    """Run an HAProxy that checks the gateway at once and then each second."""
    server = f"server one {stack.gateway.address} check inter 1s fall 1 rise 1"
    with haproxy_running(folder, *lines, server) as address:
        yield f"http://{address}"


def checked(folder: Path) -> tuple[str, str]:
    """Return the gateway's state to HAProxy, and the result of its last check."""
    stats = folder / "stats"
    if not stats.is_socket():
        return "", ""  # it has only just started
    with socket.socket(socket.AF_UNIX) as asking, asking.makefile("rw") as lines:
        asking.settimeout(20)
        asking.connect(str(stats))
        lines.write("show stat\n")
        lines.flush()
        names, *rows = (line.lstrip("# ").split(",") for line in lines.read().splitlines() if line)
    (row,) = (dict(zip(names, row, strict=True)) for row in rows if row[1] == "one")
    return row["status"], row["check_status"]


def test_a_call_and_its_headers_pass(haproxy: str, authorization: dict[str, str]) -> None:
    reply = httpx.get(f"{haproxy}{PATH}", headers={**authorization, "x-request-id": "mine"})
    assert (reply.status_code, reply.json()["title"]) == (200, PLAIN_CALL.title)
    assert reply.headers["x-request-id"] == "mine"
    known = {**authorization, "if-none-match": reply.headers["etag"]}
    assert httpx.get(f"{haproxy}{PATH}", headers=known).status_code == 304


def test_a_refusal_keeps_its_shape(haproxy: str, authorization: dict[str, str]) -> None:
    reply = httpx.get(f"{haproxy}/v1/live/calls/{new_id()}", headers=authorization)
    assert reply.status_code == 404
    assert reply.json() == {"error": "not_found", "message": "No call has this id."}


def test_the_check_of_its_own_finds_nothing_to_be_well(stack: Stack, tmp_path: Path) -> None:
    # OPTIONS of a path at which there is nothing.
    with checking(stack, tmp_path, "option httpchk") as url:
        assert wait_until(lambda: checked(tmp_path) == ("DOWN", FAILED), 20), checked(tmp_path)
        assert httpx.get(f"{url}{PATH}").status_code == 503


def test_a_check_of_a_path_finds_the_service_well(
    stack: Stack, tmp_path: Path, authorization: dict[str, str]
) -> None:
    with checking(stack, tmp_path, *CHECKED) as url:
        assert wait_until(lambda: checked(tmp_path) == ("UP", PASSED), 20), checked(tmp_path)
        assert httpx.get(f"{url}{PATH}", headers=authorization).status_code == 200


def test_a_check_of_the_process_finds_the_gateway_well(stack: Stack, tmp_path: Path) -> None:
    with checking(stack, tmp_path, "option httpchk GET /healthz"):
        assert wait_until(lambda: checked(tmp_path) == ("UP", PASSED), 20), checked(tmp_path)


@pytest.mark.parametrize(
    "lines", [(), ("http-request del-header te",)], ids=["as it comes", "without te"]
)
def test_grpc_passes(
    stack: Stack, tmp_path: Path, authorization: dict[str, str], lines: tuple[str, ...]
) -> None:
    server = f"server one {stack.gateway.address} proto h2"
    metadata = tuple(authorization.items())
    with (
        haproxy_running(tmp_path, *lines, server, protocol="proto h2") as address,
        grpc.insecure_channel(address) as channel,
    ):
        stub = LiveCallsStub(channel)
        got = stub.GetCall(pb.GetCallRequest(id=CALL_ID), metadata=metadata, timeout=60)
        assert got.title == PLAIN_CALL.title
        with pytest.raises(grpc.RpcError) as refused:
            stub.GetCall(pb.GetCallRequest(id=new_id()), metadata=metadata, timeout=60)
    assert refused.value.code() == grpc.StatusCode.NOT_FOUND
    assert refused.value.details() == "No call has this id."
