"""Whatever is sent, the reply is one of gRPC's or of HTTP's, and OK only if a method succeeded."""

import asyncio
import zlib
from collections.abc import Iterable
from itertools import pairwise

from google.rpc import code_pb2
from hypothesis import example, given, settings
from hypothesis import strategies as st

from server.transport.asgi.types import Headers
from tests.support.data.calls import PLAIN_CALL
from tests.support.envoy.asgi import HEADERS, REQUEST, Reply, hosted, message
from tests.support.server.service import GET_CALL

CONTENT = REQUEST[5:]
PATHS = [
    GET_CALL,
    "/grpc.health.v1.Health/Check",
    "/grpc.reflection.v1.ServerReflection/ServerReflectionInfo",
]

values = st.binary(max_size=20)
names = st.sampled_from(
    [b"te", b"content-type", b"grpc-timeout", b"grpc-encoding", b"grpc-accept-encoding", b"x-bin",
     b"x-request-id", b"authorization"]
)  # fmt: skip
likely = st.sampled_from(
    [b"trailers", b"application/grpc", b"gzip", b"deflate", b"identity", b"10S", b"1n", b"AP8=", b""]
)
header_lists = st.lists(st.tuples(names, likely | values), max_size=4)
contents = st.sampled_from(
    [b"", CONTENT, zlib.compress(CONTENT, wbits=31), zlib.compress(bytes(100_000), wbits=31)]
) | st.binary(max_size=30)
frames = st.builds(message, contents, st.sampled_from([0, 0, 0, 1, 2, 255]))
bodies = st.builds(b"".join, st.lists(frames | st.binary(max_size=8), max_size=3))


def cut(body: bytes, at: Iterable[int]) -> list[bytes]:
    places = [0, *sorted(place % (len(body) + 1) for place in at), len(body)]
    return [body[begin:end] for begin, end in pairwise(places)]


async def answered(path: str, headers: Headers, parts: list[bytes]) -> tuple[Reply, int]:
    """Return the reply, and how often a method was called."""
    async with hosted() as service:
        asked = []

        async def answer(call_id: str) -> object:
            asked.append(call_id)
            return PLAIN_CALL

        service.ports.answer = answer  # type: ignore[assignment]
        return await service.ask(*parts, path=path, headers=headers), len(asked)


@settings(max_examples=300)
@given(st.sampled_from(PATHS), header_lists, bodies, st.lists(st.integers(0), max_size=3), st.booleans())
@example(GET_CALL, [], REQUEST, [], True)
def test_every_reply_is_well_formed_and_ok_only_by_a_methods_word(
    path: str, headers: Headers, body: bytes, places: list[int], usual: bool
) -> None:
    given_headers = [*HEADERS, *headers] if usual else headers
    reply, asked = asyncio.run(answered(path, given_headers, cut(body, places)))
    if reply.status != 200:
        assert reply.status == 415
        assert (reply.body, reply.trailers) == (b"", None)
        return
    assert dict(reply.headers)[b"content-type"] == b"application/grpc"
    assert reply.code in code_pb2.Code.values()
    assert all(flag in (0, 1) for flag, _ in reply.messages)
    assert "Error:" not in reply.words
    if path == GET_CALL:
        assert len(reply.messages) == (reply.code == code_pb2.OK)
        assert asked == (reply.code == code_pb2.OK)
