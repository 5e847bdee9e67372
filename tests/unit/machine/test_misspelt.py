"""Misspelt and renamed settings and options, which the server, the gateway and `get` reject."""

from collections.abc import Callable

import pytest

from client.settings import CallerSettings, load_caller_settings
from gateway.config import GatewaySettings
from machine.renamed import RENAMED, RENAMED_OPTIONS
from server.config.database import DatabaseSettings
from server.config.loading import load_settings
from server.config.server import EmbeddedSettings, ServerSettings
from server.config.stream import StreamSettings
from server.config.tls import TlsSettings
from server.config.tokens import TokenSettings
from tests.support.machine.commands import run, run_process
from tests.support.machine.settings import load_by, load_gateway, refusal, refusal_by

SECRET = "not-to-be-shown"  # noqa: S105 - none
OF_SERVER = (
    *(ServerSettings, EmbeddedSettings, TokenSettings, DatabaseSettings, StreamSettings, TlsSettings),
    CallerSettings,
)
# What the libraries, Kubernetes and other programs read and set, under names that begin as ours.
FOREIGN = {
    **dict.fromkeys(("GRPC_VERBOSITY", "GRPC_TRACE", "GRPC_DNS_RESOLVER", "GRPC_POLL_STRATEGY"), "x"),
    **dict.fromkeys(("GRPC_DEFAULT_SSL_ROOTS_FILE_PATH", "GRPC_SSL_CIPHER_SUITES", "grpc_proxy"), "x"),
    **dict.fromkeys(("GRPC_ENABLE_FORK_SUPPORT", "GRPC_EXPERIMENTS", "GRPC_XDS_BOOTSTRAP"), "x"),
    **dict.fromkeys(("NODE_ENV", "NODE_NAME", "NODE_IP", "LOG_DIR", "LOG_FILE", "ADMIN_PASSWORD"), "x"),
    **dict.fromkeys(("MAX_MEMORY", "TRUSTED_HOSTS", "TLS_VERSION", "ACCESS_KEY", "STREAMING"), "x"),
    **dict.fromkeys(("WATCHDOG_USEC", "WATCHDOG_PID"), "1"),
    "GRPC_SERVICE_HOST": "10.96.0.7",
    "GRPC_SERVICE_PORT": "50051",
    "GRPC_SERVICE_PORT_GRPC": "50051",
    "GRPC_PORT_50051_TCP": "tcp://10.96.0.7:50051",
    "GRPC_PORT_50051_TCP_PROTO": "tcp",
    "REST_PORT_8080_TCP_ADDR": "10.96.0.8",
    "REST_PORT_8080_TCP_PORT": "8080",
    "REST_SERVICE_PORT": "8080",
    "REST_TLS_SERVICE_HOST": "10.96.0.8",
    "REST_TLS_PORT": "tcp://10.96.0.8:443",
    "DATABASE_PORT": "tcp://10.96.0.9:5432",
    "DATABASE_SERVICE_HOST": "10.96.0.9",
    "STREAM_PORT_80_UDP_ADDR": "10.96.0.9",
    "AUTH_SERVICE_PORT_HTTPS": "443",
}


LOADS = [load_settings, load_gateway, load_caller_settings]


