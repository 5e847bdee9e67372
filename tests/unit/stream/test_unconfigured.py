import subprocess
import sys

from server.adapters.stream.unconfigured import Unconfigured

# What bootstrap imports if Stream is not configured, and if it is, without the client.
PARTS = "server.adapters.stream.unconfigured, server.adapters.stream.best_effort"


async def test_knows_nothing() -> None:
    assert await Unconfigured().live_status("livestream", "call", within=1) is None


def test_the_sdk_is_imported_by_the_client_alone() -> None:
    code = f"import sys, {PARTS}; sys.exit('getstream' in sys.modules)"
    command = [sys.executable, "-c", code]
    assert subprocess.run(command, check=False).returncode == 0
