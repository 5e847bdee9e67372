import pytest

from tests.gateway.conftest import ALLOWED_ORIGIN
from tests.support.rest import ask

CALL = "/v1/live/calls/11111111-1111-4111-8111-111111111111"
PREFLIGHT = {"access-control-request-method": "GET"}


@pytest.mark.parametrize(
    ("verb", "path", "status"),
    [("GET", CALL, 200), ("HEAD", CALL, 200), ("GET", CALL + "x", 404), ("PUT", CALL, 405)],
)
def test_the_configured_origin_may_read(verb: str, path: str, status: int, rest_url: str) -> None:
    reply = ask(rest_url, verb, path, {"origin": ALLOWED_ORIGIN})
    assert reply.status == status
    assert reply.header("access-control-allow-origin") == ALLOWED_ORIGIN
    exposed = "etag, retry-after, www-authenticate, x-request-id"
    assert reply.header("access-control-expose-headers") == exposed
    assert reply.header("vary") == "Origin"


def test_it_may_read_that_nothing_changed(rest_url: str) -> None:
    reply = ask(rest_url, "GET", CALL, {"origin": ALLOWED_ORIGIN, "if-none-match": "*"})
    assert reply.status == 304
    assert reply.header("access-control-allow-origin") == ALLOWED_ORIGIN


def test_it_may_ask_first(rest_url: str) -> None:
    reply = ask(rest_url, "OPTIONS", CALL, {"origin": ALLOWED_ORIGIN, **PREFLIGHT})
    assert reply.status == 200
    assert reply.header("access-control-allow-origin") == ALLOWED_ORIGIN
    assert reply.header("access-control-allow-methods") == "GET, HEAD"
    assert "if-none-match" in (reply.header("access-control-allow-headers") or "")


@pytest.mark.parametrize(
    "origin",
    ["https://elsewhere.example.com", "http://app.example.com", f"{ALLOWED_ORIGIN}.evil.com", "null"],
)
@pytest.mark.parametrize("verb", ["GET", "OPTIONS"])
def test_another_origin_learns_nothing(verb: str, origin: str, rest_url: str) -> None:
    reply = ask(rest_url, verb, CALL, {"origin": origin, **PREFLIGHT})
    assert reply.status == (200 if verb == "GET" else 405)
    assert [name for name, _ in reply.headers if name.startswith("access-control")] == []
    assert reply.header("vary") == "Origin"
