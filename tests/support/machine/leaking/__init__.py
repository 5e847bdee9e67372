"""A folder for PYTHONPATH, whose sitecustomize lets a server's worker leak memory."""

import os
from pathlib import Path


def path() -> str:
    """Return PYTHONPATH with the folder before what is there."""
    return os.pathsep.join(filter(None, [str(Path(__file__).parent), os.environ.get("PYTHONPATH")]))
