"""The contenders of `make bench`: each must respond as the documented service does."""

import os
import shutil
from collections.abc import Iterator

import grpc
import pytest
from google.protobuf import json_format
from livecalls.v1 import live_calls_pb2 as pb
from livecalls.v1.live_calls_pb2_grpc import LiveCallsStub
from pydantic import TypeAdapter

from demo.postgres import EmbeddedPostgres
from demo.readiness import wait_until
from demo.sample_calls import BACKSTAGE, ENDED, NEVER_ANSWERS, ON_AIR, sample_calls
from demo.stream_stand_in.bodies import call_item
from demo.stream_stand_in.running import serve_in_thread
from demo.stream_stand_in.stand_in import Behaviour, KnownCall, State, StreamStandIn
from server.adapters.stream.wire import read_live_status
from server.application.call import Call, LiveStatus
from server.store.call_shape import read_call
from server.transport.live_calls import encode_call
from tests.support.callers.rest import ask
from tests.support.data.calls import CALL_ID, MOMENT, PLAIN_CALL
from tests.support.database.postgres import migrated_database, store_call
from tests.support.server.peers import GO_GATEWAY, GO_GRPC, build_go_peers, peer_running, python_peer
from tests.support.stand_ins.stream import KEY, SECRET, stream_variables

CALLS = [PLAIN_CALL, *sample_calls(MOMENT)]
AT_STREAM = {ON_AIR: State.ON_AIR, ENDED: State.ENDED, BACKSTAGE: State.BACKSTAGE}
MOMENT_SECONDS = int(MOMENT.timestamp())
NO_CALLS = ["99999999-9999-4999-8999-999999999999", "no-such-call"]

# The peers in Go are built first, on a fresh machine from nothing.
# If CI has no Go they fail.
NEEDS_GO = pytest.mark.skipif(
    not (shutil.which("go") or os.environ.get("CI")), reason="the peers in Go need Go 1.26 or newer"
)
pytestmark = pytest.mark.timeout(600)


@pytest.fixture(scope="module")
def database(shared_postgres: EmbeddedPostgres) -> Iterator[str]:
    with migrated_database(shared_postgres) as url:
        for call in CALLS:
            store_call(url, call)
        yield url


@pytest.fixture(scope="module")
def one_select(database: str) -> Iterator[str]:
    settings = {"AUTH": "off", "LOG_LEVEL": "ERROR"}
    with peer_running(python_peer("one_select"), DATABASE_URL=database, **settings) as address:
        yield address


@pytest.fixture(scope="module")
def fastapi(database: str) -> Iterator[str]:
    with peer_running(python_peer("fastapi_service"), DATABASE_URL=database) as address:
        yield f"http://{address}"


@pytest.fixture(scope="module")
def stream() -> StreamStandIn:
    stand_in = StreamStandIn(KEY, SECRET)
    for call_id, state in AT_STREAM.items():
        # Of whole seconds: the SDK rounds what the server cuts.
        known = KnownCall("livestream", call_id, state, since_ns=MOMENT_SECONDS * 10**9)
        stand_in.know(known)
    stand_in.put("livestream", NEVER_ANSWERS, behaviour=Behaviour.HANG)
    return stand_in


@pytest.fixture(scope="module")
def fastapi_with_stream(database: str, stream: StreamStandIn) -> Iterator[str]:
    with (
        serve_in_thread(stream) as url,
        peer_running(
            python_peer("fastapi_service"), DATABASE_URL=database, **stream_variables(url)
        ) as address,
    ):
        yield f"http://{address}"


@pytest.fixture(scope="module")
def go_grpc(database: str) -> Iterator[str]:
    build_go_peers()
    with peer_running(GO_GRPC, DATABASE_URL=database) as address:
        yield address


@pytest.fixture(scope="module")
def go_gateway(go_grpc: str) -> Iterator[str]:
    with peer_running(GO_GATEWAY, GRPC_ADDRESS=go_grpc) as address:
        yield f"http://{address}"


@pytest.fixture(params=["one_select", pytest.param("go_grpc", marks=NEEDS_GO)])
def grpc_peer(request: pytest.FixtureRequest) -> Iterator[LiveCallsStub]:
    with grpc.insecure_channel(request.getfixturevalue(request.param)) as channel:
        yield LiveCallsStub(channel)


