"""A steady load: so many requests a second on each way in, whatever became of those before."""

import asyncio
from collections.abc import AsyncIterator, Awaitable, Callable, Mapping, Sequence
from contextlib import asynccontextmanager
from itertools import cycle

from tests.drill.accounting import GIVE_UP_SECONDS, Answer, Ledger, Outcome, Record, WayIn

Ask = Callable[[WayIn, str], Awaitable[Answer]]


@asynccontextmanager
async def steady_load(
    ask: Ask, ledger: Ledger, rates: Mapping[WayIn, float], call_ids: Sequence[str]
) -> AsyncIterator[None]:
    """Send requests while the block lasts; at its end, every request has ended or is lost."""
    requests: set[asyncio.Task[None]] = set()

    async def send_on(way_in: WayIn, rate: float) -> None:
        loop = asyncio.get_running_loop()
        due = loop.time()
        for call_id in cycle(call_ids):
            due += 1 / rate
            await asyncio.sleep(due - loop.time())
            record = ledger.send(way_in, loop.time())
            request = asyncio.create_task(_send(ask, record, call_id))
            requests.add(request)
            request.add_done_callback(requests.discard)

    senders = [asyncio.create_task(send_on(*each)) for each in rates.items()]
    try:
        yield
    finally:
        for sender in senders:
            sender.cancel()
        await asyncio.gather(*senders, return_exceptions=True)
        if requests:
            await asyncio.wait(requests, timeout=2 * GIVE_UP_SECONDS)


async def _send(ask: Ask, record: Record, call_id: str) -> None:
    """Send a request and record what its caller gets; one whose caller breaks is lost."""
    loop = asyncio.get_running_loop()
    try:
        async with asyncio.timeout(GIVE_UP_SECONDS):
            answer = await ask(record.way_in, call_id)
    except TimeoutError:
        answer = Answer(Outcome.NO_ANSWER)
    except Exception as error:  # noqa: BLE001 - whatever it is, the request has no outcome
        record.fault = repr(error)
        return
    record.end(loop.time(), answer)
