"""Ports that nobody listens on, one or several in a row, as workers need them."""

from random import randrange

from machine.addresses import find_obstacle

# Above them are the system's ephemeral ports: what is free there now, a connection may take in a moment.
_FROM, _TO = 12_000, 32_000


def is_free(host: str, port: int) -> bool:
    """Return whether the port can be listened on."""
    return find_obstacle(host, port) is None


def free_port() -> int:
    """Find a port of 127.0.0.1 that nobody listens on."""
    return free_ports(1)[0]


def free_ports(number: int) -> range:
    """Find so many ports of 127.0.0.1 in a row that nobody listens on."""
    while True:
        first = randrange(_FROM, _TO)  # noqa: S311 - no secret
        ports = range(first, first + number)
        if all(is_free("127.0.0.1", port) for port in ports):
            return ports
