"""Runs Envoy, and drains it before it ends, for SIGTERM to Envoy cuts requests off."""

import asyncio
import os
import signal
from asyncio.subprocess import Process
from collections.abc import Mapping, Sequence
from contextlib import suppress
from pathlib import Path
from typing import NamedTuple

from gateway.envoy_options import value_of
from machine.ending import pdeathsig_prefix, terminate
from machine.envoy_admin import EnvoyAdmin

# Draining, it listens for a second more to send callers GOAWAY; this lets the end of it be seen.
_DRAINS_AT_LEAST_SECONDS = 1.5
# How long it may take to end once its requests have, before it is killed.
_ENDS_WITHIN_SECONDS = 2.0
_PATH_OPTION = "--admin-address-path"
# Envoy ignores the first with a log line, and reopens its logs at the second.
_SIGNALS_OF_ENVOY = (signal.SIGHUP, signal.SIGUSR1)


class Admin:
    """The address of an Envoy's admin page, whose port the system may choose."""

    def __init__(self, port: int, node_id: str, options: Sequence[str]) -> None:
        """Take the port, 0 if the system is to choose, and the options that Envoy gets besides."""
        self._port = port
        self._node_id = node_id
        self._file = value_of(_PATH_OPTION, options)
        self.options: Sequence[str] = ()
        """More options, by which Envoy writes the page's address to a file."""
        if not port and not self._file:
            # In memory: there may be no folder that can be written to.
            self._file = f"/proc/{os.getpid()}/fd/{os.memfd_create('admin-address')}"
            self.options = (_PATH_OPTION, self._file)

    def open(self) -> EnvoyAdmin:
        """Return a client of the page; nothing responds there if Envoy has not come so far."""
        noted = Path(self._file) if self._file and not self._port else None
        address = noted.read_text() if noted and noted.exists() else ""
        return EnvoyAdmin(self._port or int(address.rpartition(":")[2] or 0), self._node_id)


class Ending(NamedTuple):
    """How Envoy ends once it is asked to."""

    delay_seconds: float
    """How long its health reports that it is about to end, before it does anything else."""
    grace_seconds: float
    """How long requests under way may take from then on; 1.5 s at least."""


async def run_envoy(
    command: Sequence[str], environment: Mapping[str, str], admin: Admin, ending: Ending
) -> int:
    """Run Envoy until it ends, and return its exit code, or 0 if it got a signal to end.

    SIGTERM or SIGINT ends it by and by. A second one ends it at once.
    SIGHUP and SIGUSR1 are passed on to Envoy, and end nothing.
    """
    stop, stop_again = asyncio.Event(), asyncio.Event()

    def request_stop() -> None:
        (stop_again if stop.is_set() else stop).set()

    for number in (signal.SIGTERM, signal.SIGINT):
        asyncio.get_running_loop().add_signal_handler(number, request_stop)
    envoy = await asyncio.create_subprocess_exec(
        *pdeathsig_prefix("KILL"),
        *command,
        *admin.options,
        env=environment,
        start_new_session=True,  # so that Ctrl-C reaches this process alone
    )
    for number in _SIGNALS_OF_ENVOY:
        asyncio.get_running_loop().add_signal_handler(number, _pass_on, number, envoy)
    waiting = (envoy.wait(), _drain(stop, admin, ending), stop_again.wait())
    tasks = [asyncio.ensure_future(it) for it in waiting]
    await asyncio.wait(tasks, return_when=asyncio.FIRST_COMPLETED)
    for task in tasks:
        task.cancel()
    await terminate(envoy, _ENDS_WITHIN_SECONDS)
    return 0 if stop.is_set() else _exit_code(envoy.returncode or 0)


def _pass_on(number: signal.Signals, envoy: Process) -> None:
    with suppress(ProcessLookupError):  # it has ended
        envoy.send_signal(number)


async def _drain(stop: asyncio.Event, admin: Admin, ending: Ending) -> None:
    """Drain it once it is to end."""
    await stop.wait()
    page = admin.open()
    await page.announce_end()
    if ending.delay_seconds and await page.is_live():
        await asyncio.sleep(ending.delay_seconds)
    within = max(ending.grace_seconds, _DRAINS_AT_LEAST_SECONDS)
    with suppress(TimeoutError):
        async with asyncio.timeout(within):
            if await page.is_live(within):
                await page.drain()


def _exit_code(code: int) -> int:
    """Return an exit code, that of a signal as shells have it."""
    return code if code >= 0 else 128 - code
