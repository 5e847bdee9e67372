"""Hosts and ports, in whichever of their spellings."""

import click
import pytest
from pydantic import TypeAdapter, ValidationError

from client.settings import CallerSettings
from gateway.config import GatewaySettings
from machine.addresses import Host, host_and_port
from machine.settings_errors import report_settings_errors
from server.config.loading import load_settings

HOST = TypeAdapter(Host)


@pytest.mark.parametrize(
    ("text", "bare"),
    [
        ("::1", "::1"),
        ("[::1]", "::1"),
        ("[2001:db8::1]", "2001:db8::1"),
        ("::ffff:192.0.2.1", "::ffff:192.0.2.1"),
        ("127.0.0.1", "127.0.0.1"),
        ("localhost", "localhost"),
        ("calls.example.com", "calls.example.com"),
    ],
)
def test_brackets_of_ipv6_are_optional(text: str, bare: str) -> None:
    assert HOST.validate_python(text) == bare


@pytest.mark.parametrize(
    "text",
    *[
        [
            "[::1",
            "::1]",
            "[localhost]",
            "[127.0.0.1]",
            "[]",
            "127.0.0.1:1",
            "localhost:1",
            "[::1]:1",
            "a b",
        ]
    ],
)
def test_what_is_no_host_is_refused(text: str) -> None:
    with pytest.raises(ValidationError, match="must be a host name or an IP address"):
        HOST.validate_python(text)


@pytest.mark.parametrize(
    ("host", "written"), [("::1", "[::1]:80"), ("127.0.0.1", "127.0.0.1:80"), ("a.b", "a.b:80")]
)
def test_with_a_port_only_ipv6_has_them(host: str, written: str) -> None:
    assert host_and_port(host, 80) == written


@pytest.mark.parametrize("host", ["::1", "[::1]"])
def test_all_settings_take_either(host: str, monkeypatch: pytest.MonkeyPatch) -> None:
    for name in ("GRPC_HOST", "REST_HOST", "UPSTREAM_TLS_NAME"):
        monkeypatch.setenv(name, host)
    monkeypatch.setenv("UPSTREAM_TLS_CA_FILE", "")
    server, caller = load_settings().server, CallerSettings(grpc_port=1, rest_port=2)
    assert (server.grpc_host, server.on_loopback) == ("::1", True)
    assert (caller.address, caller.url) == ("[::1]:1", "http://[::1]:2")
    monkeypatch.delenv("UPSTREAM_TLS_NAME")
    gateway = GatewaySettings()
    assert (gateway.grpc_host, gateway.rest_host) == ("::1", "::1")


@pytest.mark.parametrize(
    ("listening", "asked"),
    [
        ("::", "::1"),
        ("[::]", "::1"),
        ("0:0::0", "::1"),
        ("0.0.0.0", "127.0.0.1"),  # noqa: S104 - nothing is bound
        ("::2", "::2"),
    ],
)
def test_who_listens_everywhere_is_asked_on_this_machine(
    listening: str, asked: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    for name in ("GRPC_HOST", "REST_HOST"):
        monkeypatch.setenv(name, listening)
    gateway, caller = GatewaySettings(), CallerSettings()
    assert (gateway.grpc_host, caller.grpc_host, caller.rest_host) == (asked, asked, asked)
    assert gateway.rest_host == load_settings().server.grpc_host == listening.strip("[]")


def test_a_wrong_host_is_named(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("GRPC_HOST", "localhost:50051")
    with pytest.raises(click.ClickException) as raised, report_settings_errors():
        load_settings()
    assert raised.value.message == ("GRPC_HOST: must be a host name or an IP address, without a port")
