import asyncio
import logging
from time import time

import jwt
import pytest

from demo.stream_stand_in.running import serve_in_thread
from demo.stream_stand_in.stand_in import Behaviour, State, StreamStandIn
from server.adapters.stream.best_effort import BestEffort
from server.adapters.stream.client import StreamClient
from server.application.call import LiveStatus
from tests.support.stand_ins.stream import SECRET, closed_port, stream_settings

CALL = ("livestream", "call")
OTHER = ("livestream", "other")
AMPLE = 10.0
GOOD = {
    Behaviour.WELL,
    Behaviour.ISO_DATES,
    Behaviour.UNSET_LEFT_OUT,
    Behaviour.CROWDED,
    Behaviour.DROPPED,
    Behaviour.DROPPED_BY_RESET,
}


async def ask(best_effort: BestEffort, call: tuple[str, str] = CALL) -> LiveStatus | None:
    return await best_effort.live_status(*call, AMPLE)


async def until_known(best_effort: BestEffort, call: tuple[str, str] = CALL) -> LiveStatus:
    """Poll until Stream has responded."""
    async with asyncio.timeout(10):
        while (status := await ask(best_effort, call)) is None:  # noqa: ASYNC110 - there is no event for it
            await asyncio.sleep(0.01)
    return status


@pytest.mark.parametrize("behaviour", Behaviour)
async def test_whatever_stream_does_the_caller_gets_an_answer_and_the_log_no_secret(
    best_effort: BestEffort,
    stand_in: StreamStandIn,
    caplog: pytest.LogCaptureFixture,
    behaviour: Behaviour,
) -> None:
    for logger in ("", "httpx", "httpcore", "getstream", "server.stream", "asyncio"):
        caplog.set_level(logging.DEBUG, logger)
    stand_in.put(*CALL, behaviour=behaviour)
    status = await ask(best_effort)
    if behaviour not in GOOD:
        assert status is None
        assert stand_in.requests[CALL] == 1
    await best_effort.aclose()
    logged = "\n".join(f"{record.getMessage()} {vars(record)}" for record in caplog.records)
    assert "GET" in logged
    assert SECRET not in logged
    assert jwt.encode({}, SECRET, algorithm="HS256") not in logged


async def test_with_a_closed_port_the_callers_get_an_answer_and_the_log_one_line(
    caplog: pytest.LogCaptureFixture, capsys: pytest.CaptureFixture[str]
) -> None:
    settings = stream_settings(f"http://127.0.0.1:{closed_port()}")
    best_effort = BestEffort(StreamClient(settings), settings)
    assert await asyncio.gather(*(ask(best_effort) for _ in range(10))) == [None] * 10
    (line,) = (record for record in caplog.records if record.levelno >= logging.INFO)
    assert (line.name, vars(line)["reason"]) == ("server.stream", "connection_reset")
    assert capsys.readouterr().err == ""
    await best_effort.aclose()


async def test_answers_that_leave_out_what_is_unset_silence_nobody(
    patient: BestEffort, stand_in: StreamStandIn
) -> None:
    stand_in.behaviour = Behaviour.UNSET_LEFT_OUT
    for number in range(8):
        call = ("livestream", str(number))
        stand_in.put(*call, State.ON_AIR if number % 2 else State.NOT_STARTED)
        status = await ask(patient, call)
        assert status
        assert status.is_live is bool(number % 2)


async def test_an_address_that_is_not_stream_s_is_warned_of(
    stream_url: str, caplog: pytest.LogCaptureFixture
) -> None:
    settings = stream_settings(f"{stream_url}/elsewhere", timeout_ms=5000)
    best_effort = BestEffort(StreamClient(settings), settings)
    assert await ask(best_effort) is None
    (line,) = (record for record in caplog.records if record.name == "server.stream")
    assert line.levelno == logging.WARNING
    assert "is STREAM_BASE_URL right?" in vars(line)["reason"]
    await best_effort.aclose()


async def test_a_429_is_obeyed_until_its_reset(best_effort: BestEffort, stand_in: StreamStandIn) -> None:
    stand_in.rate_limit_seconds = 2
    stand_in.put(*CALL, behaviour=Behaviour.RATE_LIMITED)
    stand_in.put(*OTHER)
    reset = int(time()) + 2
    assert await ask(best_effort) is None
    assert (await until_known(best_effort, OTHER)).is_live
    assert time() >= reset
    assert stand_in.requests == {CALL: 1, OTHER: 1}


async def test_it_heals_when_stream_returns(stand_in: StreamStandIn) -> None:
    port = closed_port()
    settings = stream_settings(f"http://127.0.0.1:{port}", cache_ttl_ms=50, breaker_open_ms=100)
    best_effort = BestEffort(StreamClient(settings), settings)
    stand_in.put(*CALL)
    assert await ask(best_effort) is None
    for _ in range(2):
        with serve_in_thread(stand_in, port):
            assert (await until_known(best_effort)).is_live
    await best_effort.aclose()
