"""Here time is virtual: nothing waits, and every time is exact."""

from collections.abc import Callable, Mapping

from tests.support.machine.virtual_time import VirtualTimeLoop


def pytest_asyncio_loop_factories() -> Mapping[str, Callable[[], VirtualTimeLoop]]:
    return {"virtual_time": VirtualTimeLoop}
