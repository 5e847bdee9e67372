"""The responses of each API while a part of the service is in trouble, and after it."""

import re
from collections.abc import Iterator
from contextlib import contextmanager
from time import monotonic
from typing import Any

import grpc
import psycopg
import pytest
from livecalls.v1 import live_calls_pb2 as pb
from livecalls.v1.live_calls_pb2_grpc import LiveCallsStub

from demo.readiness import wait_until
from tests.support.data.calls import CALL_ID
from tests.support.database.postgres import away, execute, frozen
from tests.support.envoy.gateway import wait_for
from tests.support.server.deployments import Deployment
from tests.support.server.stack import Stack

UNAVAILABLE = {
    "error": "unavailable",
    "message": "The calls cannot be read right now. Try again shortly.",
}
SPEC_SECONDS = 2.0


@pytest.fixture(autouse=True)
def _all_is_well_before_and_after(stack: Stack) -> Iterator[None]:
    assert wait_until(lambda: stack.get().status == 200, 10), stack.server.log()
    yield
    assert wait_until(lambda: stack.get().status == 200, 10), stack.server.log()


@contextmanager
def in_time() -> Iterator[None]:
    begun = monotonic()
    yield
    assert monotonic() - begun < SPEC_SECONDS


def grpc_code(address: str, timeout: float | None = None) -> grpc.StatusCode:
    with grpc.insecure_channel(address) as channel, pytest.raises(grpc.RpcError) as raised:
        LiveCallsStub(channel).GetCall(pb.GetCallRequest(id=str(CALL_ID)), timeout=timeout)
    code: grpc.StatusCode = raised.value.code()
    return code


@contextmanager
def locked(url: str) -> Iterator[None]:
    """Let every read hang while the block lasts: that of the pool's one connection too."""
    with psycopg.connect(url) as connection:
        connection.execute("LOCK TABLE calls IN ACCESS EXCLUSIVE MODE")
        yield


def all_are_told_that_the_store_is_away(stack: Stack) -> None:
    for address in stack.grpc_addresses:
        with in_time():
            assert grpc_code(address) == grpc.StatusCode.UNAVAILABLE
    with in_time():
        reply = stack.get()
    assert (reply.status, reply.json()) == (503, UNAVAILABLE)
    assert reply.header("retry-after") == "1"


def test_a_database_that_is_away(stack: Stack) -> None:
    with away(stack.postgres):
        all_are_told_that_the_store_is_away(stack)


def test_a_database_that_is_silent(stack: Stack) -> None:
    with frozen(stack.postgres):
        all_are_told_that_the_store_is_away(stack)


def test_a_pool_that_is_exhausted(stack: Stack) -> None:
    with locked(stack.postgres.url):
        all_are_told_that_the_store_is_away(stack)


def test_a_deadline_that_passes(stack: Stack) -> None:
    with locked(stack.postgres.url):
        for address in stack.grpc_addresses:
            assert grpc_code(address, timeout=0.2) == grpc.StatusCode.DEADLINE_EXCEEDED
        assert wait_until(lambda: not reads_under_way(stack), 1.0), "the read was not given up"


def reads_under_way(stack: Stack) -> list[Any]:
    return execute(
        stack.postgres.url,
        "SELECT query FROM pg_stat_activity "
        "WHERE application_name = 'livecalls' AND state = 'active' AND query LIKE 'SELECT calls.%'",
    )


def test_a_server_that_is_gone(stack: Stack) -> None:
    assert stack.server.stop() == 0
    for address in stack.grpc_addresses:
        assert grpc_code(address) == grpc.StatusCode.UNAVAILABLE
    if stack.deployment is Deployment.EMBEDDED:
        with pytest.raises(ConnectionRefusedError):
            stack.get()
    else:
        reply = stack.get()
        assert (reply.status, reply.json()["error"]) == (503, "unavailable")
        assert reply.header("retry-after") == "1"
    stack.server.start()


def test_a_schema_that_is_not_the_server_s(stack: Stack) -> None:
    execute(stack.postgres.url, "ALTER TABLE calls RENAME COLUMN title TO headline")
    try:
        all_are_told_that_the_store_is_away(stack)
    finally:
        execute(stack.postgres.url, "ALTER TABLE calls RENAME COLUMN headline TO title")


def test_a_bug_in_the_server(stack: Stack) -> None:
    # A row that the server's code does not expect serves as one.
    execute(
        stack.postgres.url,
        "ALTER TABLE calls ALTER COLUMN recording_url TYPE text[] USING ARRAY[recording_url]",
    )
    try:
        reply = stack.get(headers={"x-request-id": "the-buggy-one"})
        codes = [grpc_code(address) for address in stack.grpc_addresses]
    finally:
        execute(
            stack.postgres.url,
            "ALTER TABLE calls ALTER COLUMN recording_url TYPE text USING recording_url[1]",
        )
    assert (reply.status, reply.json()) == (
        500,
        {"error": "internal", "message": "The server failed to answer."},
    )
    assert codes == [grpc.StatusCode.INTERNAL] * 2
    (line,) = (line for line in logged(stack, "the-buggy-one") if "exc_info" in line)
    assert re.search(r"Traceback.*TypeError", line["exc_info"], re.DOTALL)


def logged(stack: Stack, request_id: str) -> list[dict[str, Any]]:
    """Read the lines of a request, once it is over for the server's log."""

    def whole() -> list[dict[str, Any]] | None:
        of_request = [line for line in stack.server.lines() if line.get("request_id") == request_id]
        return of_request if any(line["message"] == "answered" for line in of_request) else None

    return wait_for(whole)


def test_a_request_is_followed_by_its_id_on_both_sides(stack: Stack) -> None:
    reply = stack.get(headers={"x-request-id": "followed"})
    assert reply.header("x-request-id") == "followed"
    assert stack.gateway.access_logged("followed")["status"] == 200
    assert [line["code"] for line in logged(stack, "followed")] == ["OK"]


def test_a_made_request_id_is_the_same_on_both_sides(stack: Stack) -> None:
    reply = stack.get()
    made = reply.header("x-request-id")
    assert made
    assert stack.gateway.access_logged(made)["status"] == 200
    assert len(logged(stack, made)) == 1
