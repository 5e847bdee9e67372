"""Which requests have a line in Envoy's access log."""

from typing import Any

# As the server has it, an error is all but OK and NOT_FOUND: by HTTP's status, or by gRPC's, which only
# replies by gRPC have by now. A caller who has gone got no status.
_ERROR = (
    "!has(response.code) || (response.code >= 400 && response.code != 404)"
    " || ('grpc-status' in response.headers && !(response.headers['grpc-status'] in ['0', '5']))"
    " || ('grpc-status' in response.trailers && !(response.trailers['grpc-status'] in ['0', '5']))"
)
# Load balancers look at health again and again.
_NO_HEALTH: dict[str, Any] = {"not_health_check_filter": {}}
_CEL = "type.googleapis.com/envoy.extensions.access_loggers.filters.cel.v3.ExpressionFilter"


def log_filter(ratio: float) -> dict[str, Any]:
    """Make the filter that passes all errors and a fraction of all else, but no request for health.

    By the request's id, as the server does: the two logs have the same requests.
    """
    if ratio == 1:
        return _NO_HEALTH
    numerator = round(ratio * 1_000_000)
    sampled = {
        # A filter must name a runtime key that could override it; nobody sets `none`.
        "runtime_key": "none",
        "percent_sampled": {"numerator": numerator, "denominator": "MILLION"},
    }
    error = {
        "name": "envoy.access_loggers.extension_filters.cel",
        "typed_config": {"@type": _CEL, "expression": _ERROR},
    }
    passed = {"or_filter": {"filters": [{"runtime_filter": sampled}, {"extension_filter": error}]}}
    return {"and_filter": {"filters": [_NO_HEALTH, passed]}}
