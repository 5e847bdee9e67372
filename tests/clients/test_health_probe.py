"""grpc-health-probe, as Kubernetes runs it, on the server's own port and on the gateway's."""

import pytest

from tests.clients.programs import HEALTH_PROBE, Ran

# grpc-health-probe's exit code if the request itself failed.
ASKED_IN_VAIN = 3


@pytest.fixture(scope="module", autouse=True)
def built() -> None:
    HEALTH_PROBE.build()


def probe(address: str, *options: str) -> Ran:
    # It gives up after a second by itself, which a busy machine may take.
    return HEALTH_PROBE("-addr", address, "-connect-timeout", "20s", "-rpc-timeout", "20s", *options)


@pytest.mark.parametrize("options", [(), ("-service", "livecalls.v1.LiveCalls")], ids=["", "by name"])
def test_the_service_is_found_well(address: str, options: tuple[str, ...]) -> None:
    probed = probe(address, *options)
    assert probed.returncode == 0, probed.stderr
    assert "status: SERVING" in probed.stdout + probed.stderr


def test_of_another_service_nothing_is_known(address: str) -> None:
    probed = probe(address, "-service", "livecalls.v1.Others")
    assert probed.returncode == ASKED_IN_VAIN
    assert "NotFound" in probed.stdout + probed.stderr
