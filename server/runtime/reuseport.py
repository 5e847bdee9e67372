"""Sends new connections to the newest of the processes that share a port, while one is replaced.

If a listening socket is closed, the kernel resets the connections that were not yet accepted from it.
A process that is to end loses none if it got none for a while.
"""

import asyncio
import ctypes
import os
import socket
import struct
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager, suppress
from pathlib import Path

_LOOK_SECONDS = 0.05
# Of <linux/filter.h> and <asm-generic/socket.h>.
_RETURN = 0x06
_ATTACH_REUSEPORT_CBPF = 51


@asynccontextmanager
async def steer_connections(port: int, workers: int) -> AsyncIterator[None]:
    """Steer them while the block lasts, from when this process listens on the port it shares.

    So many share it, but for the time in which one of them is replaced. None share port 0.
    """
    steering = asyncio.create_task(_steer(port, workers))
    try:
        yield
    finally:
        steering.cancel()


async def _steer(port: int, workers: int) -> None:
    if not port:
        return
    while not (listener := _shared_listener(port)):  # noqa: ASYNC110 - it is Envoy that will listen
        await asyncio.sleep(_LOOK_SECONDS)
    # All works without it, except for the connections described above.
    with listener, suppress(OSError):
        prefer_newest(listener, workers)


def prefer_newest(listener: socket.socket, workers: int) -> None:
    """Send new connections to a shared port to the socket that listens after so many others.

    While there is no such, they are spread over all, as without this. Raises OSError.
    """
    # A program of one instruction, which returns the index among the sockets that share the port.
    program = ctypes.create_string_buffer(struct.pack("HBBI", _RETURN, 0, 0, workers))
    pointer = struct.pack("HP", 1, ctypes.addressof(program))
    listener.setsockopt(socket.SOL_SOCKET, _ATTACH_REUSEPORT_CBPF, pointer)


def _shared_listener(port: int) -> socket.socket | None:
    """Find the socket of this process that listens on a port which others may share."""
    for file in Path("/proc/self/fd").iterdir():
        with suppress(OSError):  # it has been closed meanwhile
            if str(file.readlink()).startswith("socket:"):
                found = socket.socket(fileno=os.dup(int(file.name)))
                if _is_shared_listener(found, port):
                    return found
                found.close()
    return None


def _is_shared_listener(it: socket.socket, port: int) -> bool:
    options = (socket.SO_REUSEPORT, socket.SO_ACCEPTCONN)
    is_ip = it.family in (socket.AF_INET, socket.AF_INET6)
    return (
        is_ip
        and it.getsockname()[1] == port
        and all(it.getsockopt(socket.SOL_SOCKET, o) for o in options)
    )
