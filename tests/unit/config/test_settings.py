import pytest

from client.settings import load_caller_settings
from server.commands.errors import load_database_url
from tests.support.machine.settings import load, load_by, load_gateway, refusal, refusal_by

SECRET = "not-to-be-shown"  # noqa: S105 - none
CERTIFICATE_AND_KEY = "GRPC_TLS_CERTIFICATE_FILE and GRPC_TLS_KEY_FILE go together: set both or neither"


def test_settings_are_read() -> None:
    variables = {"DATABASE_URL": "postgresql://localhost/calls", "GRPC_PORT": "1234"}
    assert load(variables).server.grpc_port == 1234
    assert load_by(load_database_url, variables) == "postgresql://localhost/calls"


@pytest.mark.parametrize(
    ("name", "value", "message"),
    [
        ("DATABASE_POOL_SIZE", "0", "Input should be greater than 0"),
        ("DATABASE_STATEMENT_TIMEOUT_MS", "2147483648", "Input should be less than 2147483648"),
        ("DATABASE_READ_TIMEOUT_MS", "2147483648", "Input should be less than 2147483648"),
        ("DATABASE_READY_TIMEOUT_MS", "2147483648", "Input should be less than 2147483648"),
        (
            "STREAM_TIMEOUT_MS",
            SECRET,
            "Input should be a valid integer, unable to parse string as an integer",
        ),
        ("GRPC_PORT", "65536", "Input should be less than or equal to 65535"),
        ("LOG_FORMAT", SECRET, "Input should be 'json' or 'text'"),
    ],
)
def test_a_wrong_setting_is_named_and_not_shown(name: str, value: str, message: str) -> None:
    assert refusal({name: value}) == f"{name}: {message}"


@pytest.mark.parametrize("service", ["grpc", "admin"])
def test_what_kubernetes_sets_is_told_apart_from_a_wrong_port(service: str) -> None:
    name = f"{service.upper()}_PORT"
    assert refusal({name: "tcp://10.96.0.7:50051"}) == (
        f"{name}: is no port but what Kubernetes sets for a Service called {service}: "
        f"set {name} in the pod, or `enableServiceLinks: false`"
    )


@pytest.mark.parametrize(
    "url",
    [
        "video.stream-io-api.com",
        "//video.stream-io-api.com",
        "not-a-url",
        "http://video.stream-io-api.com",
        "http://10.0.0.1",
        "ftp://127.0.0.1",
        "https://",
        "https:///path",
    ],
)
def test_stream_is_asked_by_a_way_that_nobody_can_change(url: str) -> None:
    expected = "STREAM_BASE_URL: must be an https:// URL, or http:// on this machine"
    assert refusal({"STREAM_BASE_URL": url}) == expected


@pytest.mark.parametrize(
    "url",
    [
        "https://stream.example.com?region=eu",
        "https://stream.example.com/?",
        "https://stream.example.com/#part",
        "https://user:password@stream.example.com",
        "https://stream.example.com:99999",
        "https://stream.example.com:port",
        "https://stream.example.com:0",
        "https://stream example.com",
        "https://stream.example.com/a b",
        "https://bücher.example.com",
        "https://999.0.0.1",
        "https://[::1",
        "https://[::g]",
    ],
)
def test_paths_can_be_put_behind_the_address_of_stream(url: str) -> None:
    assert refusal({"STREAM_BASE_URL": url}).startswith("STREAM_BASE_URL: ")


@pytest.mark.parametrize(
    "url",
    [
        "https://video.stream-io-api.com",
        "https://video.stream-io-api.com/",
        "https://proxy.example.com:8443/stream",
        "HTTPS://10.0.0.1",
        "https://[2001:db8::1]:8443",
        "http://127.0.0.1:1",
        "http://localhost",
        "http://[::1]/",
    ],
)
def test_the_address_of_stream_is_read(url: str) -> None:
    assert load({"STREAM_BASE_URL": url}).stream.base_url == url


@pytest.mark.parametrize(
    ("written", "level"), [("info", "INFO"), ("Debug", "DEBUG"), ("ERROR", "ERROR")]
)
def test_the_level_of_the_log_is_read_in_any_case(written: str, level: str) -> None:
    assert load({"LOG_LEVEL": written}).server.log_level == level


def test_each_wrong_setting_has_a_line() -> None:
    lines = refusal({"GRPC_PORT": "x", "LOG_LEVEL": "x"}).splitlines()
    assert [line.split(":")[0] for line in lines] == ["GRPC_PORT", "LOG_LEVEL"]


@pytest.mark.parametrize(
    ("name", "line"),
    [
        ("STREAM_API_SECRET", "STREAM_API_KEY and STREAM_API_SECRET go together: set both or neither"),
        ("GRPC_TLS_CERTIFICATE_FILE", CERTIFICATE_AND_KEY),
        ("GRPC_TLS_KEY_FILE", CERTIFICATE_AND_KEY),
        (
            "GRPC_TLS_CLIENT_CA_FILE",
            "GRPC_TLS_CLIENT_CA_FILE needs GRPC_TLS_CERTIFICATE_FILE and GRPC_TLS_KEY_FILE",
        ),
    ],
)
def test_settings_that_go_together_are_named_without_a_preface(name: str, line: str) -> None:
    assert refusal({name: SECRET}) == line


@pytest.mark.parametrize(
    ("names", "mode"),
    [((), "off"), (("CERTIFICATE", "KEY"), "on"), (("CERTIFICATE", "KEY", "CLIENT_CA"), "mutual")],
)
def test_the_files_make_the_mode(names: tuple[str, ...], mode: str) -> None:
    assert load({f"GRPC_TLS_{name}_FILE": "x.pem" for name in names}).tls.mode == mode


@pytest.mark.parametrize(
    ("host", "on_loopback"),
    [
        ("127.0.0.1", True),
        ("127.1.2.3", True),
        ("localhost", True),
        ("[::1]", True),
        ("0.0.0.0", False),  # noqa: S104 - nothing is bound
        ("[::]", False),
        ("192.0.2.1", False),
        ("calls.example.com", False),
    ],
)
def test_what_only_this_machine_can_reach_is_known(host: str, on_loopback: bool) -> None:
    assert load({"GRPC_HOST": host}).server.on_loopback is on_loopback


def test_the_gateway_s_settings_are_named_too() -> None:
    assert refusal_by(load_gateway, {"REST_PORT": "x"}).startswith("REST_PORT: ")


def test_variables_that_are_called_as_a_group_of_settings_are_not_ours() -> None:
    assert load(dict.fromkeys(("SERVER", "DATABASE", "STREAM"), "{")).server.grpc_port == 50051


@pytest.mark.parametrize("end", ["\n", "\r\n", "\n\n"])
def test_a_line_end_is_no_part_of_a_secret(end: str) -> None:
    names = ("DATABASE_URL", "STREAM_API_KEY", "STREAM_API_SECRET", "ACCESS_TOKEN")
    variables = dict.fromkeys(names, f"{SECRET}{end}")
    settings, caller = load(variables), load_by(load_caller_settings, variables)
    read = settings.database.url, settings.stream.api_secret, caller.access_token
    assert [secret and secret.get_secret_value() for secret in read] == [SECRET] * 3
    assert settings.stream.api_key == SECRET


def test_a_secret_of_a_line_end_alone_is_none() -> None:
    assert not load({"STREAM_API_KEY": "\n"}).stream.configured


def test_a_missing_url_is_named() -> None:
    assert refusal_by(load_database_url, {}).startswith("DATABASE_URL is not set")
