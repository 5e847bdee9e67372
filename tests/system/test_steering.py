"""Which of the sockets that share a port the kernel chooses for new connections."""

import socket
from collections.abc import Iterator
from contextlib import ExitStack, suppress

import pytest

from server.runtime.reuseport import prefer_newest

CONNECTIONS = 40


@pytest.fixture
def stack() -> Iterator[ExitStack]:
    with ExitStack() as stack:
        yield stack


def listening(stack: ExitStack, port: int = 0) -> socket.socket:
    """Listen on a port that others may share."""
    listener = stack.enter_context(socket.create_server(("127.0.0.1", port), reuse_port=True))
    listener.setblocking(False)
    prefer_newest(listener, 2)
    return listener


def chosen(stack: ExitStack, *listeners: socket.socket) -> list[int]:
    """Connect many times, and count the connections of each listener."""
    address = listeners[0].getsockname()
    for _ in range(CONNECTIONS):
        stack.enter_context(socket.create_connection(address))
    return [taken(stack, listener) for listener in listeners]


def taken(stack: ExitStack, listener: socket.socket) -> int:
    number = 0
    with suppress(BlockingIOError):
        while True:
            stack.enter_context(listener.accept()[0])
            number += 1
    return number


def test_the_newest_is_chosen_while_there_is_one_too_many(stack: ExitStack) -> None:
    first = listening(stack)
    port = first.getsockname()[1]
    second = listening(stack, port)
    assert all(chosen(stack, first, second))
    for _ in range(3):
        third = listening(stack, port)
        assert chosen(stack, first, second, third) == [0, 0, CONNECTIONS]
        first.close()
        first, second = second, third
        assert all(chosen(stack, first, second))
