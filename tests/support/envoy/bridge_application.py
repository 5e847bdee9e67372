"""Envoy's application in tests of an embedded server: passes each request to the test's process.

So a test scripts, and breaks, a server that responds through the real Envoy and its real host.
"""

import asyncio
import os
import pickle
from collections.abc import Awaitable, Callable
from typing import Any, cast

SOCKET = "BRIDGE_SOCKET"
"""The setting with the socket on which the test's process takes requests."""

Event = dict[str, Any]

# The host keeps no reference to them: waiting for a socket, each would be garbage collected.
_under_way: set[asyncio.Task[object]] = set()


def sent(writer: asyncio.StreamWriter, *frame: object) -> None:
    """Send a frame: what it is, and what goes with it."""
    data = pickle.dumps(frame)
    writer.write(len(data).to_bytes(4, "big") + data)


async def received(reader: asyncio.StreamReader) -> Any:
    """Receive a frame; raises asyncio.IncompleteReadError if the other side has gone."""
    size = int.from_bytes(await reader.readexactly(4), "big")
    return pickle.loads(await reader.readexactly(size))  # noqa: S301 - of our own test


async def application(
    scope: Event, receive: Callable[[], Awaitable[Event]], send: Callable[[Event], Awaitable[None]]
) -> None:
    """Carry a request there, and its reply back."""
    if scope["type"] == "lifespan":
        for part in ("startup", "shutdown"):
            await receive()
            await send({"type": f"lifespan.{part}.complete"})
        return
    task = cast("asyncio.Task[object]", asyncio.current_task())
    _under_way.add(task)
    try:
        await _cross(scope, receive, send)
    finally:
        _under_way.discard(task)


async def _cross(
    scope: Event, receive: Callable[[], Awaitable[Event]], send: Callable[[Event], Awaitable[None]]
) -> None:
    reader, writer = await asyncio.open_unix_connection(os.environ[SOCKET])
    names = ("type", "method", "raw_path", "headers")
    sent(writer, {name: scope[name] for name in names})
    carrying: set[asyncio.Task[None]] = set()
    try:
        while True:
            word, *event = await received(reader)
            # One request to the host may be under way while another waits.
            task = asyncio.create_task(_carry(word, event, receive, send, writer))
            carrying.add(task)
            task.add_done_callback(carrying.discard)
            if word == "send":
                await task
    except (asyncio.IncompleteReadError, ConnectionError):
        pass  # the other side has ended
    finally:
        writer.close()
    await asyncio.gather(*carrying)


async def _carry(
    word: str,
    event: list[Event],
    receive: Callable[[], Awaitable[Event]],
    send: Callable[[Event], Awaitable[object]],
    writer: asyncio.StreamWriter,
) -> None:
    """Carry an event, or what the host raises: without a reply the other side would wait for ever."""
    try:
        answer = await receive() if word == "receive" else await send(*event)
    except OSError:
        sent(writer, word, "gone")
    except Exception as error:  # noqa: BLE001 - whatever it is, it is raised there
        sent(writer, word, "failed", repr(error))
    else:
        sent(writer, word, "done", answer)
