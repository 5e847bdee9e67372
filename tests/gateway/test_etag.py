from datetime import UTC, datetime, timedelta

import pytest
from livecalls.v1 import live_calls_pb2 as pb

from tests.support.callers.rest import Reply, ask
from tests.support.envoy.gateway import Gateway
from tests.support.stand_ins.upstream import Upstream

PATH = "/v1/live/calls/any"
MOMENT = datetime(2026, 5, 4, 3, 2, 1, tzinfo=UTC)


@pytest.fixture
def etag(gateway: Gateway, upstream: Upstream) -> str:
    """The ETag of the call that the upstream returns."""
    upstream.answers(a_call())
    etag = ask(gateway.url, "GET", PATH).header("etag")
    assert etag is not None
    return etag


def a_call(updated_at: datetime = MOMENT, live: pb.LiveStatus | None = None) -> pb.Call:
    return pb.Call(
        title="Yoga", status=pb.CALL_STATUS_LIVE, created_at=MOMENT, updated_at=updated_at, live=live
    )


def asked_with(gateway: Gateway, known: str, method: str = "GET") -> Reply:
    return ask(gateway.url, method, PATH, {"if-none-match": known})


def test_the_same_call_has_the_same_etag(etag: str, gateway: Gateway) -> None:
    assert ask(gateway.url, "GET", PATH).header("etag") == etag
    assert not etag.startswith("W/")


@pytest.mark.parametrize(
    "changed",
    [
        a_call(updated_at=MOMENT + timedelta(microseconds=1)),
        a_call(live=pb.LiveStatus()),
        a_call(live=pb.LiveStatus(is_live=True)),
    ],
    ids=["updated", "live known", "on air"],
)
def test_any_change_changes_it(
    etag: str, changed: pb.Call, gateway: Gateway, upstream: Upstream
) -> None:
    upstream.answers(changed)
    reply = asked_with(gateway, etag)
    assert reply.status == 200
    assert reply.header("etag") != etag


@pytest.mark.parametrize(
    "known",
    ["{}", "W/{}", '"a", {}', '"a",{},"b"', '"a, b", W/{}', ' "a" , {} ', "*", " * "],
)
@pytest.mark.parametrize("method", ["GET", "HEAD"])
def test_a_known_call_is_not_sent_again(etag: str, known: str, method: str, gateway: Gateway) -> None:
    reply = asked_with(gateway, known.format(etag), method)
    assert reply.status == 304
    assert reply.body == b""
    assert reply.header("etag") == etag
    assert reply.header("cache-control") == "private, no-cache"
    assert reply.header("content-type") is None
    assert reply.header("content-length") is None


@pytest.mark.parametrize(
    "known", ['"a"', "", "W/", '"*"', '"a", *', "{bare}", '"{bare}x"', '", {bare}, "']
)
def test_another_tag_is_no_match(etag: str, known: str, gateway: Gateway) -> None:
    assert asked_with(gateway, known.format(bare=etag.strip('"'))).status == 200


def test_several_headers_are_one_list(etag: str, gateway: Gateway) -> None:
    assert ask(gateway.url, "GET", PATH, {"if-none-match": '"a"', "If-None-Match": etag}).status == 304


def test_an_error_has_no_etag_and_is_not_kept(gateway: Gateway, upstream: Upstream) -> None:
    upstream.reset()
    reply = asked_with(gateway, "*")
    assert reply.status == 404
    assert reply.header("etag") is None
    assert reply.header("cache-control") == "no-store"