@pytest.fixture(params=["fastapi", pytest.param("go_gateway", marks=NEEDS_GO)])
def rest_peer(request: pytest.FixtureRequest) -> str:
    url: str = request.getfixturevalue(request.param)
    return url


def test_the_ceiling_answers_a_call_with_every_field() -> None:
    with (
        peer_running(python_peer("ceiling")) as address,
        grpc.insecure_channel(address) as channel,
    ):
        answer = LiveCallsStub(channel).GetCall(pb.GetCallRequest(id=str(CALL_ID)))
    assert {field.name for field, _ in answer.ListFields()} == set(pb.Call.DESCRIPTOR.fields_by_name)


@pytest.mark.parametrize("call", CALLS, ids=lambda call: call.title[:20])
def test_grpc_peers_answer_the_row(grpc_peer: LiveCallsStub, call: Call) -> None:
    assert grpc_peer.GetCall(pb.GetCallRequest(id=str(call.id))) == encode_call(call)


@pytest.mark.parametrize("call_id", NO_CALLS)
def test_grpc_peers_find_no_other_call(grpc_peer: LiveCallsStub, call_id: str) -> None:
    with pytest.raises(grpc.RpcError) as raised:
        grpc_peer.GetCall(pb.GetCallRequest(id=call_id))
    assert raised.value.code() == grpc.StatusCode.NOT_FOUND


@pytest.mark.parametrize("call", CALLS, ids=lambda call: call.title[:20])
def test_fastapi_answers_the_documented_json(fastapi: str, call: Call) -> None:
    reply = ask(fastapi, "GET", f"/v1/live/calls/{call.id}")
    assert reply.status == 200
    assert set(reply.json()) == set(pb.Call.DESCRIPTOR.fields_by_name)
    assert reply.json()["live"] is None
    assert read_call(reply.body) == call


@pytest.mark.parametrize("call", CALLS, ids=lambda call: call.title[:20])
def test_grpc_gateway_answers_the_message_as_json(go_gateway: str, call: Call) -> None:
    reply = ask(go_gateway, "GET", f"/v1/live/calls/{call.id}")
    assert reply.status == 200
    assert json_format.Parse(reply.body, pb.Call()) == encode_call(call)


@pytest.mark.parametrize("call_id", NO_CALLS)
def test_rest_peers_find_no_other_call(rest_peer: str, call_id: str) -> None:
    assert ask(rest_peer, "GET", f"/v1/live/calls/{call_id}").status == 404


def test_fastapi_says_in_the_documented_shape_that_there_is_no_call(fastapi: str) -> None:
    reply = ask(fastapi, "GET", f"/v1/live/calls/{NO_CALLS[0]}")
    assert reply.json() == {"error": "not_found", "message": "No call has this id."}


@pytest.mark.parametrize("call", CALLS, ids=lambda call: call.title[:20])
def test_fastapi_with_stream_answers_the_row_whatever_stream_says(
    fastapi_with_stream: str, stream: StreamStandIn, call: Call
) -> None:
    before = stream.requests.total()
    reply = ask(fastapi_with_stream, "GET", f"/v1/live/calls/{call.id}")
    assert reply.status == 200
    assert read_call(reply.body) == call
    if call.stream_call_id not in AT_STREAM:
        assert reply.json()["live"] is None
    if call.stream_call_id is None:
        assert stream.requests.total() == before


@pytest.mark.parametrize("name", AT_STREAM)
def test_fastapi_with_stream_answers_what_stream_says(
    fastapi_with_stream: str, stream: StreamStandIn, name: str
) -> None:
    call = next(call for call in CALLS if call.stream_call_id == name)
    known = stream.find("livestream", name)
    assert known
    said = read_live_status(call_item(known), "livestream", name)

    def shows_it() -> bool:
        live = ask(fastapi_with_stream, "GET", f"/v1/live/calls/{call.id}").json()["live"]
        return TypeAdapter(LiveStatus | None).validate_python(live) == said

    # On a busy machine Stream may take longer than the peer waits.
    assert wait_until(shows_it, 20)
