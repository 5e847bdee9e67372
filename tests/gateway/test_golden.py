from pathlib import Path

import grpc
import pytest
from google.rpc.error_details_pb2 import ErrorInfo

from tests.support.data.golden import Golden
from tests.support.envoy.gateway import Gateway, gateway_running
from tests.support.stand_ins.upstream import Upstream

HERE = Path(__file__).parent
REPLIES = sorted((HERE / "golden").glob("*.txt"))
FAILURES = sorted((HERE / "golden" / "failures").glob("*.txt"))
SERVER_GONE = HERE / "golden" / "away" / "server_gone.txt"
NOBODY_LISTENS = 1
# The server's errors for a caller without a valid token, and for one whose token lacks a scope.
REFUSALS = {
    "unauthenticated": ("A valid access token is required.", 'Bearer realm="livecalls"'),
    "permission_denied": (
        "The access token does not allow this.",
        'Bearer realm="livecalls", error="insufficient_scope", scope="calls:read"',
    ),
}


def named(path: Path) -> str:
    return path.stem


@pytest.mark.parametrize("path", REPLIES, ids=named)
def test_a_reply_is_as_written_down(path: Path, rest_url: str, rewrite_golden: bool) -> None:
    Golden(path).check(rest_url, rewrite=rewrite_golden)


@pytest.mark.parametrize("path", FAILURES, ids=named)
def test_the_reply_to_a_failure_is_as_written_down(
    path: Path, gateway: Gateway, upstream: Upstream, rewrite_golden: bool
) -> None:
    code = grpc.StatusCode[path.stem.upper()]
    message, challenge = REFUSALS.get(path.stem, ("So it is.", None))
    trailers = (("www-authenticate", challenge),) if challenge else ()
    upstream.fails(
        code, message, ErrorInfo(reason="SOME_REASON", domain="livecalls.v1"), trailers=trailers
    )
    Golden(path).check(gateway.url, rewrite=rewrite_golden)


def test_the_reply_without_a_server_is_as_written_down(tmp_path: Path, rewrite_golden: bool) -> None:
    with gateway_running(NOBODY_LISTENS, tmp_path) as lonely:
        Golden(SERVER_GONE).check(lonely.url, rewrite=rewrite_golden)
