"""Ports that nobody listens on, consecutive, as workers need them."""

import os
from random import randrange

import pytest

from demo.readiness import is_free

# In CI nothing is skipped: what needs IPv6 fails there without.
needs_ipv6 = pytest.mark.skipif(
    "CI" not in os.environ and not is_free("::1", 0), reason="this machine has no IPv6"
)

# Above them are the system's ephemeral ports, so that one that is free now may not be later.
_FROM, _TO = 12_000, 32_000


def free_ports(number: int) -> range:
    """Find so many free ports in a row."""
    while True:
        first = randrange(_FROM, _TO)  # noqa: S311 - no secret
        ports = range(first, first + number)
        if all(is_free("127.0.0.1", port) for port in ports):
            return ports
