"""The sources of key sets, with real servers."""

import logging
from collections.abc import AsyncIterator
from contextlib import aclosing
from pathlib import Path

import pytest

from server.auth.discovery import Discovery
from server.auth.issuer_client import IssuerClient
from server.auth.key_server_token import KeyServerToken
from server.auth.key_source import KeySource, KeySourceError, of_discovery, of_file, of_url
from server.config.tokens import TokenSettings
from tests.support.auth.tokens import all_signers, key_set
from tests.support.stand_ins.key_server import PATH, KeyServer

DOCUMENT = key_set(*all_signers())


@pytest.fixture
async def client() -> AsyncIterator[IssuerClient]:
    async with aclosing(IssuerClient(TokenSettings())) as client:
        yield client


@pytest.fixture
def token_file(tmp_path: Path) -> Path:
    file = tmp_path / "token"
    write(file, b"first\n")
    return file


def write(file: Path, content: bytes) -> None:
    file.write_bytes(content)


async def failure_of(read: KeySource) -> KeySourceError:
    with pytest.raises(KeySourceError) as raised:
        await read()
    return raised.value


async def test_a_document_is_fetched_anew_every_time(
    client: IssuerClient, key_server: KeyServer
) -> None:
    fetch = of_url(client, key_server.url)
    assert await fetch() == DOCUMENT
    key_server.publishes(*all_signers()[:1])
    assert await fetch() == key_set(*all_signers()[:1])
    assert key_server.requests == 2


async def test_a_failure_has_the_reason_and_how_long_to_wait(
    client: IssuerClient, key_server: KeyServer
) -> None:
    key_server.answers(429, retry_after="60")
    failure = await failure_of(of_url(client, key_server.url))
    assert (str(failure), failure.retry_after) == ("status 429", 60)


async def test_a_token_is_read_anew_every_time(
    client: IssuerClient, key_server: KeyServer, token_file: Path
) -> None:
    fetch = of_url(client, key_server.url, KeyServerToken(token_file, key_server.url))
    await fetch()
    write(token_file, b"second")
    await fetch()
    shown = [headers["authorization"] for headers in key_server.headers]
    assert shown == ["Bearer first", "Bearer second"]


@pytest.mark.parametrize("content", [b"", b"\n", b"two words", b"a\r\nx: y", b"\xff", b"a:b"])
async def test_a_file_without_a_token_is_a_failure(
    client: IssuerClient, key_server: KeyServer, token_file: Path, content: bytes
) -> None:
    write(token_file, content)
    token = KeyServerToken(token_file, key_server.url)
    failure = await failure_of(of_url(client, key_server.url, token))
    assert str(failure) == "AUTH_JWKS_TOKEN_FILE holds no token"
    assert key_server.requests == 0


async def test_a_file_of_a_token_that_is_gone_is_a_failure(
    client: IssuerClient, key_server: KeyServer, tmp_path: Path
) -> None:
    token = KeyServerToken(tmp_path / "none", key_server.url)
    failure = await failure_of(of_url(client, key_server.url, token))
    assert str(failure) == "AUTH_JWKS_TOKEN_FILE cannot be read: No such file or directory"


@pytest.mark.parametrize(
    ("url", "is_shown"),
    [
        ("https://a.example/keys", True),
        ("https://a.example:443/", True),
        ("https://A.example/", True),
        ("https://a.example:8443/", False),
        ("http://a.example/", False),
        ("https://b.example/", False),
        ("https://a.example/\ud800", False),
        ("https://a.example.b.example/", False),
        ("https://a.example@b.example/", False),
        ("https://ho\0st/", False),
    ],
)
async def test_a_token_is_shown_to_its_own_key_server_alone(
    token_file: Path, url: str, is_shown: bool
) -> None:
    headers = await KeyServerToken(token_file, "https://a.example").headers_for(url)
    assert headers == ({"authorization": "Bearer first"} if is_shown else {})


async def test_discovered_keys_are_read_with_their_address_every_time(
    client: IssuerClient, key_server: KeyServer
) -> None:
    key_server.describes(key_server.origin)
    fetch = of_discovery(client, Discovery(client, key_server.origin))
    assert await fetch() == DOCUMENT
    key_server.describes(key_server.origin, jwks_uri=f"{key_server.origin}/others")
    assert await fetch() == DOCUMENT
    assert key_server.paths[1::2] == [PATH, "/others"]


async def test_keys_are_read_on_while_the_issuer_does_not_name_their_address(
    client: IssuerClient, key_server: KeyServer, caplog: pytest.LogCaptureFixture
) -> None:
    key_server.describes(key_server.origin)
    fetch = of_discovery(client, Discovery(client, key_server.origin))
    await fetch()
    key_server.answers_at("/.well-known/openid-configuration", 500)
    key_server.publishes(*all_signers()[:1])
    assert await fetch() == key_set(*all_signers()[:1])
    (line,) = caplog.records
    assert (line.levelno, line.message) == (logging.WARNING, "the issuer's metadata cannot be read")
    assert vars(line)["reason"] == "discovery: status 500"


async def test_it_is_named_at_which_address_the_keys_are_not(
    client: IssuerClient, key_server: KeyServer
) -> None:
    key_server.describes(key_server.origin)
    key_server.answers(503, retry_after="60")
    failure = await failure_of(of_discovery(client, Discovery(client, key_server.origin)))
    assert (str(failure), failure.retry_after) == (f"status 503 (at {key_server.url})", 60)


async def test_without_their_address_there_are_no_keys(
    client: IssuerClient, key_server: KeyServer
) -> None:
    key_server.answers(429, retry_after="60")
    failure = await failure_of(of_discovery(client, Discovery(client, key_server.origin)))
    assert (str(failure), failure.retry_after) == ("discovery: status 429", 60)


async def test_a_file_is_read_anew_every_time(tmp_path: Path) -> None:
    file = tmp_path / "keys.json"
    read = of_file(file)
    for document in (b"one", b"two"):
        file.write_bytes(document)
        assert await read() == document


async def test_a_byte_order_mark_of_a_file_is_passed_over(tmp_path: Path) -> None:
    file = tmp_path / "keys.json"
    file.write_bytes(b"\xef\xbb\xbf" + DOCUMENT)
    assert await of_file(file)() == DOCUMENT


async def test_a_file_that_is_gone_is_a_failure(tmp_path: Path) -> None:
    with pytest.raises(KeySourceError, match="No such file or directory"):
        await of_file(tmp_path / "none")()
