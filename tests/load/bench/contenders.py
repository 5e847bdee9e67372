"""Who is measured, and how each is started."""

import os
import shutil
import signal
import subprocess
import sys
from collections.abc import Callable, Iterator
from contextlib import AbstractContextManager, contextmanager
from dataclasses import dataclass, replace
from functools import partial
from pathlib import Path
from typing import Literal

from demo.ports import free_port, free_ports
from demo.readiness import wait_until
from machine.ending import pdeathsig_prefix
from tests.load.bench.generator import GeneratorError, Load, run
from tests.load.bench.world import World
from tests.support.machine.commands import environment
from tests.support.machine.toolchains import ROOT
from tests.support.server.peers import GO_GATEWAY, GO_GRPC, build_go_peers, python_peer
from tests.support.stand_ins.stream import stream_variables

_READY_SECONDS = 30

Protocol = Literal["grpc", "http1"]


@dataclass(frozen=True)
class Contender:
    """A running service, by its protocol and its processes without the database's."""

    name: str
    protocol: Protocol
    addresses: tuple[str, ...]
    pids: tuple[int, ...]
    token: str | None = None

    def load(self, keys: Path, seconds: float, **changes: object) -> Load:
        """Describe the load that the contender is measured by: closed, 64 requests under way."""
        connections = len(self.addresses) if self.protocol == "grpc" else None
        load = Load(
            self.protocol, self.addresses, keys, seconds, connections=connections, token=self.token
        )
        return replace(load, **changes)  # type: ignore[arg-type]


Starting = Callable[[World], AbstractContextManager[Contender]]


def all_contenders() -> dict[str, Starting]:
    """Return all contenders, in the order of the table; the first is the others' reference."""
    cores = os.cpu_count() or 1
    contenders: dict[str, Starting] = {
        "ceiling": _ceiling,
        "ours-grpc": partial(ours_grpc, "ours-grpc", workers=1),
        f"ours-grpc-{cores}": partial(ours_grpc, f"ours-grpc-{cores}", workers=cores),
        "ours-rest": partial(ours_through_envoy, "ours-rest", "http1"),
        f"ours-rest-{cores}": partial(ours_through_envoy, f"ours-rest-{cores}", "http1", workers=cores),
        "embedded-grpc": partial(embedded, "embedded-grpc", "grpc"),
        "embedded-rest": partial(embedded, "embedded-rest", "http1"),
        "fastapi": _fastapi,
        "fastapi-stream": _fastapi_stream,
    }
    if shutil.which("go"):
        contenders |= {"go-grpc": _go_grpc, "go-rest": _go_rest}
    return contenders


def build(names: list[str]) -> None:
    """Build what the contenders need that are named so."""
    if any(name.startswith("go") for name in names):
        build_go_peers()


@contextmanager
def ours_grpc(
    name: str, world: World, *, workers: int = 1, stream_url: str | None = None
) -> Iterator[Contender]:
    """Run the server, without a gateway; with another stand-in than the world's, if one is given."""
    ports = free_ports(workers)
    settings = {**world.settings(stream_url), "GRPC_PORT": str(ports[0])}
    command = [sys.executable, "-m", "server", "serve", "--workers", str(workers)]
    with _process(command, world.folder / f"{name}.log", **settings) as pid:
        addresses = tuple(f"127.0.0.1:{port}" for port in ports)
        yield _ready(Contender(name, "grpc", addresses, (pid,), world.token), world)


@contextmanager
def one_select(world: World) -> Iterator[Contender]:
    """Run the server with a SELECT of its own for each request."""
    with _peer("one-select", python_peer("one_select"), world, **world.settings()) as contender:
        yield _ready(replace(contender, protocol="grpc", token=world.token), world)


@contextmanager
def _ceiling(world: World) -> Iterator[Contender]:
    with _peer("ceiling", python_peer("ceiling"), world) as contender:
        yield _ready(replace(contender, protocol="grpc"), world)


@contextmanager
def ours_through_envoy(
    name: str, protocol: Protocol, world: World, *, workers: int = 1
) -> Iterator[Contender]:
    """Run the server, and the gateway before it."""
    with (
        ours_grpc(f"{name}-server", world, workers=workers) as server,
        envoy_before(server, name, protocol, world) as contender,
    ):
        yield contender


