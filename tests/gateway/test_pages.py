"""The pages for people, as the gateway serves them."""

import gzip
import re
from pathlib import Path

import pytest

import gateway as package
from tests.support.callers.rest import ask
from tests.support.envoy.gateway import Gateway, gateway_running

FOLDER = Path(package.__file__).parent
HTML = "text/html; charset=utf-8"
SCRIPT = "text/javascript; charset=utf-8"
CSS = "text/css; charset=utf-8"
OWN = {
    "/docs": ("pages/docs.html", HTML),
    "/docs/": ("pages/docs.html", HTML),
    "/calls/22222222-2222-4222-8222-222222222222": ("pages/call.html", HTML),
    "/calls/no-such-call": ("pages/call.html", HTML),
    "/calls/..%2F..%2Fetc": ("pages/call.html", HTML),
    "/pages/look.css": ("pages/look.css", CSS),
    "/pages/docs.css": ("pages/docs.css", CSS),
    "/pages/docs.js": ("pages/docs.js", SCRIPT),
    "/pages/call.css": ("pages/call.css", CSS),
    "/pages/call.js": ("pages/call.js", SCRIPT),
    "/pages/icon.svg": ("pages/icon.svg", "image/svg+xml"),
    "/openapi.yaml": ("openapi.yaml", "application/yaml"),
}
LARGE = "/pages/swagger-ui-bundle.js"
SWAGGER_UI = {"/pages/swagger-ui.css": CSS, LARGE: SCRIPT}
ALL = [*OWN, *SWAGGER_UI]
POLICY = {
    "default-src 'none'",
    "script-src 'self'",
    "style-src 'self'",
    "img-src 'self' data:",
    "connect-src 'self'",
    "base-uri 'none'",
    "form-action 'none'",
    "frame-ancestors 'none'",
}


@pytest.mark.parametrize("path", OWN)
def test_a_page_is_its_file(gateway: Gateway, path: str) -> None:
    file, content_type = OWN[path]
    reply = ask(gateway.url, "GET", path)
    assert reply.status == 200
    assert reply.body == (FOLDER / file).read_bytes()
    assert reply.header("content-type") == content_type


@pytest.mark.parametrize("path", SWAGGER_UI)
def test_swagger_ui_comes_from_here(gateway: Gateway, path: str) -> None:
    reply = ask(gateway.url, "GET", path)
    assert reply.status == 200
    assert len(reply.body) > 100_000
    assert reply.header("content-type") == SWAGGER_UI[path]


@pytest.mark.parametrize("path", ALL)
def test_a_page_may_load_and_run_nothing_of_others(gateway: Gateway, path: str) -> None:
    reply = ask(gateway.url, "GET", path)
    assert set((reply.header("content-security-policy") or "").split("; ")) == POLICY
    assert reply.header("x-content-type-options") == "nosniff"
    assert reply.header("referrer-policy") == "no-referrer"
    assert reply.header("cross-origin-resource-policy") == "same-origin"
    assert reply.header("cross-origin-opener-policy") == "same-origin"
    assert reply.header("x-request-id")


@pytest.mark.parametrize("path", ["/docs", "/calls/x", LARGE])
def test_a_page_that_is_known_is_not_sent_again(gateway: Gateway, path: str) -> None:
    reply = ask(gateway.url, "GET", path)
    tag = reply.header("etag") or ""
    assert re.fullmatch('W/"[0-9a-f]{16}"', tag)
    assert reply.header("cache-control") == "no-cache"
    for known in (tag, f'"other", {tag}', tag.removeprefix("W/"), "*"):
        for verb in ("GET", "HEAD"):
            unchanged = ask(gateway.url, verb, path, {"if-none-match": known})
            assert (unchanged.status, unchanged.body) == (304, b"")
            assert unchanged.header("etag") == tag
            assert unchanged.header("cache-control") == "no-cache"
            assert unchanged.header("location") is None
    assert ask(gateway.url, "GET", path, {"if-none-match": 'W/"0000000000000000"'}).status == 200


@pytest.mark.parametrize("path", ["/docs", "/openapi.yaml", "/pages/call.js", LARGE])
def test_a_page_is_compressed_for_who_can_read_it(gateway: Gateway, path: str) -> None:
    plain = ask(gateway.url, "GET", path)
    packed = ask(gateway.url, "GET", path, {"accept-encoding": "gzip"})
    assert packed.header("content-encoding") == "gzip"
    assert (packed.header("vary") or "").lower() == "accept-encoding"
    assert packed.header("etag") == plain.header("etag")
    assert len(packed.body) < len(plain.body)
    assert gzip.decompress(packed.body) == plain.body


