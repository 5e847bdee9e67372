import socket
import struct
from collections.abc import Iterator
from dataclasses import dataclass

import grpc
import pytest

from tests.support.gateway import Gateway
from tests.support.rest import ask
from tests.support.upstream import Upstream

CALL = "/v1/live/calls/11111111-1111-4111-8111-111111111111"
PREFACE = b"PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n"
DATA, HEADERS, SETTINGS = 0, 1, 4
END_STREAM, END_HEADERS = 1, 4


@dataclass(frozen=True)
class Frame:
    kind: int
    flags: int
    payload: bytes


@pytest.mark.parametrize("path", [CALL, f"{CALL}x"], ids=["200", "404"])
def test_a_get_ends_with_its_body_and_no_trailers(path: str, rest_url: str, gateway: Gateway) -> None:
    frames = asked(gateway, "GET", path)
    assert (
        b"".join(frame.payload for frame in frames if frame.kind == DATA)
        == ask(rest_url, "GET", path).body
    )
    trailers = [frame for frame in frames[1:] if frame.kind != DATA]
    assert [frame for frame in trailers if frame.payload] == []


@pytest.mark.parametrize(
    ("path", "headers"),
    [(CALL, {}), (CALL, {"if-none-match": "*"}), (f"{CALL}x", {}), ("/", {})],
    ids=["200", "304", "404", "elsewhere"],
)
def test_a_head_has_no_body(path: str, headers: dict[str, str], rest_url: str, gateway: Gateway) -> None:
    assert rest_url == gateway.url
    frames = asked(gateway, "HEAD", path, headers)
    assert {frame.kind for frame in frames} <= {HEADERS, DATA}
    assert b"".join(frame.payload for frame in frames if frame.kind == DATA) == b""


def test_a_head_fails_without_a_body(gateway: Gateway, upstream: Upstream) -> None:
    upstream.fails(grpc.StatusCode.UNAVAILABLE, "Away.")
    frames = asked(gateway, "HEAD", CALL)
    assert {frame.kind for frame in frames} <= {HEADERS, DATA}
    assert b"".join(frame.payload for frame in frames if frame.kind == DATA) == b""


def asked(gateway: Gateway, verb: str, path: str, headers: dict[str, str] | None = None) -> list[Frame]:
    """Send one request by HTTP/2, and read the frames of its reply, however it ends."""
    fields = {":method": verb, ":scheme": "http", ":path": path, ":authority": "a", **(headers or {})}
    # HPACK's plainest form: every field a literal with a new name.
    block = b"".join(b"\0" + counted(name) + counted(value) for name, value in fields.items())
    host, _, port = gateway.address.partition(":")
    with socket.create_connection((host, int(port)), timeout=20) as connection:
        connection.sendall(
            PREFACE + framed(SETTINGS, 0, 0) + framed(HEADERS, END_HEADERS | END_STREAM, 1, block)
        )
        return list(frames_of_stream_one(connection))


def counted(text: str) -> bytes:
    return bytes([len(text)]) + text.encode()


def framed(kind: int, flags: int, stream: int, payload: bytes = b"") -> bytes:
    return struct.pack(">I", len(payload))[1:] + struct.pack(">BBI", kind, flags, stream) + payload


def frames_of_stream_one(connection: socket.socket) -> Iterator[Frame]:
    with connection.makefile("rb") as incoming:
        while head := incoming.read(9):
            length, kind, flags, stream = struct.unpack(">IBBI", b"\0" + head)
            frame = Frame(kind, flags, incoming.read(length))
            if stream == 1:
                yield frame
                if kind not in {DATA, HEADERS} or flags & END_STREAM:
                    return
