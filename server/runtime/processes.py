"""What is done alike wherever this project starts a process of its own."""

import shutil


def ended_with_parent(signal: str) -> list[str]:
    """Words to put before a command, so that it gets a signal should this process be killed."""
    setpriv = shutil.which("setpriv")  # of Linux
    return [setpriv, "--pdeathsig", signal] if setpriv else []
