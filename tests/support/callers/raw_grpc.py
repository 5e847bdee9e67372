"""Plain HTTP/2 to a gRPC server: metadata of any bytes, which no gRPC client would send."""

import socket
import struct
from collections.abc import Iterable, Iterator
from contextlib import contextmanager, suppress
from typing import BinaryIO

import grpc
from livecalls.v1 import live_calls_pb2 as pb

from tests.support.data.calls import CALL_ID
from tests.support.server.service import GET_CALL

_PREFACE = b"PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n"
_DATA, _HEADERS, _RST_STREAM, _SETTINGS, _PING, _GOAWAY, _WINDOW_UPDATE = 0, 1, 3, 4, 6, 7, 8
_END_STREAM, _END_HEADERS, _ACK = 1, 4, 1
# The server shall write every header in full.
_NO_TABLE = struct.pack(">HI", 1, 0)
_PING_WORDS = b"Are you?"
_ROOM = struct.pack(">I", 1 << 30)
_REQUEST = pb.GetCallRequest(id=str(CALL_ID)).SerializeToString()
_STATUS = b"grpc-status"
# The same in HPACK's Huffman code, which Envoy prefers; it does not make the digits behind it shorter.
_STATUS_IN_HUFFMAN = bytes.fromhex("9acac8b21234da8f")
Fields = Iterable[tuple[bytes, bytes]]
FIELDS = {
    b":method": b"POST",
    b":scheme": b"http",
    b":path": GET_CALL.encode(),
    b":authority": b"a",
    b"content-type": b"application/grpc",
    b"te": b"trailers",
}
"""What every gRPC request has."""
_CODES = {str(code.value[0]).encode(): code for code in grpc.StatusCode}


class BrokenOffError(Exception):
    """The other side has ended the stream or the connection."""


