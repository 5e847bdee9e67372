"""`python -m server check`: a line for each thing, and an exit code for all."""

import json
from pathlib import Path

import pytest
from click.testing import Result
from trustme import CA

from demo.issuer import DemoIssuer
from demo.stream_stand_in.stand_in import Behaviour, State, StreamStandIn
from server.commands import check_stream
from server.store.migrate import head_revision
from tests.support.auth.introspected import server_settings
from tests.support.database.postgres import execute
from tests.support.machine.commands import run, run_process
from tests.support.network.tls import TlsFiles, expired, for_host
from tests.support.stand_ins.introspection_server import CLIENT_SECRET, IntrospectionServer
from tests.support.stand_ins.key_server import KeyServer
from tests.support.stand_ins.stream import KEY, SECRET, closed_port

SETTINGS = "ok    settings: all can be used"
NO_TLS = "--    TLS: off: gRPC is plain text"
SCHEMA = f"ok    schema: at {head_revision()} (head)"
NO_SCHEMA = "--    schema: not looked at, for want of the database"
NO_TOKENS = "--    tokens: AUTH=off: everybody may call"
NO_STREAM = "--    Stream: not configured: live is null for every call"


def run_with_stream(url: str, secret: str = SECRET, **settings: str) -> Result:
    ours = {"STREAM_API_KEY": KEY, "STREAM_API_SECRET": secret, "STREAM_BASE_URL": url}
    return run("check", stdin=b"", AUTH="off", **ours, **settings)


def stream_line(url: str, **settings: str) -> str:
    result = run_with_stream(url, **settings)
    assert result.exit_code == 1
    assert SECRET not in result.output
    return result.stdout.splitlines()[-1]


def test_all_is_well(database_url: str, stream_url: str, stand_in: StreamStandIn) -> None:
    result = run_process(
        "check",
        AUTH="off",
        DATABASE_URL=database_url,
        STREAM_API_KEY=KEY,
        STREAM_API_SECRET=SECRET,
        STREAM_BASE_URL=stream_url,
    )
    settings, tokens, tls, database, schema, accepted = result.stdout.decode().splitlines()
    version = execute(database_url, "SHOW server_version")[0][0]
    assert (settings, tokens, tls) == (SETTINGS, NO_TOKENS, NO_TLS)
    assert (database, schema) == (f"ok    database: PostgreSQL {version}", SCHEMA)
    assert accepted == "ok    Stream: credentials accepted"
    assert (result.stderr, result.returncode) == (b"", 0)
    assert stand_in.requests.total() == 1


def test_a_call_that_happens_to_exist_is_as_good(
    database_url: str, stream_url: str, stand_in: StreamStandIn
) -> None:
    stand_in.put("livestream", "livecalls-check", State.ON_AIR)
    result = run_with_stream(stream_url, DATABASE_URL=database_url)
    assert result.stdout.splitlines()[-1] == "ok    Stream: credentials accepted"
    assert result.exit_code == 0


def token_line(**settings: str) -> str:
    return run("check", stdin=b"", **settings).stdout.splitlines()[1]


def test_keys_are_counted(tmp_path: Path) -> None:
    settings = DemoIssuer(tmp_path).settings
    assert token_line(**settings) == "ok    tokens: 1 key to check them with"


def test_keys_that_cannot_be_used_fail(tmp_path: Path) -> None:
    settings = DemoIssuer(tmp_path).settings
    Path(settings["AUTH_JWKS_FILE"]).write_text('{"keys": []}')
    assert token_line(**settings) == "FAIL  tokens: no usable key"
    Path(settings["AUTH_JWKS_FILE"]).unlink()
    away = f"http://127.0.0.1:{closed_port()}/keys"
    settings = {**settings, "AUTH_JWKS_FILE": "", "AUTH_JWKS_URL": away}
    assert token_line(**settings) == "FAIL  tokens: Connection refused"


def test_one_key_set_of_two_issuers_blames_neither() -> None:
    away = {"AUTH_JWKS_URL": f"http://127.0.0.1:{closed_port()}/", "AUTH_AUDIENCE": "livecalls"}
    result = run("check", stdin=b"", AUTH_ISSUER="https://a.example https://b.example", **away)
    assert result.stdout.splitlines()[1] == "FAIL  tokens: Connection refused"


def test_who_may_call_must_be_said() -> None:
    assert token_line().startswith("FAIL  tokens: It is not set who may call: set AUTH_ISSUER")


