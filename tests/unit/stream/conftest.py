"""Here time is virtual: nothing waits, and every time is exact."""

from collections.abc import Callable, Mapping

import pytest

from tests.support.scripted_stream import ScriptedStream
from tests.support.virtual_time import VirtualTimeLoop


def pytest_asyncio_loop_factories() -> Mapping[str, Callable[[], VirtualTimeLoop]]:
    return {"virtual_time": VirtualTimeLoop}


@pytest.fixture
def stream() -> ScriptedStream:
    return ScriptedStream()
