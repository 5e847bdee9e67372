"""Puts gRPC's health service on grpc.aio."""

import grpc
from google.protobuf.message import DecodeError
from grpc_health.v1.health import aio as health
from grpc_health.v1.health_pb2 import HealthCheckRequest, HealthCheckResponse

from server.transport.aio.aborts import cut_aborts
from server.transport.reflection import HEALTH

_Context = grpc.aio.ServicerContext[bytes, HealthCheckResponse]


def health_handler(servicer: health.HealthServicer) -> grpc.GenericRpcHandler:
    """Serve a servicer's methods, with requests decoded here.

    If one cannot be, gRPC would send the library's message to the caller, and log a traceback.
    """

    async def check(request: bytes, context: _Context) -> HealthCheckResponse:
        with cut_aborts():
            return await servicer.Check(await _decode(request, context), context)
        return HealthCheckResponse()  # is not sent

    async def watch(request: bytes, context: _Context) -> None:
        with cut_aborts():
            await servicer.Watch(await _decode(request, context), context)

    serialize = HealthCheckResponse.SerializeToString
    return grpc.method_handlers_generic_handler(
        HEALTH,
        {
            "Check": grpc.unary_unary_rpc_method_handler(check, response_serializer=serialize),
            "Watch": grpc.unary_stream_rpc_method_handler(watch, response_serializer=serialize),
        },
    )


async def _decode(request: bytes, context: _Context) -> HealthCheckRequest:
    try:
        return HealthCheckRequest.FromString(request)
    except DecodeError:
        await context.abort(grpc.StatusCode.INTERNAL, "Exception deserializing request!")
