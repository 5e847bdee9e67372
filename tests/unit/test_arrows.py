"""The arrows between the packages, as pyproject.toml draws them."""

import subprocess
import sys
from pathlib import Path

LINT_IMPORTS = Path(sys.executable).with_name("lint-imports")


def test_the_packages_import_each_other_only_as_drawn() -> None:
    # In a process of its own: it sets up logging for the whole of it.
    linting = subprocess.run([LINT_IMPORTS, "--no-cache"], capture_output=True, text=True, check=False)
    assert linting.returncode == 0, linting.stdout
