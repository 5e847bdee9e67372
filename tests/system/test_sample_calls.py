"""The six sample calls, as a newcomer meets them, by every API."""

import json
import re
from datetime import UTC, datetime, timedelta
from typing import Any

import grpc
import httpx
import pytest
from livecalls.v1 import live_calls_pb2 as pb
from livecalls.v1.live_calls_pb2_grpc import LiveCallsStub

from demo.readiness import wait_until
from demo.sample_calls import ODD_TITLE, sample_id
from tests.support.server.demo import RunningDemo, pasted

KEYS = [field.name for field in pb.Call.DESCRIPTOR.fields]


def by_rest(demo: RunningDemo, digit: int) -> dict[str, Any]:
    reply = httpx.get(demo.call_url(digit), headers=demo.bearer)
    assert reply.status_code == 200
    body: dict[str, Any] = reply.json()
    assert list(body) == KEYS
    return body


def by_grpc(demo: RunningDemo, port: int, digit: int) -> pb.Call:
    request, metadata = pb.GetCallRequest(id=str(sample_id(digit))), tuple(demo.bearer.items())
    with grpc.insecure_channel(f"127.0.0.1:{port}") as channel:
        return LiveCallsStub(channel).GetCall(request, timeout=5, metadata=metadata)


def test_one_is_scheduled_for_tomorrow(demo: RunningDemo) -> None:
    body = by_rest(demo, 1)
    until = datetime.fromisoformat(body["scheduled_at"]) - datetime.now(UTC)
    assert timedelta(hours=23) < until <= timedelta(days=1)
    assert (body["status"], body["stream_call_id"], body["live"]) == ("scheduled", None, None)


def test_two_is_on_air(demo: RunningDemo) -> None:
    body = by_rest(demo, 2)
    assert body["status"] == "live"
    assert body["stream_call_type"] == "livestream"
    assert body["live"]["is_live"] is True
    assert body["live"]["current_session_id"]
    assert body["live"]["ended_at"] is None


def test_three_has_ended_at_stream_too(demo: RunningDemo) -> None:
    body = by_rest(demo, 3)
    assert body["status"] == "ended"
    assert body["recording_url"]
    assert body["recording_ready_at"]
    assert body["live"]["is_live"] is False
    assert body["live"]["ended_at"]


def test_four_is_errored(demo: RunningDemo) -> None:
    assert by_rest(demo, 4)["status"] == "errored"


def test_five_is_answered_though_stream_never_answers(demo: RunningDemo) -> None:
    body = by_rest(demo, 5)
    assert (body["status"], body["live"]) == ("live", None)


def test_six_is_in_backstage_and_keeps_its_odd_title(demo: RunningDemo) -> None:
    body = by_rest(demo, 6)
    assert body["title"] == ODD_TITLE
    assert '"scheduled_at":' in ODD_TITLE
    assert body["scheduled_at"] is not None
    assert (body["status"], body["live"]["is_live"]) == ("live", False)


@pytest.mark.parametrize("digit", [1, 2, 3, 4, 5, 6])
def test_all_faces_say_the_same(demo: RunningDemo, digit: int) -> None:
    straight = by_grpc(demo, demo.grpc_port, digit)
    through_envoy = by_grpc(demo, demo.rest_port, digit)
    body = by_rest(demo, digit)
    assert straight == through_envoy
    assert pb.CallStatus.Name(straight.status) == f"CALL_STATUS_{body['status'].upper()}"
    assert straight.title == body["title"]
    assert straight.HasField("live") == (body["live"] is not None)
    assert straight.live.is_live == bool(body["live"] and body["live"]["is_live"])
    assert straight.created_at.ToJsonString() == body["created_at"]


def test_what_it_prints_can_be_pasted(demo: RunningDemo) -> None:
    (curl,) = re.findall(r"^  (curl -i .*)$", demo.output(), re.MULTILINE)
    (token,) = re.findall(r"^  (export ACCESS_TOKEN=.*)$", demo.output(), re.MULTILINE)
    (python,) = re.findall(r"^\S+ - <<'PYTHON'\n.*?^PYTHON$", demo.output(), re.MULTILINE | re.DOTALL)
    assert "HTTP/1.1 200" in pasted(f"{token}\n{curl}")
    assert "is_live: true" in pasted(f"{token}\n{python}")


def test_what_stream_says_can_be_played_with(demo: RunningDemo) -> None:
    (curl,) = re.findall(r"^  (curl -X PUT .*)$", demo.output(), re.MULTILINE)
    try:
        assert '"state": "ended"' in pasted(curl)
        assert wait_until(lambda: by_rest(demo, 2)["live"]["ended_at"] is not None, 5)
    finally:
        pasted(curl.replace("ended", "on_air"))
    assert wait_until(lambda: by_rest(demo, 2)["live"]["is_live"], 5)


def test_its_database_can_be_looked_at(demo: RunningDemo) -> None:
    (export,) = re.findall(r"^  (DATABASE_URL=.* -m server export)$", demo.output(), re.MULTILINE)
    lines = pasted(export).splitlines()
    assert [json.loads(line)["id"] for line in lines] == [str(sample_id(digit)) for digit in range(1, 7)]
