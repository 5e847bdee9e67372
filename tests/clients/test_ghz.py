"""ghz, a load generator: all its requests must succeed."""

import json
from importlib.resources import files
from typing import Any

import pytest

from tests.clients.programs import GHZ
from tests.support.data.calls import CALL_ID
from tests.support.machine.toolchains import ROOT

REQUESTS, AT_ONCE = 400, 50
# And Google's files that it imports.
FROM_PROTO = (
    *("--proto", str(ROOT / "proto/livecalls/v1/live_calls.proto")),
    *("--import-paths", str(files("google.api").joinpath("../.."))),
)


@pytest.fixture(scope="module", autouse=True)
def built() -> None:
    GHZ.build()


def ran(address: str, token: str, *contract: str) -> dict[str, Any]:
    asks = ("--call", "livecalls.v1.LiveCalls.GetCall", "--data", json.dumps({"id": CALL_ID}))
    shows = ("--metadata", json.dumps({"authorization": f"Bearer {token}"}))
    much = ("--total", str(REQUESTS), "--concurrency", str(AT_ONCE), "--timeout", "60s")
    done = GHZ("--insecure", *contract, *asks, *shows, *much, "--format", "json", address)
    assert done.returncode == 0, done.stderr
    report: dict[str, Any] = json.loads(done.stdout)
    return report


@pytest.mark.parametrize("contract", [(), FROM_PROTO], ids=["by reflection", "from the .proto"])
def test_every_request_is_answered(address: str, token: str, contract: tuple[str, ...]) -> None:
    report = ran(address, token, *contract)
    assert report["errorDistribution"] == {}
    assert report["statusCodeDistribution"] == {"OK": REQUESTS}


def test_connections_of_its_own_make_no_difference(address: str, token: str) -> None:
    report = ran(address, token, *FROM_PROTO, "--connections", "10")
    assert report["statusCodeDistribution"] == {"OK": REQUESTS}
