"""The stand-in must pass for Stream with Stream's own SDK, and be easy to control."""

import signal
import subprocess
import sys
from typing import Any

import httpx
import pytest
from click.testing import CliRunner
from getstream.exceptions import StreamApiException, StreamRateLimitException

from demo import sample_calls
from demo.commands.stream_stand_in import stream_stand_in
from demo.stream_stand_in.running import serve_in_thread
from demo.stream_stand_in.stand_in import Behaviour, State, StreamStandIn
from tests.support.stand_ins.stream import KEY, SECRET, SIGNED, UNAUTHENTICATED

COMMAND = "from demo.commands.stream_stand_in import stream_stand_in as c; c()"
HANGING = f"/api/v2/video/call/livestream/{sample_calls.NEVER_ANSWERS}?api_key={KEY}"


@pytest.mark.parametrize("state", State)
async def test_the_sdk_reads_every_state_with_its_own_types(
    sdk: Any, stand_in: StreamStandIn, state: State
) -> None:
    # The SDK warns of every missing field, and here warnings are errors.
    known = stand_in.put("livestream", "call", state)
    response = await sdk.video.call("livestream", "call").get()
    call = response.data.call
    assert (call.cid, call.current_session_id) == ("livestream:call", known.session_id)
    assert (call.ended_at is not None) == (state in {State.ENDED, State.ON_AIR_AGAIN})
    assert response.rate_limit().limit == 1000


@pytest.mark.parametrize(
    ("behaviour", "status", "code"),
    [
        (Behaviour.BAD_REQUEST, 400, 4),
        (Behaviour.UNAUTHORIZED, 401, 5),
        (Behaviour.NOT_FOUND, 404, 16),
        (Behaviour.NO_ENDPOINT, 404, 16),
        (Behaviour.RATE_LIMITED, 429, 9),
        (Behaviour.ERROR, 500, -1),
    ],
)
async def test_the_sdk_reads_its_errors(
    sdk: Any, stand_in: StreamStandIn, behaviour: Behaviour, status: int, code: int
) -> None:
    stand_in.behaviour = behaviour
    with pytest.raises(StreamApiException) as caught:
        await sdk.video.call("livestream", "call").get()
    assert (caught.value.status_code, caught.value.code) == (status, code)
    assert caught.value.rate_limit_info.limit == 1000
    assert isinstance(caught.value, StreamRateLimitException) == (status == 429)


async def test_a_missing_call_is_told_of_as_by_stream(sdk: Any) -> None:
    with pytest.raises(StreamApiException) as caught:
        await sdk.video.call("livestream", "call").get()
    expected = 'GetCall failed with error: "Can\'t find call with id livestream:call"'
    assert caught.value.message == expected


@pytest.mark.parametrize("path", ["/", "/api/v2/video/calls", "/video/call/livestream/call"])
def test_what_is_no_endpoint_has_stream_s_envelope(http: httpx.Client, path: str) -> None:
    with http:
        answer = http.get(path)
    assert (answer.status_code, answer.json()["code"]) == (404, 16)
    assert not answer.json()["message"].startswith("GetCall failed")


@pytest.mark.parametrize("state", State)
def test_what_is_unset_can_be_left_out(
    http: httpx.Client, stand_in: StreamStandIn, state: State
) -> None:
    stand_in.put("livestream", "call", state, Behaviour.UNSET_LEFT_OUT)
    with http:
        answer = http.get(f"/api/v2/video/call/livestream/call?api_key={KEY}", headers=SIGNED)
    assert "null" not in answer.text
    assert ("session" in answer.json()["call"]) == (state is not State.NOT_STARTED)


@pytest.mark.parametrize(("key", "headers"), UNAUTHENTICATED)
def test_only_stream_s_authentication_is_accepted(
    http: httpx.Client, stand_in: StreamStandIn, key: str, headers: dict[str, str]
) -> None:
    stand_in.put("livestream", "call")
    with http:
        answer = http.get("/api/v2/video/call/livestream/call", params={"api_key": key}, headers=headers)
    assert (answer.status_code, answer.json()["StatusCode"]) == (401, 401)


def test_calls_and_behaviour_are_set_by_http(http: httpx.Client, stand_in: StreamStandIn) -> None:
    with http:
        told = http.put("/stand-in/calls/livestream/call", json={"state": "ended", "behaviour": "slow"})
        assert told.json() == {"state": "ended", "behaviour": "slow"}
        call = stand_in.find("livestream", "call")
        assert call
        assert (call.state, stand_in.behaviour_for(call)) == (State.ENDED, Behaviour.SLOW)
        told = http.put("/stand-in/calls/livestream/call", json={"behaviour": "well"})
        assert told.json() == {"state": "ended", "behaviour": "well"}
        http.put("/stand-in/calls/livestream/call", json={"state": "on_air"})
        call = stand_in.find("livestream", "call")
        assert call
        assert (call.state, stand_in.behaviour_for(call)) == (State.ON_AIR, Behaviour.WELL)
        http.put("/stand-in/behaviour", json={"behaviour": "429"})
        assert stand_in.behaviour is Behaviour.RATE_LIMITED
        http.get("/api/v2/video/call/livestream/call")
        assert http.get("/stand-in/requests").json() == {"livestream/call": 1}


@pytest.mark.parametrize(
    ("path", "body", "field"),
    [
        ("/stand-in/calls/livestream/call", {"state": "flying"}, "state"),
        ("/stand-in/calls/livestream/call", {"behavior": "well"}, "behavior"),
        ("/stand-in/behaviour", {}, "behaviour"),
    ],
)
def test_what_is_not_understood_is_said(
    http: httpx.Client, path: str, body: dict[str, str], field: str
) -> None:
    with http:
        told = http.put(path, json=body)
    assert told.status_code == 400
    assert list(told.json()["error"]) == [field]


def test_the_sample_calls_play_their_parts() -> None:
    stand_in = StreamStandIn(KEY, SECRET)
    stand_in.put_sample_calls()
    parts = {
        name: (call.state, stand_in.behaviour_for(call))
        for name in ("ON_AIR", "ENDED", "BACKSTAGE", "NEVER_ANSWERS")
        if (call := stand_in.find("livestream", getattr(sample_calls, name)))
    }
    assert parts == {
        "ON_AIR": (State.ON_AIR, Behaviour.WELL),
        "ENDED": (State.ENDED, Behaviour.WELL),
        "BACKSTAGE": (State.BACKSTAGE, Behaviour.WELL),
        "NEVER_ANSWERS": (State.ON_AIR, Behaviour.HANG),
    }


def test_the_command_serves_until_it_is_told_to_end() -> None:
    command = [sys.executable, "-c", COMMAND, "--key", KEY, "--secret", SECRET]
    with subprocess.Popen(command, stdout=subprocess.PIPE, text=True) as process:
        assert process.stdout
        url = process.stdout.readline().rsplit(maxsplit=1)[-1]
        with pytest.raises(httpx.ReadTimeout):
            httpx.get(f"{url}{HANGING}", headers=SIGNED, timeout=0.2)
        process.send_signal(signal.SIGTERM)
        assert process.wait(2) == 0


def test_a_taken_port_is_one_clear_line(stand_in: StreamStandIn) -> None:
    with serve_in_thread(stand_in) as url:
        port = url.rsplit(":", 1)[-1]
        result = CliRunner().invoke(stream_stand_in, ["--port", port])
    assert result.exit_code == 1
    assert result.output.splitlines() == [
        f"Error: Cannot listen on port {port}: Address already in use."
    ]
