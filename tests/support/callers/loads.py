"""Loads that tests put on servers of their own."""

import asyncio
from pathlib import Path
from typing import Any
from uuid import UUID

from tests.load.bench.generator import GeneratorError, Load, Measured, run
from tests.support.stand_ins.targets import Protocol, Target

IDS = [str(UUID(int=i)) for i in range(20)]


def written(folder: Path, *ids: str) -> Path:
    """Write a file of ids."""
    file = folder / "keys"
    file.write_text("".join(f"{call_id}\n" for call_id in ids))
    return file


async def put(protocol: Protocol, keys: Path, *targets: Target, **changes: Any) -> Measured:
    """Put a short load on servers; changes are those of a Load."""
    addresses = tuple(target.address for target in targets)
    load = Load(protocol, addresses, keys, **{"seconds": 0.25, **changes})
    return await asyncio.to_thread(run, load)


async def put_until_answered(protocol: Protocol, keys: Path, target: Target, **changes: Any) -> None:
    """Put loads on a server, each twice as long, until a request has ended within one.

    A busy machine may let none end within a short one.
    """
    seconds = 0.1
    while True:
        try:
            await put(protocol, keys, target, seconds=seconds, **changes)
        except GeneratorError as error:
            if "no request ended" not in str(error):
                raise
            seconds *= 2
        else:
            return


def after(seconds: float) -> Any:
    """Make a response that takes so many seconds."""

    async def answer(_: str) -> bytes | None:
        await asyncio.sleep(seconds)
        return b"a call"

    return answer
