"""The gateway of a drill: an Envoy that can be killed, paused and started again."""

import subprocess
import sys
from collections.abc import Mapping
from pathlib import Path

import psutil

from demo.readiness import wait_until
from tests.support.callers.rest import ask

_HEALTHY = b"::health_flags::healthy"


class StandaloneGateway:
    """An Envoy before the server, which whoever runs it starts again if it ends."""

    def __init__(self, folder: Path, environment: Mapping[str, str]) -> None:
        self._folder = folder
        self._environment = environment
        self.launch()

    def launch(self) -> None:
        """Start it, and wait until it serves."""
        command = [sys.executable, "-m", "gateway", "run"]
        log = self._folder / "gateway.log"
        with log.open("ab") as errors, (self._folder / "gateway-access.log").open("ab") as output:
            self.process = subprocess.Popen(command, env=self._environment, stdout=output, stderr=errors)
        if not wait_until(self.serves, 60):
            raise AssertionError(log.read_text())

    def envoy(self) -> psutil.Process:
        """Return Envoy's own process, which the gateway's waits for."""
        (envoy,) = psutil.Process(self.process.pid).children()
        return envoy

    def serves(self) -> bool:
        """Return whether it answers on its admin page."""
        try:
            return self._admin("/ready") == b"LIVE\n"
        except OSError:
            return False

    def healthy_servers(self) -> int:
        """Count the servers that it finds healthy."""
        lines = self._admin("/clusters").splitlines()
        return sum(line.startswith(b"livecalls:") and line.endswith(_HEALTHY) for line in lines)

    def _admin(self, path: str) -> bytes:
        url = f"http://127.0.0.1:{self._environment['ADMIN_PORT']}"
        return ask(url, "GET", path).body
