"""How many threads Envoy has, and that its limits hold for all of them together."""

import socket
from collections import Counter
from collections.abc import Iterator, Sequence
from contextlib import ExitStack, contextmanager
from http.client import HTTPConnection
from pathlib import Path
from typing import Any

import pytest

from gateway.config import GatewaySettings
from gateway.limits import concurrency, max_connections
from machine.cpus import usable_cpus
from tests.support.callers.rest import ask, ask_over
from tests.support.envoy.envoy_configuration import EnvoyConfiguration
from tests.support.envoy.gateway import Gateway, gateway_running, wait_for
from tests.support.machine.cgroups import cpu_cgroup
from tests.support.machine.commands import run

NO_SERVER = 1
FAR_AWAY = "192.0.2.1"
ELSEWHERE = {"grpc_host": "server.example.com"}
THREADS = 4
PAGE = "/openapi.yaml"
BURST = 40


@pytest.mark.parametrize(
    ("settings", "cpus", "threads"),
    [
        ({}, 1, 1),
        ({}, 2, 1),
        ({}, 8, 1),
        ({"workers": 4}, 8, 4),
        ({"workers": 4}, 2, 2),
        ({"workers": 3, "grpc_host": "::"}, 8, 3),
        (ELSEWHERE, 1, 1),
        (ELSEWHERE, 8, 8),
        ({**ELSEWHERE, "envoy_concurrency": 3}, 8, 3),
        ({"envoy_concurrency": 3}, 2, 3),
        ({"embedded": True, "workers": 4}, 8, 1),
    ],
)
def test_by_default_workers_of_the_same_machine_have_a_thread_each(
    settings: dict[str, Any], cpus: int, threads: int
) -> None:
    assert concurrency(GatewaySettings(**settings), cpus) == threads


@pytest.mark.parametrize(
    ("allowed", "limit", "cpus"), [(8, None, 8), (8, 2.5, 2), (8, 0.5, 1), (2, 4.0, 2)]
)
def test_cpus_are_those_of_the_affinity_and_of_the_cgroup_s_limit(
    allowed: int, limit: float | None, cpus: int, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("os.sched_getaffinity", lambda _: set(range(allowed)))
    monkeypatch.setattr("machine.cpus.cpu_limit", lambda: limit)
    assert usable_cpus() == cpus


def test_each_thread_takes_files_from_the_connections(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("gateway.limits.max_files", lambda: 2000)
    one, eleven = (GatewaySettings(envoy_concurrency=threads, workers=2) for threads in (1, 11))
    assert max_connections(one, None)[0] - max_connections(eleven, None)[0] == 10 * (6 + 2 * 2)


def threads_of(folder: Path, prefix: Sequence[str] = (), *options: str, **settings: str) -> int:
    """Run a gateway, and ask it."""
    with gateway_running(NO_SERVER, folder, None, prefix, options, **settings) as gateway:
        return int(
            ask(gateway.admin_url, "GET", "/server_info").json()["command_line_options"]["concurrency"]
        )


def test_envoy_has_as_many_threads_as_the_setting_says(tmp_path: Path) -> None:
    assert threads_of(tmp_path, ENVOY_CONCURRENCY="3") == 3


def test_the_option_of_the_command_line_wins(tmp_path: Path) -> None:
    assert threads_of(tmp_path, [], "--concurrency", "3", ENVOY_CONCURRENCY="2") == 3


def test_a_process_that_may_use_one_cpu_has_one_thread(tmp_path: Path) -> None:
    assert threads_of(tmp_path, ["taskset", "--cpu-list", "0"], GRPC_HOST=FAR_AWAY) == 1


def test_a_container_that_may_use_one_cpu_has_one_thread(tmp_path: Path) -> None:
    with cpu_cgroup(1) as cgroup:
        assert threads_of(tmp_path, cgroup.prefix, GRPC_HOST=FAR_AWAY) == 1


def test_the_option_is_printed_and_validated_like_the_setting() -> None:
    options = ("--", "--concurrency", "3")
    printed = run("run", "--print-config", *options, of="gateway", ENVOY_CONCURRENCY="2")
    assert "ENVOY_CONCURRENCY=3  # option" in printed.stdout.splitlines()
    refused = run("run", "--", "--concurrency", "0", of="gateway")
    assert refused.exit_code == 1
    assert refused.stderr == "Error: ENVOY_CONCURRENCY: Input should be greater than 0\n"


def test_embedded_more_than_one_is_refused() -> None:
    refused = run("run", of="gateway", EMBEDDED="1", ENVOY_CONCURRENCY="2")
    assert refused.exit_code == 1
    assert refused.stderr == (
        "Error: ENVOY_CONCURRENCY: embedded, each of the WORKERS has one thread of Envoy: leave it out\n"
    )
    assert run("run", "--print-config", of="gateway", EMBEDDED="1", ENVOY_CONCURRENCY="1").exit_code == 0


@contextmanager
def connected(gateway: Gateway, number: int) -> Iterator[list[HTTPConnection]]:
    """Connect so many callers that stay connected, at once."""
    with ExitStack() as stack:
        callers = [HTTPConnection(gateway.address, timeout=20) for _ in range(number)]
        for caller in callers:
            stack.callback(caller.close)
            caller.connect()
        yield callers


def test_callers_are_spread_over_the_threads(tmp_path: Path) -> None:
    with (
        gateway_running(NO_SERVER, tmp_path, ENVOY_CONCURRENCY=str(THREADS)) as gateway,
        connected(gateway, 3 * THREADS) as callers,
    ):
        for caller in callers:
            ask_over(caller, "GET", PAGE)
        stats = ask(gateway.admin_url, "GET", "/stats?format=json&filter=worker_.*downstream_cx_active")
        assert [it["value"] for it in stats.json()["stats"]] == [3] * THREADS


def test_the_rate_limit_is_one_for_all_threads(tmp_path: Path) -> None:
    edit, options = EnvoyConfiguration.never_refill_buckets, ("--concurrency", str(THREADS))
    limits = {"RATE_LIMIT_PER_SECOND": "1", "RATE_LIMIT_BURST": str(BURST)}
    with (
        gateway_running(NO_SERVER, tmp_path, edit, [], options, **limits) as gateway,
        connected(gateway, 2 * THREADS) as callers,
    ):
        asked = (ask_over(callers[number % len(callers)], "GET", PAGE) for number in range(2 * BURST))
        assert Counter(reply.status for reply in asked) == {200: BURST, 429: BURST}


def test_connections_are_counted_over_all_threads(tmp_path: Path) -> None:
    settings = {"MAX_CONNECTIONS": "10", "ENVOY_CONCURRENCY": str(THREADS)}
    with gateway_running(NO_SERVER, tmp_path, **settings) as gateway, connected(gateway, 10):
        wait_for(lambda: gateway.counter("http.rest.downstream_cx_active") == 10 or None)
        with socket.create_connection(gateway.address.split(":"), timeout=20) as surplus:  # type: ignore[arg-type]
            assert surplus.recv(1) == b""
