import asyncio
import logging
import time
from collections.abc import Callable

import pytest
from google.rpc import code_pb2

from server.runtime import logs
from server.transport.access_log import AccessLog, log
from server.transport.metrics import MethodMetrics

GET_CALL = MethodMetrics("livecalls.v1.LiveCalls", "GetCall")


@pytest.fixture
def _shown(caplog: pytest.LogCaptureFixture) -> None:
    caplog.set_level(logging.INFO)
    caplog.handler.addFilter(logs._add_request_id)


async def lines(caplog: pytest.LogCaptureFixture, number: int) -> list[logging.LogRecord]:
    async with asyncio.timeout(5):
        while len(caplog.records) < number:  # noqa: ASYNC110 - there is no event for it
            await asyncio.sleep(0.001)
    return caplog.records


@pytest.mark.usefixtures("_shown")
async def test_each_request_gets_a_line_of_its_own_in_order(caplog: pytest.LogCaptureFixture) -> None:
    access_log = AccessLog()
    logs.request_id.set("of another")
    access_log.note(GET_CALL, code_pb2.OK, 0.00123, "first")
    access_log.note(GET_CALL, code_pb2.NOT_FOUND, 0.5, "second")
    assert caplog.records == []
    told = [vars(record) for record in await lines(caplog, 2)]
    assert [
        (each["method"], each["code"], each["duration_ms"], each["request_id"]) for each in told
    ] == [
        ("GetCall", "OK", 1.23, "first"),
        ("GetCall", "NOT_FOUND", 500.0, "second"),
    ]
    assert {(each["name"], each["levelname"], each["msg"]) for each in told} == {
        ("server.requests", "INFO", "answered")
    }


@pytest.mark.usefixtures("_shown")
async def test_a_line_tells_when_its_request_ended(caplog: pytest.LogCaptureFixture) -> None:
    access_log = AccessLog()
    access_log.note(GET_CALL, code_pb2.OK, 0.1, "first")
    ended = time.time()
    (line,) = await lines(caplog, 1)
    assert line.created <= ended < time.time()
    assert line.msecs == pytest.approx(line.created % 1 * 1000)


@pytest.mark.usefixtures("_shown")
async def test_one_timer_is_enough_for_all_until_it_has_run(
    caplog: pytest.LogCaptureFixture, monkeypatch: pytest.MonkeyPatch
) -> None:
    loop = asyncio.get_running_loop()
    timers: list[Callable[[], None]] = []
    monkeypatch.setattr(loop, "call_later", lambda _, callback, **kwargs: timers.append(callback))
    access_log = AccessLog()
    for number in range(3):
        access_log.note(GET_CALL, code_pb2.OK, 0.1, str(number))
    (timer,) = timers
    timer()
    access_log.note(GET_CALL, code_pb2.OK, 0.1, "later")
    assert [vars(record)["request_id"] for record in caplog.records] == ["0", "1", "2"]
    assert len(timers) == 2


@pytest.mark.usefixtures("_shown")
async def test_what_is_noted_is_written_at_the_end(caplog: pytest.LogCaptureFixture) -> None:
    access_log = AccessLog()
    access_log.note(GET_CALL, code_pb2.OK, 0.1, "last")
    access_log.write()
    access_log.write()
    assert [vars(record)["request_id"] for record in caplog.records] == ["last"]


async def test_nothing_is_made_for_a_level_that_is_not_logged(monkeypatch: pytest.MonkeyPatch) -> None:
    handled: list[logging.LogRecord] = []
    monkeypatch.setattr(log, "handle", handled.append)
    monkeypatch.setattr(log, "isEnabledFor", lambda level: level > logging.INFO)
    access_log = AccessLog()
    access_log.note(GET_CALL, code_pb2.OK, 0.1, "unseen")
    access_log.write()
    monkeypatch.undo()
    access_log.write()
    assert handled == []


@pytest.mark.usefixtures("_shown")
async def test_what_ends_after_the_end_is_logged_at_once(caplog: pytest.LogCaptureFixture) -> None:
    access_log = AccessLog()
    access_log.note(GET_CALL, code_pb2.OK, 0.1, "before")
    access_log.close()
    access_log.note(GET_CALL, code_pb2.CANCELLED, 0.1, "after")
    assert [vars(record)["request_id"] for record in caplog.records] == ["before", "after"]


@pytest.mark.usefixtures("_shown")
async def test_a_line_has_the_client_if_it_is_known(caplog: pytest.LogCaptureFixture) -> None:
    access_log = AccessLog()
    access_log.note(GET_CALL, code_pb2.OK, 0.1, "first", "web-app")
    access_log.note(GET_CALL, code_pb2.OK, 0.1, "second", None)
    access_log.close()
    first, second = map(vars, caplog.records)
    assert first["client"] == "web-app"
    assert "client" not in second
