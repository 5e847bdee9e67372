"""HTTP/2, frame by frame, by TLS if there is a context for it."""

import socket
import ssl
import struct
from collections.abc import Iterator
from dataclasses import dataclass

from tests.support.callers.rest import connected, connected_by_tls

PREFACE = b"PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n"
DATA, HEADERS, SETTINGS = 0, 1, 4
END_STREAM, END_HEADERS = 1, 4
_NO_WINDOW = struct.pack(">HI", 4, 0)


@dataclass(frozen=True)
class Frame:
    kind: int
    flags: int
    payload: bytes


def ask_http2(
    address: str,
    verb: str,
    path: str,
    headers: dict[str, str] | None = None,
    tls: ssl.SSLContext | None = None,
) -> list[Frame]:
    """Send one request, and read the frames of its reply, however it ends."""
    with connected_by_tls(address, tls) if tls else connected(address) as connection:
        connection.sendall(_begun() + _request(verb, path, headers, "https" if tls else "http"))
        return list(_frames_of_stream_one(connection))


def without_a_window(verb: str, path: str) -> bytes:
    """Write one request of a caller who lets no byte of the reply's body be sent."""
    return _begun(_NO_WINDOW) + _request(verb, path)


def _begun(settings: bytes = b"") -> bytes:
    return PREFACE + _framed(SETTINGS, 0, 0, settings)


def _request(verb: str, path: str, headers: dict[str, str] | None = None, scheme: str = "http") -> bytes:
    fields = {":method": verb, ":scheme": scheme, ":path": path, ":authority": "a", **(headers or {})}
    # HPACK's plainest form: every field a literal with a new name.
    block = b"".join(b"\0" + _counted(name) + _counted(value) for name, value in fields.items())
    return _framed(HEADERS, END_HEADERS | END_STREAM, 1, block)


def _counted(text: str) -> bytes:
    return bytes([len(text)]) + text.encode()


def _framed(kind: int, flags: int, stream: int, payload: bytes = b"") -> bytes:
    return struct.pack(">I", len(payload))[1:] + struct.pack(">BBI", kind, flags, stream) + payload


def _frames_of_stream_one(connection: socket.socket) -> Iterator[Frame]:
    with connection.makefile("rb") as incoming:
        while head := incoming.read(9):
            length, kind, flags, stream = struct.unpack(">IBBI", b"\0" + head)
            frame = Frame(kind, flags, incoming.read(length))
            if stream == 1:
                yield frame
                if kind not in {DATA, HEADERS} or flags & END_STREAM:
                    return
