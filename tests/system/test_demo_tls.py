"""`make run TLS=1`: every connection encrypted, and both of its ends checked where it can be."""

import json
import re
import socket
import ssl
from collections.abc import Iterator
from typing import Any

import grpc
import httpx
import pytest

from demo.readiness import grpc_answers, wait_until
from demo.sample_calls import sample_id
from tests.support.machine.commands import run
from tests.support.network.tls import client_context
from tests.support.server.demo import RunningDemo, pasted, running_demo
from tests.support.server.deployments import Deployment


@pytest.fixture(scope="module")
def tls_demo(deployment: Deployment) -> Iterator[RunningDemo]:
    with running_demo("--tls", **deployment.settings) as demo:
        yield demo


def printed(demo: RunningDemo, pattern: str) -> str:
    (found,) = re.findall(pattern, demo.output(), re.MULTILINE | re.DOTALL)
    return str(found)


def files_of(demo: RunningDemo, *names: str) -> list[bytes]:
    return [(demo.folder / ".data/certificates" / name).read_bytes() for name in names]


def test_what_it_prints_can_be_pasted(tls_demo: RunningDemo) -> None:
    token = printed(tls_demo, r"^  (export ACCESS_TOKEN=[^\n]*)$")
    curl = printed(tls_demo, r"^  (curl -i [^\n]*)$")
    python = printed(tls_demo, r"^\S+ - <<'PYTHON'\n.*?^PYTHON$")
    assert "HTTP/2 200" in pasted(f"{token}\n{curl}")
    assert "is_live: true" in pasted(f"{token}\n{python}")


@pytest.mark.parametrize("face", ["grpc", "rest"])
def test_the_command_line_gets_a_call(tls_demo: RunningDemo, face: str) -> None:
    token = tls_demo.bearer["authorization"].removeprefix("Bearer ")
    ports: dict[str, Any] = {"GRPC_PORT": str(tls_demo.grpc_port), "REST_PORT": str(tls_demo.rest_port)}
    ca, certificate, key = (
        str(tls_demo.folder / ".data/certificates" / name)
        for name in ("ca.pem", "caller.pem", "caller.key")
    )
    shown = ["--rest"] if face == "rest" else ["--tls-certificate", certificate, "--tls-key", key]
    asked = run("get", "--tls-ca", ca, *shown, sample_id(2), of="client", ACCESS_TOKEN=token, **ports)
    assert (asked.exit_code, json.loads(asked.stdout)["id"]) == (0, sample_id(2)), asked.stderr
    plain = run("get", *(["--rest"] if face == "rest" else []), sample_id(2), of="client", **ports)
    assert plain.exit_code == 4


def test_rest_is_for_those_who_speak_tls(tls_demo: RunningDemo) -> None:
    with pytest.raises(httpx.TransportError):
        httpx.get(tls_demo.call_url(2))
    with pytest.raises(httpx.TransportError, match="CERTIFICATE_VERIFY_FAILED"):
        httpx.get(tls_demo.call_url(2).replace("http:", "https:"))


def test_grpc_is_for_those_who_show_a_certificate_standalone(
    deployment: Deployment, tls_demo: RunningDemo
) -> None:
    address = f"127.0.0.1:{tls_demo.grpc_port}"
    ca, key, certificate = files_of(tls_demo, "ca.pem", "caller.key", "caller.pem")
    assert grpc_answers(address, grpc.ssl_channel_credentials(ca, key, certificate))
    assert not grpc_answers(address)
    if deployment is Deployment.EMBEDDED:
        # Envoy's port is for REST as well, for which no client certificate is required.
        assert grpc_answers(address, grpc.ssl_channel_credentials(ca))
        return
    assert not grpc_answers(address, grpc.ssl_channel_credentials(ca))
    # By gRPC's core.
    assert wait_until(lambda: "PEER_DID_NOT_RETURN_A_CERTIFICATE" in tls_demo.output(), 5)
    assert wait_until(lambda: "WRONG_VERSION_NUMBER" in tls_demo.output(), 5)


def test_nothing_older_than_tls_1_2_is_spoken(tls_demo: RunningDemo) -> None:
    for port in (tls_demo.rest_port, tls_demo.grpc_port):
        context = client_context(ssl.TLSVersion.TLSv1_1)
        with (
            socket.create_connection(("127.0.0.1", port)) as connection,
            pytest.raises(ssl.SSLError, match=r"PROTOCOL_VERSION|EOF"),
        ):
            context.wrap_socket(connection)


def test_it_leaves_nothing_outside_its_data(tls_demo: RunningDemo) -> None:
    gateway = tls_demo.part("--config-yaml")
    assert gateway
    assert f"{tls_demo.folder}/.data/certificates/livecalls-gateway-" in " ".join(gateway.cmdline())


def test_its_keys_are_not_for_others_to_read(tls_demo: RunningDemo) -> None:
    keys = list((tls_demo.folder / ".data/certificates").glob("*.key"))
    assert {key.name: oct(key.stat().st_mode & 0o777) for key in keys} == dict.fromkeys(
        ("server.key", "gateway.key", "caller.key"), "0o600"
    )
