"""Requests to issuers, with real servers: what is read, what is not, and what is logged."""

import asyncio
import gzip
import tracemalloc
import zlib
from collections.abc import AsyncIterator
from contextlib import aclosing

import pytest

from server.auth import issuer_client
from server.auth.issuer_answer import MAX_BYTES
from server.auth.issuer_client import IssuerClient, parse_json
from server.auth.issuer_errors import IssuerError
from server.config.tokens import TokenSettings
from tests.support.stand_ins.key_server import KeyServer
from tests.support.stand_ins.stream import closed_port

DOCUMENT = b'{"keys": []}'


@pytest.fixture
async def client() -> AsyncIterator[IssuerClient]:
    async with aclosing(IssuerClient(TokenSettings())) as client:
        yield client


async def failure_of(client: IssuerClient, url: str) -> IssuerError:
    with pytest.raises(IssuerError) as raised:
        await client.get(url)
    return raised.value


async def reason_of(client: IssuerClient, url: str) -> str:
    return (await failure_of(client, url)).reason


async def test_a_document_is_read_without_credentials_and_packing(
    client: IssuerClient, key_server: KeyServer
) -> None:
    key_server.answers(200, DOCUMENT, set_cookie="a=b")
    assert [await client.get(key_server.url) for _ in range(2)] == [DOCUMENT] * 2
    for headers in key_server.headers:
        assert headers["accept-encoding"] == "identity"
        assert {"authorization", "cookie"}.isdisjoint(headers)


async def test_headers_are_sent(client: IssuerClient, key_server: KeyServer) -> None:
    await client.get(key_server.url, {"authorization": "Bearer a"})
    assert key_server.headers[0]["authorization"] == "Bearer a"


async def test_a_form_is_sent(client: IssuerClient, key_server: KeyServer) -> None:
    key_server.answers(200, DOCUMENT)
    assert await client.post(key_server.url, {"token": "a&b"}, {"authorization": "Basic c"}) == DOCUMENT
    assert key_server.bodies == [b"token=a%26b"]
    assert key_server.headers[0]["content-type"] == "application/x-www-form-urlencoded"
    assert key_server.headers[0]["authorization"] == "Basic c"


async def test_connections_are_kept(client: IssuerClient) -> None:
    server = KeyServer(keeps_connections=True)
    with server.running():
        for _ in range(3):
            await client.get(server.url)
        assert (server.requests, server.connections) == (3, 1)


async def test_a_kept_connection_that_the_server_closes_is_no_failure(client: IssuerClient) -> None:
    server = KeyServer(keeps_connections=True)
    with server.running():
        await client.get(server.url)
        server.hangs_up_once()
        assert parse_json(await client.get(server.url))
        assert (server.requests, server.connections) == (3, 2)


async def test_a_server_that_hangs_up_is_asked_once(client: IssuerClient, key_server: KeyServer) -> None:
    key_server.hangs_up()
    assert "disconnected" in await reason_of(client, key_server.url)
    assert key_server.requests == 1


@pytest.mark.parametrize("status", [201, 204, 304, 400, 401, 403, 404, 500, 503])
async def test_any_other_status_is_a_failure(
    client: IssuerClient, key_server: KeyServer, status: int
) -> None:
    key_server.answers(status)
    failure = await failure_of(client, key_server.url)
    assert (failure.reason, failure.status) == (f"status {status}", status)
    assert failure.retry_after is None


@pytest.mark.parametrize("status", [301, 302, 303, 307, 308])
async def test_no_redirect_is_followed(client: IssuerClient, key_server: KeyServer, status: int) -> None:
    key_server.answers(status, location=key_server.url)
    wanted = f"status {status}: redirects are not followed"
    assert await reason_of(client, key_server.url) == wanted
    assert key_server.requests == 1


@pytest.mark.parametrize("status", [429, 503])
@pytest.mark.parametrize(
    ("header", "seconds"),
    [
        ("120", 120),
        ("0", 0),
        ("Wed, 21 Oct 2015 07:28:00 GMT", 0),
        ("-1", None),
        ("1.5", None),
        ("soon", None),
        ("\xb2", None),
        ("", None),
    ],
)
async def test_a_server_may_ask_to_be_left_alone(
    client: IssuerClient, key_server: KeyServer, status: int, header: str, seconds: float | None
) -> None:
    key_server.answers(status, retry_after=header)
    assert (await failure_of(client, key_server.url)).retry_after == seconds


async def test_it_may_name_a_date(client: IssuerClient, key_server: KeyServer) -> None:
    key_server.answers(429, retry_after="Wed, 21 Oct 2150 07:28:00 GMT")
    seconds = (await failure_of(client, key_server.url)).retry_after
    assert seconds is not None
    assert seconds > 1e9


@pytest.mark.parametrize(
    ("packing", "packed"),
    [
        ("gzip", gzip.compress(DOCUMENT)),
        ("GZIP", gzip.compress(DOCUMENT)),
        ("x-gzip", gzip.compress(DOCUMENT)),
        ("deflate", zlib.compress(DOCUMENT)),
        ("identity", DOCUMENT),
        ("", DOCUMENT),
    ],
    ids=["gzip", "upper case", "x-gzip", "deflate", "identity", "nothing"],
)
async def test_what_is_packed_without_being_asked_for_is_read(
    client: IssuerClient, key_server: KeyServer, packing: str, packed: bytes
) -> None:
    key_server.answers(200, packed, content_encoding=packing)
    assert await client.get(key_server.url) == DOCUMENT


