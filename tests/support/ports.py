"""Ports that nobody listens on, one behind the other, as workers need them."""

from server.demo.readiness import free_port, is_free


def free_ports(number: int) -> range:
    """Find so many free ports in a row."""
    while True:
        first = free_port()
        ports = range(first, first + number)
        if ports[-1] < 65536 and all(is_free("127.0.0.1", port) for port in ports):
            return ports
