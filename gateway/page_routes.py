"""The routes of the pages for people: files that Envoy reads as it starts, and serves by itself."""

import importlib.util
from dataclasses import dataclass
from hashlib import sha256
from pathlib import Path
from typing import Any

from gateway.config import GatewaySettings

Json = dict[str, Any]

_HERE = Path(__file__).resolve().parent
_OWN = _HERE / "pages"
_SWAGGER_UI = ("drf_spectacular_sidecar", "static/drf_spectacular_sidecar/swagger-ui-dist")

_HTML = "text/html; charset=utf-8"
_CSS = "text/css; charset=utf-8"
_SCRIPT = "text/javascript; charset=utf-8"

# Nothing of another host, and no script or style but those files.
_POLICY = (
    "default-src 'none'; script-src 'self'; style-src 'self'; img-src 'self' data:; connect-src 'self'; "
    "base-uri 'none'; form-action 'none'; frame-ancestors 'none'"
)
_SAFETY = {
    "content-security-policy": _POLICY,
    "cross-origin-opener-policy": "same-origin",
    "cross-origin-resource-policy": "same-origin",
    "referrer-policy": "no-referrer",
    "x-content-type-options": "nosniff",
}

# A page is of no use to a gRPC caller, to whom Envoy would send all of it as grpc-message.
_NO_GRPC = {
    "name": "content-type",
    "string_match": {"prefix": "application/grpc"},
    "invert_match": True,
    "treat_missing_header_as_empty": True,
}

_ROUTE = "type.googleapis.com/envoy.config.route.v3"
_FILTERS = "type.googleapis.com/envoy.extensions.filters.http"
_ON = {"@type": f"{_ROUTE}.FilterConfig", "config": {}}
_LARGE_BYTES = 64 * 1024


@dataclass(frozen=True)
class _Page:
    path: str
    """A regular expression for all of it."""
    file: Path
    content_type: str


def page_routes(settings: GatewaySettings) -> list[Json]:
    """Make a route for each file, one for clients that have it already, and one for wrong verbs."""
    pages = _pages()
    known = [_not_modified_route(page) for page in pages]
    whole = [_whole(page, settings) for page in pages]
    return [_wrong_verb(pages), *known, *whole]


def _pages() -> list[_Page]:
    swagger_ui = _swagger_ui()
    return [
        _Page(r"/openapi\.yaml", _HERE / "openapi.yaml", "application/yaml"),
        _Page("/docs/?", _OWN / "docs.html", _HTML),
        _Page("/calls/[^/]+", _OWN / "call.html", _HTML),
        _Page(r"/pages/look\.css", _OWN / "look.css", _CSS),
        _Page(r"/pages/docs\.css", _OWN / "docs.css", _CSS),
        _Page(r"/pages/docs\.js", _OWN / "docs.js", _SCRIPT),
        _Page(r"/pages/call\.css", _OWN / "call.css", _CSS),
        _Page(r"/pages/call\.js", _OWN / "call.js", _SCRIPT),
        _Page(r"/pages/icon\.svg", _OWN / "icon.svg", "image/svg+xml"),
        _Page(r"/pages/swagger-ui\.css", swagger_ui / "swagger-ui.css", _CSS),
        _Page(r"/pages/swagger-ui-bundle\.js", swagger_ui / "swagger-ui-bundle.js", _SCRIPT),
    ]


def _swagger_ui() -> Path:
    """Find Swagger UI's files, in a package that cannot be imported without Django."""
    package, folder = _SWAGGER_UI
    spec = importlib.util.find_spec(package)
    assert spec is not None  # noqa: S101 - it is a requirement of this project
    assert spec.origin is not None  # noqa: S101 - as above
    return Path(spec.origin).parent / folder


def _wrong_verb(pages: list[_Page]) -> Json:
    paths = "|".join(page.path for page in pages)
    read = {
        "name": ":method",
        "string_match": {"safe_regex": {"regex": "GET|HEAD"}},
        "invert_match": True,
    }
    return {
        "name": "page with a wrong verb",
        "match": {"safe_regex": {"regex": paths}, "headers": [_NO_GRPC, read]},
        "direct_response": {"status": 405},
        "response_headers_to_add": _headers({"allow": "GET, HEAD"}),
    }


def _not_modified_route(page: _Page) -> Json:
    """Respond 304 to clients that send the file's tag, perhaps among others."""
    has_it = {
        "name": "if-none-match",
        "string_match": {"safe_regex": {"regex": f'\\*|.*"{_hash(page)}".*'}},
    }
    return {
        "name": "page unchanged",
        "match": {"safe_regex": {"regex": page.path}, "headers": [_NO_GRPC, has_it]},
        "direct_response": {"status": 304},
        "response_headers_to_add": _headers(_cache_headers(page)),
        "response_headers_to_remove": ["location", "content-type"],
    }


def _whole(page: _Page, settings: GatewaySettings) -> Json:
    filters: Json = {"compressor": _ON}
    if page.file.stat().st_size > _LARGE_BYTES:
        filters["rate_limit"] = _fewer(settings)
    return {
        "name": "page",
        "match": {"safe_regex": {"regex": page.path}, "headers": [_NO_GRPC]},
        "direct_response": {"status": 200, "body": {"filename": str(page.file)}},
        # By the route, not by a filter: replies that filters make, such as a 429, have none of them.
        "response_headers_to_add": _headers(
            {"content-type": page.content_type} | _cache_headers(page) | _SAFETY
        ),
        "typed_per_filter_config": filters,
    }


def _cache_headers(page: _Page) -> dict[str, str]:
    # A weak tag, for it is the same whether the file is compressed or not.
    return {"etag": f'W/"{_hash(page)}"', "cache-control": "no-cache"}


def _hash(page: _Page) -> str:
    return sha256(page.file.read_bytes()).hexdigest()[:16]


def _headers(values: dict[str, str]) -> list[Json]:
    return [
        {"header": {"key": key, "value": value}, "append_action": "OVERWRITE_IF_EXISTS_OR_ADD"}
        for key, value in values.items()
    ]


def _fewer(settings: GatewaySettings) -> Json:
    """Rate limit what takes long to compress and much memory to send: a browser needs it once."""
    limited = {"default_value": {"numerator": 100 if settings.rate_limit_per_second else 0}}
    bucket = {"max_tokens": 50, "tokens_per_fill": 5, "fill_interval": "1s"}
    return {
        "@type": f"{_FILTERS}.local_ratelimit.v3.LocalRateLimit",
        "stat_prefix": "rate_limit",
        "filter_enabled": limited,
        "filter_enforced": limited,
        "rate_limits": [{"actions": [{"masked_remote_address": {"v6_prefix_mask_len": 64}}]}],
        "descriptors": [{"entries": [{"key": "masked_remote_address"}], "token_bucket": bucket}],
        "max_dynamic_descriptors": 10000,
        "token_bucket": bucket,
        "always_consume_default_token_bucket": False,
    }
