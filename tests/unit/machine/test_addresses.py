"""Hosts and ports, in whichever of their spellings."""

import pytest
from pydantic import TypeAdapter, ValidationError

from client.settings import load_caller_settings
from machine.addresses import Host, host_and_port
from tests.support.machine.settings import load, load_by, load_gateway, refusal

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
def test_all_settings_take_either(host: str) -> None:
    variables = {"GRPC_HOST": host, "REST_HOST": host}
    server, gateway = load(variables).server, load_by(load_gateway, variables)
    caller = load_by(load_caller_settings, {**variables, "GRPC_PORT": "1", "REST_PORT": "2"})
    assert (server.grpc_host, server.on_loopback) == ("::1", True)
    assert (caller.address, caller.url) == ("[::1]:1", "http://[::1]:2")
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
def test_who_listens_everywhere_is_asked_on_this_machine(listening: str, asked: str) -> None:
    variables = {"GRPC_HOST": listening, "REST_HOST": listening}
    gateway, caller = load_by(load_gateway, variables), load_by(load_caller_settings, variables)
    assert (gateway.grpc_host, caller.grpc_host, caller.rest_host) == (asked, asked, asked)
    assert gateway.rest_host == load(variables).server.grpc_host == listening.strip("[]")


def test_a_wrong_host_is_named() -> None:
    expected = "GRPC_HOST: must be a host name or an IP address, without a port"
    assert refusal({"GRPC_HOST": "localhost:50051"}) == expected
