"""How reads that fail are counted."""

import asyncio
from contextlib import suppress

import pytest

from server.application.errors import StoreUnavailableError
from tests.support.callers.metrics import growing
from tests.support.data.calls import CALL_ID
from tests.support.database.postgres import stored_calls
from tests.support.stand_ins.silent_host import silent_ports
from tests.support.stand_ins.stream import closed_port


async def test_one_without_a_connection_has_failed() -> None:
    with growing({'livecalls_selects_total{outcome="failed"}': 1}):
        async with stored_calls(f"postgresql://127.0.0.1:{closed_port()}/calls") as calls:
            with pytest.raises(StoreUnavailableError):
                await calls.find(CALL_ID)


async def test_one_that_nobody_waits_for_any_more_is_cancelled() -> None:
    with growing({'livecalls_selects_total{outcome="cancelled"}': 1}), silent_ports(1) as (port,):
        async with stored_calls(f"postgresql://127.0.0.1:{port}/calls") as calls:
            reading = asyncio.create_task(calls.find(CALL_ID))
            for _ in range(10):  # it has begun
                await asyncio.sleep(0)
            reading.cancel()
            with suppress(asyncio.CancelledError):
                await reading