@contextmanager
def envoy_before(
    server: Contender, name: str, protocol: Protocol, world: World, **settings: str
) -> Iterator[Contender]:
    """Run the gateway before a server, of whose processes the contender consists too."""
    workers = len(server.addresses)
    upstream = {"GRPC_PORT": server.addresses[0].rpartition(":")[2], "WORKERS": str(workers)}
    with _gateway(name, world, **{**world.more_settings, **upstream, **settings}) as gateway:
        yield _ready(replace(gateway, protocol=protocol, pids=(*gateway.pids, *server.pids)), world)


@contextmanager
def embedded(name: str, protocol: Protocol, world: World) -> Iterator[Contender]:
    """Run the server embedded in Envoy."""
    with _gateway(name, world, EMBEDDED="1", **world.settings()) as gateway:
        yield _ready(replace(gateway, protocol=protocol), world)


Way = Callable[[str, World], AbstractContextManager[Contender]]
"""Starts a server under a name, in one way to serve and to call it."""
WAYS: dict[str, Way] = {
    "grpc": ours_grpc,
    "rest": lambda name, world: ours_through_envoy(name, "http1", world),
    "embedded_grpc": lambda name, world: embedded(name, "grpc", world),
}


@contextmanager
def _gateway(name: str, world: World, **settings: str) -> Iterator[Contender]:
    port = free_port()
    ours = {
        "REST_PORT": str(port),
        "ADMIN_PORT": "0",
        # All of the load comes from one address.
        "RATE_LIMIT_PER_SECOND": "0",
    }
    command = [sys.executable, "-m", "gateway", "run"]
    with _process(command, world.folder / f"{name}.log", **{**ours, **settings}) as pid:
        yield Contender(name, "http1", (f"127.0.0.1:{port}",), (pid,), world.token)


@contextmanager
def _fastapi(world: World) -> Iterator[Contender]:
    settings = world.database_settings
    with _peer("fastapi", python_peer("fastapi_service"), world, **settings) as contender:
        yield _ready(contender, world)


@contextmanager
def _fastapi_stream(world: World) -> Iterator[Contender]:
    settings = {**world.database_settings, **stream_variables(world.stream_url)}
    with _peer("fastapi-stream", python_peer("fastapi_service"), world, **settings) as contender:
        yield _ready(contender, world)


@contextmanager
def _go_grpc(world: World) -> Iterator[Contender]:
    with _peer("go-grpc", GO_GRPC, world, **world.database_settings) as contender:
        yield _ready(replace(contender, protocol="grpc"), world)


@contextmanager
def _go_rest(world: World) -> Iterator[Contender]:
    with (
        _peer("go-rest-server", GO_GRPC, world, **world.database_settings) as server,
        _peer("go-rest", GO_GATEWAY, world, GRPC_ADDRESS=server.addresses[0]) as gateway,
    ):
        yield _ready(replace(gateway, pids=(*gateway.pids, *server.pids)), world)


@contextmanager
def _peer(name: str, command: list[str], world: World, **settings: str) -> Iterator[Contender]:
    port = free_port()
    with _process(command, world.folder / f"{name}.log", PORT=str(port), **settings) as pid:
        yield Contender(name, "http1", (f"127.0.0.1:{port}",), (pid,))


@contextmanager
def _process(command: list[str], log: Path, **settings: str) -> Iterator[int]:
    with log.open("wb") as output:
        process = subprocess.Popen(
            [*pdeathsig_prefix("TERM"), *command],
            cwd=ROOT,
            env=environment(**settings),
            stdout=output,
            stderr=output,
        )
    try:
        yield process.pid
    finally:
        process.terminate()
        assert process.wait(20) in (os.EX_OK, -signal.SIGTERM), log.read_text()[-2000:]


def _ready(contender: Contender, world: World) -> Contender:
    """Wait until each of its addresses responds."""
    assert wait_until(lambda: _answers(contender, world), _READY_SECONDS), contender.name
    return contender


def _answers(contender: Contender, world: World) -> bool:
    load = contender.load(world.keys["hot"], 0.05, in_flight=1, connections=None)
    try:
        return all(run(replace(load, addresses=(each,))).failed == 0 for each in contender.addresses)
    except GeneratorError:
        return False
