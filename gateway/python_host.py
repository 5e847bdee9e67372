"""What Envoy needs to run Python in its own process."""

import importlib.util

# What the module needs of the environment, only its own way to start Envoy knows.
from pyvoy._server import get_envoy_environ

ENVIRONMENT = get_envoy_environ()
"""Where Python is, for the process that becomes Envoy."""


def module_path() -> str:
    """Find the module that Envoy loads."""
    spec = importlib.util.find_spec("pyvoy._pyvoy")
    assert spec is not None  # noqa: S101 - it is a part of the package that was imported above
    return str(spec.origin)
