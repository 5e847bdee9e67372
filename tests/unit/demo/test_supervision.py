"""The demo's parts: who waits for whom, what is printed of those that end, and that none is left."""

import asyncio
import os
import signal
from collections.abc import Callable, Sequence
from pathlib import Path

import psutil
import pytest

from demo import supervision
from demo.error import DemoError
from demo.part import Part
from demo.supervision import supervise_parts

LASTS = ["timeit", "-n1", "-r1", "import time; time.sleep(600)"]
ENDS = ["timeit", "-n1", "-r1", "pass"]


def part(name: str, arguments: Sequence[str], answers: Callable[[], bool], log: Path) -> Part:
    return Part(name, arguments, os.environ, answers, log)


def processes() -> list[psutil.Process]:
    return psutil.Process().children()


def supervise_until(condition: Callable[[], bool], *parts: Part, by: int = signal.SIGTERM) -> None:
    """Supervise parts until the condition holds, and end them by a signal."""

    async def run() -> None:
        supervising = asyncio.create_task(supervise_parts(parts, None, "all serve"))
        while not condition() and not supervising.done():  # noqa: ASYNC110 - of other processes
            await asyncio.sleep(0.02)
        if not supervising.done():
            os.kill(os.getpid(), by)
        await supervising

    asyncio.run(run())


@pytest.mark.parametrize("by", [signal.SIGINT, signal.SIGTERM, signal.SIGHUP])
def test_a_signal_ends_them_all(
    tmp_path: Path, capsys: pytest.CaptureFixture[str], by: signal.Signals
) -> None:
    started: list[psutil.Process] = []

    def all_serve() -> bool:
        started[:] = processes()
        return capsys.readouterr().out == "all serve\n"

    parts = [part(name, LASTS, lambda: True, tmp_path / "log") for name in ("one", "another")]
    supervise_until(all_serve, *parts, by=by)
    assert len(started) == 2
    assert processes() == []


def test_one_that_others_call_serves_before_they_start(tmp_path: Path) -> None:
    log = tmp_path / "caller.log"
    started_before: list[bool] = []

    def answers() -> bool:
        started_before.append(log.exists())
        return len(started_before) == 3

    called = part("called", LASTS, answers, tmp_path / "log")
    caller = Part("caller", LASTS, os.environ, lambda: True, log, after=called)
    supervise_until(log.exists, caller, called)
    assert started_before == [False] * 3


def test_one_that_dies_is_told_and_started_again(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    printed: list[str] = []
    killed: list[psutil.Process] = []

    def is_back() -> bool:
        printed.append(capsys.readouterr().out)
        if not killed and "".join(printed) == "all serve\n":
            killed.extend(processes())
            killed[0].kill()
        return "again" in "".join(printed) and processes() not in ([], killed)

    supervise_until(is_back, part("odd one", LASTS, lambda: True, tmp_path / "log"))
    assert "".join(printed) == "all serve\nThe odd one ended (-9); starting it again\n"


def test_one_that_ends_without_having_served_ends_the_demo(tmp_path: Path) -> None:
    log = tmp_path / "log"
    parts = part("odd one", ENDS, lambda: False, log), part("other", LASTS, lambda: True, log)
    with pytest.raises(DemoError, match=f"The odd one ended at once; see {log}"):
        supervise_until(lambda: False, *parts)
    assert processes() == []


def test_one_that_never_serves_ends_the_demo(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(supervision, "READY_WITHIN_SECONDS", 0.1)
    with pytest.raises(DemoError, match="Not all of it answers after 0 s; see"):
        supervise_until(lambda: False, part("odd one", LASTS, lambda: False, tmp_path / "log"))
    assert processes() == []
