"""What all processes have in common that this project starts."""

import shutil


def pdeathsig_prefix(signal: str) -> list[str]:
    """Return the prefix of a command that gets a signal if this process is killed."""
    setpriv = shutil.which("setpriv")  # of Linux
    return [setpriv, "--pdeathsig", signal] if setpriv else []
