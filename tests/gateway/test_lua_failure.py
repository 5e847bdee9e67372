from datetime import UTC, datetime

import pytest
from livecalls.v1 import live_calls_pb2 as pb

from tests.support.callers.rest import ask
from tests.support.envoy.gateway import Gateway
from tests.support.stand_ins.upstream import Upstream

PATH = "/v1/live/calls/any"
COUNTER = "http.rest.lua.errors"
MOMENT = datetime(2026, 5, 4, tzinfo=UTC)

UNSAYABLE = {
    "no word for status UNSPECIFIED": pb.Call(created_at=MOMENT, updated_at=MOMENT),
    "status has no name": pb.Call(status=99, created_at=MOMENT, updated_at=MOMENT),  # type: ignore[arg-type]
    "created_at is missing": pb.Call(status=pb.CALL_STATUS_SCHEDULED, updated_at=MOMENT),
}


@pytest.mark.parametrize("reason", UNSAYABLE)
def test_what_the_contract_has_no_words_for_is_a_counted_500(
    reason: str, gateway: Gateway, upstream: Upstream
) -> None:
    upstream.answers(UNSAYABLE[reason])
    before = gateway.counter(COUNTER)
    reply = ask(gateway.url, "GET", PATH, {"if-none-match": "*"})
    assert reply.status == 500
    assert reply.json() == {"error": "internal", "message": "The gateway failed to answer."}
    assert reply.header("etag") is None
    assert reply.header("cache-control") == "no-store"
    assert gateway.counter(COUNTER) == before + 1
    assert reason in gateway.log()


def test_the_next_reply_is_well_again(gateway: Gateway, upstream: Upstream) -> None:
    upstream.answers(UNSAYABLE["status has no name"])
    assert ask(gateway.url, "GET", PATH).status == 500
    upstream.answers(pb.Call(status=pb.CALL_STATUS_SCHEDULED, created_at=MOMENT, updated_at=MOMENT))
    before = gateway.counter(COUNTER)
    assert ask(gateway.url, "GET", PATH).status == 200
    assert gateway.counter(COUNTER) == before


def test_a_time_that_json_cannot_say_is_a_500_in_the_shape(gateway: Gateway, upstream: Upstream) -> None:
    call = pb.Call(status=pb.CALL_STATUS_SCHEDULED, created_at=MOMENT, updated_at=MOMENT)
    call.scheduled_at.seconds = 10**15
    upstream.answers(call)
    reply = ask(gateway.url, "GET", PATH)
    assert reply.status == 500
    assert reply.json() == {"error": "internal", "message": "The gateway failed to answer."}


def test_a_call_too_large_to_pass_is_a_500_in_the_shape(gateway: Gateway, upstream: Upstream) -> None:
    upstream.answers(
        pb.Call(
            title="x" * 9_000_000, status=pb.CALL_STATUS_SCHEDULED, created_at=MOMENT, updated_at=MOMENT
        )
    )
    reply = ask(gateway.url, "GET", PATH)
    assert reply.status == 500
    assert reply.json() == {"error": "internal", "message": "The gateway failed to answer."}
