"""A host that accepts connections and never responds, like one whose machine hangs."""

import socket
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager


@contextmanager
def silent_ports(count: int, address: str = "127.0.0.1") -> Iterator[list[int]]:
    """Listen on so many ports while the block lasts, and never respond."""
    with ExitStack() as stack:
        sockets = [stack.enter_context(socket.create_server((address, 0))) for _ in range(count)]
        yield [each.getsockname()[1] for each in sockets]
