"""A gateway with little memory, or few descriptors, and many hostile callers.

Not every machine lets a test make a cgroup. What the kernel would kill Envoy for is what it takes at
its peak, so that is read as well, with the heap that a cgroup of 512 MiB leads to.
"""

import resource
import socket
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from http.client import HTTPConnection
from pathlib import Path

import psutil
import pytest

from gateway.config import GatewaySettings
from gateway.limits import heap_bytes
from tests.support.callers.rest import ask, ask_over
from tests.support.envoy.gateway import Gateway, gateway_running, wait_for
from tests.support.machine.cgroups import memory_cgroup
from tests.support.server.deployments import Deployment
from tests.support.server.serve import without_database

MIB = 1 << 20
CGROUP_BYTES = 512 * MIB
# Which includes the kernel's buffers of requests, and if embedded the worker's supervisor.
MAX_PEAK_BYTES = CGROUP_BYTES * 9 // 10
CALLERS = 6000
FILES = CALLERS + 1000
HEADERS = b"".join(b"x-h%d: %s\r\n" % (number, b"y" * 640) for number in range(90))
HALF_A_HEAD = b"GET /v1/live/calls/1 HTTP/1.1\r\nhost: a\r\n" + HEADERS
HALF_A_BODY = HALF_A_HEAD + b"content-length: 65536\r\n\r\n" + b"x" * 65_000
PAGE = "/openapi.yaml"


@pytest.fixture
def many_files() -> Iterator[None]:
    """Let this process have a connection for each caller; root may have more than is allowed."""
    soft, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
    resource.setrlimit(resource.RLIMIT_NOFILE, (max(soft, FILES), max(hard, FILES)))
    yield
    resource.setrlimit(resource.RLIMIT_NOFILE, (soft, max(hard, FILES)))


@contextmanager
def small_gateway(deployment: Deployment, folder: Path) -> Iterator[Gateway]:
    heap = heap_bytes(GatewaySettings(embedded=deployment is Deployment.EMBEDDED), CGROUP_BYTES)
    settings = {"MAX_HEAP_MB": str(heap // MIB), "RATE_LIMIT_PER_SECOND": "0"}
    if deployment is Deployment.EMBEDDED:
        settings |= {**deployment.settings, **without_database()}
    with gateway_running(1, folder, None, files(FILES), **settings) as gateway:
        yield gateway


@pytest.mark.usefixtures("many_files")
@pytest.mark.parametrize("sent", [HALF_A_HEAD, HALF_A_BODY], ids=["heads", "bodies"])
@pytest.mark.parametrize("deployment", Deployment)
def test_half_sent_requests_take_no_more_memory_than_a_small_cgroup_has(
    deployment: Deployment, sent: bytes, tmp_path: Path
) -> None:
    with small_gateway(deployment, tmp_path) as gateway:
        send_halves(gateway, sent)
        assert peak_bytes(gateway) < MAX_PEAK_BYTES, f"{peak_bytes(gateway) / MIB:.0f} MiB"
        wait_for(lambda: status(gateway) == 200 or None, within=60)


@pytest.mark.usefixtures("many_files")
@pytest.mark.parametrize("sent", [HALF_A_HEAD, HALF_A_BODY], ids=["heads", "bodies"])
@pytest.mark.parametrize("deployment", Deployment)
def test_half_sent_requests_get_nobody_killed_in_a_small_cgroup(
    deployment: Deployment, sent: bytes, tmp_path: Path
) -> None:
    settings = {**deployment.settings, **without_database()} if deployment is Deployment.EMBEDDED else {}
    with (
        memory_cgroup(CGROUP_BYTES) as cgroup,
        gateway_running(1, tmp_path, None, [*files(FILES), *cgroup.prefix], **settings) as gateway,
    ):
        send_halves(gateway, sent)
        assert cgroup.killed() == 0, f"{cgroup.peak_bytes() / MIB:.0f} MiB"
        wait_for(lambda: status(gateway) == 200 or None, within=60)


def send_halves(gateway: Gateway, sent: bytes) -> None:
    with ExitStack() as stack:
        for number in range(CALLERS):
            half_sent(gateway, sent, stack)
            if number % 500 == 0:
                assert status(gateway) in {200, 503, None}


def files(limit: int) -> list[str]:
    """Return the command that limits the open files of what follows it."""
    return ["prlimit", f"--nofile={limit}:{limit}"]


def half_sent(gateway: Gateway, sent: bytes, stack: ExitStack) -> None:
    host, _, port = gateway.address.partition(":")
    caller = stack.enter_context(socket.create_connection((host, int(port)), timeout=30))
    try:
        caller.sendall(sent)
    except OSError:  # it was rejected before it had sent all
        caller.close()


def peak_bytes(gateway: Gateway) -> int:
    """Return the peak of Envoy's memory so far."""
    lines = Path(f"/proc/{pid_of(gateway)}/status").read_text().splitlines()
    (kib,) = (line.split()[1] for line in lines if line.startswith("VmHWM:"))
    return int(kib) * 1024


def pid_of(gateway: Gateway) -> int:
    """Find the Envoy that listens on the gateway's port."""
    port = int(gateway.address.rpartition(":")[2])
    children = psutil.Process().children(recursive=True)
    (pid,) = (it.pid for it in children if port in {c.laddr.port for c in it.net_connections("tcp")})
    return pid


@pytest.mark.parametrize("deployment", Deployment)
def test_with_few_descriptors_it_says_so_and_who_is_connected_is_answered(
    deployment: Deployment, tmp_path: Path
) -> None:
    limit = {Deployment.STANDALONE: 256, Deployment.EMBEDDED: 512}[deployment]
    settings = {**deployment.settings, **without_database()} if deployment is Deployment.EMBEDDED else {}
    with gateway_running(1, tmp_path, None, files(limit), **settings) as gateway:
        (line,) = (it for it in gateway.log().splitlines() if it.startswith("MAX_CONNECTIONS: "))
        lowered = int(line.split(" to ")[1].partition(",")[0])
        assert line == f"MAX_CONNECTIONS: lowered from 10000 to {lowered}, for {limit} open files"
        good = HTTPConnection(gateway.address, timeout=30)
        with ExitStack() as stack:
            stack.callback(good.close)
            for number in range(2 * limit):
                half_sent(gateway, b"", stack)
                if number % 50 == 0:
                    assert ask_over(good, "GET", PAGE).status == 200
            assert ask(gateway.admin_url, "GET", "/ready").status == 200
        wait_for(lambda: status(gateway) == 200 or None, within=60)


def status(gateway: Gateway) -> int | None:
    """Request a page, and return the status; None if the connection is one too many."""
    try:
        return ask(gateway.url, "GET", PAGE).status
    except ConnectionError:
        return None


def test_with_enough_of_them_it_says_nothing(tmp_path: Path) -> None:
    with gateway_running(1, tmp_path, None, files(FILES), MAX_CONNECTIONS="5000") as gateway:
        assert "MAX_CONNECTIONS" not in gateway.log()


def test_with_a_small_heap_it_says_so(tmp_path: Path) -> None:
    with gateway_running(1, tmp_path, None, files(FILES), MAX_HEAP_MB="96") as gateway:
        assert "MAX_CONNECTIONS: lowered from 10000 to 1024, for a heap of 96 MiB\n" in gateway.log()