@pytest.mark.parametrize(
    ("load", "name", "meant"),
    [
        (load_settings, "AUTH_AUDIENSE", "AUTH_AUDIENCE"),
        (load_settings, "DATABASE_POOLSIZE", "DATABASE_POOL_SIZE"),
        (load_settings, "DATABASE_PORT", "DATABASE_POOL_SIZE"),
        (load_settings, "database_urls", "DATABASE_URL"),
        (load_settings, "STREAM_API_SECRT", "STREAM_API_SECRET"),
        (load_settings, "STREAM_SECRET", "STREAM_API_SECRET"),
        (load_settings, "GRPC_TLS_CERT_FILE", "GRPC_TLS_CERTIFICATE_FILE"),
        (load_settings, "GRPC_TSL_KEY_FILE", "GRPC_TLS_KEY_FILE"),
        (load_settings, "GRPC_PROT", "GRPC_PORT"),
        (load_settings, "EMBEDDED_SUPERVISE", "EMBEDDED_SUPERVISED"),
        (load_settings, "WATCHDOG_TIMEOUT", "WATCHDOG_TIMEOUT_MS"),
        (load_settings, "MAX_RSS", "MAX_RSS_MB"),
        (load_settings, "LOG_LEVL", "LOG_LEVEL"),
        (load_settings, "MAX_CONNECTION_AGE", "MAX_CONNECTION_AGE_MS"),
        (load_settings, "SHUTDOWN_GRACE", "SHUTDOWN_GRACE_MS"),
        (load_gateway, "REST_TLS_CERT_FILE", "REST_TLS_CERTIFICATE_FILE"),
        (load_gateway, "REST_TIMEOUT", "REST_TIMEOUT_MS"),
        (load_gateway, "UPSTREAM_TLS_CA", "UPSTREAM_TLS_CA_FILE"),
        (load_gateway, "RATE_LIMIT", "RATE_LIMIT_BURST"),
        (load_gateway, "CORS_ORIGIN", "CORS_ORIGINS"),
        (load_gateway, "GRPC_HOSTNAME", "GRPC_HOST"),
        (load_gateway, "TRUSTED_PROXY", "TRUSTED_PROXIES"),
        (load_caller_settings, "ACCESS_TOKN", "ACCESS_TOKEN"),
        (load_caller_settings, "TLS_CAFILE", "TLS_CA_FILE"),
        (load_caller_settings, "REST_PROT", "REST_PORT"),
    ],
)
def test_a_misspelt_setting_is_refused_with_the_nearest(
    load: Callable[[], object], name: str, meant: str
) -> None:
    assert refusal_by(load, {name: SECRET}) == f"{name} is no setting: is {meant} meant?"


def test_each_has_a_line() -> None:
    assert len(refusal({"STREAM_API_SECRT": SECRET, "LOG_LEVL": SECRET}).splitlines()) == 2


@pytest.mark.parametrize("load", LOADS)
def test_variables_of_others_are_let_be(load: Callable[[], object]) -> None:
    load_by(load, FOREIGN)


@pytest.mark.parametrize("load", LOADS)
def test_an_empty_one_is_none(load: Callable[[], object]) -> None:
    load_by(load, {"STREAM_API_SECRT": "", "REST_PROT": ""})


@pytest.mark.parametrize("load", LOADS)
def test_none_refuses_the_settings_of_another(load: Callable[[], object]) -> None:
    names = {name for kind in OF_SERVER for name in kind.variables()}
    names |= {name.upper() for name in GatewaySettings.model_fields}
    assert "is no setting" not in refusal_by(load, dict.fromkeys(names, "x"))


def test_the_server_does_not_start_with_one() -> None:
    ended = run_process("serve", STREAM_API_SECRT=SECRET)
    assert ended.returncode == 1
    assert ended.stderr == b"Error: STREAM_API_SECRT is no setting: is STREAM_API_SECRET meant?\n"


@pytest.mark.parametrize("name", RENAMED)
def test_an_old_name_is_refused_with_the_new_one(name: str) -> None:
    assert refusal({name: SECRET}) == f"{name} is called {RENAMED[name]} now"


@pytest.mark.parametrize("name", ["INSIDE", "INSIDE_KEPT"])
def test_the_gateway_refuses_the_old_names_of_its_own(name: str) -> None:
    assert refusal_by(load_gateway, {name: SECRET}) == f"{name} is called {RENAMED[name]} now"


@pytest.mark.parametrize("load", [load_gateway, load_caller_settings])
def test_old_names_of_another_are_let_be(load: Callable[[], object]) -> None:
    names = ("INSIDE_STUCK_MS", "STREAM_REUSE_MS", "AUTH_INTROSPECTION_CACHE_MS")
    load_by(load, dict.fromkeys(names, "1"))


@pytest.mark.parametrize(
    ("of", "command"), [("server", "serve"), ("server", "migrate"), ("demo", "run")]
)
def test_no_command_begins_with_an_old_name(of: str, command: str) -> None:
    ended = run(command, of=of, INSIDE="1")
    assert (ended.exit_code, ended.output) == (1, "Error: INSIDE is called EMBEDDED now\n")


@pytest.mark.parametrize("option", RENAMED_OPTIONS)
def test_serve_refuses_the_old_name_of_an_option(option: str) -> None:
    ended = run("serve", option, AUTH="off")
    expected = f"Error: {option} is called {RENAMED_OPTIONS[option]} now\n"
    assert (ended.exit_code, ended.output) == (1, expected)


def test_serve_refuses_an_option_that_never_was() -> None:
    ended = run("serve", "--inside", AUTH="off")
    assert ended.exit_code == 2
    assert "No such option" in ended.output
