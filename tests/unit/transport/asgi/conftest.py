from collections.abc import AsyncIterator

import pytest

from server.transport.asgi import deadline
from tests.support.data.calls import PLAIN_CALL
from tests.support.envoy.asgi import Hosted, hosted


@pytest.fixture
async def service(monkeypatch: pytest.MonkeyPatch) -> AsyncIterator[Hosted]:
    monkeypatch.setattr(deadline, "CHECK_SECONDS", 0.005)
    async with hosted() as service:
        service.ports.holds(PLAIN_CALL)
        yield service
