import grpc
import pytest
from google.protobuf.wrappers_pb2 import StringValue
from google.rpc.error_details_pb2 import ErrorInfo, RetryInfo
from livecalls.v1 import live_calls_pb2 as pb

from tests.support.callers.rest import Reply, ask
from tests.support.envoy.gateway import Gateway
from tests.support.stand_ins.upstream import CHALLENGE, Context, Request, Upstream, abort

PATH = "/v1/live/calls/any"
DETAIL = ErrorInfo(reason="SOME_REASON", domain="livecalls.v1", metadata={"message": ',"details":'})

STATUSES = {
    grpc.StatusCode.UNKNOWN: 500,
    grpc.StatusCode.INVALID_ARGUMENT: 400,
    grpc.StatusCode.DEADLINE_EXCEEDED: 504,
    grpc.StatusCode.NOT_FOUND: 404,
    grpc.StatusCode.ALREADY_EXISTS: 409,
    grpc.StatusCode.PERMISSION_DENIED: 403,
    grpc.StatusCode.RESOURCE_EXHAUSTED: 429,
    grpc.StatusCode.FAILED_PRECONDITION: 400,
    grpc.StatusCode.ABORTED: 409,
    grpc.StatusCode.OUT_OF_RANGE: 400,
    grpc.StatusCode.UNIMPLEMENTED: 501,
    grpc.StatusCode.INTERNAL: 500,
    grpc.StatusCode.UNAVAILABLE: 503,
    grpc.StatusCode.DATA_LOSS: 500,
    grpc.StatusCode.UNAUTHENTICATED: 401,
}


def assert_shaped(reply: Reply, code: grpc.StatusCode, message: str) -> None:
    assert reply.status == STATUSES[code]
    assert reply.json() == {"error": code.name.lower(), "message": message}
    assert list(reply.json()) == ["error", "message"]
    assert reply.header("content-type") == "application/json"
    assert reply.header("cache-control") == "no-store"
    assert reply.header("x-request-id") is not None
    assert [name for name, _ in reply.headers if name.startswith(("grpc", "x-envoy", "server"))] == []


@pytest.mark.parametrize("code", STATUSES)
@pytest.mark.parametrize("details", [(), (DETAIL,)], ids=["bare", "with details"])
def test_every_code_has_its_status_and_word(
    code: grpc.StatusCode, details: tuple[ErrorInfo, ...], gateway: Gateway, upstream: Upstream
) -> None:
    upstream.fails(code, "So it is.", *details, trailers=(("x-request-id", "of-the-server"),))
    assert_shaped(ask(gateway.url, "GET", PATH), code, "So it is.")


@pytest.mark.parametrize("details", [(), (DETAIL,)], ids=["bare", "with details"])
def test_what_the_server_cancels_is_worth_another_try(
    details: tuple[ErrorInfo, ...], gateway: Gateway, upstream: Upstream
) -> None:
    upstream.fails(grpc.StatusCode.CANCELLED, "CANCELLED", *details)
    reply = ask(gateway.url, "GET", PATH)
    away = "The service cannot be reached right now. Try again shortly."
    assert_shaped(reply, grpc.StatusCode.UNAVAILABLE, away)
    assert reply.header("retry-after") == "1"


@pytest.mark.parametrize("message", ["", '100% "sure" \\ ünï 🧘\n', ',"details":', '{"error":"x"}'])
@pytest.mark.parametrize("details", [(), (DETAIL,)], ids=["bare", "with details"])
def test_a_message_is_said_as_it_is(
    message: str, details: tuple[ErrorInfo, ...], gateway: Gateway, upstream: Upstream
) -> None:
    upstream.fails(grpc.StatusCode.NOT_FOUND, message, *details)
    assert_shaped(ask(gateway.url, "GET", PATH), grpc.StatusCode.NOT_FOUND, message)


@pytest.mark.parametrize(
    ("code", "retry_after"),
    [
        (grpc.StatusCode.UNAVAILABLE, "1"),
        (grpc.StatusCode.RESOURCE_EXHAUSTED, "1"),
        (grpc.StatusCode.INTERNAL, None),
    ],
)
def test_only_what_passes_says_when_to_retry(
    code: grpc.StatusCode, retry_after: str | None, gateway: Gateway, upstream: Upstream
) -> None:
    upstream.fails(code, "Away.", RetryInfo())
    assert ask(gateway.url, "GET", PATH).header("retry-after") == retry_after


@pytest.mark.parametrize("details", [(), (DETAIL,)], ids=["bare", "with details"])
@pytest.mark.parametrize("verb", ["GET", "HEAD"])
def test_a_challenge_of_the_server_s_stands_there_once(
    verb: str, details: tuple[ErrorInfo, ...], gateway: Gateway, upstream: Upstream
) -> None:
    upstream.fails(grpc.StatusCode.UNAUTHENTICATED, "So it is.", *details, trailers=(CHALLENGE,))
    reply = ask(gateway.url, verb, PATH)
    assert reply.status == 401
    assert ("www-authenticate", reply.header("www-authenticate")) == CHALLENGE


def test_a_detail_that_the_gateway_does_not_know_hides_the_message_alone(
    gateway: Gateway, upstream: Upstream
) -> None:
    upstream.fails(grpc.StatusCode.INTERNAL, "So it is.", StringValue(value="x"))
    reply = ask(gateway.url, "GET", PATH)
    assert_shaped(reply, grpc.StatusCode.INTERNAL, "The request failed.")


def test_a_failure_after_initial_metadata(gateway: Gateway, upstream: Upstream) -> None:
    def answer(_: Request, context: Context) -> pb.Call:
        context.send_initial_metadata((("x-request-id", "of-the-server"),))
        abort(context, grpc.StatusCode.NOT_FOUND, "So it is.", (DETAIL,))

    upstream.runs(answer)
    assert_shaped(ask(gateway.url, "GET", PATH), grpc.StatusCode.NOT_FOUND, "So it is.")


def test_a_failure_after_the_answer_of_a_standalone_server(
    standalone: Gateway, upstream: Upstream
) -> None:
    def answer(_: Request, context: Context) -> pb.Call:
        context.set_code(grpc.StatusCode.INTERNAL)
        context.set_details("half")
        return pb.Call(title="half")

    upstream.runs(answer)
    assert_shaped(ask(standalone.url, "GET", PATH), grpc.StatusCode.INTERNAL, "The request failed.")


def test_a_head_fails_as_a_get_without_the_body(gateway: Gateway, upstream: Upstream) -> None:
    upstream.fails(grpc.StatusCode.UNAVAILABLE, "Away.")
    get, head = (ask(gateway.url, verb, PATH, {"x-request-id": "a"}) for verb in ("GET", "HEAD"))
    assert (head.status, head.body) == (get.status, b"")
    assert {*head.headers} - {*get.headers} <= {("date", head.header("date"))}
