"""Prometheus' own tool."""

import subprocess
from pathlib import Path

from tests.support.machine.toolchains import set_up_by


def promtool(*arguments: str | Path) -> str:
    """Run it, and return what it prints; it must be content."""
    set_up_by("scripts/setup_programs", "prometheus")
    done = subprocess.run(["promtool", *arguments], capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stdout + done.stderr
    return done.stdout
