import pytest

from tests.support.scripted_read import ScriptedRead


@pytest.fixture
def read() -> ScriptedRead:
    return ScriptedRead()
