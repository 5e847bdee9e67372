"""How a process ends that this project has started."""

import shutil
from asyncio import timeout
from asyncio.subprocess import Process
from contextlib import suppress


def pdeathsig_prefix(signal: str) -> list[str]:
    """Return the prefix of a command that gets a signal if the thread that starts it ends."""
    setpriv = shutil.which("setpriv")  # of Linux
    return [setpriv, "--pdeathsig", signal] if setpriv else []


async def terminate(process: Process, within: float) -> None:
    """Send it SIGTERM, and kill it if it has not ended after so many seconds."""
    with suppress(ProcessLookupError):  # it has ended
        process.terminate()
    try:
        async with timeout(within):
            await process.wait()
    except TimeoutError:
        process.kill()
        await process.wait()
