"""The ceiling of grpc.aio: the server's own set-up, with a method that does nothing."""

import asyncio
import os
import signal
from datetime import UTC, datetime

import grpc
import uvloop

from demo.sample_calls import sample_calls
from server.application.call import CallState, LiveStatus
from server.transport.aio.server import OPTIONS
from server.transport.live_calls import SERVICE, encode_state

_NOW = datetime.now(UTC)
_LIVE = LiveStatus(is_live=True, current_session_id="session-1", ended_at=_NOW)
_REPLY = encode_state(CallState(sample_calls(_NOW)[2], _LIVE))


async def _get_call(request: bytes, context: grpc.aio.ServicerContext[bytes, bytes]) -> bytes:
    return _REPLY


async def _serve() -> None:
    told_to_end = asyncio.Event()
    asyncio.get_running_loop().add_signal_handler(signal.SIGTERM, told_to_end.set)
    server = grpc.aio.server(options=OPTIONS)
    method: grpc.RpcMethodHandler[bytes, bytes] = grpc.unary_unary_rpc_method_handler(_get_call)
    handler = grpc.method_handlers_generic_handler(SERVICE, {"GetCall": method})
    server.add_generic_rpc_handlers((handler,))
    server.add_insecure_port(f"127.0.0.1:{os.environ['PORT']}")
    await server.start()
    await told_to_end.wait()
    await server.stop(grace=1)


if __name__ == "__main__":
    uvloop.run(_serve())
