"""Serves reflection over ASGI."""

from collections.abc import AsyncGenerator, AsyncIterator
from contextlib import aclosing

from google.rpc import code_pb2
from grpc_reflection.v1alpha.reflection_pb2 import ServerReflectionRequest

from server.transport.asgi.handlers import Handler, bidirectional_handler
from server.transport.asgi.health import decode
from server.transport.asgi.rejections import RejectedError
from server.transport.reflection import Reflection, TooMuchAskedError


def reflection_handler(reflection: Reflection) -> Handler:
    """Serve reflection; Envoy limits how long a stream lasts."""

    async def info(requests: AsyncIterator[bytes]) -> AsyncGenerator[bytes, None]:
        asked = (decode(ServerReflectionRequest, request) async for request in requests)
        try:
            async with aclosing(reflection.server_reflection_info(asked)) as answers:
                async for answer in answers:
                    yield answer.SerializeToString()
        except TooMuchAskedError as error:
            raise RejectedError(code_pb2.RESOURCE_EXHAUSTED, str(error)) from None

    return bidirectional_handler(info)
