import json
import os
import socket
import subprocess
import sys
from importlib.metadata import version
from pathlib import Path
from typing import Any

import pytest
import yaml
from click.testing import Result

from gateway.config import GatewaySettings
from machine.tracing import TracingSettings
from tests.support.machine.commands import run
from tests.support.machine.ipv6 import needs_ipv6
from tests.support.network.certificates import Authority


def gateway(command: str, folder: Path, **settings: str) -> "subprocess.CompletedProcess[str]":
    """Run a command of the gateway to its end, in a folder that is not the project's."""
    return subprocess.run(
        [sys.executable, "-m", "gateway", command],
        cwd=folder,
        env={**os.environ, "TMPDIR": str(folder), **settings},
        capture_output=True,
        text=True,
        timeout=60,
        check=False,
    )


def refused(**settings: Any) -> Result:
    """Let the gateway run in this process, where it refuses its settings."""
    return run("run", of="gateway", **settings)


def test_the_version_is_printed_whatever_the_settings(tmp_path: Path) -> None:
    printed = gateway("--version", tmp_path, REST_PORT="eighty")
    assert (printed.returncode, printed.stderr) == (0, "")
    assert printed.stdout == f"LiveCalls {version('livecalls')}\n"


def test_envoy_takes_the_configuration_from_any_folder(tmp_path: Path) -> None:
    settings = {"CORS_ORIGINS": "https://a.example.com, http://localhost:3000", "REST_HOST": "::1"}
    assert gateway("validate", tmp_path, **settings).returncode == 0


@pytest.mark.parametrize("host", ["::1", "[::1]"])
def test_ipv6_is_written_either_way(host: str, tmp_path: Path) -> None:
    rendered = gateway("render", tmp_path, REST_HOST=host, GRPC_HOST=host).stdout
    resources = yaml.safe_load(rendered)["static_resources"]
    endpoint = resources["clusters"][0]["load_assignment"]["endpoints"][0]["lb_endpoints"][0]
    assert endpoint["endpoint"]["address"]["socket_address"]["address"] == "::1"
    assert resources["listeners"][0]["address"]["socket_address"]["address"] == "::1"


def test_the_settings_stand_in_the_configuration(tmp_path: Path) -> None:
    settings = {"GRPC_HOST": 'a"b', "REST_TIMEOUT_MS": "1500", "CORS_ORIGINS": "https://a.example.com,"}
    rendered = gateway("render", tmp_path, **settings).stdout
    (cluster,) = yaml.safe_load(rendered)["static_resources"]["clusters"]
    (endpoint,) = cluster["load_assignment"]["endpoints"][0]["lb_endpoints"]
    assert endpoint["endpoint"]["address"]["socket_address"]["address"] == 'a"b'
    assert "max_stream_duration: 1.500s" in rendered
    assert "value: 1500m" in rendered
    assert '[{"exact": "https://a.example.com"}]' in rendered


def test_each_worker_is_an_endpoint(tmp_path: Path) -> None:
    rendered = gateway("render", tmp_path, GRPC_PORT="65533", WORKERS="3").stdout
    (cluster,) = yaml.safe_load(rendered)["static_resources"]["clusters"]
    (locality,) = cluster["load_assignment"]["endpoints"]
    addresses = [it["endpoint"]["address"]["socket_address"] for it in locality["lb_endpoints"]]
    assert [it["port_value"] for it in addresses] == [65533, 65534, 65535]
    assert {it["address"] for it in addresses} == {"127.0.0.1"}


def test_ports_of_workers_end_where_ports_do(tmp_path: Path) -> None:
    done = gateway("run", tmp_path, GRPC_PORT="65533", WORKERS="4")
    assert done.returncode == 1
    assert done.stderr == "Error: GRPC_PORT and WORKERS go beyond port 65535: lower one of them\n"


