"""What an issuer is sent to introspect a token, of which the log shows nothing."""

from pathlib import Path

import pytest

from tests.support.auth.guarded import ask
from tests.support.auth.introspected import CREDENTIALS, introspected_service, invalid, unavailable
from tests.support.server.service import Deployment, Service, Standalone
from tests.support.stand_ins.introspection_server import (
    CLIENT_SECRET,
    OWN_TOKEN,
    PATH,
    IntrospectionServer,
)

GOOD = "lph_at_good"


@pytest.mark.parametrize("auth", CREDENTIALS)
async def test_the_server_shows_who_it_is_as_it_is_set_to(deployment: Deployment, auth: str) -> None:
    server = IntrospectionServer(auth)
    with server.running():
        async with introspected_service(deployment, server.url, **CREDENTIALS[auth]) as service:
            assert await ask(service, server.knows(GOOD))
        for other in CREDENTIALS.keys() - {auth}:
            async with introspected_service(deployment, server.url, **CREDENTIALS[other]) as service:
                await unavailable(service, GOOD)


async def test_its_own_token_may_change_in_its_file(deployment: Deployment, tmp_path: Path) -> None:
    file = tmp_path / "token"
    file.write_text("another\n")
    server = IntrospectionServer("bearer")
    with server.running():
        async with introspected_service(
            deployment, server.url, auth="bearer", token_file=file
        ) as service:
            await unavailable(service, server.knows(GOOD))
            file.write_text(f"{OWN_TOKEN}\n")
            assert await ask(service, GOOD)


@pytest.mark.parametrize(
    ("content", "problem"),
    [
        (b"", "holds no token"),
        (b"a b", "holds no token"),
        (b"a\nx: y", "holds no token"),
        (b"\xff", "cannot be read: it is not text"),
        (None, "cannot be read: No such file or directory"),
    ],
)
async def test_what_is_no_token_in_it_is_not_sent(
    tmp_path: Path, caplog: pytest.LogCaptureFixture, content: bytes | None, problem: str
) -> None:
    file = tmp_path / "token"
    file.touch()
    server = IntrospectionServer("bearer")
    with server.running():
        async with introspected_service(
            Standalone(), server.url, auth="bearer", token_file=file
        ) as service:
            file.write_bytes(content) if content is not None else file.unlink()
            await unavailable(service, server.knows(GOOD))
    assert server.requests == 0
    (reason,) = (vars(line)["reason"] for line in caplog.records if line.name == "server.auth")
    assert reason == f"AUTH_INTROSPECTION_TOKEN_FILE {problem}"


async def test_the_log_is_loud_and_has_no_token_and_no_credentials(
    introspected: Service, introspection_server: IntrospectionServer, caplog: pytest.LogCaptureFixture
) -> None:
    caplog.set_level("DEBUG")
    await ask(introspected, introspection_server.knows(GOOD, sub="a-person", username="a-name"))
    await invalid(introspected, "lph_at_bad")
    introspection_server.auth = "none"
    for token in ("lph_at_new", "lph_at_newer"):
        await unavailable(introspected, token)
    lines = [line for line in caplog.records if line.name == "server.auth"]
    assert [(line.levelname, line.message) for line in lines] == [
        ("INFO", "token refused"),
        ("ERROR", "introspection refuses the server's own credentials"),
    ]
    assert vars(lines[0])["check"] == "inactive"
    logged = "\n".join(str(vars(line)) for line in caplog.records)
    for secret in ("lph_at", "a-person", "a-name", CLIENT_SECRET, "Basic "):
        assert secret not in logged


async def test_a_token_is_sent_in_the_body_alone(
    introspected: Service, introspection_server: IntrospectionServer
) -> None:
    await ask(introspected, introspection_server.knows(GOOD))
    assert introspection_server.forms == [{"token": GOOD, "token_type_hint": "access_token"}]
    assert introspection_server.paths == [PATH]
    (headers,) = introspection_server.headers
    assert headers["content-type"] == "application/x-www-form-urlencoded"
    assert headers["accept"].startswith("application/json")
    assert GOOD not in str(headers)
