"""What the headers of a request may be, and what the call knows by them."""

import math

import pytest
from google.rpc import code_pb2

from server.transport.asgi.call import AsgiCall
from server.transport.asgi.headers import parse_timeout
from server.transport.asgi.rejections import RejectedError
from server.transport.asgi.types import Headers
from tests.support.envoy.asgi import HEADERS, REQUEST, Hosted


def call(*headers: tuple[bytes, bytes]) -> AsgiCall:
    return AsgiCall("POST", [*HEADERS, *headers])


@pytest.mark.parametrize(
    ("header", "seconds"),
    [
        (b"2H", 7200),
        (b"3M", 180),
        (b"4S", 4),
        (b"5m", 0.005),
        (b"6u", 6e-6),
        (b"7n", 7e-9),
        (b"0S", 0),
        (b"99999999H", 99999999 * 3600),
    ],
)
def test_a_timeout_is_digits_and_a_unit(header: bytes, seconds: float) -> None:
    assert parse_timeout(header) == pytest.approx(seconds)


BAD_TIMEOUTS = [
    b"", b"S", b"5", b"5s", b"-5S", b"+5S", b" 5S", b"5 S", b"1.5S", b"123456789S", b"5SS", b"\xb2S",
]  # fmt: skip


@pytest.mark.parametrize("header", BAD_TIMEOUTS)
async def test_a_malformed_timeout_is_refused(service: Hosted, header: bytes) -> None:
    reply = await service.ask(REQUEST, more=[(b"grpc-timeout", header)])
    assert (reply.code, reply.words) == (
        code_pb2.INTERNAL,
        "Error parsing 'grpc-timeout' metadata",
    )


def test_the_time_left_is_that_of_the_timeout() -> None:
    assert 9 < call((b"grpc-timeout", b"10S")).time_left() <= 10
    assert call().time_left() == math.inf


async def test_a_timeout_of_nothing_has_passed(service: Hosted) -> None:
    reply = await service.ask(REQUEST, more=[(b"grpc-timeout", b"0n")])
    assert (reply.code, reply.words) == (code_pb2.DEADLINE_EXCEEDED, "Deadline Exceeded")


def test_values_are_listed_in_order() -> None:
    given = call((b"a", b"1"), (b"b", b"2"), (b"a", b"3,4"))
    assert list(given.values("a")) == ["1", "3,4"]
    assert list(given.values("b")) == ["2"]
    assert list(given.values("c")) == []


def test_text_that_is_no_utf_8_is_latin_1() -> None:
    assert list(call((b"a", "ü".encode())).values("a")) == ["ü"]
    assert list(call((b"a", b"\xff")).values("a")) == ["ÿ"]


@pytest.mark.parametrize("header", [b"AP8=", b"AP8", b" AP8= "])
def test_binary_values_come_with_padding_and_without(header: bytes) -> None:
    assert list(call((b"a-bin", header)).values("a-bin")) == [b"\0\xff"]


def test_binary_values_may_be_joined_by_commas() -> None:
    given = call((b"a-bin", b"AA==,/w"), (b"a-bin", b""))
    assert list(given.values("a-bin")) == [b"\0", b"\xff", b""]


@pytest.mark.parametrize("header", [b"!!!!", b"A", b"AAAAA", b"AA==AA", b"AA,!"])
async def test_a_binary_value_that_is_no_base64_is_refused(service: Hosted, header: bytes) -> None:
    reply = await service.ask(REQUEST, more=[(b"a-bin", header)])
    assert (reply.code, reply.words) == (
        code_pb2.INTERNAL,
        "Error parsing 'a-bin' metadata: illegal base64 encoding",
    )


@pytest.mark.parametrize("name", ["te", "content-type", "grpc-timeout", "grpc-anything"])
def test_what_is_grpcs_own_is_no_metadata(name: str) -> None:
    given = call((b"grpc-timeout", b"1S"), (b"grpc-anything", b"1"))
    assert list(given.values(name)) == []


@pytest.mark.parametrize("te", [[], [(b"te", b"gzip")]])
def test_who_takes_no_trailers_is_refused(te: Headers) -> None:
    with pytest.raises(RejectedError) as raised:
        AsgiCall("POST", [HEADERS[0], *te])
    assert raised.value.code == code_pb2.INTERNAL


@pytest.mark.parametrize(
    "content_type",
    [b"application/grpc", b"application/grpc+proto", b"application/grpc; charset=utf-8"],
)
async def test_grpcs_content_types_are_taken(service: Hosted, content_type: bytes) -> None:
    headers = [(b"content-type", content_type), (b"te", b"trailers")]
    assert (await service.ask(REQUEST, headers=headers)).code == code_pb2.OK


@pytest.mark.parametrize(
    "content_type",
    [b"", b"application/json", b"application/grpc-web", b"application/grpc+json", b"application/grpcx"],
)
async def test_another_content_is_no_grpc(service: Hosted, content_type: bytes) -> None:
    headers = [(b"content-type", content_type), (b"te", b"trailers")]
    reply = await service.ask(REQUEST, headers=headers)
    assert (reply.status, reply.body, reply.trailers) == (415, b"", None)


@pytest.mark.parametrize("verb", ["GET", "PUT", "post"])
async def test_another_verb_is_no_grpc(service: Hosted, verb: str) -> None:
    reply = await service.ask(verb=verb)
    assert (reply.status, dict(reply.headers)) == (405, {b"allow": b"POST"})


@pytest.mark.parametrize(
    "path", ["/livecalls.v1.LiveCalls/Nope", "/", "", "/livecalls.v1.LiveCalls/GetCall/", "/%FF"]
)
async def test_an_unknown_path_names_no_method(service: Hosted, path: str) -> None:
    reply = await service.ask(REQUEST, path=path)
    assert (reply.code, reply.words) == (code_pb2.UNIMPLEMENTED, "Method not found!")
