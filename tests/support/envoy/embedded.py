"""An Envoy with the embedded service, and nothing else."""

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Self

from pyvoy import PyvoyServer

from tests.support.envoy import embedded_application


@dataclass(frozen=True)
class EmbeddedService:
    """The Envoy, by its address and the embedded server's log."""

    address: str
    _log: Path
    _read: int = 0

    def log(self) -> str:
        """Read what has been logged, by it or since it was made from another."""
        return self._log.read_text()[self._read :]

    def from_now(self) -> Self:
        """Make another, whose log begins now."""
        return replace(self, _read=len(self._log.read_text()))


@asynccontextmanager
async def embedded_running(folder: Path) -> AsyncIterator[EmbeddedService]:
    """Run it while the block lasts."""
    path = folder / "envoy.log"
    with path.open("wb") as log:
        async with PyvoyServer(
            f"{embedded_application.__name__}:app", lifespan=True, stderr=log
        ) as envoy:
            yield EmbeddedService(f"127.0.0.1:{envoy.listener_port}", path)
