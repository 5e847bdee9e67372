"""The metrics of a running server: what known requests add to them, and that nothing else does."""

import socket
from collections.abc import Iterator
from contextlib import AbstractContextManager, suppress
from dataclasses import dataclass, replace
from functools import partial
from pathlib import Path
from typing import Any

import grpc
import psutil
import pytest
from livecalls.v1 import live_calls_pb2 as pb

from demo.ports import free_port, free_ports
from demo.postgres import EmbeddedPostgres
from demo.readiness import wait_until
from demo.stream_stand_in.running import serve_in_thread
from demo.stream_stand_in.stand_in import Behaviour, StreamStandIn
from tests.support.auth.forged_tokens import PUBLISHED
from tests.support.auth.tokens import bearer, signer, token_settings
from tests.support.callers.metrics import Series, growing, scrape
from tests.support.data.calls import PLAIN_CALL, new_id
from tests.support.database.postgres import migrated_database, store_call
from tests.support.machine.commands import run_process
from tests.support.server.deployments import Deployment
from tests.support.server.serve import serve_running, without_database
from tests.support.server.service import GET_CALL
from tests.support.server.stack import Stack, stack_running
from tests.support.stand_ins.key_server import KeyServer
from tests.support.stand_ins.stream import AWAITED, KEY, SECRET, stream_variables

LABELS = 'grpc_method="GetCall",grpc_service="livecalls.v1.LiveCalls",grpc_type="unary"'
SELECT: Series = {
    'livecalls_selects_total{outcome="ok"}': 1,
    "livecalls_select_seconds_count": 1,
    "livecalls_select_rows_count": 1,
}
ACCEPTED: Series = {'livecalls_tokens_total{outcome="accepted"}': 1}
KNOWN: Series = {**ACCEPTED, "livecalls_token_cache_hits_total": 1}
FETCHED: Series = {
    'livecalls_live_statuses_total{outcome="fetched"}': 1,
    "livecalls_live_status_age_seconds_count": 1,
    'livecalls_stream_requests_total{endpoint="GetCall",outcome="found"}': 1,
    "livecalls_stream_request_seconds_count": 1,
}
NULL: Series = {
    'livecalls_live_statuses_total{outcome="null"}': 1,
    'livecalls_live_statuses_null_total{reason="failed"}': 1,
    'livecalls_stream_requests_total{endpoint="GetCall",outcome="failed"}': 1,
    "livecalls_stream_request_seconds_count": 1,
}
ON_AIR = replace(PLAIN_CALL, id=new_id(), stream_call_id="on-air")
FAILING = replace(PLAIN_CALL, id=new_id(), stream_call_id="failing")
KEPT_LONG = {"STREAM_CACHE_TTL_MS": "60000", **AWAITED}


def handled(code: str) -> Series:
    return {
        f"grpc_server_started_total{{{LABELS}}}": 1,
        f'grpc_server_handled_total{{grpc_code="{code}",{LABELS}}}': 1,
        f"grpc_server_handling_seconds_count{{{LABELS}}}": 1,
    }


def rejected(code: str, outcome: str, reason: str) -> Series:
    return {
        **handled(code),
        f'livecalls_tokens_total{{outcome="{outcome}"}}': 1,
        f'livecalls_requests_rejected_total{{reason="{reason}"}}': 1,
    }


@dataclass
class Watched:
    """A stack whose one worker serves metrics, and a token that it knows."""

    stack: Stack
    port: int
    token: str

    def get(self, call_id: str, token: str | None = None) -> int:
        """Request a call by REST; return the status."""
        return self.stack.get(call_id, bearer(token or self.token)).status

    def is_settled(self) -> bool:
        """Return whether the end of each request is counted."""
        scraped = scrape(self.port)
        started, ended = f"grpc_server_started_total{{{LABELS}}}", "grpc_server_handled_total{"
        return scraped[started] == sum(scraped[each] for each in scraped if each.startswith(ended))

    def growing(self, *grown: Series) -> AbstractContextManager[None]:
        """Expect that the block adds this to the counters, and nothing else."""
        assert wait_until(self.is_settled, 5)
        together = {series: value for each in grown for series, value in each.items()}
        return growing(together, partial(scrape, self.port))


@pytest.fixture(scope="module")
def watched(
    deployment: Deployment,
    shared_postgres: EmbeddedPostgres,
    tmp_path_factory: pytest.TempPathFactory,
) -> Iterator[Watched]:
    keys, stream, port = KeyServer(), StreamStandIn(KEY, SECRET), free_port()
    keys.publishes(*PUBLISHED)
    stream.put("livestream", "on-air")
    stream.put("livestream", "failing", behaviour=Behaviour.ERROR)
    with (
        keys.running(),
        serve_in_thread(stream) as stream_url,
        migrated_database(shared_postgres) as url,
    ):
        for call in (PLAIN_CALL, ON_AIR, FAILING):
            store_call(url, call)
        settings = {"DATABASE_URL": url, "METRICS_PORT": str(port), **token_settings(keys.url)}
        settings |= stream_variables(stream_url)
        folder = tmp_path_factory.mktemp("watched")
        with stack_running(
            shared_postgres, folder, **settings, **KEPT_LONG, **deployment.settings
        ) as stack:
            watched = Watched(stack, port, PUBLISHED[0].token())
            assert watched.get(PLAIN_CALL.id) == 200
            yield watched


def test_a_call_that_is_found(watched: Watched) -> None:
    with watched.growing(handled("OK"), KNOWN, SELECT):
        assert watched.get(PLAIN_CALL.id) == 200