@pytest.mark.parametrize(
    ("packing", "packed", "reason"),
    [
        ("br", b"x", "packed in another way than gzip"),
        ("gzip, gzip", b"x", "packed in another way than gzip"),
        ("gzip", DOCUMENT, "no gzip, although it should be"),
        ("gzip", gzip.compress(DOCUMENT)[:-4], "cut off"),
        ("gzip", b"", "cut off"),
    ],
    ids=["other", "twice", "not packed", "cut off", "empty"],
)
async def test_what_cannot_be_unpacked_is_a_failure(
    client: IssuerClient, key_server: KeyServer, packing: str, packed: bytes, reason: str
) -> None:
    key_server.answers(200, packed, content_encoding=packing)
    assert await reason_of(client, key_server.url) == reason


async def test_a_document_behind_a_byte_order_mark_is_read(
    client: IssuerClient, key_server: KeyServer
) -> None:
    key_server.answers(200, b"\xef\xbb\xbf" + DOCUMENT)
    assert await client.get(key_server.url) == DOCUMENT


@pytest.mark.parametrize(
    ("body", "headers", "what_came"),
    [
        (b"<html>", {"content_type": "text/html; charset=utf-8"}, "text/html"),
        (b"<html>", {}, "something without a content type"),
        (b"", {"content_type": "application/json"}, "application/json"),
        (b"[]", {"content_type": "application/json"}, "application/json"),
        (b"a", {"content_type": "x" * 100}, "x" * 60),
    ],
)
async def test_what_came_instead_of_json_is_named(
    client: IssuerClient, key_server: KeyServer, body: bytes, headers: dict[str, str], what_came: str
) -> None:
    key_server.answers(200, body, **headers)
    assert await reason_of(client, key_server.url) == f"no JSON object but {what_came}"


@pytest.mark.parametrize("document", [b"{", b'{"a": \xff}', b"[" * 100_000])
def test_json_that_cannot_be_read_is_a_failure(document: bytes) -> None:
    with pytest.raises(IssuerError, match="no JSON"):
        parse_json(document)


@pytest.mark.parametrize("pack", [bytes, gzip.compress], ids=["plain", "packed"])
async def test_a_document_may_be_large_and_no_larger(
    client: IssuerClient, key_server: KeyServer, pack: type[bytes]
) -> None:
    packing = {} if pack is bytes else {"content_encoding": "gzip"}
    key_server.answers(200, pack(DOCUMENT.ljust(MAX_BYTES)), **packing)
    assert len(await client.get(key_server.url)) == MAX_BYTES
    key_server.answers(200, pack(DOCUMENT.ljust(MAX_BYTES + 1)), **packing)
    assert await reason_of(client, key_server.url) == "too large"


async def test_one_without_end_is_too_large(client: IssuerClient, key_server: KeyServer) -> None:
    key_server.trickles(b" " * 1024)
    assert await reason_of(client, key_server.url) == "too large"


async def test_a_bomb_takes_no_memory(client: IssuerClient, key_server: KeyServer) -> None:
    bomb = gzip.compress(b"{" + b" " * 50_000_000, 9)
    assert len(bomb) < MAX_BYTES
    key_server.answers(200, bomb, content_encoding="gzip")
    tracemalloc.start()
    try:
        assert await reason_of(client, key_server.url) == "too large"
        assert tracemalloc.get_traced_memory()[1] < 16 * MAX_BYTES
    finally:
        tracemalloc.stop()


async def test_a_server_that_hangs_is_given_up_and_the_loop_goes_on(key_server: KeyServer) -> None:
    key_server.hangs()
    async with aclosing(IssuerClient(TokenSettings(), timeout=0.2)) as client:
        asking = asyncio.ensure_future(failure_of(client, key_server.url))
        turns = 0
        while not asking.done():
            await asyncio.sleep(0.001)
            turns += 1
    assert (await asking).reason == "time-out: no answer in 0.2 s"
    assert turns > 10


async def test_a_server_that_sends_a_byte_at_a_time_is_given_up_too(key_server: KeyServer) -> None:
    key_server.trickles(b" ", pause=0.01)
    async with aclosing(IssuerClient(TokenSettings(), timeout=0.2)) as client:
        assert await reason_of(client, key_server.url) == "time-out: no answer in 0.2 s"


async def test_the_time_out_is_3_s_unless_another_is_given() -> None:
    assert issuer_client.TIMEOUT_SECONDS == 3


async def test_a_server_that_is_away_is_named_so(client: IssuerClient) -> None:
    port = closed_port()
    for host in ("127.0.0.1", "localhost"):
        assert await reason_of(client, f"http://{host}:{port}/") == "Connection refused"


async def test_a_name_that_nobody_knows_is_named_so(client: IssuerClient) -> None:
    assert (await reason_of(client, "https://issuer.invalid/")).startswith("DNS: ")


@pytest.mark.parametrize("url", ["https://x:port/", "https://ho\0st/"])
async def test_an_address_that_is_none_is_a_failure(client: IssuerClient, url: str) -> None:
    assert await reason_of(client, url) == "the URL is not valid"


@pytest.mark.parametrize(
    "url",
    [
        "https://a..b/",
        f"https://{'a' * 64}.example/",
        "https://xn--/",
        "http://127.0.0.1:99999/",
        "ftp://127.0.0.1/",
        "keys",
    ],
)
async def test_an_address_that_nobody_can_have_is_a_failure(client: IssuerClient, url: str) -> None:
    assert await reason_of(client, url)


async def test_after_a_failure_it_is_asked_as_before(
    client: IssuerClient, key_server: KeyServer
) -> None:
    for fails in (key_server.hangs_up, lambda: key_server.answers(500)):
        fails()
        await failure_of(client, key_server.url)
    key_server.answers(200, DOCUMENT)
    assert await client.get(key_server.url) == DOCUMENT
