"""All that runs in a drill: both databases, Stream's stand-in, an issuer, the server and its gateway."""

import time
from collections.abc import Iterator, Mapping
from concurrent.futures import ThreadPoolExecutor
from contextlib import ExitStack, contextmanager, suppress
from dataclasses import dataclass
from pathlib import Path
from urllib.parse import urlsplit

import psutil

from demo.ports import free_port, free_ports
from demo.stream_stand_in.running import serve_in_thread
from demo.stream_stand_in.stand_in import StreamStandIn
from tests.drill.accounting import DEADLINE_SECONDS, WayIn
from tests.drill.database import Database, database_running, url_of
from tests.drill.pooler import Pooler, pooler_running
from tests.drill.standalone_gateway import StandaloneGateway
from tests.drill.truth import Truth
from tests.support.auth.introspected import server_settings as introspection_settings
from tests.support.auth.tokens import Signer, signer, token_settings
from tests.support.deploy.prometheus import Prometheus, Targets, prometheus_running
from tests.support.envoy.gateway import end_at_once
from tests.support.network.certificates import Authority
from tests.support.network.line import Line, line_to
from tests.support.server.deployments import Deployment
from tests.support.server.stack import Server, server_of
from tests.support.stand_ins.introspection_server import IntrospectionServer
from tests.support.stand_ins.key_server import KeyServer
from tests.support.stand_ins.stream import KEY, SECRET

_DAY = 24 * 60 * 60
WORKERS = 2
_CERTIFICATE = "listener"
_OPAQUE_TOKEN = "opaque"  # noqa: S105 - the drill's own
LOGS = "logs"
"""The folder in a world's that server and gateway write their logs to."""
_SETTINGS = {
    "STREAM_API_KEY": KEY,
    "STREAM_API_SECRET": SECRET,
    "WORKERS": str(WORKERS),
    "REST_TIMEOUT_MS": f"{DEADLINE_SECONDS * 1000:.0f}",
    # All callers have one address here.
    "RATE_LIMIT_PER_SECOND": "0",
    # The load shares the machine with all else: twice the defaults.
    "DATABASE_CONNECT_TIMEOUT_MS": "2000",
    "DATABASE_STATEMENT_TIMEOUT_MS": "2000",
    "DATABASE_READ_TIMEOUT_MS": "3000",
    "STREAM_TIMEOUT_MS": "600",
    # Much less than the default: half of all faults are Stream's, and wait for it.
    "STREAM_BREAKER_OPEN_MS": "1000",
}


class _First(Server):
    """A server that leaves the port behind its own to another."""

    ports_of_worker = 2


class _Second(Server):
    """A server on the ports behind another's, which the settings name."""

    def prepare(self) -> None:
        port = int(self.environment["PORT_OF_FIRST"]) + 1
        self.ports = range(port, port + 1)
        self.environment["GRPC_PORT"] = str(port)
        self.environment["METRICS_PORT"] = str(int(self.environment["METRICS_PORT"]) + 1)


@dataclass(frozen=True)
class Wiring:
    """How the parts of a world are put together."""

    linked: bool = False
    """All connections go by lines, which can be broken."""
    pooled: bool = False
    """The server reaches the database by TLS, through PgBouncer."""
    two_servers: bool = False
    """The gateway has two servers behind it, and not one that supervises two workers."""
    opaque: bool = False
    """Tokens are opaque, and the issuer is asked about each, and again a second later."""
    secured: bool = False
    """Callers, gateway and server speak TLS."""


