"""A gateway on `::`, which callers reach by IPv6 and by IPv4."""

from contextlib import closing
from http.client import HTTPConnection
from pathlib import Path

import pytest

from tests.support.callers.rest import ask, ask_over
from tests.support.envoy.envoy_configuration import EnvoyConfiguration
from tests.support.envoy.gateway import Gateway, gateway_running
from tests.support.machine.ipv6 import needs_ipv6

pytestmark = needs_ipv6
CALL = "/v1/live/calls/any"


def port_of(gateway: Gateway) -> int:
    return int(gateway.address.rpartition(":")[2])


@pytest.mark.parametrize("host", ["::", "[::]", "0:0:0:0:0:0:0:0"])
def test_callers_come_by_either(host: str, tmp_path: Path) -> None:
    with gateway_running(1, tmp_path, REST_HOST=host) as gateway:
        for caller in ("127.0.0.1", "[::1]"):
            assert ask(f"http://{caller}:{port_of(gateway)}", "GET", CALL).status == 503


def test_callers_by_ipv4_are_told_apart(tmp_path: Path) -> None:
    """Their addresses within IPv6 are of one network, for which there is one rate limit."""
    limit = {"RATE_LIMIT_PER_SECOND": "1", "RATE_LIMIT_BURST": "1"}
    edit = EnvoyConfiguration.never_refill_buckets
    with gateway_running(1, tmp_path, edit, REST_HOST="::", **limit) as gateway:
        sources = ("127.0.0.2", "127.0.0.3", "127.0.0.2")
        assert [status_from(source, gateway) for source in sources] == [503, 503, 429]


def status_from(source: str, gateway: Gateway) -> int:
    connection = HTTPConnection("127.0.0.1", port_of(gateway), source_address=(source, 0))
    with closing(connection):
        return ask_over(connection, "GET", CALL).status
