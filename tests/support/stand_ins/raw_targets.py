"""Servers of HTTP/1.1 that end connections, or send any bytes."""

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from typing import Any

from tests.support.stand_ins.targets import Target


@asynccontextmanager
async def closing_after(replies: int) -> AsyncIterator[Target]:
    """Serve HTTP/1.1, and close the connection instead of responding after so many replies."""

    async def talk(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        for _ in range(replies):
            await reader.readuntil(b"\r\n\r\n")
            writer.write(b"HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\nok")
        await reader.read(1)
        writer.close()

    async with _listening(talk) as target:
        yield target


@asynccontextmanager
async def sending(*pieces: bytes) -> AsyncIterator[Target]:
    """Serve replies of these bytes, one piece per segment."""

    async def talk(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        while await reader.readline():
            await reader.readuntil(b"\r\n\r\n")
            for piece in pieces:
                writer.write(piece)
                await asyncio.sleep(0)
        writer.close()

    async with _listening(talk) as target:
        yield target


@asynccontextmanager
async def _listening(talk: Any) -> AsyncIterator[Target]:
    async with await asyncio.start_server(talk, "127.0.0.1", 0) as server:
        host, port = server.sockets[0].getsockname()
        yield Target(f"{host}:{port}")
