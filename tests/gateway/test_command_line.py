import os
import socket
import subprocess
import sys
from pathlib import Path

import pytest
import yaml


def gateway(command: str, folder: Path, **settings: str) -> "subprocess.CompletedProcess[str]":
    """Run a command of the gateway to its end, in a folder that is not the project's."""
    return subprocess.run(
        [sys.executable, "-m", "gateway", command],
        cwd=folder,
        env={**os.environ, **settings},
        capture_output=True,
        text=True,
        timeout=60,
        check=False,
    )


def test_envoy_takes_the_configuration_from_any_folder(tmp_path: Path) -> None:
    settings = {"CORS_ORIGINS": "https://a.example.com, http://localhost:3000", "REST_HOST": "::1"}
    assert gateway("validate", tmp_path, **settings).returncode == 0


def test_the_settings_stand_in_the_configuration(tmp_path: Path) -> None:
    settings = {"GRPC_HOST": 'a"b', "REST_TIMEOUT_MS": "1500", "CORS_ORIGINS": "https://a.example.com,"}
    rendered = gateway("render", tmp_path, **settings).stdout
    (cluster,) = yaml.safe_load(rendered)["static_resources"]["clusters"]
    (endpoint,) = cluster["load_assignment"]["endpoints"][0]["lb_endpoints"]
    assert endpoint["endpoint"]["address"]["socket_address"]["address"] == 'a"b'
    assert "max_stream_duration: 1.500s" in rendered
    assert "value: 1500m" in rendered
    assert '[{"exact": "https://a.example.com"}]' in rendered


@pytest.mark.parametrize(
    ("setting", "value"),
    [
        ("REST_PORT", "eighty"),
        ("REST_PORT", "65536"),
        ("GRPC_PORT", "0"),
        ("REST_HOST", "localhost"),
        ("REST_TIMEOUT_MS", "0"),
        ("CORS_ORIGINS", "https://a.example.com/"),
        ("CORS_ORIGINS", "*"),
        ("TRUSTED_PROXIES", "-1"),
        ("RATE_LIMIT_PER_SECOND", "-1"),
        ("RATE_LIMIT_BURST", "0"),
        ("MAX_CONNECTIONS", "0"),
    ],
)
def test_a_bad_setting_is_one_line(setting: str, value: str, tmp_path: Path) -> None:
    done = gateway("run", tmp_path, **{setting: value})
    assert done.returncode == 1
    assert done.stderr.count("\n") == 1
    assert f"Error: {setting}" in done.stderr


@pytest.mark.parametrize("setting", ["REST_PORT", "ADMIN_PORT"])
def test_a_taken_port_is_one_line(setting: str, tmp_path: Path) -> None:
    with socket.create_server(("127.0.0.1", 0)) as taken:
        port = str(taken.getsockname()[1])
        done = gateway("run", tmp_path, **{"REST_PORT": "0", "ADMIN_PORT": "0", setting: port})
    assert done.returncode == 1
    assert (
        done.stderr == f"Error: {setting}: cannot listen on 127.0.0.1:{port}: Address already in use\n"
    )
