"""A line to a TCP port of this machine, which can be slow, held up, or broken so that nobody notices."""

import asyncio
import threading
from collections.abc import Iterator
from concurrent.futures import Future
from contextlib import contextmanager, suppress
from dataclasses import dataclass, field

_Chunk = tuple[float, bytes]


@dataclass(eq=False)
class _Connection:
    """One caller's, and whether the line still knows it."""

    known: bool = True


@dataclass
class Line:
    """Forwards bytes both ways. Its attributes may be changed at any time, from any thread."""

    target: int
    port: int = 0
    delay_seconds: float = 0.0
    held_up: bool = False
    """Nothing arrives. As TCP sends again what was lost, it arrives as soon as this is over."""
    _connections: set[_Connection] = field(default_factory=set)

    def forget_connections(self) -> None:
        """Let nothing pass on present connections any more, and close none of them: half-open ones."""
        for connection in list(self._connections):
            connection.known = False

    async def accept(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        """Connect a caller."""
        try:
            inner_reader, inner_writer = await asyncio.open_connection("127.0.0.1", self.target)
        except OSError:
            writer.transport.abort()
            return
        connection = _Connection()
        self._connections.add(connection)
        try:
            await asyncio.gather(
                self._forward(connection, reader, inner_writer),
                self._forward(connection, inner_reader, writer),
            )
        finally:
            self._connections.discard(connection)
            for each in (writer, inner_writer):
                each.transport.abort()

    async def _forward(
        self, connection: _Connection, reader: asyncio.StreamReader, writer: asyncio.StreamWriter
    ) -> None:
        """Read at once and write when it is time, so that a delay is none of the throughput's."""
        under_way: asyncio.Queue[_Chunk] = asyncio.Queue()
        delivering = asyncio.create_task(self._deliver(connection, under_way, writer))
        loop = asyncio.get_running_loop()
        try:
            while data := await _read(reader):
                under_way.put_nowait((loop.time() + self.delay_seconds, data))
            under_way.put_nowait((loop.time() + self.delay_seconds, b""))
            await delivering
        finally:
            delivering.cancel()

    async def _deliver(
        self, connection: _Connection, under_way: asyncio.Queue[_Chunk], writer: asyncio.StreamWriter
    ) -> None:
        """Write chunk by chunk; the last one is empty, and ends the connection."""
        loop = asyncio.get_running_loop()
        while True:
            due, data = await under_way.get()
            await asyncio.sleep(due - loop.time())
            while self.held_up:  # noqa: ASYNC110 - another thread ends it
                await asyncio.sleep(0.01)
            if not connection.known:
                await asyncio.Event().wait()
            if not data:
                writer.close()
                return
            writer.write(data)


@contextmanager
def line_to(target: int, port: int = 0) -> Iterator[Line]:
    """Run a line to a port, in a thread of its own, while the block lasts."""
    line = Line(target)
    ready: Future[int] = Future()
    loop = asyncio.new_event_loop()
    thread = threading.Thread(target=lambda: loop.run_until_complete(_serve(line, port, ready, ended)))
    ended = asyncio.Event()
    thread.start()
    line.port = ready.result()
    try:
        yield line
    finally:
        loop.call_soon_threadsafe(ended.set)
        thread.join()
        loop.close()


async def _read(reader: asyncio.StreamReader) -> bytes:
    """Read some bytes; none at the end, however it comes."""
    with suppress(ConnectionError):
        return await reader.read(1 << 16)
    return b""


async def _serve(line: Line, port: int, ready: "Future[int]", ended: asyncio.Event) -> None:
    tasks: set[asyncio.Task[None]] = set()

    def accept(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        tasks.add(asyncio.create_task(line.accept(reader, writer)))

    try:
        server = await asyncio.start_server(accept, "127.0.0.1", port)
    except OSError as error:
        ready.set_exception(error)
        return
    ready.set_result(server.sockets[0].getsockname()[1])
    await ended.wait()
    server.close()
    for task in tasks:
        task.cancel()
    await asyncio.gather(*tasks, return_exceptions=True)
