"""Serves the demo's web applications: in the running loop, or in a thread with its own."""

import asyncio
import threading
from collections.abc import AsyncIterator, Iterator
from concurrent.futures import Future
from contextlib import asynccontextmanager, contextmanager

from aiohttp import web

_HOST = "127.0.0.1"


@asynccontextmanager
async def serve(application: web.Application, port: int = 0) -> AsyncIterator[str]:
    """Serve while the block lasts, and yield the base URL; port 0 takes a free one.

    Raises OSError if the port is taken.
    """
    # Requests that hang end with their callers, and none holds up the end.
    runner = web.AppRunner(application, access_log=None, handler_cancellation=True, shutdown_timeout=0.1)
    await runner.setup()
    try:
        await web.TCPSite(runner, _HOST, port).start()
        yield f"http://{_HOST}:{runner.addresses[0][1]}"
    finally:
        await runner.cleanup()


@contextmanager
def serve_in_thread(application: web.Application, port: int = 0) -> Iterator[str]:
    """Serve from a thread while the block lasts, and yield the base URL; as `serving` otherwise."""
    url: Future[str] = Future()
    end: Future[None] = Future()
    thread = threading.Thread(
        target=lambda: asyncio.run(_serve(application, port, url, end)), daemon=True
    )
    thread.start()
    try:
        yield url.result()
    finally:
        end.set_result(None)
        thread.join()


async def _serve(application: web.Application, port: int, url: Future[str], end: Future[None]) -> None:
    try:
        async with serve(application, port) as address:
            url.set_result(address)
            await asyncio.wrap_future(end)
    except OSError as error:
        url.set_exception(error)
