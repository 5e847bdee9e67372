"""Ports that the demo and the tests find."""

import subprocess
import sys

from demo.ports import free_ports

_FIND_FIVE = """
from demo import ports
ports._FROM, ports._TO = {}, {}
print(*(ports.free_port() for _ in range(5)))
"""


def test_no_port_is_found_that_another_process_has_found() -> None:
    taken = free_ports(20)
    script = _FIND_FIVE.format(taken.start, taken.stop + 20)
    found = subprocess.run([sys.executable, "-c", script], capture_output=True, check=True, timeout=60)
    assert not {int(port) for port in found.stdout.split()} & set(taken)


def test_no_port_is_found_twice() -> None:
    found = [port for _ in range(3) for port in free_ports(20)]
    assert len(set(found)) == len(found)