@pytest.mark.parametrize(
    ("setting", "value"),
    [
        ("REST_PORT", "eighty"),
        ("REST_PORT", "65536"),
        ("GRPC_PORT", "0"),
        ("REST_HOST", "localhost"),
        ("REST_HOST", "[::1"),
        ("REST_HOST", "127.0.0.1:8080"),
        ("GRPC_HOST", "localhost:50051"),
        ("REST_TIMEOUT_MS", "0"),
        ("CORS_ORIGINS", "https://a.example.com/"),
        ("CORS_ORIGINS", "*"),
        ("TRUSTED_PROXIES", "-1"),
        ("RATE_LIMIT_PER_SECOND", "-1"),
        ("RATE_LIMIT_BURST", "0"),
        ("MAX_CONNECTIONS", "0"),
        ("MAX_HEAP_MB", "0"),
        ("ENVOY_CONCURRENCY", "0"),
        ("ENVOY_CONCURRENCY", "1025"),
        ("ENVOY_CONCURENCY", "1"),
        ("WORKERS", "0"),
        ("REST_PROT", "8080"),
    ],
)
def test_a_bad_setting_is_one_line(setting: str, value: str) -> None:
    done = refused(**{setting: value})
    assert done.exit_code == 1
    assert done.stderr.count("\n") == 1
    assert f"Error: {setting}" in done.stderr


@pytest.mark.parametrize("service", ["grpc", "rest", "admin"])
def test_what_kubernetes_sets_is_told_apart_from_a_wrong_port(service: str) -> None:
    name = f"{service.upper()}_PORT"
    assert refused(**{name: "tcp://10.96.0.7:50051"}).stderr == (
        f"Error: {name}: is no port but what Kubernetes sets for a Service called {service}: "
        f"set {name} in the pod, or `enableServiceLinks: false`\n"
    )


def test_envoy_takes_the_configuration_with_tls(tmp_path: Path) -> None:
    authority = Authority(tmp_path)
    settings = {
        **authority.issue("listener").settings("REST_TLS"),
        **authority.issue("client").settings("UPSTREAM_TLS"),
        "UPSTREAM_TLS_CA_FILE": str(authority.certificate),
        "UPSTREAM_TLS_NAME": "live.example.com",
    }
    assert gateway("validate", tmp_path, **settings).returncode == 0


def test_an_empty_setting_is_none(tmp_path: Path) -> None:
    settings = {"REST_TLS_CERTIFICATE_FILE": "", "REST_TLS_KEY_FILE": "", "UPSTREAM_TLS_CA_FILE": ""}
    done = gateway("render", tmp_path, **settings)
    assert done.returncode == 0
    assert "common_tls_context" not in done.stdout


def test_files_may_be_named_from_where_the_gateway_starts(tmp_path: Path) -> None:
    Authority(tmp_path).issue("listener")
    settings = {"REST_TLS_CERTIFICATE_FILE": "listener.pem", "REST_TLS_KEY_FILE": "listener.key"}
    rendered = yaml.safe_load(gateway("render", tmp_path, **settings).stdout)
    (chain,) = rendered["static_resources"]["listeners"][0]["filter_chains"]
    context = chain["transport_socket"]["typed_config"]["common_tls_context"]
    (source,) = context["tls_certificate_sds_secret_configs"]
    file = Path(source["sds_config"]["path_config_source"]["path"])
    (secret,) = json.loads(file.read_text())["resources"]
    assert secret["tls_certificate"]["private_key"] == {"filename": str(tmp_path / "listener.key")}


