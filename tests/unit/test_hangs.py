"""A test that hangs ends the whole run, and shows what it waits for."""

import subprocess
import sys
from pathlib import Path

import psutil
import pytest

HANGING = """
import asyncio
import subprocess
import threading
from pathlib import Path

import pytest


@pytest.fixture
def _something_is_running():
    thread = threading.Thread(target=_block_a_thread, daemon=True)
    thread.start()
    process = subprocess.Popen(["sleep", "1000"])
    Path(__file__).with_name("pid").write_text(str(process.pid))
    yield
    process.terminate()


def _block_a_thread():
    threading.Event().wait()


async def _wait_for_ever():
    while True:
        try:
            await asyncio.Event().wait()
        except asyncio.CancelledError:
            pass


async def _wait_for_another():
    await _wait_for_ever()


@pytest.mark.timeout(2, func_only=True)
async def test_hanging(_something_is_running):
    task = asyncio.create_task(_wait_for_another(), name="the task that hangs")
    await asyncio.sleep(0)
    task.cancel()
    await task


def test_after():
    raise AssertionError("the run goes on")
"""


_PLUGINS = ("-p", "tests.support.machine.hangs", "-p", "no:cacheprovider", "-o", "asyncio_mode=auto")


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return tmp_path_factory.mktemp("hanging")


@pytest.fixture(scope="module")
def run(folder: Path) -> subprocess.CompletedProcess[str]:
    """Run pytest on a test that ignores its cancellation."""
    (folder / "test_hanging.py").write_text(HANGING)
    return subprocess.run(
        [sys.executable, "-m", "pytest", "-c", "/dev/null", "--rootdir", folder, *_PLUGINS, folder],
        capture_output=True,
        text=True,
        check=False,
    )


def test_the_run_fails_at_once(run: subprocess.CompletedProcess[str]) -> None:
    assert run.returncode == 1, run.stdout + run.stderr
    assert "test_hanging.py::test_hanging hangs" in run.stderr
    assert "the run goes on" not in run.stdout


def test_every_thread_and_task_is_shown_to_its_innermost_frame(
    run: subprocess.CompletedProcess[str],
) -> None:
    assert "in _block_a_thread" in run.stderr
    for function in ("test_hanging", "_wait_for_another", "_wait_for_ever"):
        assert f", in {function}\n" in run.stderr
    assert "name='the task that hangs'" in run.stderr


def test_what_was_started_is_ended(run: subprocess.CompletedProcess[str], folder: Path) -> None:
    assert not psutil.pid_exists(int((folder / "pid").read_text()))