class RawGrpc:
    """One connection, on which requests follow each other."""

    answers = True
    """Whether the other side's settings and pings are acknowledged, as they must be."""

    def __init__(self, connection: socket.socket, incoming: BinaryIO) -> None:
        self._connection = connection
        self._incoming = incoming
        self._stream = -1
        connection.sendall(
            _PREFACE + _frame(_SETTINGS, 0, 0, _NO_TABLE) + _frame(_WINDOW_UPDATE, 0, 0, _ROOM)
        )

    def ask(self, *authorization: bytes) -> grpc.StatusCode:
        """Request the call; return the status code."""
        self.send(GET_CALL.encode(), *authorization)
        return _CODES[_status(self.last_headers())]

    def ask_fields(self, fields: Fields, body: bytes | None = None) -> grpc.StatusCode:
        """Send a request of any fields, and of any body or that for the call; return the status code."""
        self.send_fields(fields, body)
        return _CODES[_status(self.last_headers())]

    def code_though_given_up(self) -> grpc.StatusCode:
        """Return the status code of what was under way as the connection was given up."""
        while not (read := self._read_frame())[1] & _END_STREAM or read[0] != _HEADERS:
            pass
        return _CODES[_status(read[2])]

    def send(self, path: bytes, *authorization: bytes) -> None:
        """Send the request for the call to a path."""
        fields = {**FIELDS, b":path": path}
        self.send_fields([*fields.items(), *((b"authorization", value) for value in authorization)])

    def send_fields(self, fields: Fields, body: bytes | None = None, trailers: Fields = ()) -> None:
        """Send a request of any fields, pseudo-headers first; the body is the request for the call."""
        self._stream += 2
        body = framed(_REQUEST) if body is None else body
        frames = [
            _frame(_HEADERS, _END_HEADERS, self._stream, _block(fields)),
            _frame(_DATA, 0 if trailers else _END_STREAM, self._stream, body),
        ]
        if trailers:
            frames.append(_frame(_HEADERS, _END_HEADERS | _END_STREAM, self._stream, _block(trailers)))
        self._connection.sendall(b"".join(frames))

    def ping(self) -> None:
        """Ping, and wait for the acknowledgement."""
        self.send_pings(1)
        while self._frame_but_goaway() != (_PING, _ACK, _PING_WORDS):
            pass

    def send_pings(self, number: int) -> None:
        """Send so many pings at once, and wait for nothing."""
        self._connection.sendall(_frame(_PING, 0, 0, _PING_WORDS) * number)

    def last_headers(self) -> bytes:
        """Wait for the end of the response; return the headers that end it, which Envoy may compress."""
        while True:
            kind, flags, payload = self._frame_but_goaway()
            if kind == _HEADERS and flags & _END_STREAM:
                return payload

    def is_trailers_only(self) -> bool:
        """Return whether the response ends with the headers that it begins with."""
        while (read := self._frame_but_goaway())[0] not in (_HEADERS, _DATA):
            pass
        return read[0] == _HEADERS and bool(read[1] & _END_STREAM)

    def wait_for_end(self) -> None:
        """Wait until the response has ended, in whichever way."""
        with suppress(BrokenOffError, ConnectionError):
            while not (read := self._frame_but_goaway())[1] & _END_STREAM or read[0] not in (
                _HEADERS,
                _DATA,
            ):
                pass

    def goaway(self) -> tuple[int, bytes]:
        """Wait for the other side's GOAWAY; return its error code, and its debug data."""
        while (read := self._read_frame())[0] != _GOAWAY:
            pass
        return int.from_bytes(read[2][4:8]), read[2][8:]

    def closed(self) -> None:
        """Wait until the other side has closed the connection."""
        with suppress(BrokenOffError, ConnectionError):
            while True:
                self._read_frame()

    def wait_for_ping(self) -> None:
        """Wait for the other side's ping, and acknowledge it."""
        while (read := self._frame_but_goaway())[0] != _PING or read[1] & _ACK:
            pass

    def _frame_but_goaway(self) -> tuple[int, int, bytes]:
        read = self._read_frame()
        if read[0] == _GOAWAY:  # after which Envoy waits a second before it closes
            raise BrokenOffError("the connection is given up")
        return read

    def _read_frame(self) -> tuple[int, int, bytes]:
        """Read the kind, the flags and the payload of a frame, and acknowledge it if it must be."""
        if not (head := self._incoming.read(9)):
            raise BrokenOffError("the connection was closed")
        length, kind, flags, stream = struct.unpack(">IBBI", b"\0" + head)
        payload = self._incoming.read(length)
        if kind in (_SETTINGS, _PING) and not flags & _ACK and self.answers:
            answer = payload if kind == _PING else b""
            self._connection.sendall(_frame(kind, _ACK, 0, answer))
        if (kind, stream) == (_RST_STREAM, self._stream):
            raise BrokenOffError("the stream was reset")
        return kind, flags, payload


@contextmanager
def raw_grpc(address: str) -> Iterator[RawGrpc]:
    """Connect while the block lasts."""
    host, _, port = address.partition(":")
    with (
        socket.create_connection((host, int(port)), timeout=20) as connection,
        connection.makefile("rb") as incoming,
    ):
        # Small frames go out at once, rather than once the other side has confirmed the last ones.
        connection.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        yield RawGrpc(connection, incoming)


def framed(message: bytes) -> bytes:
    """Put gRPC's prefix before a message."""
    return struct.pack(">BI", 0, len(message)) + message


def _block(fields: Fields) -> bytes:
    """Write header fields in HPACK's plainest form: every field a literal with a new name."""
    return b"".join(b"\0" + _text(name) + _text(value) for name, value in fields)


def _frame(kind: int, flags: int, stream: int, payload: bytes) -> bytes:
    return struct.pack(">I", len(payload))[1:] + struct.pack(">BBI", kind, flags, stream) + payload


def _text(text: bytes) -> bytes:
    if len(text) < 127:
        return bytes([len(text)]) + text
    # A long length continues in groups of seven bits, the lowest first.
    length, rest = [127], len(text) - 127
    while rest >= 128:
        length.append(rest % 128 | 128)
        rest //= 128
    return bytes([*length, rest]) + text


def _status(block: bytes) -> bytes:
    """Find the status in a header block, in which it is not compressed: its length, and its digits."""
    name = _STATUS_IN_HUFFMAN if _STATUS_IN_HUFFMAN in block else _STATUS
    _, found, behind = block.partition(name)
    assert found, "no status"
    return behind[1 : 1 + behind[0]]
