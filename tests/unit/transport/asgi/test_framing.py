"""What the body of a request may be."""

import tracemalloc
import zlib
from random import Random

import pytest
from google.rpc import code_pb2
from livecalls.v1 import live_calls_pb2 as pb

from tests.support.data.calls import CALL_ID
from tests.support.envoy.asgi import REQUEST, Hosted, message

CONTENT = REQUEST[5:]
GZIP, DEFLATE = 31, 15


def compressed(content: bytes, wbits: int = GZIP) -> bytes:
    return message(zlib.compress(content, wbits=wbits), flag=1)


@pytest.mark.parametrize(
    "parts",
    [
        [REQUEST],
        [REQUEST, b""],
        [REQUEST[:1], REQUEST[1:]],
        [REQUEST[:5], b"", REQUEST[5:9], REQUEST[9:]],
        [bytes([byte]) for byte in REQUEST],
    ],
    ids=["whole", "its end apart", "cut in the prefix", "cut behind it", "byte by byte"],
)
async def test_a_message_is_read_however_it_is_cut(service: Hosted, parts: list[bytes]) -> None:
    reply = await service.ask(*parts)
    assert (reply.status, reply.code) == (200, code_pb2.OK)
    assert pb.Call.FromString(reply.the_message).id == CALL_ID


async def test_an_empty_message_is_a_message(service: Hosted) -> None:
    assert (await service.ask(message(b""))).words == "The id of the call is required."


@pytest.mark.parametrize(
    ("body", "code", "words"),
    [
        (b"", code_pb2.UNIMPLEMENTED, "The method takes exactly one message."),
        (REQUEST + REQUEST, code_pb2.UNIMPLEMENTED, "The method takes exactly one message."),
        (REQUEST[:3], code_pb2.INTERNAL, "The last message of the request is cut off."),
        (REQUEST[:-1], code_pb2.INTERNAL, "The last message of the request is cut off."),
        (REQUEST + b"\0", code_pb2.INTERNAL, "The last message of the request is cut off."),
        (message(CONTENT, 2), code_pb2.INTERNAL, "Invalid flag 2 of a message."),
        (message(CONTENT, 255), code_pb2.INTERNAL, "Invalid flag 255 of a message."),
        (
            message(CONTENT, 1),
            code_pb2.INTERNAL,
            "Compression bit set but no encoding configured",
        ),
        (
            message(b"x" * 65537),
            code_pb2.RESOURCE_EXHAUSTED,
            "SERVER: Received message larger than max (65537 vs. 65536)",
        ),
        (
            b"\0\xff\xff\xff\xff",
            code_pb2.RESOURCE_EXHAUSTED,
            "SERVER: Received message larger than max (4294967295 vs. 65536)",
        ),
    ],
)
async def test_a_body_that_is_not_one_message_is_refused(
    service: Hosted, body: bytes, code: int, words: str
) -> None:
    for parts in ([body], [body, b""]):
        reply = await service.ask(*parts)
        assert (reply.status, reply.code, reply.words) == (200, code, words)
        assert reply.trailers is None


async def test_a_second_message_is_refused_also_where_it_comes_later(service: Hosted) -> None:
    assert (await service.ask(REQUEST, REQUEST)).code == code_pb2.UNIMPLEMENTED


async def test_a_message_of_64_kib_is_read(service: Hosted) -> None:
    padding = 65536 - len(CONTENT)
    # An unknown field, number 15, of the length that is left behind its own prefix of four bytes.
    body = CONTENT + b"\x7a" + bytes([0x80 | (padding - 4) & 0x7F, 0x80 | (padding - 4) >> 7 & 0x7F, 3])
    whole = message(body.ljust(65536, b"x"))
    assert len(whole) == 65541
    for parts in ([whole], [whole[:9], whole[9:]]):
        assert (await service.ask(*parts)).code == code_pb2.OK


@pytest.mark.parametrize(("encoding", "wbits"), [(b"gzip", GZIP), (b"deflate", DEFLATE)])
async def test_a_compressed_message_is_read_and_answered_by_a_compressed_one(
    service: Hosted, encoding: bytes, wbits: int
) -> None:
    reply = await service.ask(compressed(CONTENT, wbits), more=[(b"grpc-encoding", encoding)])
    ((flag, content),) = reply.messages
    assert (b"grpc-encoding", encoding) in reply.headers
    assert flag == 1
    assert pb.Call.FromString(zlib.decompress(content, wbits)).id == CALL_ID


@pytest.mark.parametrize(("encoding", "wbits"), [(b"gzip", GZIP), (b"deflate", DEFLATE)])
async def test_a_compressed_message_may_repeat_what_came_long_before(
    service: Hosted, encoding: bytes, wbits: int
) -> None:
    text = Random(0).randbytes(10_000).hex()  # noqa: S311 - only hard to compress
    request = pb.GetCallRequest(id=text * 2).SerializeToString()
    reply = await service.ask(compressed(request, wbits), more=[(b"grpc-encoding", encoding)])
    assert reply.code == code_pb2.NOT_FOUND


@pytest.mark.parametrize("accepted", [b"identity", b"identity,deflate", b""])
async def test_who_cannot_read_gzip_gets_none(service: Hosted, accepted: bytes) -> None:
    more = [(b"grpc-encoding", b"gzip"), (b"grpc-accept-encoding", accepted)]
    reply = await service.ask(compressed(CONTENT), more=more)
    assert pb.Call.FromString(reply.the_message).id == CALL_ID
    assert b"grpc-encoding" not in dict(reply.headers)


async def test_a_message_may_be_left_as_it_is_where_others_are_compressed(service: Hosted) -> None:
    reply = await service.ask(REQUEST, more=[(b"grpc-encoding", b"gzip")])
    assert reply.code == code_pb2.OK


@pytest.mark.parametrize(
    "content",
    [
        b"no gzip",
        b"",
        zlib.compress(CONTENT, wbits=GZIP)[:-1],
        zlib.compress(CONTENT, wbits=GZIP) + b"x",
        zlib.compress(CONTENT, wbits=DEFLATE),
    ],
    ids=["garbage", "nothing", "cut off", "more behind it", "another format"],
)
async def test_what_cannot_be_decompressed_is_refused(service: Hosted, content: bytes) -> None:
    reply = await service.ask(message(content, 1), more=[(b"grpc-encoding", b"gzip")])
    assert (reply.code, reply.words) == (
        code_pb2.INTERNAL,
        "Decompression failed due to zlib error",
    )


async def test_no_more_is_decompressed_than_may_be_received(service: Hosted) -> None:
    bomb = compressed(b"\0" * 50_000_000)
    tracemalloc.start()
    reply = await service.ask(bomb, more=[(b"grpc-encoding", b"gzip")])
    _, most_held = tracemalloc.get_traced_memory()
    tracemalloc.stop()
    assert most_held < 1_000_000
    assert (reply.code, reply.words) == (
        code_pb2.RESOURCE_EXHAUSTED,
        "Decompressed message larger than max",
    )


async def test_an_unknown_compression_is_refused_by_naming_the_known(service: Hosted) -> None:
    reply = await service.ask(REQUEST, more=[(b"grpc-encoding", b"br")])
    assert reply.code == code_pb2.UNIMPLEMENTED
    assert reply.fields[b"grpc-accept-encoding"] == b"identity, deflate, gzip"