@dataclass
class World:
    """Everything, under way, and what its callers need."""

    folder: Path
    truth: Truth
    database: Database
    stand_in: StreamStandIn
    issuer: KeyServer
    introspection: IntrospectionServer | None
    """Where the issuer is asked about tokens, if they are opaque."""
    token: str
    server: Server
    second: Server | None
    """Another one behind the same gateway, if there are to be two."""
    gateway: StandaloneGateway | None
    lines: Mapping[str, Line]
    """The lines between the parts, if they are connected by lines, by the name of who is called."""
    pooler: Pooler | None
    authority: Authority | None
    """The CA of the gateway's and the server's certificate, if they speak TLS."""
    prometheus: Prometheus
    """Scrapes all workers and Envoys."""
    hand: ThreadPoolExecutor
    """The one thread that inflicts faults: what it starts ends with it, and so not before the world."""

    @property
    def deployment(self) -> Deployment:
        return Deployment.STANDALONE if self.gateway else Deployment.EMBEDDED

    @property
    def addresses(self) -> dict[WayIn, str]:
        """The ways in that there are: embedded, nobody asks the server but through Envoy."""
        gateway = f"127.0.0.1:{self._port('gateway', int(self.server.environment['REST_PORT']))}"
        through = {WayIn.REST: gateway, WayIn.THROUGH: gateway}
        if self.gateway:
            return {**through, WayIn.DIRECT: f"127.0.0.1:{self._port('server', self.server.port)}"}
        return through

    def _port(self, name: str, port: int) -> int:
        return self.lines[name].port if name in self.lines else port

    @property
    def shares(self) -> dict[WayIn, float]:
        """The share of the requests that each way in gets."""
        if self.gateway:
            return {WayIn.REST: 0.4, WayIn.THROUGH: 0.3, WayIn.DIRECT: 0.3}
        return {WayIn.REST: 0.5, WayIn.THROUGH: 0.5}

    def worker(self) -> psutil.Process:
        """Return the worker that direct callers ask; embedded, the one that most are connected to."""
        ports = self.server.ports
        asked = ports[0] if self.gateway else max(ports, key=self.server.connections)
        worker = self.server.worker(asked)
        assert worker
        return worker

    def is_served_by_all(self) -> bool:
        """Return whether as many workers serve as there should be."""
        should_be = int(self.server.environment["WORKERS"])
        if should_be == 1:
            return self.server.serves(self.server.port)
        with suppress(psutil.Error):  # one has just ended
            workers = [each.environ() for each in self.server.workers()]
            # One that is just becoming its program has none yet.
            ports = [int(each[self.server.port_of_worker]) for each in workers if each]
            return len(ports) == should_be and all(map(self.server.serves, ports))
        return False


def drill_signer() -> Signer:
    """Return the key that the callers' tokens are signed with."""
    return signer("ES256", "drill")


def long_token(key: Signer) -> str:
    """Sign a token that was issued two hours ago and is good for a day."""
    now = int(time.time())
    return key.token(iat=now - 7200, exp=now + _DAY)


@contextmanager
def world_running(
    folder: Path, deployment: Deployment, wiring: Wiring, **settings: str
) -> Iterator[World]:
    """Run a world while the block lasts; the settings are the server's and the gateway's."""
    truth, stand_in, issuer = Truth(), _stand_in(), KeyServer()
    truth.teach(stand_in)
    issuer.publishes(drill_signer())
    logs = folder / LOGS
    logs.mkdir(exist_ok=True)
    with ExitStack() as stack:
        hand = stack.enter_context(ThreadPoolExecutor(1))
        authority = Authority(folder) if wiring.secured else None
        lay = _Lines(stack, linked=wiring.linked)
        database = stack.enter_context(database_running(folder, truth.rows))
        stream_url = urlsplit(stack.enter_context(serve_in_thread(stand_in)))
        stack.enter_context(issuer.running())
        introspection = IntrospectionServer() if wiring.opaque else None
        if introspection:
            stack.enter_context(introspection.running())
        pooler = stack.enter_context(pooler_running(database.first, folder)) if wiring.pooled else None
        straight = url_of(lay.to("database", database.first.port), database.other.port)
        environment = {
            "DATABASE_URL": pooler.url if pooler else straight,
            **(_opaque(introspection.url) if introspection else token_settings(issuer.url)),
            "STREAM_BASE_URL": f"http://127.0.0.1:{lay.to('stream', stream_url.port or 0)}",
            "REST_PORT": str(free_port()),
            "METRICS_PORT": str(free_ports(WORKERS)[0]),
            "STATS_PORT": str(free_ports(WORKERS)[0]),
            **_SETTINGS,
            **deployment.settings,
            **(tls_settings(authority, deployment) if authority else {}),
            **settings,
        }
        server, second = _servers(logs, environment, stack, two=wiring.two_servers)
        gateway = None
        if deployment is Deployment.STANDALONE:
            gateway = _gateway(logs, server, lay, stack)
        lay.to("gateway", int(environment["REST_PORT"]))
        targets = _targets(environment, deployment)
        token = introspection.knows(_OPAQUE_TOKEN) if introspection else long_token(drill_signer())
        yield World(
            folder=folder,
            truth=truth,
            database=database,
            stand_in=stand_in,
            issuer=issuer,
            introspection=introspection,
            token=token,
            server=server,
            second=second,
            gateway=gateway,
            lines=lay.lines,
            pooler=pooler,
            authority=authority,
            prometheus=stack.enter_context(prometheus_running(folder, targets)),
            hand=hand,
        )