def test_calls_are_not_compressed(rest_url: str) -> None:
    path = "/v1/live/calls/66666666-6666-4666-8666-666666666666"
    reply = ask(rest_url, "GET", path, {"accept-encoding": "gzip"})
    assert (reply.status, reply.header("content-encoding")) == (200, None)


@pytest.mark.parametrize("path", ALL)
def test_a_head_is_the_get_without_its_body(gateway: Gateway, path: str) -> None:
    get, head = ask(gateway.url, "GET", path), ask(gateway.url, "HEAD", path)
    assert (head.status, head.body) == (200, b"")
    varying = ("date", "x-request-id")
    assert [each for each in head.headers if each[0] not in varying] == [
        each for each in get.headers if each[0] not in varying
    ]


@pytest.mark.parametrize("verb", ["POST", "PUT", "DELETE", "PATCH", "OPTIONS", "BREW"])
@pytest.mark.parametrize("path", ["/docs", "/calls/x", "/openapi.yaml", "/pages/call.js"])
def test_a_page_takes_no_other_verb(gateway: Gateway, path: str, verb: str) -> None:
    reply = ask(gateway.url, verb, path, {"content-length": "0"})
    assert (reply.status, reply.header("allow")) == (405, "GET, HEAD")
    assert reply.json() == {
        "error": "method_not_allowed",
        "message": "Only GET and HEAD are allowed here.",
    }


@pytest.mark.parametrize(
    "path",
    [
        "/calls",
        "/calls/",
        "/calls/a/b",
        "/docs/x",
        "/docs.html",
        "/pages",
        "/pages/",
        "/pages/docs.html",
        "/pages/call.html",
        "/pages/..%2fenvoy.yaml",
        "/pages/%2e%2e/envoy.yaml",
        "/pages/../envoy.yaml",
        "/pages/call.js/",
        "/pages/callXjs",
        "/pages/call.js%00.css",
        "/pages//etc/passwd",
        "/envoy.yaml",
        "/openapiXyaml",
        "/openapi.yaml.bak",
        "/favicon.ico",
    ],
)
def test_there_is_nothing_beside_the_pages(gateway: Gateway, path: str) -> None:
    reply = ask(gateway.url, "GET", path)
    assert reply.status in (400, 404)
    assert set(reply.json()) == {"error", "message"}


@pytest.mark.parametrize("path", ALL)
@pytest.mark.parametrize("kind", ["", "+proto", "-web", "-web-text"])
def test_a_page_is_nothing_to_grpc(gateway: Gateway, path: str, kind: str) -> None:
    reply = ask(gateway.url, "GET", path, {"content-type": f"application/grpc{kind}"})
    assert len(reply.body) < 100
    assert sum(map(len, (text for header in reply.headers for text in header))) < 1000
    assert reply.status == 404 or reply.header("grpc-status") == "12"


def test_what_is_refused_at_a_page_is_no_page(gateway: Gateway) -> None:
    reply = ask(gateway.url, "GET", "/docs", {"cookie": "a" * 100_000})
    assert (reply.status, reply.json()["error"]) == (431, "request_header_fields_too_large")
    assert reply.header("content-type") == "application/json"
    assert reply.header("cache-control") == "no-store"
    assert reply.header("etag") is None


def test_what_is_large_is_not_had_many_times_at_once(tmp_path: Path) -> None:
    with gateway_running(1, tmp_path) as limited:
        replies = [ask(limited.url, "HEAD", LARGE) for _ in range(80)]
        assert replies[0].status == 200
        assert replies[-1].status == 429
        assert replies[-1].header("retry-after") == "1"
        assert replies[-1].header("content-type") == "application/json"
        assert replies[-1].header("cache-control") == "no-store"
        assert replies[-1].header("etag") is None
        assert ask(limited.url, "GET", "/docs").status == 200


def test_where_nobody_is_limited_that_is_not_either(tmp_path: Path) -> None:
    with gateway_running(1, tmp_path, RATE_LIMIT_PER_SECOND="0") as unlimited:
        assert {ask(unlimited.url, "HEAD", LARGE).status for _ in range(80)} == {200}


def test_pages_are_there_while_no_server_is(tmp_path: Path) -> None:
    with gateway_running(1, tmp_path) as lonely:
        assert {ask(lonely.url, "GET", path).status for path in ALL} == {200}
