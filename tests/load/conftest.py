from collections.abc import AsyncIterator
from pathlib import Path

import pytest

from tests.support.callers.loads import IDS, written
from tests.support.machine.toolchains import build_once
from tests.support.stand_ins.targets import Protocol, Target, serving


@pytest.fixture(scope="session")
def _built() -> None:
    build_once("loadgen", ["make", ".build/loadgen"])


@pytest.fixture(params=["grpc", "http1"])
def protocol(request: pytest.FixtureRequest) -> Protocol:
    name: Protocol = request.param
    return name


@pytest.fixture
async def target(protocol: Protocol) -> AsyncIterator[Target]:
    async with serving(protocol) as target:
        yield target


@pytest.fixture
def keys(tmp_path: Path) -> Path:
    return written(tmp_path, *IDS)
