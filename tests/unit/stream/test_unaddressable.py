import pytest

from server.adapters.stream import unaddressable as unaddressable_module
from server.adapters.stream.unaddressable import UnaddressableCalls
from tests.support.stand_ins.scripted_stream import ScriptedStream, ask, best_effort


def logged(caplog: pytest.LogCaptureFixture) -> list[tuple[str, str]]:
    return [(vars(line)["stream_call_type"], vars(line)["stream_call_id"]) for line in caplog.records]


@pytest.mark.parametrize("name", ["", "..", "x" * 65])
async def test_a_call_that_cannot_be_requested_is_logged_once(
    stream: ScriptedStream, caplog: pytest.LogCaptureFixture, name: str
) -> None:
    asked = best_effort(stream)
    for _ in range(100):
        assert await ask(asked, ("livestream", name)) == (None, 0)
    (line,) = caplog.records
    assert line.getMessage() == "a call cannot be requested from stream"
    assert vars(line)["reason"] == "its type and id cannot be those of a call"
    assert logged(caplog) == [("livestream", name)]
    assert not stream.requests


def test_each_of_them_is_logged(caplog: pytest.LogCaptureFixture) -> None:
    unaddressable = UnaddressableCalls()
    for call in [("a", ""), ("", "a"), ("a", ""), ("", "a")]:
        unaddressable.note(*call)
    assert logged(caplog) == [("a", ""), ("", "a")]


def test_those_seen_last_are_remembered(
    caplog: pytest.LogCaptureFixture, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(unaddressable_module, "MAX_REMEMBERED", 2)
    unaddressable = UnaddressableCalls()
    for name in ("a", "b", "a", "c", "a", "b"):
        unaddressable.note("", name)
    assert [name for _, name in logged(caplog)] == ["a", "b", "c", "b"]
    assert len(unaddressable._logged) == 2


def test_of_a_long_id_the_beginning_is_logged(caplog: pytest.LogCaptureFixture) -> None:
    UnaddressableCalls().note("y" * 10**6, "x" * 10**6)
    assert logged(caplog) == [("y" * 80, "x" * 80)]
