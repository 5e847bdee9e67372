import asyncio
import ssl
from pathlib import Path

import httpx
import pytest
import trustme

from server.auth.key_source import LARGEST_DOCUMENT, KeySourceError, of_file, of_url
from tests.support.key_server import KeyServer
from tests.support.stream import closed_port
from tests.support.tokens import all_signers, key_set

DOCUMENT = key_set(*all_signers())


@pytest.fixture(scope="module")
def authority() -> trustme.CA:
    return trustme.CA()


@pytest.fixture
def tls(authority: trustme.CA) -> ssl.SSLContext:
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    authority.issue_cert("127.0.0.1").configure_cert(context)
    return context


def _trusting(authority: trustme.CA) -> ssl.SSLContext:
    context = ssl.create_default_context()
    authority.configure_trust(context)
    return context


async def failure_of(url: str) -> str:
    with pytest.raises(KeySourceError) as raised:
        await of_url(url)()
    return str(raised.value)


async def test_a_document_is_fetched_anew_every_time(key_server: KeyServer) -> None:
    fetch = of_url(key_server.url)
    assert await fetch() == DOCUMENT
    key_server.publishes(*all_signers()[:1])
    assert await fetch() == key_set(*all_signers()[:1])
    assert key_server.requests == 2


async def test_it_is_asked_for_without_packing_and_credentials(key_server: KeyServer) -> None:
    await of_url(key_server.url)()
    (headers,) = key_server.headers
    assert headers["accept-encoding"] == "identity"
    assert {"authorization", "cookie"}.isdisjoint(headers)


@pytest.mark.parametrize("status", [201, 204, 301, 302, 304, 307, 308, 401, 404, 500, 503])
async def test_any_other_status_is_a_failure_and_no_redirect_is_followed(
    key_server: KeyServer, status: int
) -> None:
    key_server.answers(status, location=key_server.url)
    assert await failure_of(key_server.url) == f"status {status}"
    assert key_server.requests == 1


async def test_a_document_may_be_large_and_no_larger(key_server: KeyServer) -> None:
    key_server.answers(200, b" " * LARGEST_DOCUMENT)
    assert len(await of_url(key_server.url)()) == LARGEST_DOCUMENT
    key_server.answers(200, b" " * (LARGEST_DOCUMENT + 1))
    assert await failure_of(key_server.url) == "too large"


async def test_one_without_end_is_too_large(key_server: KeyServer) -> None:
    key_server.trickles(b" " * 1024)
    assert await failure_of(key_server.url) == "too large"


async def test_a_packed_bomb_is_not_unpacked(key_server: KeyServer) -> None:
    packed = b"\x1f\x8b" + b"\0" * 100
    key_server.answers(200, packed, **{"content-encoding": "gzip"})
    assert await of_url(key_server.url)() == packed


async def test_a_server_that_hangs_is_waited_for_3_s_and_the_loop_goes_on(
    key_server: KeyServer, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("server.auth.key_source._WITHIN_SECONDS", 0.2)
    key_server.hangs()
    fetching = asyncio.ensure_future(of_url(key_server.url)())
    turns = 0
    while not fetching.done():
        await asyncio.sleep(0.001)
        turns += 1
    with pytest.raises(KeySourceError, match="no answer"):
        await fetching
    assert turns > 10


async def test_a_server_that_says_a_byte_at_a_time_is_given_up_too(
    key_server: KeyServer, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("server.auth.key_source._WITHIN_SECONDS", 0.2)
    key_server.trickles(b" ", pause=0.01)
    assert await failure_of(key_server.url) == "no answer in 0 s"


async def test_a_server_that_hangs_up_is_a_failure(key_server: KeyServer) -> None:
    key_server.hangs_up()
    assert "disconnected" in await failure_of(key_server.url)


async def test_a_server_that_is_away_is_a_failure() -> None:
    assert "failed" in await failure_of(f"http://127.0.0.1:{closed_port()}/")


async def test_who_has_no_certificate_of_an_authority_is_not_believed(
    tls: ssl.SSLContext, authority: trustme.CA, monkeypatch: pytest.MonkeyPatch
) -> None:
    server = KeyServer()
    with server.running(tls):
        url = server.url.replace("http:", "https:")
        assert "CERTIFICATE_VERIFY_FAILED" in await failure_of(url)
        assert server.requests == 0
        monkeypatch.setattr(httpx, "create_ssl_context", lambda **_: _trusting(authority))
        assert await of_url(url)() == DOCUMENT


async def test_one_that_speaks_no_tls_is_a_failure(key_server: KeyServer) -> None:
    assert "SSL" in await failure_of(key_server.url.replace("http:", "https:"))


@pytest.mark.parametrize("url", ["https://x:port/", "https://ho\0st/"])
async def test_an_address_that_is_none_is_a_failure(url: str) -> None:
    assert "Invalid" in await failure_of(url)


async def test_a_file_is_read_anew_every_time(tmp_path: Path) -> None:
    file = tmp_path / "keys.json"
    read = of_file(file)
    for document in (b"one", b"two"):
        file.write_bytes(document)
        assert await read() == document


async def test_a_file_that_is_gone_is_a_failure(tmp_path: Path) -> None:
    with pytest.raises(KeySourceError, match="No such file or directory"):
        await of_file(tmp_path / "none")()
