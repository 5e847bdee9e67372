"""When the garbage collector runs: not in some blocks, and not for what is imported."""

import gc
import subprocess
import sys
import weakref
from collections.abc import Iterator

import pytest

from machine.gc import gc_paused, imports_left_alone, leave_start_alone

# Runs a command, and prints when it ends how often the collector runs, and what it does not traverse.
_RUN = """
import atexit, gc, runpy, sys
atexit.register(lambda: print(gc.isenabled(), gc.get_threshold()[0], gc.get_freeze_count()))
runpy.run_module(sys.argv.pop(1), run_name="__main__", alter_sys=True)
"""


@pytest.fixture(autouse=True)
def restored() -> Iterator[None]:
    thresholds = gc.get_threshold()
    yield
    gc.enable()
    gc.set_threshold(*thresholds)


class Cycle:
    def __init__(self) -> None:
        self.itself = self


def test_what_a_start_has_left_over_is_not_kept_for_ever() -> None:
    with gc_paused():
        left_over = weakref.ref(Cycle())
        assert left_over() is not None
        leave_start_alone()
    assert left_over() is None


def test_what_a_block_imports_is_left_alone() -> None:
    so_far = gc.get_freeze_count()
    with imports_left_alone():
        made = [[number] for number in range(1000)]
    assert gc.get_freeze_count() >= so_far + len(made)
    assert gc.isenabled()


@pytest.mark.parametrize(
    "command",
    ["server serve --print-config", "gateway run --print-config", "demo token", "client get --help"],
)
def test_a_command_does_not_traverse_what_it_imports(command: str) -> None:
    module, *arguments = command.split()
    run = [sys.executable, "-c", _RUN, module, *arguments]
    printed = subprocess.run(run, check=True, capture_output=True, text=True).stdout
    enabled, allocations, left_alone = printed.splitlines()[-1].split()
    assert (enabled, allocations) == ("True", "20000")
    assert int(left_alone) > 20_000


def test_it_is_paused_for_the_block_alone() -> None:
    with gc_paused():
        assert not gc.isenabled()
    assert gc.isenabled()


def test_it_goes_on_if_the_block_raises() -> None:
    with pytest.raises(KeyError), gc_paused():
        raise KeyError
    assert gc.isenabled()


def test_one_that_is_off_stays_off() -> None:
    gc.disable()
    with gc_paused():
        pass
    assert not gc.isenabled()
