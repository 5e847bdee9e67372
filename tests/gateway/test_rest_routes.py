"""A REST route for each RPC: its name, and the shape that it gives to replies."""

from collections.abc import Iterator
from copy import deepcopy
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import pytest
from google.api import annotations_pb2
from livecalls.v1 import live_calls_pb2 as pb

from gateway.config import GatewaySettings
from gateway.render import render
from tests.support.callers.rest import ask
from tests.support.envoy.envoy_configuration import EnvoyConfiguration
from tests.support.envoy.gateway import Gateway, gateway_running
from tests.support.stand_ins.upstream import Upstream

CALLS = "/v1/live/calls/"
ERRORS = "http.rest.lua.errors"
MOMENT = datetime(2026, 5, 4, tzinfo=UTC)
CALL = pb.Call(id="any", status=pb.CALL_STATUS_LIVE, created_at=MOMENT, updated_at=MOMENT)
AS_PRINTED = (
    '{"id":"any","host_user_id":"","title":"","stream_call_type":"","status":"CALL_STATUS_LIVE",'
    '"created_at":"2026-05-04T00:00:00Z","updated_at":"2026-05-04T00:00:00Z"}'
)
METHODS = pb.DESCRIPTOR.services_by_name["LiveCalls"].methods
BY_REST = [method for method in METHODS if method.GetOptions().HasExtension(annotations_pb2.http)]


def rest_routes(configuration: EnvoyConfiguration) -> list[Any]:
    """List the routes for which rest.lua runs."""
    (host,) = configuration.http["route_config"]["virtual_hosts"]
    return [route for route in host["routes"] if lua_of(route).get("name") == "rest.lua"]


def lua_of(route: Any) -> Any:
    return route.get("typed_per_filter_config", {}).get("lua", {})


def test_each_rpc_that_has_a_path_has_a_route_of_its_name() -> None:
    routes = rest_routes(EnvoyConfiguration(render(GatewaySettings(), {})))
    assert [route["name"] for route in routes] == [f"rest {method.name}" for method in BY_REST]


def add_routes(configuration: EnvoyConfiguration) -> None:
    """Put before GetCall's route others, for an id each: of no shape, and of one that is not there."""
    (host,) = configuration.http["route_config"]["virtual_hosts"]
    get_call = rest_routes(configuration)[0]
    for call_id, lua in {"unshaped": {}, "misshapen": {"shape": "Odd"}}.items():
        route = deepcopy(get_call)
        route["name"] = f"rest {call_id}"
        route["match"]["safe_regex"]["regex"] = CALLS + call_id
        route["metadata"] = {"filter_metadata": {"lua": lua}}
        host["routes"].insert(0, route)


@pytest.fixture(scope="module")
def gateway(running_upstream: Upstream, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Gateway]:
    folder: Path = tmp_path_factory.mktemp("routes")
    settings = {"REST_TIMEOUT_MS": "1000"}
    with gateway_running(running_upstream.port, folder, add_routes, **settings) as gateway:
        yield gateway


def test_a_reply_has_the_shape_that_its_route_names(gateway: Gateway, upstream: Upstream) -> None:
    upstream.answers(CALL)
    assert ask(gateway.url, "GET", f"{CALLS}shaped").json()["status"] == "live"


def test_without_a_shape_a_reply_is_as_the_transcoder_printed_it(
    gateway: Gateway, upstream: Upstream
) -> None:
    upstream.answers(CALL)
    reply = ask(gateway.url, "GET", f"{CALLS}unshaped")
    assert (reply.status, reply.body.decode()) == (200, AS_PRINTED)
    assert reply.header("content-type") == "application/json"
    assert reply.header("cache-control") == "private, no-cache"
    known = {"if-none-match": reply.header("etag") or ""}
    assert ask(gateway.url, "GET", f"{CALLS}unshaped", known).status == 304


def test_a_shape_that_is_not_there_is_a_counted_500(gateway: Gateway, upstream: Upstream) -> None:
    upstream.answers(CALL)
    before = gateway.counter(ERRORS)
    reply = ask(gateway.url, "GET", f"{CALLS}misshapen")
    assert reply.status == 500
    assert reply.json() == {"error": "internal", "message": "The gateway failed to answer."}
    assert gateway.counter(ERRORS) == before + 1
    assert "no such shape" in gateway.log()


@pytest.mark.parametrize("call_id", ["shaped", "unshaped"])
def test_envoys_own_replies_are_json_on_every_rest_route(
    call_id: str, gateway: Gateway, upstream: Upstream
) -> None:
    upstream.hangs()
    reply = ask(gateway.url, "GET", CALLS + call_id)
    assert reply.status == 504
    assert reply.json()["error"] == "deadline_exceeded"
