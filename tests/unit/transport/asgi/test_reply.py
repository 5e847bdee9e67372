"""What becomes of a message whose call ends while it is sent."""

import asyncio
import gc

import pytest

from server.transport.asgi.interface import Event
from server.transport.asgi.reply import Reply


async def test_a_send_is_not_given_up_and_its_failure_is_told_to_nobody(
    caplog: pytest.LogCaptureFixture,
) -> None:
    begun, going_on, ended = asyncio.Event(), asyncio.Event(), asyncio.Event()

    async def send(event: Event) -> None:
        if event.get("more_body"):
            begun.set()
            await going_on.wait()
            ended.set()
            raise OSError

    sending = asyncio.create_task(Reply(send).message(b"a", b"identity"))
    await begun.wait()
    sending.cancel()
    await asyncio.wait([sending])
    assert sending.cancelled()
    going_on.set()
    await asyncio.wait_for(ended.wait(), 5)
    await asyncio.sleep(0)
    del sending
    gc.collect()
    assert caplog.records == []
