"""Ends the whole run once a test exceeds its time limit, and prints the stack of every thread and task.

pytest-timeout by itself raises in the test, once. A task that ignores its cancellation then hangs the
end of its event loop for ever, and prints nothing.
"""

import asyncio
import faulthandler
import gc
import os
from collections.abc import Iterator
from contextlib import suppress
from threading import Timer
from traceback import StackSummary
from types import FrameType
from typing import Any, TextIO

import psutil
import pytest
from pytest_timeout import Settings, is_debugging

_STDERR = pytest.StashKey[TextIO]()
_END_SECONDS = 3.0
"""How long what the tests have started may take to end before it is killed."""
_TIMER = pytest.StashKey[Timer]()


def pytest_configure(config: pytest.Config) -> None:
    # While a test runs, its output is captured.
    config.stash[_STDERR] = os.fdopen(os.dup(2), "w")


def pytest_unconfigure(config: pytest.Config) -> None:
    config.stash[_STDERR].close()


@pytest.hookimpl(tryfirst=True)
def pytest_timeout_set_timer(item: pytest.Item, settings: Settings) -> bool:
    timer = Timer(settings.timeout, _end_run, (item, settings.timeout))
    timer.daemon = True
    item.stash[_TIMER] = timer
    timer.start()
    return True


@pytest.hookimpl(tryfirst=True)
def pytest_timeout_cancel_timer(item: pytest.Item) -> bool:
    if timer := item.stash.get(_TIMER, None):
        timer.cancel()
        timer.join()  # for ever if it has fired: the run ends, even if the test does so meanwhile
    return True


def _end_run(item: pytest.Item, seconds: float) -> None:
    if is_debugging():
        return
    file = item.config.stash[_STDERR]
    try:
        print(f"\n{item.nodeid} hangs: it has not ended within {seconds} s", file=file, flush=True)
        faulthandler.dump_traceback(file)
        _print_tasks(file)
        _end_children()
    finally:
        file.flush()
        os._exit(1)


def _print_tasks(file: TextIO) -> None:
    # By type, as some objects fail isinstance() with an error.
    tasks = [object_ for object_ in gc.get_objects() if issubclass(type(object_), asyncio.Task)]
    for task in tasks:
        if not task.done():
            print(f"\n{task!r}", file=file)
            frames = StackSummary.extract((frame, frame.f_lineno) for frame in _frames(task.get_coro()))
            file.writelines(frames.format())


def _frames(coroutine: Any) -> Iterator[FrameType]:
    """Follow what a coroutine waits for, from the outside in: Task.get_stack() stops at the first."""
    while coroutine is not None:
        for prefix in ("cr", "gi", "ag"):
            if frame := getattr(coroutine, f"{prefix}_frame", None):
                yield frame
        waiting_for = ("cr_await", "gi_yieldfrom", "ag_await")
        coroutine = next(filter(None, (getattr(coroutine, name, None) for name in waiting_for)), None)


def _end_children() -> None:
    """End what the tests have started: their fixtures do not get to do it."""
    children = psutil.Process().children(recursive=True)
    for end in (psutil.Process.terminate, psutil.Process.kill):
        for process in children:
            with suppress(psutil.NoSuchProcess):
                end(process)
        _, children = psutil.wait_procs(children, timeout=_END_SECONDS)
