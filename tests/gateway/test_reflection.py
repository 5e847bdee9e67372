"""Which requests for reflection reach the server, and how: its own tests cover its responses."""

from collections.abc import Iterator
from uuid import uuid4

import pytest

from tests.support.callers.rest import ask
from tests.support.envoy.gateway import Gateway, gateway_running
from tests.support.stand_ins.upstream import Upstream

PATH = "/grpc.reflection.v1.ServerReflection/ServerReflectionInfo"
GRPC = {"content-type": "application/grpc", "te": "trailers", "content-length": "0"}


@pytest.fixture(scope="module")
def reflecting(
    running_upstream: Upstream, tmp_path_factory: pytest.TempPathFactory
) -> Iterator[Gateway]:
    folder = tmp_path_factory.mktemp("reflecting")
    with gateway_running(running_upstream.port, folder, REFLECTION="on") as running:
        yield running


def goes_on(gateway: Gateway, path: str, **headers: str) -> bool:
    request_id = str(uuid4())
    reply = ask(gateway.url, "POST", path, {**GRPC, **headers, "x-request-id": request_id}, b"")
    # Neither Envoy without its route nor the upstream has such a method; or its timeout is malformed.
    assert reply.header("grpc-status") in {"12", "13"}
    return gateway.access_logged(request_id)["upstream"] is not None


def test_none_goes_on_unless_the_setting_says_so(standalone: Gateway) -> None:
    assert not goes_on(standalone, PATH)


@pytest.mark.parametrize("path", [PATH, PATH.replace("v1", "v1alpha")])
def test_where_it_says_so_they_do(reflecting: Gateway, path: str) -> None:
    assert goes_on(reflecting, path)
    assert goes_on(reflecting, path, **{"grpc-timeout": "5S"})


@pytest.mark.parametrize(
    ("path", "timeout"), [(PATH, "5X"), (PATH, "123456789S"), (f"{PATH}?a", "5S"), (f"{PATH}/", "5S")]
)
def test_what_would_spoil_the_server_does_not(reflecting: Gateway, path: str, timeout: str) -> None:
    assert not goes_on(reflecting, path, **{"grpc-timeout": timeout})
