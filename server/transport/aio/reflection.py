"""Puts reflection on grpc.aio."""

import asyncio
from collections.abc import AsyncIterator
from contextlib import aclosing

import grpc
from google.protobuf.message import DecodeError
from grpc_reflection.v1alpha.reflection_pb2 import ServerReflectionRequest, ServerReflectionResponse

from server.transport.aio.aborts import cut_aborts
from server.transport.reflection import METHOD, SERVICES, Reflection, TooMuchAskedError

MAX_SECONDS = 60.0
"""How long a stream may last, as long as through Envoy."""

_Context = grpc.aio.ServicerContext[bytes, ServerReflectionResponse]


def reflection_handlers(reflection: Reflection) -> tuple[grpc.GenericRpcHandler, ...]:
    """Serve reflection, under both of its names."""

    async def info(requests: AsyncIterator[bytes], context: _Context) -> None:
        with cut_aborts():
            await answer(requests, context)

    async def answer(requests: AsyncIterator[bytes], context: _Context) -> None:
        try:
            async with (
                asyncio.timeout(MAX_SECONDS),
                aclosing(reflection.server_reflection_info(_decode(requests))) as answers,
            ):
                async for each in answers:
                    await context.write(each)
        except TooMuchAskedError as error:
            await context.abort(grpc.StatusCode.RESOURCE_EXHAUSTED, str(error))
        except DecodeError:
            await context.abort(grpc.StatusCode.INTERNAL, "Exception deserializing request!")
        except TimeoutError:
            await context.abort(grpc.StatusCode.DEADLINE_EXCEEDED, "The stream has lasted too long.")

    method: grpc.RpcMethodHandler[bytes, ServerReflectionResponse] = (
        grpc.stream_stream_rpc_method_handler(
            info, response_serializer=ServerReflectionResponse.SerializeToString
        )
    )
    return tuple(grpc.method_handlers_generic_handler(service, {METHOD: method}) for service in SERVICES)


async def _decode(requests: AsyncIterator[bytes]) -> AsyncIterator[ServerReflectionRequest]:
    """Decode them here: if one cannot be, gRPC would send the library's message to the caller."""
    async for request in requests:
        yield ServerReflectionRequest.FromString(request)
