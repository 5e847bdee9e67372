"""The end of the server is bounded, whatever its host does."""

import asyncio
import gc
import logging

import pytest

from server.runtime import tasks
from server.transport import access_log
from tests.support.data.calls import PLAIN_CALL
from tests.support.envoy.asgi import REQUEST, Exchange, hosted, until


class Stubborn(Exchange):
    """A host that takes nothing, and resists cancellation."""

    sending = False

    async def send(self, event: object) -> None:
        self.sending = True
        while True:
            try:
                await asyncio.Event().wait()
            except asyncio.CancelledError:
                continue


def test_a_request_that_does_not_end_is_left_behind(
    caplog: pytest.LogCaptureFixture, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(tasks, "MAX_END_SECONDS", 0.01)
    monkeypatch.setattr(access_log, "GATHER_SECONDS", 3600)
    caplog.set_level(logging.INFO)
    loop = asyncio.new_event_loop()  # of its own, as the task would never let pytest's end
    loop.run_until_complete(_stop_while_the_host_takes_nothing())
    loop.close()
    gc.collect()
    # Of the task that is destroyed with its loop nothing more is logged.
    lines = {line.name: vars(line) for line in caplog.records}
    assert lines["server"].items() >= {"kind": "requests", "tasks": 1}.items()
    assert lines["server.requests"]["code"] == "OK"
    assert len(caplog.records) == 2


async def _stop_while_the_host_takes_nothing() -> None:
    async with hosted() as service:
        service.ports.holds(PLAIN_CALL)
        exchange = Stubborn([REQUEST])
        answering = asyncio.create_task(service.answering(exchange))
        await until(lambda: exchange.sending)
    assert not answering.done()
