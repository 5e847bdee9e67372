"""Shares what Stream says with the other workers of this server, so that one of them asks for all."""

import asyncio
import socket
from collections.abc import Callable, Iterable, Mapping, Sequence
from contextlib import suppress
from datetime import UTC, datetime, timedelta
from typing import NamedTuple

from pydantic import TypeAdapter, ValidationError

from server.adapters.stream.responses import Response
from server.adapters.stream.wire import StreamCall
from server.application.call import LiveStatus

_EPOCH = datetime(1970, 1, 1, tzinfo=UTC)
_MICROSECOND = timedelta(microseconds=1)
_MAX_BYTES = 1 << 16
"""Of a message: 100 responses of 450 bytes, as `wire` bounds names and sessions."""
_MAX_MESSAGES = 16
"""Read in one turn of the event loop."""


class _Shared(NamedTuple):
    """A response, by the clock that all processes of a machine have in common."""

    call_type: str
    call_id: str
    requested_at: float
    is_live: bool
    session_id: str | None
    ended_at_us: int | None


class _Message(NamedTuple):
    renewing: list[StreamCall]
    responses: list[_Shared]


_MESSAGES = TypeAdapter(_Message)


class Siblings:
    """The workers' sockets, of datagrams: what one cannot take at once is lost to it.

    Nothing depends on a message: a worker that misses that a call is being renewed asks Stream itself,
    as it does if no response has come by the time that its own is too old.
    """

    def __init__(self, sockets: Sequence[int]) -> None:
        """Take the file descriptors of this worker's own socket, and of those that lead to others."""
        self._own, *self._others = [socket.socket(fileno=each) for each in sockets]
        for each in (self._own, *self._others):
            each.setblocking(False)  # noqa: FBT003 - the library's

    def listen(
        self,
        on_renewing: Callable[[Iterable[StreamCall]], None],
        on_response: Callable[[StreamCall, Response], None],
    ) -> None:
        """Call back for what others say, until closed."""
        self._on_renewing = on_renewing
        self._on_response = on_response
        asyncio.get_running_loop().add_reader(self._own, self._read)

    def say_renewing(self, calls: Sequence[StreamCall]) -> None:
        """Say that this worker renews calls."""
        self._send(_Message(list(calls), []))

    def say_responses(self, responses: Mapping[StreamCall, Response]) -> None:
        """Say what Stream has said, but for what it did not know: that, each finds out for itself."""
        shared = [_pack(call, each) for call, each in responses.items()]
        self._send(_Message([], [each for each in shared if each is not None]))

    def close(self) -> None:
        asyncio.get_running_loop().remove_reader(self._own)
        for each in (self._own, *self._others):
            each.close()

    def _send(self, message: _Message) -> None:
        if not any(message):
            return
        data = _MESSAGES.dump_json(message)
        for each in self._others:
            with suppress(OSError):
                each.send(data)

    def _read(self) -> None:
        for _ in range(_MAX_MESSAGES):
            try:
                data = self._own.recv(_MAX_BYTES)
            except OSError:
                return
            # As workers are replaced, those before them may be of another release.
            with suppress(ValidationError, OverflowError):
                self._take(_MESSAGES.validate_json(data))

    def _take(self, message: _Message) -> None:
        self._on_renewing(message.renewing)
        for each in message.responses:
            self._on_response((each.call_type, each.call_id), _unpack(each))


def _pack(call: StreamCall, response: Response) -> _Shared | None:
    status = response.status
    if not isinstance(status, LiveStatus):
        return None
    ended_at_us = None if status.ended_at is None else (status.ended_at - _EPOCH) // _MICROSECOND
    return _Shared(*call, response.requested_at, status.is_live, status.current_session_id, ended_at_us)


def _unpack(shared: _Shared) -> Response:
    ended_at_us = shared.ended_at_us
    ended_at = None if ended_at_us is None else _EPOCH + timedelta(microseconds=ended_at_us)
    return Response(shared.requested_at, LiveStatus(shared.is_live, shared.session_id, ended_at))
