"""What `serve --print-config` prints, and that no secret is in it."""

import dataclasses
import shlex
from collections.abc import Iterator
from pathlib import Path

import pytest

from machine.environment import EnvironmentSettings
from server.config.settings import Settings
from tests.support.machine.commands import run

SECRET = "not-to-be-shown"  # noqa: S105 - none
GROUPS: list[type[EnvironmentSettings]] = [
    field.default_factory  # type: ignore[misc]  # each has one, which is its class
    for field in dataclasses.fields(Settings)
]
PLANTED = {
    "DATABASE_URL": f"postgresql://calls:{SECRET}@db.example:5432/calls?password={SECRET}",
    "AUTH_PROXY_URL": f"http://proxy:{SECRET}@proxy.example:3128",
    "AUTH_INTROSPECTION_CLIENT_SECRET": SECRET,
    "AUTH_INTROSPECTION_TOKEN": SECRET,
    "STREAM_API_KEY": SECRET,
    "STREAM_API_SECRET": SECRET,
}
"""Each setting that is a secret, or has one in it."""
IN_URLS = {
    "AUTH_ISSUER": f"https://{SECRET}@one.example https://two.example/?{SECRET}",
    "AUTH_AUDIENCE": "calls",
    "AUTH_JWKS_URL": f"https://keys:{SECRET}@keys.example/jwks.json?code={SECRET}",
    "AUTH_INTROSPECTION_CLIENT_ID": "server",
    "AUTH_INTROSPECTION_URL": f"https://{SECRET}@tokens.example/introspect",
}
"""What people may write into the URLs of others."""


def printed(*options: str, **settings: str) -> dict[str, tuple[str, str]]:
    """Return the value and the source of each setting, read as a shell reads it."""
    ended = run("serve", "--print-config", *options, stdin=b"", **settings)
    assert (ended.exit_code, ended.stderr) == (0, "")
    assert SECRET not in ended.stdout
    return dict(map(read, ended.stdout.splitlines()))


def read(line: str) -> tuple[str, tuple[str, str]]:
    (word,) = shlex.split(line, comments=True)
    name, _, value = word.partition("=")
    return name, (value, line.rpartition("  # ")[2])


def secrets() -> Iterator[str]:
    """Yield the variables of all secrets, by the settings' types."""
    for group in GROUPS:
        prefix = group.model_config.get("env_prefix", "")
        for name, field in group.model_fields.items():
            if "SecretStr" in str(field.annotation) or name in group.credentials:
                yield f"{prefix}{name}".upper()


def test_every_setting_is_printed() -> None:
    assert set(printed()) == frozenset().union(*(group.variables() for group in GROUPS))


def test_no_secret_is_printed() -> None:
    assert set(PLANTED) == set(secrets())
    lines = printed(**PLANTED, **IN_URLS)
    values = {name: lines[name] for name in PLANTED | IN_URLS}
    hidden = dict.fromkeys(PLANTED, ("***", "environment"))
    assert values == {
        **hidden,
        "DATABASE_URL": ("postgresql://***@db.example:5432/calls?***", "environment"),
        "AUTH_PROXY_URL": ("http://***@proxy.example:3128", "environment"),
        "AUTH_ISSUER": ("https://***@one.example https://two.example/?***", "environment"),
        "AUTH_AUDIENCE": ("calls", "environment"),
        "AUTH_JWKS_URL": ("https://***@keys.example/jwks.json?***", "environment"),
        "AUTH_INTROSPECTION_CLIENT_ID": ("server", "environment"),
        "AUTH_INTROSPECTION_URL": ("https://***@tokens.example/introspect", "environment"),
    }


@pytest.mark.parametrize(
    "password",
    [
        f"{SECRET}@",
        f"{SECRET}/x",
        f"/{SECRET}",
        f"#{SECRET}",
        f"?{SECRET}",
        f"5432/{SECRET}",
        f" {SECRET}",
    ],
)
def test_a_password_that_should_be_escaped_hides_the_whole_url(password: str) -> None:
    lines = printed(DATABASE_URL=f"postgresql://calls:{password}@db.example/calls")
    assert lines["DATABASE_URL"] in (
        ("***", "environment"),
        ("postgresql://***@db.example/calls", "environment"),
    )


@pytest.mark.parametrize(
    "rest",
    [
        *(f"calls:{SECRET}/calls", f"one,calls:{SECRET}/calls", f"[::1]:{SECRET}/calls"),
        *(f"db.example/calls{sign}password={SECRET}" for sign in (";", "&", "%3F")),
        f"db.example/calls%3bpassword%3d{SECRET}",
    ],
)
def test_what_lacks_a_sign_hides_the_whole_url(rest: str) -> None:
    assert printed(DATABASE_URL=f"postgresql://{rest}")["DATABASE_URL"] == ("***", "environment")


@pytest.mark.parametrize(
    "url",
    [
        "[::1]:5432/calls",
        "[::1]/calls",
        "one:5432,[fe80::1]:5433,two/calls",
        "db.example:5432",
        "/calls",
    ],
)
def test_hosts_and_ports_are_printed(url: str) -> None:
    lines = printed(DATABASE_URL=f"postgresql://{url}")
    assert lines["DATABASE_URL"] == (f"postgresql://{url}", "environment")


def test_secrets_of_files_are_not_printed_but_where_they_are(tmp_path: Path) -> None:
    file = tmp_path / "secret"
    file.write_text(f"{SECRET}\n")
    names = ("DATABASE_URL", "STREAM_API_KEY", "STREAM_API_SECRET")
    lines = printed(**{f"{name}_FILE": str(file) for name in names})
    for name in names:
        assert lines[name] == ("***", f"file, by {name}_FILE")
        assert lines[f"{name}_FILE"] == (str(file), "environment")


@pytest.mark.parametrize("line_end", ["\n", "\\n", ""])
def test_a_key_in_place_of_its_file_is_not_printed(line_end: str) -> None:
    key = line_end.join(("-----BEGIN PRIVATE KEY-----", SECRET, "-----END PRIVATE KEY-----", ""))
    lines = printed(GRPC_TLS_CERTIFICATE_FILE="server.pem", GRPC_TLS_KEY_FILE=key)
    assert lines["GRPC_TLS_CERTIFICATE_FILE"] == ("server.pem", "environment")
    assert lines["GRPC_TLS_KEY_FILE"] == ("***", "environment")


def test_each_has_its_value_and_its_source() -> None:
    lines = printed("--workers", "3", "--embedded", WORKERS="2", LOG_LEVEL="debug", GRPC_HOST="")
    assert lines["WORKERS"] == ("3", "option")
    assert lines["EMBEDDED"] == ("1", "option")
    assert lines["LOG_LEVEL"] == ("DEBUG", "environment")
    assert lines["GRPC_HOST"] == ("127.0.0.1", "default")
    assert lines["AUTH_SCOPE_CLAIMS"] == ("scope scp", "default")
    assert lines["LOG_REQUESTS_RATIO"] == ("1", "default")
    assert lines["DATABASE_URL"] == ("", "default")


def test_bad_settings_end_it_with_a_line() -> None:
    ended = run("serve", "--print-config", GRPC_PORT="eighty", DATABASE_URL=PLANTED["DATABASE_URL"])
    assert (ended.exit_code, ended.stdout) == (1, "")
    (line,) = ended.stderr.splitlines()
    assert line.startswith("Error: GRPC_PORT: ")
    assert SECRET not in line
