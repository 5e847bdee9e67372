"""Puts reflection on grpc.aio."""

import asyncio
from collections.abc import AsyncIterator
from contextlib import aclosing

import grpc
from grpc_reflection.v1alpha.reflection_pb2 import ServerReflectionRequest, ServerReflectionResponse

from server.transport.reflection import METHOD, SERVICES, Reflection, TooMuchAskedError

LONGEST_SECONDS = 60.0
"""How long a stream may last, as long as through Envoy."""

_Context = grpc.aio.ServicerContext[ServerReflectionRequest, ServerReflectionResponse]


def reflection_handlers(reflection: Reflection) -> tuple[grpc.GenericRpcHandler, ...]:
    """Let reflection answer, under both of its names."""

    async def info(requests: AsyncIterator[ServerReflectionRequest], context: _Context) -> None:
        try:
            async with (
                asyncio.timeout(LONGEST_SECONDS),
                aclosing(reflection.server_reflection_info(requests)) as answers,
            ):
                async for answer in answers:
                    await context.write(answer)
        except TooMuchAskedError as error:
            await context.abort(grpc.StatusCode.RESOURCE_EXHAUSTED, str(error))
        except TimeoutError:
            await context.abort(grpc.StatusCode.DEADLINE_EXCEEDED, "The stream has lasted too long.")

    method = grpc.stream_stream_rpc_method_handler(
        info, ServerReflectionRequest.FromString, ServerReflectionResponse.SerializeToString
    )
    return tuple(grpc.method_handlers_generic_handler(service, {METHOD: method}) for service in SERVICES)
