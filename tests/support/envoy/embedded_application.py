"""The tests' application embedded in Envoy: the service on scripted ports, with odd calls by id."""

import asyncio
import logging
from collections.abc import AsyncIterator, Sequence
from contextlib import asynccontextmanager, suppress

from server.application.call import Call
from server.application.get_call import GetCall
from server.auth.errors import TokenRequiredError
from server.transport.admission import Admission
from server.transport.asgi.application import Application
from server.transport.asgi.server import AsgiServer
from server.transport.call_context import CallContext
from server.transport.live_calls import LiveCalls
from tests.support.data.calls import CALL_ID, PLAIN_CALL, ScriptedPorts, numbered_id

BUG, ENDLESS, STUBBORN = map(numbered_id, range(3))
NOBODY = "Bearer nobody"

log = logging.getLogger("tests.embedded")


async def _answer(call_id: str) -> Call | None:
    if call_id == BUG:
        raise ZeroDivisionError("secret")
    if call_id == ENDLESS:
        await asyncio.Event().wait()
    while call_id == STUBBORN:
        with suppress(asyncio.CancelledError):
            await asyncio.Event().wait()
    return PLAIN_CALL if call_id == CALL_ID else None


class _Telling(LiveCalls):
    """The service, which logs metadata."""

    async def get_call(self, request: bytes, context: CallContext) -> bytes:
        log.info("a %s a-bin %s", context.values("a"), context.values("a-bin"))
        return await super().get_call(request, context)


class _Guard:
    async def admit(self, authorization: Sequence[str | bytes]) -> None:
        if NOBODY in authorization:
            raise TokenRequiredError


@asynccontextmanager
async def _serving() -> AsyncIterator[AsgiServer]:
    logging.basicConfig(level="INFO", format="%(name)s %(message)s %(code)s %(request_id)s", force=True)
    logging.getLogger().handlers[0].addFilter(_complete)
    ports = ScriptedPorts(_answer)
    server = AsgiServer(_Telling(GetCall(ports, ports), Admission(_Guard(), 2000)))
    yield server
    await server.stop(1)


def _complete(record: logging.LogRecord) -> bool:
    for name in ("code", "request_id"):
        record.__dict__.setdefault(name, "-")
    return True


app = Application(_serving)
