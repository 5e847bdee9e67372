"""The addresses to listen on: IPv6 in either spelling, and the errors if one cannot."""

import re
import socket
from functools import partial
from pathlib import Path
from typing import Any

import pytest

from demo.ports import free_port
from demo.readiness import grpc_answers, wait_until
from demo.sample_calls import sample_id
from tests.support.machine.commands import run_process
from tests.support.machine.ipv6 import needs_ipv6
from tests.support.server.demo import pasted, running_demo, started_demo
from tests.support.server.deployments import Deployment
from tests.support.server.serve import serve_running, without_database

# Of the block for documentation, which no machine has.
NOT_OURS = ("192.0.2.1", "192.0.2.1:{}", "Cannot assign requested address")
NO_HOST = (
    "no-such-host.invalid",
    "no-such-host.invalid:{}",
    "(Name or service not known|Temporary failure in name resolution)",
)


@needs_ipv6
@pytest.mark.parametrize(
    ("deployment", "options", "grpc_host", "rest_host"),
    [
        (Deployment.STANDALONE, (), "::1", "[::1]"),
        (Deployment.STANDALONE, ("--tls",), "[::1]", "::1"),
        (Deployment.EMBEDDED, (), "::1", "[::1]"),
        (Deployment.STANDALONE, ("--tls",), "::", "[::]"),
        (Deployment.EMBEDDED, (), "::", "::"),
    ],
)
def test_the_demo_runs_by_ipv6(
    deployment: Deployment, options: tuple[str, ...], grpc_host: str, rest_host: str
) -> None:
    hosts = {"GRPC_HOST": grpc_host, "REST_HOST": rest_host}
    with running_demo(*options, **deployment.settings, **hosts) as demo:
        scheme = "https" if options else "http"
        rest = f"[::1]:{demo.rest_port}"
        assert f"  REST   {scheme}://{rest}/v1/live/calls/{{id}}\n" in demo.output()
        assert f"  gRPC   [::1]:{demo.grpc_port}" in demo.output()
        (example,) = re.findall(r"^ +(curl -i .*)$", demo.output(), re.MULTILINE)
        assert '"title":"Strength class"' in pasted(f"export ACCESS_TOKEN={demo.token}; {example}")
        for face in ((), ("--rest",)):
            assert b"Strength class" in got(
                demo.token,
                demo.folder,
                *face,
                *options,
                **hosts,
                GRPC_PORT=str(demo.grpc_port),
                REST_PORT=str(demo.rest_port),
            )


def got(token: str, folder: Path, *options: str, **settings: Any) -> bytes:
    """Get the call by the command line, as a user does."""
    face = [option for option in options if option == "--rest"]
    if "--tls" in options:
        certificates = folder / ".data/certificates"
        settings["TLS_CA_FILE"] = str(certificates / "ca.pem")
        settings["TLS_CERTIFICATE_FILE"] = str(certificates / "caller.pem")
        settings["TLS_KEY_FILE"] = str(certificates / "caller.key")
    return run_process("get", sample_id(2), *face, of="client", ACCESS_TOKEN=token, **settings).stdout


@needs_ipv6
@pytest.mark.parametrize("host", ["::1", "[::1]", "localhost"])
@pytest.mark.parametrize("workers", ["1", "2"])
def test_a_server_listens_in_either_spelling(host: str, workers: str, tmp_path: Path) -> None:
    address = "localhost" if host == "localhost" else "[::1]"
    with serve_running(tmp_path, GRPC_HOST=host, WORKERS=workers) as serve:
        assert wait_until(lambda: grpc_answers(f"{address}:{serve.port}"), 20)


@needs_ipv6
@pytest.mark.parametrize("workers", ["1", "2"])
def test_a_server_on_all_addresses_answers_ipv4_too(workers: str, tmp_path: Path) -> None:
    with serve_running(tmp_path, GRPC_HOST="::", WORKERS=workers) as serve:
        for host in ("127.0.0.1", "[::1]"):
            assert wait_until(partial(grpc_answers, f"{host}:{serve.port}"), 20)


def listening(host: str, port: int, workers: str) -> dict[str, Any]:
    """Write the settings of a server that listens on an address."""
    return {**without_database(), "GRPC_HOST": host, "GRPC_PORT": str(port), "WORKERS": workers}


@pytest.mark.parametrize("workers", ["1", "2"])
@pytest.mark.parametrize(("host", "where", "reason"), [NOT_OURS, NO_HOST])
def test_a_wrong_address_is_not_a_taken_port(host: str, where: str, reason: str, workers: str) -> None:
    port = free_port()
    settings = listening(host, port, workers)
    ended = run_process("serve", **settings)
    assert ended.returncode == 1
    line = ended.stderr.decode().splitlines()[-1]
    where = re.escape(where.format(port))
    assert re.fullmatch(f"Error: Cannot listen on {where}: {reason}: name another with GRPC_HOST=", line)


@needs_ipv6
@pytest.mark.parametrize("workers", ["1", "2"])
@pytest.mark.parametrize("host", ["::1", "[::1]"])
def test_a_taken_port_is(host: str, workers: str) -> None:
    with socket.create_server(("::1", 0), family=socket.AF_INET6) as taken:
        port = taken.getsockname()[1]
        settings = listening(host, port, workers)
        ended = run_process("serve", **settings)
    line = ended.stderr.decode().splitlines()[-1]
    assert line == (
        f"Error: Cannot listen on [::1]:{port}: Address already in use: name another with GRPC_PORT="
    )


@pytest.mark.parametrize("name", ["REST_HOST", "GRPC_HOST"])
def test_the_demo_tells_them_apart_too(name: str) -> None:
    rest_port, grpc_port = free_port(), free_port()
    port = rest_port if name == "REST_HOST" else grpc_port
    with started_demo(rest_port, grpc_port, settings={name: "192.0.2.1"}) as demo:
        assert demo.process.wait(20) == 1
        assert demo.output() == (
            f"Error: Cannot listen on 192.0.2.1:{port}: Cannot assign requested address: "
            f"name another with {name}=\n"
        )
