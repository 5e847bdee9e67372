"""What Envoy needs to run Python in its own process."""

import importlib.util
import sys

# What the module needs in the environment, only its own way to start Envoy knows.
from pyvoy._server import get_envoy_environ

from gateway.temporary_files import find_folder


class LibraryMissingError(Exception):
    """Python is missing as a shared library; the message has what to install."""


def environment() -> dict[str, str]:
    """Return the variables by which Python is found, for the process that becomes Envoy.

    Raises LibraryMissingError and NoFolderError.
    """
    find_folder()  # in which the compiler is run to find libraries
    found = get_envoy_environ()
    if not found.keys() & {"LD_PRELOAD", "DYLD_INSERT_LIBRARIES"}:
        package = "libpython{}.{}".format(*sys.version_info)
        raise LibraryMissingError(
            f"Python is missing as a shared library, which Envoy needs (on Debian: {package})"
        )
    return found


def module_path() -> str:
    """Find the module that Envoy loads."""
    spec = importlib.util.find_spec("pyvoy._pyvoy")
    assert spec is not None  # noqa: S101 - it is a part of the package that was imported above
    return str(spec.origin)
