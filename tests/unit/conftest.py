"""Unit tests reach no network: only the event loop's own pair of Unix sockets is let through."""

from collections.abc import Iterator

import pytest
from pytest_socket import disable_socket, enable_socket

from tests.support.machine.clock import Clock


@pytest.fixture(autouse=True)
def _no_sockets() -> Iterator[None]:
    disable_socket(allow_unix_socket=True)
    yield
    enable_socket()


@pytest.fixture
def clock() -> Clock:
    return Clock()