def introspection_line(url: str, **settings: str) -> str:
    result = run("check", stdin=b"", **server_settings(url, **settings))
    assert CLIENT_SECRET not in result.output
    tokens, introspection = result.stdout.splitlines()[1:3]
    assert tokens == "--    tokens: no keys are set: all tokens are introspected"
    return introspection


def test_introspection_is_tried(introspection_server: IntrospectionServer) -> None:
    well = "ok    introspection: credentials accepted"
    assert introspection_line(introspection_server.url) == well
    (token,) = introspection_server.asked
    assert len(token) > 40


def test_introspection_is_tried_beside_the_keys(
    introspection_server: IntrospectionServer, tmp_path: Path
) -> None:
    keys = DemoIssuer(tmp_path).settings
    result = run("check", stdin=b"", **{**keys, **server_settings(introspection_server.url)})
    assert result.stdout.splitlines()[1:3] == [
        "ok    tokens: 1 key to check them with",
        "ok    introspection: credentials accepted",
    ]


def test_introspection_is_found_where_the_issuer_names_it(
    introspection_server: IntrospectionServer, key_server: KeyServer
) -> None:
    issuer = key_server.origin
    metadata = {
        "issuer": issuer,
        "jwks_uri": key_server.url,
        "introspection_endpoint": introspection_server.url,
    }
    path = "/.well-known/openid-configuration"
    key_server.answers_at(path, 200, json.dumps(metadata).encode())
    settings = {**server_settings(""), "AUTH_ISSUER": issuer, "AUTH_AUDIENCE": "livecalls"}
    tokens, introspection = run("check", stdin=b"", **settings).stdout.splitlines()[1:3]
    assert tokens.startswith("ok    tokens: ")
    assert introspection == "ok    introspection: credentials accepted"
    del metadata["introspection_endpoint"]
    key_server.answers_at(path, 200, json.dumps(metadata).encode())
    lost = run("check", stdin=b"", **settings).stdout.splitlines()[2]
    assert "names no introspection_endpoint" in lost


def test_wrong_credentials_are_told_from_an_endpoint_that_is_away(
    introspection_server: IntrospectionServer,
) -> None:
    other = {"AUTH_INTROSPECTION_CLIENT_ID": "another"}
    refused = "FAIL  introspection: credentials refused (status 401)"
    assert introspection_line(introspection_server.url, **other) == refused
    away = introspection_line(f"http://127.0.0.1:{closed_port()}/")
    assert away == "FAIL  introspection: cannot be asked (Connection refused)"
    introspection_server.answers(404)
    lost = introspection_line(introspection_server.url)
    assert lost == "FAIL  introspection: cannot be asked (status 404)"


def test_an_endpoint_that_answers_nonsense_fails(introspection_server: IntrospectionServer) -> None:
    introspection_server.answers(200, b'{"active": true}')
    always = "FAIL  introspection: cannot be asked (a random token is active there)"
    assert introspection_line(introspection_server.url) == always
    introspection_server.answers(200, b'{"active": "no"}')
    odd = introspection_line(introspection_server.url)
    assert odd.endswith("(no introspection answer: `active` is neither true nor false)")


def test_stream_need_not_be_configured(database_url: str) -> None:
    result = run("check", AUTH="off", DATABASE_URL=database_url)
    assert result.stdout.splitlines()[4:] == [SCHEMA, NO_STREAM]
    assert result.exit_code == 0


def test_a_wrong_setting_fails_and_the_rest_is_not_looked_at(database_url: str) -> None:
    result = run("check", DATABASE_URL=database_url, DATABASE_POOL_SIZE="0", GRPC_PORT="1")
    assert result.stdout.splitlines() == [
        "FAIL  settings: DATABASE_POOL_SIZE: Input should be greater than 0"
    ]
    assert result.exit_code == 1


def test_a_missing_database_fails() -> None:
    result = run("check", AUTH="off")
    assert result.stdout.splitlines() == [
        SETTINGS,
        NO_TOKENS,
        NO_TLS,
        "FAIL  database: DATABASE_URL is not set",
        NO_SCHEMA,
        NO_STREAM,
    ]
    assert result.exit_code == 1


def test_an_unreachable_database_fails_without_its_password() -> None:
    url = f"postgresql://user:secret@127.0.0.1:{closed_port()}/calls"
    result = run_process("check", AUTH="off", DATABASE_URL=url)
    _, _, _, database, schema, _ = result.stdout.decode().splitlines()
    assert database.startswith("FAIL  database: connection failed: ")
    assert schema == NO_SCHEMA
    assert b"secret" not in result.stdout + result.stderr
    assert result.returncode == 1


