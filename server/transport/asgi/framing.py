"""Length-prefixed messages: a flag for the compressed, four bytes of length, and the message."""

from collections.abc import AsyncIterator
from struct import Struct

from machine.request_size import MAX_REQUEST_BYTES
from server.transport.asgi.compression import compress, decompress
from server.transport.asgi.rejections import malformed_message, not_one_message, too_large
from server.transport.asgi.types import CallerGoneError, Receive

_PREFIX = Struct(">BI")
_COMPRESSED = 1


def frame(message: bytes, encoding: bytes = b"identity") -> bytes:
    """Put the prefix before a message, which is compressed unless the encoding is identity."""
    if encoding == b"identity":
        return _PREFIX.pack(0, len(message)) + message
    smaller = compress(message, encoding)
    return _PREFIX.pack(_COMPRESSED, len(smaller)) + smaller


class Messages:
    """The messages of a request's body, as they arrive.

    Reading raises RejectedError if the body is malformed, and CallerGoneError.
    """

    __slots__ = ("_encoding", "_held", "_more", "receive")

    def __init__(self, receive: Receive, encoding: bytes) -> None:
        self.receive = receive
        self._encoding = encoding
        self._held = bytearray()
        self._more = True

    async def the_one(self) -> bytes:
        """Read the only message of the body, and its end."""
        body = await self._next_part()
        if not self._more and _is_plain_message(body):
            return body[_PREFIX.size :]
        self._held += body
        messages = [message async for message in self._rest(at_most=2)]
        if len(messages) != 1:
            raise not_one_message()
        return messages[0]

    def all(self) -> AsyncIterator[bytes]:
        """Yield one message after the other."""
        return self._rest()

    async def _rest(self, at_most: int | None = None) -> AsyncIterator[bytes]:
        count = 0
        while count != at_most:
            message = self._next_held()
            if message is not None:
                count += 1
                yield message
            elif self._more:
                self._held += await self._next_part()
            elif self._held:
                raise malformed_message("The last message of the request is cut off.")
            else:
                return

    async def _next_part(self) -> bytes:
        event = await self.receive()
        if event["type"] == "http.disconnect":
            raise CallerGoneError
        self._more = event.get("more_body", False)
        body: bytes = event.get("body", b"")
        return body

    def _next_held(self) -> bytes | None:
        if len(self._held) < _PREFIX.size:
            return None
        flag, length = _PREFIX.unpack_from(self._held)
        if flag > _COMPRESSED:
            raise malformed_message(f"Invalid flag {flag} of a message.")
        if length > MAX_REQUEST_BYTES:
            raise too_large(length)
        end = _PREFIX.size + length
        if len(self._held) < end:
            return None
        message = bytes(self._held[_PREFIX.size : end])
        del self._held[:end]
        return decompress(message, self._encoding) if flag else message


def _is_plain_message(body: bytes) -> bool:
    """Return whether it is one whole message, as nearly every body is."""
    rest = len(body) - _PREFIX.size
    return 0 <= rest <= MAX_REQUEST_BYTES and body[: _PREFIX.size] == _PREFIX.pack(0, rest)
