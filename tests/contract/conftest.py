from collections.abc import AsyncIterator

import pytest

from tests.support.service import Service, scripted_service


@pytest.fixture
async def service() -> AsyncIterator[Service]:
    async with scripted_service() as service:
        yield service
