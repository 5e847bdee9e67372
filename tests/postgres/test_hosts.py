"""Several hosts in the URL: reads succeed though one of them does not respond."""

import asyncio

import pytest

from server.application.errors import StoreUnavailableError
from tests.support.data.calls import CALL_ID, PLAIN_CALL
from tests.support.database.postgres import store_call, stored_calls
from tests.support.database.silent_proxy import SilentProxy
from tests.support.database.trouble import is_found_again
from tests.support.stand_ins.silent_host import silent_ports
from tests.support.stand_ins.stream import closed_port

LONG_MS = 60_000


async def test_a_host_that_never_answers_is_given_up_for_the_next(
    database_url: str, proxy: SilentProxy
) -> None:
    store_call(database_url)
    with silent_ports(1) as silent:
        url = proxy.url_with(*silent)
        async with stored_calls(url, connect_timeout_ms=5000, read_timeout_ms=LONG_MS) as calls:
            assert await calls.find(CALL_ID) == PLAIN_CALL


async def test_connecting_goes_on_for_the_next_reader_when_one_gives_up(
    database_url: str, proxy: SilentProxy
) -> None:
    store_call(database_url)
    with silent_ports(3) as silent:
        url = proxy.url_with(*silent)
        async with stored_calls(url, connect_timeout_ms=500, read_timeout_ms=400) as calls:
            with pytest.raises(StoreUnavailableError):
                await calls.find(CALL_ID)
            await is_found_again(calls)


async def test_a_name_is_connected_to_by_its_next_address(
    database_url: str, proxy: SilentProxy, monkeypatch: pytest.MonkeyPatch
) -> None:
    async def addresses(*_: object, **__: object) -> list[tuple[object, ...]]:
        return [(2, 1, 6, "", (address, 0)) for address in ("127.0.0.2", "127.0.0.1")]

    store_call(database_url)
    monkeypatch.setattr(asyncio.get_running_loop(), "getaddrinfo", addresses, raising=False)
    url = proxy.url.replace("127.0.0.1", "calls.example")
    async with stored_calls(url, connect_timeout_ms=5000, read_timeout_ms=LONG_MS) as calls:
        assert await calls.find(CALL_ID) == PLAIN_CALL


@pytest.mark.parametrize("name", ["calls..example", f"{'a' * 64}.example", ".example"])
async def test_what_can_be_no_host_s_name_is_given_up_for_the_next(
    database_url: str, proxy: SilentProxy, caplog: pytest.LogCaptureFixture, name: str
) -> None:
    store_call(database_url)
    url = proxy.url.replace("127.0.0.1", f"{name}:1,127.0.0.1")
    async with stored_calls(url) as calls:
        await is_found_again(calls)
    with pytest.raises(StoreUnavailableError):
        async with stored_calls(f"postgresql://{name}/calls") as calls:
            await calls.find(CALL_ID)
    assert vars(caplog.records[-1])["said"] == "no address: not a host name"


async def test_the_log_names_each_host_and_its_fault(caplog: pytest.LogCaptureFixture) -> None:
    with silent_ports(1) as (silent,):
        refusing = closed_port()
        url = f"postgresql://user:hunter2@127.0.0.1:{silent},127.0.0.1:{refusing}/calls"
        async with stored_calls(url, connect_timeout_ms=100, read_timeout_ms=LONG_MS) as calls:
            with pytest.raises(StoreUnavailableError):
                await calls.find(CALL_ID)
    [record] = [record for record in caplog.records if record.name == "server.store"]
    assert vars(record)["said"] == (
        f"127.0.0.1, port {silent}: no answer in time; 127.0.0.1, port {refusing}: Connection refused"
    )
    assert "hunter2" not in str(vars(record))


async def test_why_there_is_no_connection_is_logged_though_nobody_waits_any_more(
    caplog: pytest.LogCaptureFixture,
) -> None:
    with silent_ports(1) as (silent,):
        url = f"postgresql://user@127.0.0.1:{silent}/calls"
        async with stored_calls(url, connect_timeout_ms=300, read_timeout_ms=50) as calls:
            with pytest.raises(StoreUnavailableError):
                await calls.find(CALL_ID)
            async with asyncio.timeout(LONG_MS / 1000):
                while not any("connected" in record.message for record in caplog.records):  # noqa: ASYNC110 - there is no event for it
                    await asyncio.sleep(0.01)
