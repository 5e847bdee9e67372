"""Here time is virtual: nothing waits, and every time is exact."""

from collections.abc import Callable, Mapping

import pytest

from tests.support.machine.virtual_time import VirtualTimeLoop
from tests.support.stand_ins.scripted_read import ScriptedRead


def pytest_asyncio_loop_factories() -> Mapping[str, Callable[[], VirtualTimeLoop]]:
    return {"virtual_time": VirtualTimeLoop}


@pytest.fixture
def read() -> ScriptedRead:
    return ScriptedRead()