@pytest.mark.parametrize(
    ("settings", "fault"),
    [
        (
            {"REST_TLS_CERTIFICATE_FILE": "a.pem"},
            "REST_TLS_CERTIFICATE_FILE and REST_TLS_KEY_FILE go together: set both or neither",
        ),
        (
            {"REST_TLS_CERTIFICATE_FILE": "a.pem", "REST_TLS_KEY_FILE": "b.key"},
            "REST_TLS_CERTIFICATE_FILE and REST_TLS_KEY_FILE cannot be used: key values mismatch",
        ),
        (
            {"REST_TLS_CERTIFICATE_FILE": "no.pem", "REST_TLS_KEY_FILE": "a.key"},
            "REST_TLS_CERTIFICATE_FILE: cannot read no.pem: No such file or directory",
        ),
        (
            {"REST_TLS_CERTIFICATE_FILE": "a.pem", "REST_TLS_KEY_FILE": "-----BEGIN KEY----- secret"},
            "REST_TLS_KEY_FILE: cannot read ***: No such file or directory",
        ),
        (
            {"UPSTREAM_TLS_CA_FILE": "a.key"},
            "UPSTREAM_TLS_CA_FILE: no certificates in a.key: no certificate or crl found",
        ),
        (
            {"UPSTREAM_TLS_CA_FILE": "ca.pem", "UPSTREAM_TLS_KEY_FILE": "a.key"},
            "UPSTREAM_TLS_CERTIFICATE_FILE and UPSTREAM_TLS_KEY_FILE go together: set both or neither",
        ),
        (
            {"UPSTREAM_TLS_CERTIFICATE_FILE": "a.pem", "UPSTREAM_TLS_KEY_FILE": "a.key"},
            "UPSTREAM_TLS_CA_FILE is missing, without which the server is not spoken to by TLS",
        ),
        (
            {"UPSTREAM_TLS_NAME": "live.example.com"},
            "UPSTREAM_TLS_CA_FILE is missing, without which the server is not spoken to by TLS",
        ),
    ],
)
def test_certificates_that_cannot_serve_are_one_line(
    settings: dict[str, str], fault: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    authority = Authority(tmp_path)
    authority.issue("a")
    authority.issue("b")
    monkeypatch.chdir(tmp_path)
    done = refused(**settings)
    assert done.exit_code == 1
    assert done.stderr == f"Error: {fault}\n"


@pytest.mark.parametrize("setting", ["REST_PORT", "ADMIN_PORT"])
def test_a_taken_port_is_one_line(setting: str, tmp_path: Path) -> None:
    with socket.create_server(("127.0.0.1", 0)) as taken:
        port = str(taken.getsockname()[1])
        done = gateway("run", tmp_path, **{"REST_PORT": "0", "ADMIN_PORT": "0", setting: port})
    assert done.returncode == 1
    assert (
        done.stderr == f"Error: {setting}: cannot listen on 127.0.0.1:{port}: Address already in use\n"
    )


@needs_ipv6
@pytest.mark.parametrize("host", ["::1", "[::1]"])
def test_a_taken_port_of_ipv6_is_one_line_too(host: str, tmp_path: Path) -> None:
    with socket.create_server(("::1", 0), family=socket.AF_INET6) as taken:
        port = str(taken.getsockname()[1])
        done = gateway("run", tmp_path, REST_HOST=host, REST_PORT=port, ADMIN_PORT="0")
    assert done.stderr == f"Error: REST_PORT: cannot listen on [::1]:{port}: Address already in use\n"


def test_another_s_address_is_not_a_taken_port(tmp_path: Path) -> None:
    done = gateway("run", tmp_path, REST_HOST="192.0.2.1", REST_PORT="8080", ADMIN_PORT="0")
    assert done.returncode == 1
    assert done.stderr == (
        "Error: REST_HOST: cannot listen on 192.0.2.1:8080: Cannot assign requested address\n"
    )


def test_settings_are_printed_with_their_source() -> None:
    origins = "https://a.example.com,https://b.example.com"
    settings = {"CORS_ORIGINS": origins, "GRPC_HOST": "::", "LOG_REQUESTS_RATIO": "0.010"}
    done = run("run", "--print-config", of="gateway", stdin=b"", **settings)
    assert (done.exit_code, done.stderr) == (0, "")
    lines = done.stdout.splitlines()
    assert len(lines) == len(GatewaySettings.model_fields) + len(TracingSettings.model_fields)
    assert "OTEL_TRACES_EXPORTER=none  # default" in lines
    assert f"CORS_ORIGINS={origins}  # environment" in lines
    assert "GRPC_HOST=::1  # environment" in lines
    assert "LOG_REQUESTS_RATIO=0.01  # environment" in lines
    assert "REST_PORT=8080  # default" in lines
    assert "MAX_HEAP_MB=  # default" in lines


def test_bad_settings_are_not_printed() -> None:
    done = run("run", "--print-config", of="gateway", REST_PORT="eighty")
    assert (done.exit_code, done.stdout) == (1, "")
    assert done.stderr.startswith("Error: REST_PORT: ")
    assert len(done.stderr.splitlines()) == 1
