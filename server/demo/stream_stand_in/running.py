"""Runs the stand-in: in a loop that is there, or in a thread with a loop of its own."""

import asyncio
import threading
from collections.abc import AsyncIterator, Iterator
from concurrent.futures import Future
from contextlib import asynccontextmanager, contextmanager

from aiohttp import web

from server.demo.stream_stand_in.application import web_application
from server.demo.stream_stand_in.stand_in import StreamStandIn

_HOST = "127.0.0.1"


@asynccontextmanager
async def serving(stand_in: StreamStandIn, port: int = 0) -> AsyncIterator[str]:
    """Serve while the block lasts, and give the base URL; port 0 takes a free one.

    Raises OSError where the port is taken.
    """
    # Questions that hang end with their askers, and none holds up the end.
    runner = web.AppRunner(
        web_application(stand_in), access_log=None, handler_cancellation=True, shutdown_timeout=0.1
    )
    await runner.setup()
    try:
        await web.TCPSite(runner, _HOST, port).start()
        yield f"http://{_HOST}:{runner.addresses[0][1]}"
    finally:
        await runner.cleanup()


@contextmanager
def serving_in_thread(stand_in: StreamStandIn, port: int = 0) -> Iterator[str]:
    """Serve from a thread while the block lasts, and give the base URL; as `serving` otherwise."""
    url: Future[str] = Future()
    end: Future[None] = Future()
    thread = threading.Thread(target=lambda: asyncio.run(_serve(stand_in, port, url, end)), daemon=True)
    thread.start()
    try:
        yield url.result()
    finally:
        end.set_result(None)
        thread.join()


async def _serve(stand_in: StreamStandIn, port: int, url: Future[str], end: Future[None]) -> None:
    try:
        async with serving(stand_in, port) as address:
            url.set_result(address)
            await asyncio.wrap_future(end)
    except OSError as error:
        url.set_exception(error)
