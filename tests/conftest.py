import gc
import os
import signal
from collections.abc import Generator

import pytest
from hypothesis import settings

# Some tests serve gRPC in threads of their own process, and start other programs as well:
# gRPC would write a line about each of these.
os.environ["GRPC_ENABLE_FORK_SUPPORT"] = "0"

# Some end a program by Ctrl-C. A shell lets its background jobs ignore that, and what ignores
# it passes that on to all that it starts.
signal.signal(signal.SIGINT, signal.default_int_handler)

# A busy machine is slow with an example now and then, which is no fault of the code.
settings.register_profile("any machine", deadline=None)
settings.load_profile("any machine")

pytest_plugins: list[str] = [
    "tests.support.data.golden",
    "tests.support.machine.hangs",
    "tests.support.stand_ins.introspection_server",
    "tests.support.stand_ins.key_server",
    "tests.support.database.postgres",
    "tests.support.stand_ins.stream",
]


@pytest.hookimpl(wrapper=True)
def pytest_collection() -> Generator[None, object, object]:
    """Look for no garbage among thousands of tests, which stay: that takes a tenth of the collection."""
    gc.disable()
    try:
        return (yield)
    finally:
        gc.freeze()
        gc.enable()


@pytest.hookimpl(trylast=True)
def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """Run unit tests first, for which sockets are blocked, or so are those of shared fixtures' threads.

    Next the drill, which waits most of its time: others run meanwhile.
    """
    items.sort(key=lambda item: ("unit" not in item.path.parts, "drill" not in item.path.parts))
