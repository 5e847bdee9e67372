from collections.abc import AsyncIterator, Mapping

import httpx
import pytest

from server.adapters.stream.bounded_transport import MAX_RESPONSE_BYTES, BoundedTransport
from server.adapters.stream.errors import StreamFailedError, StreamRateLimitedError

NOW = 1_800_000_000


class Parts(httpx.AsyncByteStream):
    """A body in parts, which counts those that were read."""

    def __init__(self, parts: list[bytes]) -> None:
        self.parts = parts
        self.read = 0
        self.closed = False

    async def __aiter__(self) -> AsyncIterator[bytes]:
        for part in self.parts:
            self.read += 1
            yield part

    async def aclose(self) -> None:
        self.closed = True


def client(
    body: Parts, status: int = 200, headers: Mapping[str, str] | None = None
) -> httpx.AsyncClient:
    inner = httpx.MockTransport(lambda _: httpx.Response(status, headers=headers, stream=body))
    return httpx.AsyncClient(transport=BoundedTransport(inner, wall_clock=lambda: NOW + 0.9))


async def test_brings_the_body_as_it_came() -> None:
    async with client(Parts([b"a", b"b"]), 201) as http:
        response = await http.get("http://stream.test/")
    assert (response.status_code, response.content) == (201, b"ab")


async def test_asks_for_no_compression() -> None:
    asked: list[str] = []

    def answer(request: httpx.Request) -> httpx.Response:
        asked.append(request.headers["accept-encoding"])
        return httpx.Response(200, stream=Parts([]))

    async with httpx.AsyncClient(transport=BoundedTransport(httpx.MockTransport(answer))) as http:
        await http.get("http://stream.test/")
    assert asked == ["identity"]


@pytest.mark.parametrize(
    "headers", [{"Content-Encoding": "gzip"}, {"Content-Type": "text/plain; charset=zlib"}]
)
async def test_nothing_a_header_names_is_done_to_the_body(headers: Mapping[str, str]) -> None:
    async with client(Parts([b"{}"]), headers=headers) as http:
        response = await http.get("http://stream.test/")
    assert response.text == "{}"


async def test_the_largest_answer_is_read() -> None:
    async with client(Parts([b"x" * (MAX_RESPONSE_BYTES // 4)] * 4)) as http:
        response = await http.get("http://stream.test/")
    assert len(response.content) == MAX_RESPONSE_BYTES


async def test_a_larger_one_is_not_read_to_its_end() -> None:
    body = Parts([b"x" * (MAX_RESPONSE_BYTES // 4)] * 40)
    async with client(body) as http:
        with pytest.raises(StreamFailedError, match="too large"):
            await http.get("http://stream.test/")
    assert body.read == 5
    assert body.closed


@pytest.mark.parametrize(
    ("headers", "seconds"),
    [
        ({"X-RateLimit-Reset": str(NOW + 20)}, 20),
        ({"X-RateLimit-Reset": f"{NOW + 20}.5"}, 20),
        ({"X-RateLimit-Reset": str(NOW - 20)}, -20),
        ({"Retry-After": "7"}, 7),
        ({"Retry-After": "7", "X-RateLimit-Reset": str(NOW + 20)}, 20),
        ({"Retry-After": "30", "X-RateLimit-Reset": str(NOW + 20)}, 30),
        ({"Retry-After": "7", "X-RateLimit-Reset": "soon"}, 7),
        ({"X-RateLimit-Reset": "9" * 5000}, None),
        ({"Retry-After": "Fri, 31 Dec 2027 23:59:59 GMT"}, None),
        ({}, None),
    ],
)
async def test_a_429_tells_for_how_long(headers: Mapping[str, str], seconds: int | None) -> None:
    body = Parts([b"never read"])
    async with client(body, 429, headers) as http:
        with pytest.raises(StreamRateLimitedError) as caught:
            await http.get("http://stream.test/")
    assert caught.value.seconds == seconds
    assert (body.read, body.closed) == (0, True)


@pytest.mark.parametrize("status", [301, 302, 307, 308])
async def test_a_redirect_is_called_one_and_not_followed(status: int) -> None:
    async with client(Parts([b""]), status, {"Location": "http://stream.test/secret"}) as http:
        with pytest.raises(StreamFailedError) as caught:
            await http.get("http://stream.test/", follow_redirects=True)
    assert caught.value.reason == f"redirected with status {status}"


async def test_an_error_without_end_is_not_read_to_its_end() -> None:
    body = Parts([b"x" * 1024] * 1000)
    async with client(body, 500) as http:
        with pytest.raises(StreamFailedError, match=r"^status 500$"):
            await http.get("http://stream.test/")
    assert body.read == 65
    assert body.closed