@pytest.mark.parametrize(
    ("statement", "is_at"),
    [
        ("DROP TABLE calls, alembic_version", "empty"),
        ("UPDATE alembic_version SET version_num = '9999'", "at 9999"),
    ],
)
def test_a_schema_that_is_not_at_the_head_fails(database_url: str, statement: str, is_at: str) -> None:
    execute(database_url, statement)
    result = run("check", AUTH="off", DATABASE_URL=database_url)
    needed = f"{head_revision()} is needed: run `python -m server migrate`"
    assert result.stdout.splitlines()[4] == f"FAIL  schema: {is_at}, {needed}"
    assert result.exit_code == 1


@pytest.mark.parametrize(
    ("apart", "words"), [(-1, "one before"), (1, "one behind")], ids=["older", "newer"]
)
def test_a_schema_next_to_the_head_is_served(database_url: str, apart: int, words: str) -> None:
    revision = f"{int(head_revision() or 0) + apart:04}"
    execute(database_url, f"UPDATE alembic_version SET version_num = '{revision}'")
    result = run("check", AUTH="off", DATABASE_URL=database_url)
    is_at = f"at {revision}, {words} {head_revision()} (head): served all the same"
    assert result.stdout.splitlines()[4] == f"ok    schema: {is_at}"
    assert result.exit_code == 0


def tls_line(files: TlsFiles, **settings: str) -> str:
    result = run("check", stdin=b"", **{**files.variables(), **settings})
    return result.stdout.splitlines()[2]


def test_certificates_are_looked_at(tmp_path: Path) -> None:
    files = TlsFiles(tmp_path).hold(for_host(authority := CA()), authority)
    well = "ok    TLS: certificate for localhost, 127.0.0.1, until 3000-01-01T00:00:00Z"
    assert tls_line(files, GRPC_TLS_CLIENT_CA_FILE="") == well
    assert tls_line(files) == f"{well}; clients must show one too"


def test_certificates_that_cannot_be_served_with_fail(tmp_path: Path) -> None:
    files = TlsFiles(tmp_path).hold(expired(authority := CA()), authority)
    assert tls_line(files).startswith("FAIL  TLS: GRPC_TLS_CERTIFICATE_FILE: the certificate for ")


def test_refused_credentials_fail(stream_url: str) -> None:
    other = "another-secret-that-is-long-enough-too"
    result = run_with_stream(stream_url, other)
    assert result.stdout.splitlines()[-1] == "FAIL  Stream: credentials refused (status 401)"
    assert other not in result.output
    assert result.exit_code == 1


@pytest.mark.parametrize(
    ("behaviour", "words"),
    [
        (Behaviour.RATE_LIMITED, "its rate limit is reached: try again later"),
        (Behaviour.BAD_REQUEST, "the request is rejected (status 400)"),
        (Behaviour.ERROR, "cannot be asked (status 500)"),
        (Behaviour.BROKEN_ENVELOPE, "cannot be asked (status 500)"),
        (Behaviour.REDIRECT, "cannot be asked (redirected with status 302)"),
        (Behaviour.NO_ENDPOINT, "STREAM_BASE_URL does not lead to its API (status 404)"),
    ],
)
def test_credentials_that_nothing_was_said_of_fail(
    stream_url: str, stand_in: StreamStandIn, behaviour: Behaviour, words: str
) -> None:
    stand_in.put("livestream", "livecalls-check", behaviour=behaviour)
    assert stream_line(stream_url) == f"FAIL  Stream: {words}"


def test_a_stream_that_never_answers_is_given_up(
    stream_url: str, stand_in: StreamStandIn, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(check_stream, "MAX_SECONDS", 0.3)
    stand_in.behaviour = Behaviour.HANG
    told = stream_line(stream_url, STREAM_TIMEOUT_MS="60000")
    assert told == "FAIL  Stream: no response in 0.3 s"


def test_an_unreachable_stream_fails() -> None:
    assert stream_line(f"http://127.0.0.1:{closed_port()}").startswith("FAIL  Stream: cannot be asked (")


def test_an_address_that_is_none_fails_among_the_settings() -> None:
    told = "FAIL  settings: STREAM_BASE_URL: must be an https:// URL, or http:// on this machine"
    assert stream_line("not-a-url") == told


@pytest.mark.parametrize("path", ["/elsewhere", "/video", "/api/v2"])
def test_an_address_that_is_not_stream_s_fails(stream_url: str, path: str) -> None:
    told = "FAIL  Stream: STREAM_BASE_URL does not lead to its API (status 404)"
    assert stream_line(f"{stream_url}{path}") == told
