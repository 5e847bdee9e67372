"""Ports that nobody listens on, one or several in a row, as workers need them."""

import os
import socket
from collections import deque
from random import randrange

from machine.addresses import find_obstacle

# Above them are the system's ephemeral ports: what is free there now, a connection may take in a moment.
_FROM, _TO = 12_000, 32_000

# A port is free until its user listens on it: for so long other processes must not find it too.
# The kernel drops a claim as its process ends; before that, the oldest goes once there are too many.
_MAX_CLAIMS = 100
_claims: deque[int] = deque()


def is_free(host: str, port: int) -> bool:
    """Return whether the port can be listened on."""
    return find_obstacle(host, port) is None


def free_port() -> int:
    """Find a port of 127.0.0.1 that nobody listens on."""
    return free_ports(1)[0]


def free_ports(number: int) -> range:
    """Find so many ports of 127.0.0.1 in a row that nobody listens on, nor has found here lately."""
    while True:
        first = randrange(_FROM, _TO)  # noqa: S311 - no secret
        ports = range(first, first + number)
        if all(_claim(port) and is_free("127.0.0.1", port) for port in ports):
            return ports


def _claim(port: int) -> bool:
    """Claim the port by a name that one process can hold: a Unix socket in the abstract namespace."""
    claim = socket.socket(socket.AF_UNIX)
    try:
        claim.bind(f"\0livecalls-port-{port}")
    except OSError:
        claim.close()
        return False
    _claims.append(claim.detach())
    if len(_claims) > _MAX_CLAIMS:
        os.close(_claims.popleft())
    return True
