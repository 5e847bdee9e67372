"""The targets of the clients: the service in all its states, by each way in."""

import json
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, field
from datetime import datetime
from pathlib import Path
from time import time
from typing import NamedTuple

from demo.postgres import EmbeddedPostgres
from demo.stream_stand_in.running import serve_in_thread
from demo.stream_stand_in.stand_in import KnownCall, State, StreamStandIn
from server.store.bulk import store_calls
from server.store.call_shape import read_call
from tests.stubs.cases import AT_STREAM, CALLS
from tests.support.auth.introspected import server_settings
from tests.support.auth.tokens import signer, token_settings
from tests.support.envoy import forwarding_application
from tests.support.envoy.gateway import gateway_running, gateway_with_application
from tests.support.network.certificates import Authority
from tests.support.server.deployments import Deployment, WayIn
from tests.support.server.serve import database_away
from tests.support.server.stack import stack_running
from tests.support.stand_ins.key_server import KeyServer
from tests.support.stand_ins.stream import AWAITED, KEY, SECRET, closed_port, stream_variables

_SCOPE = "calls:read"
_KEY = signer("ES256")


class Target(NamedTuple):
    """An address, and the file of the CA to trust if that uses TLS."""

    address: str
    ca: str | None = None


Targets = dict[str, Target]
Addresses = tuple[str, str]
"""The addresses of a part, direct and through Envoy; embedded, they are the same."""


@dataclass(frozen=True)
class Parts:
    """The parts of the service, and how they are started."""

    deployment: Deployment
    postgres: EmbeddedPostgres
    database_url: str
    folder: Path
    upstream_port: int
    edge: Mapping[str, str] = field(default_factory=dict)
    """Settings of each part's gateway."""

    @contextmanager
    def service(self) -> Iterator[Addresses]:
        """Run the service as it should be."""
        with (
            _key_server() as keys,
            _stream() as stream,
            self._stack("service", keys, **stream) as addresses,
        ):
            yield addresses

    @contextmanager
    def troubled(self) -> Iterator[Addresses]:
        """Run the service without its database, and with an issuer that does not respond."""
        settings = {**database_away(), **server_settings(f"http://127.0.0.1:{closed_port()}/")}
        with _key_server() as keys, self._stack("troubled", keys, **settings) as addresses:
            keys.answers(500)
            yield addresses

    @contextmanager
    def by_tls(self, authority: Authority) -> Iterator[Addresses]:
        """Run the service with every connection encrypted."""
        pair = authority.issue(f"server-{self.deployment}")
        settings = pair.settings("REST_TLS")
        if self.deployment is Deployment.STANDALONE:
            settings |= pair.settings("GRPC_TLS")
            settings["UPSTREAM_TLS_CA_FILE"] = str(authority.certificate)
        with (
            _key_server() as keys,
            _stream() as stream,
            self._stack("by-tls", keys, **stream, **settings) as (straight, through),
        ):
            yield _by_name(straight), _by_name(through)

    @contextmanager
    def scripted(self) -> Iterator[Addresses]:
        """Run a gateway for the scripted server."""
        folder = self._folder("scripted")
        if self.deployment is Deployment.STANDALONE:
            with gateway_running(self.upstream_port, folder, **self.edge) as gateway:
                yield f"127.0.0.1:{self.upstream_port}", gateway.address
            return
        application = f"{forwarding_application.__name__}:application"
        port = {forwarding_application.PORT: str(self.upstream_port)}
        with gateway_with_application(application, folder, **self.edge, **port) as gateway:
            yield gateway.address, gateway.address

    @contextmanager
    def _stack(self, name: str, keys: KeyServer, **settings: str) -> Iterator[Addresses]:
        folder = self._folder(name)
        settings = {"DATABASE_URL": self.database_url, "AUTH_SCOPES": _SCOPE, **self.edge, **settings}
        asked = {**token_settings(keys.url), **self.deployment.settings, **settings}
        with stack_running(self.postgres, folder, **asked) as stack:
            yield stack.grpc_addresses

    def _folder(self, name: str) -> Path:
        folder = self.folder / f"{self.deployment}-{name}"
        folder.mkdir()
        return folder


@contextmanager
def ways_in(parts: Parts) -> Iterator[dict[WayIn, Targets]]:
    """Run all targets by one way to serve, while the block lasts."""
    authority = Authority(parts.folder, f"ca-{parts.deployment}")
    other = Authority(parts.folder, f"other-ca-{parts.deployment}")
    nobody = f"127.0.0.1:{closed_port()}"
    with (
        parts.service() as service,
        parts.troubled() as troubled,
        parts.by_tls(authority) as by_tls,
        parts.scripted() as scripted,
    ):
        straight, through = (
            {
                "service": Target(service[i]),
                "troubled": Target(troubled[i]),
                "by TLS": Target(by_tls[i], str(authority.certificate)),
                "of another CA": Target(by_tls[i], str(other.certificate)),
                "scripted": Target(scripted[i]),
                "nobody": Target(nobody),
            }
            for i in (0, 1)
        )
        if parts.deployment is Deployment.EMBEDDED:
            yield {WayIn.EMBEDDED: through}
        else:
            yield {WayIn.DIRECT: straight, WayIn.THROUGH: through}


def tokens() -> dict[str, str]:
    """Sign a token of each kind in the cases."""
    return {
        "good": _KEY.token(scope=_SCOPE),
        "without scope": _KEY.token(scope="calls:write"),
        "expired": _KEY.token(scope=_SCOPE, exp=int(time()) - 3600),
        "of another issuer": _KEY.token(scope=_SCOPE, iss="https://other.example.com/"),
        "opaque": "an_opaque_token",
        "with an unknown key": signer("ES256", "unknown").token(scope=_SCOPE),
    }


def store_all_calls(database_url: str) -> None:
    """Store the calls of the cases, as `import` does."""
    store_calls(database_url, (read_call(json.dumps(row).encode()) for row in CALLS.values()))


@contextmanager
def _stream() -> Iterator[dict[str, str]]:
    """Run a stand-in for Stream that knows the calls, and yield the settings that lead to it."""
    stand_in = StreamStandIn(KEY, SECRET)
    types = {row["stream_call_id"]: row["stream_call_type"] for row in CALLS.values()}
    for call_id, known in AT_STREAM.items():
        state, since_ns = State(known["state"]), _nanoseconds(known["since"])
        stand_in.know(KnownCall(types[call_id], call_id, state, since_ns=since_ns))
    with serve_in_thread(stand_in) as url:
        yield {**stream_variables(url), **AWAITED}


def _nanoseconds(text: str) -> int:
    moment = datetime.fromisoformat(text)
    return int(moment.timestamp()) * 10**9 + moment.microsecond * 1000


def _by_name(address: str) -> str:
    return address.replace("127.0.0.1", "localhost")


@contextmanager
def _key_server() -> Iterator[KeyServer]:
    keys = KeyServer()
    with keys.running():
        yield keys
