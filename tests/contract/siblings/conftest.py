"""Here time is virtual, as in tests/unit/stream, and the sockets are real."""

from collections.abc import Callable, Mapping

import pytest

from tests.support.machine.virtual_time import VirtualTimeLoop
from tests.support.stand_ins.scripted_stream import ScriptedStream


def pytest_asyncio_loop_factories() -> Mapping[str, Callable[[], VirtualTimeLoop]]:
    return {"virtual_time": VirtualTimeLoop}


@pytest.fixture
def stream() -> ScriptedStream:
    return ScriptedStream()
