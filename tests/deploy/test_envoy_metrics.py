"""The metrics of Envoy that alerts and panels are about, by a real one."""

from collections.abc import Iterator

import pytest

from tests.support.callers.rest import ask
from tests.support.deploy.queries import metrics
from tests.support.envoy.gateway import Gateway, gateway_running
from tests.support.stand_ins.stream import closed_port

COUNTED = (
    'envoy_http_downstream_rq_xx{envoy_response_code_class="5",envoy_http_conn_manager_prefix="rest"} 1'
)


@pytest.fixture(scope="module")
def gateway(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Gateway]:
    with gateway_running(closed_port(), tmp_path_factory.mktemp("gateway")) as gateway:
        yield gateway


def stats(gateway: Gateway) -> str:
    return ask(gateway.admin_url, "GET", "/stats/prometheus").body.decode()


@pytest.mark.parametrize("name", sorted({name for name in metrics() if name.startswith("envoy_")}))
def test_envoy_has_each(gateway: Gateway, name: str) -> None:
    assert f"# TYPE {name} " in stats(gateway)


def test_requests_that_no_server_answers_are_counted_as_5xx(gateway: Gateway) -> None:
    assert ask(gateway.url, "GET", "/v1/live/calls/any").status == 503
    assert COUNTED in stats(gateway).splitlines()