def test_one_that_is_not(watched: Watched) -> None:
    with watched.growing(handled("NotFound"), KNOWN, SELECT):
        assert watched.get(new_id()) == 404


def test_an_id_that_no_call_can_have(watched: Watched) -> None:
    with watched.growing(handled("NotFound"), KNOWN):
        assert watched.get("odd") == 404


def test_a_token_that_is_new(watched: Watched) -> None:
    with watched.growing(handled("OK"), ACCEPTED, SELECT):
        assert watched.get(PLAIN_CALL.id, PUBLISHED[0].token(sub="a new one")) == 200


def test_a_token_that_is_not_valid(watched: Watched) -> None:
    with watched.growing(rejected("Unauthenticated", "refused", "token_invalid")):
        assert watched.get(PLAIN_CALL.id, signer("RS256", "not published").token()) == 401


def test_no_token(watched: Watched) -> None:
    with watched.growing(rejected("Unauthenticated", "missing", "token_required")):
        assert watched.stack.get(PLAIN_CALL.id).status == 401


def test_a_live_status_that_is_fetched_and_then_cached(watched: Watched) -> None:
    with watched.growing(handled("OK"), KNOWN, SELECT, FETCHED):
        assert watched.get(ON_AIR.id) == 200
    cached: Series = {
        'livecalls_live_statuses_total{outcome="cached"}': 1,
        "livecalls_live_status_age_seconds_count": 1,
    }
    with watched.growing(handled("OK"), KNOWN, SELECT, cached):
        assert watched.get(ON_AIR.id) == 200
    scraped = scrape(watched.port)
    assert scraped['livecalls_stream_rate_limit_remaining{endpoint="GetCall"}'] == 999
    assert scraped['livecalls_stream_rate_limit_max{endpoint="GetCall"}'] == 1000


def test_one_that_stream_fails_to_give(watched: Watched) -> None:
    with watched.growing(handled("OK"), KNOWN, SELECT, NULL):
        assert watched.get(FAILING.id) == 200


def test_nothing_that_callers_send_makes_a_series(watched: Watched) -> None:
    before = set(scrape(watched.port))
    for address in watched.stack.grpc_addresses:
        with grpc.insecure_channel(address) as channel:
            for method in ("/livecalls.v1.LiveCalls/Other", "/another.Service/GetCall", GET_CALL):
                for call_id in ("", "odd", "x" * 1000, new_id()):
                    send(channel, method, pb.GetCallRequest(id=call_id).SerializeToString())
                send(channel, method, b"malformed")
    for path in ("/another/path", "/v1/live/calls/%FF", "/v1/live/calls/a/b"):
        watched.stack.get(f"../../..{path}", bearer(signer("RS256").token(iss="another", sub="me")))
    with watched.growing(handled("OK"), KNOWN, SELECT):
        assert watched.get(PLAIN_CALL.id) == 200
    assert set(scrape(watched.port)) == before


def send(channel: grpc.Channel, method: str, request: bytes) -> None:
    """Send bytes to a method, which fails."""
    call: grpc.UnaryUnaryMultiCallable[bytes, bytes] = channel.unary_unary(method)
    with suppress(grpc.RpcError):
        call(request, timeout=20)


def test_limits_and_what_is_in_use(watched: Watched) -> None:
    scraped = scrape(watched.port)
    assert scraped["livecalls_requests_max"] == 2000
    assert scraped["livecalls_requests_in_flight"] == 0
    assert scraped["livecalls_database_connections_max"] == 4
    assert 1 <= scraped['livecalls_database_connections{state="idle"}'] <= 4
    assert scraped['livecalls_database_connections{state="in_use"}'] == 0
    assert scraped["livecalls_database_waiting"] == 0
    assert scraped["livecalls_stream_breaker_open"] == 0


def test_the_event_loop_is_measured(watched: Watched) -> None:
    def measured() -> float:
        return scrape(watched.port)["livecalls_event_loop_lag_seconds_count"]

    before = measured()
    assert wait_until(lambda: measured() > before, 10)


@pytest.mark.parametrize("deployment", Deployment)
@pytest.mark.parametrize("workers", ["1", "2"])
def test_a_taken_port_fails_the_start(deployment: Deployment, workers: str) -> None:
    ports = free_ports(int(workers))
    port = ports[-1]
    with socket.create_server(("127.0.0.1", port)):
        settings: dict[str, Any] = {
            **without_database(),
            **deployment.settings,
            "GRPC_PORT": str(free_ports(2)[0]),
            "METRICS_PORT": str(ports[0]),
            "WORKERS": workers,
        }
        ended = run_process("serve", **settings)
    assert ended.returncode == 1
    assert ended.stderr.decode().splitlines()[-1] == (
        f"Error: Cannot listen on 127.0.0.1:{port}: Address already in use: "
        "name another with METRICS_PORT="
    )


def test_ports_of_workers_may_not_overlap() -> None:
    port = free_ports(3)[0]
    settings: dict[str, Any] = {"GRPC_PORT": str(port), "METRICS_PORT": str(port + 1), "WORKERS": "2"}
    ended = run_process("serve", **{**without_database(), **settings})
    assert ended.returncode == 1
    assert b"Error: GRPC_PORT and METRICS_PORT overlap" in ended.stderr


def test_without_a_port_nothing_listens(tmp_path: Path) -> None:
    with serve_running(tmp_path) as serve:
        (process,) = (
            child
            for child in psutil.Process().children()
            if child.environ().get("GRPC_PORT") == str(serve.port)
        )
        connections = process.net_connections("tcp")
        assert {it.laddr.port for it in connections if it.status == psutil.CONN_LISTEN} == {serve.port}