def _servers(
    logs: Path, settings: dict[str, str], stack: ExitStack, *, two: bool
) -> tuple[Server, Server | None]:
    if not two:
        server = server_of(logs, settings)
        stack.callback(server.stop)
        return server, None
    alone = {**settings, "WORKERS": "1"}
    first = _First(logs, alone)
    stack.callback(first.stop)
    second = _Second(logs, {**alone, "PORT_OF_FIRST": str(first.port)})
    stack.callback(second.stop)
    return first, second


def _stand_in() -> StreamStandIn:
    """Make one that is slow for twice STREAM_TIMEOUT_MS, when it is."""
    return StreamStandIn(KEY, SECRET, slow_seconds=1.2, rate_limit_seconds=1)


def tls_settings(authority: Authority, deployment: Deployment, *, days: int = 30) -> dict[str, str]:
    """Issue the certificate of all who are called, for so many days, and return the settings for it."""
    pair = authority.issue(_CERTIFICATE, days=days)
    if deployment is Deployment.EMBEDDED:
        return pair.settings("REST_TLS")
    upstream = {"UPSTREAM_TLS_CA_FILE": str(authority.certificate)}
    return {**pair.settings("REST_TLS"), **pair.settings("GRPC_TLS"), **upstream}


def _opaque(url: str) -> dict[str, str]:
    return introspection_settings(url, AUTH_INTROSPECTION_CACHE_TTL_MS="1000")


def _targets(settings: Mapping[str, str], deployment: Deployment) -> Targets:
    envoys = WORKERS if deployment is Deployment.EMBEDDED else 1
    metrics, stats = (int(settings[name]) for name in ("METRICS_PORT", "STATS_PORT"))
    return {
        "livecalls": ("/metrics", range(metrics, metrics + WORKERS)),
        "gateway": ("/stats/prometheus", range(stats, stats + envoys)),
    }


class _Lines:
    """Lays lines, if there are to be some."""

    def __init__(self, stack: ExitStack, *, linked: bool) -> None:
        self._stack = stack
        self._linked = linked
        self.lines: dict[str, Line] = {}

    def to(self, name: str, target: int, port: int = 0) -> int:
        """Lay a line to a port; return the port to connect to, which is the same without lines."""
        if not self._linked:
            return target
        self.lines[name] = self._stack.enter_context(line_to(target, port))
        return self.lines[name].port


def _gateway(folder: Path, server: Server, lay: _Lines, stack: ExitStack) -> StandaloneGateway:
    # The gateway takes the workers to be on ports in a row.
    first = free_ports(WORKERS)[0]
    ports = [
        lay.to("server" if number == 0 else f"server {number}", port, first + number)
        for number, port in enumerate(server.ports)
    ]
    settings = {"ADMIN_PORT": str(free_port()), "GRPC_PORT": str(ports[0]), "WORKERS": str(WORKERS)}
    gateway = StandaloneGateway(folder, {**server.environment, **settings})
    stack.callback(lambda: end_at_once(gateway.process))
    return gateway
