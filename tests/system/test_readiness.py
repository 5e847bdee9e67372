"""When a server is SERVING: once it has keys and has read the calls, and then for good."""

from collections.abc import Callable, Iterator
from contextlib import ExitStack
from pathlib import Path

import grpc
import pytest
from grpc_health.v1 import health_pb2, health_pb2_grpc
from livecalls.v1 import live_calls_pb2 as pb
from livecalls.v1.live_calls_pb2_grpc import LiveCallsStub

from demo.postgres import EmbeddedPostgres
from demo.readiness import grpc_answers, wait_until
from tests.support.auth.tokens import all_signers, bearer, signer, token_settings
from tests.support.data.calls import CALL_ID
from tests.support.database.postgres import away
from tests.support.server.deployments import Deployment
from tests.support.server.stack import Server, server_of
from tests.support.stand_ins.key_server import KeyServer
from tests.support.stand_ins.stream import closed_port

NOT_SERVING = health_pb2.HealthCheckResponse.NOT_SERVING
SUPERVISED = [(Deployment.STANDALONE, "2"), (Deployment.EMBEDDED, "1"), (Deployment.EMBEDDED, "2")]

Launch = Callable[..., Server]


@pytest.fixture(params=[(Deployment.STANDALONE, "1"), *SUPERVISED], ids="-".join)
def launch(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[Launch]:
    """Start a server and wait for nothing; it must exit with 0."""
    deployment, workers = request.param
    with ExitStack() as stack:

        def launch(**settings: str) -> Server:
            given = {"AUTH": "off", "WORKERS": workers, **deployment.settings, **settings}
            server = server_of(tmp_path, given, waits=False)
            stack.callback(lambda: server.stop() and pytest.fail(server.log()))
            return server

        yield launch


def logs(server: Server, message: str) -> None:
    """Wait for a line."""
    assert wait_until(lambda: bool(server.logged(message)), 30), server.log()


def says_that_it_serves(server: Server) -> bool:
    return grpc_answers(f"127.0.0.1:{server.port}")


def test_not_before_it_has_keys(launch: Launch, database_url: str, key_server: KeyServer) -> None:
    key_server.answers(404)
    server = launch(DATABASE_URL=database_url, **token_settings(key_server.url))
    logs(server, "keys cannot be read")
    assert not says_that_it_serves(server)
    key_server.publishes(*all_signers())
    server.wait_ready()


def test_not_before_it_has_read_the_calls(launch: Launch, own_postgres: EmbeddedPostgres) -> None:
    with away(own_postgres):
        server = launch(DATABASE_URL=own_postgres.url)
        logs(server, "the calls cannot be read")
        assert not says_that_it_serves(server)
    server.wait_ready()
    assert server.logged("gave up waiting for the database") == []


def test_it_does_not_wait_for_a_database_for_ever(launch: Launch) -> None:
    nowhere = f"postgresql://127.0.0.1:{closed_port()}/calls"
    server = launch(DATABASE_URL=nowhere, DATABASE_READY_TIMEOUT_MS="1500")
    server.wait_ready()
    logs(server, "gave up waiting for the database")
    line = server.logged("gave up waiting for the database")[0]
    assert (line["level"], line["timeout_s"]) == ("ERROR", 1.5)


def test_it_serves_through_an_outage_of_everything(
    launch: Launch, own_postgres: EmbeddedPostgres, key_server: KeyServer
) -> None:
    server = launch(DATABASE_URL=own_postgres.url, **token_settings(key_server.url))
    server.wait_ready()
    known, unknown = all_signers()[0].token(), signer("RS256", "unknown").token()
    with away(own_postgres):
        key_server.answers(500)
        assert refusals(server, unknown, known) == [grpc.StatusCode.UNAVAILABLE] * 2
        logs(server, "keys cannot be read")
        logs(server, "the calls cannot be read")
        assert says_that_it_serves(server)


def refusals(server: Server, *tokens: str) -> list[grpc.StatusCode]:
    """Request a call with each token, in vain; return the statuses."""
    return [refusal(server, token) for token in tokens]


def refusal(server: Server, token: str) -> grpc.StatusCode:
    metadata = tuple(bearer(token).items())
    with (
        grpc.insecure_channel(f"127.0.0.1:{server.port}") as channel,
        pytest.raises(grpc.RpcError) as refused,
    ):
        LiveCallsStub(channel).GetCall(pb.GetCallRequest(id=str(CALL_ID)), metadata=metadata)
    code: grpc.StatusCode = refused.value.code()
    return code


def test_a_single_one_answers_meanwhile_that_it_does_not_serve(
    tmp_path: Path, database_url: str, key_server: KeyServer
) -> None:
    key_server.hangs()
    server = Server(
        tmp_path, {"DATABASE_URL": database_url, **token_settings(key_server.url)}, waits=False
    )
    logs(server, "listening")
    with grpc.insecure_channel(f"127.0.0.1:{server.port}") as channel:
        watched = health_pb2_grpc.HealthStub(channel).Watch(health_pb2.HealthCheckRequest())
        assert next(watched).status == NOT_SERVING
        assert refusal(server, all_signers()[0].token()) == grpc.StatusCode.UNAVAILABLE
        key_server.publishes(*all_signers())
        assert next(watched).status == health_pb2.HealthCheckResponse.SERVING
    assert server.stop() == 0


def test_it_ends_at_once_while_it_is_not_ready(launch: Launch, database_url: str) -> None:
    nowhere = token_settings(f"http://127.0.0.1:{closed_port()}/keys.json")
    server = launch(DATABASE_URL=database_url, **nowhere)
    logs(server, "keys cannot be read")
    assert server.stop() == 0
    assert "Traceback" not in server.log()
