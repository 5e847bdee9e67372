"""A call's status page, opened in a browser."""

from collections.abc import Callable, Iterator
from contextlib import AbstractContextManager, contextmanager
from urllib.parse import quote

import httpx
from playwright.sync_api import Page, expect

from server.application.call import CallStatus
from tests.support.callers.visits import Visit
from tests.support.data.calls import MOMENT
from tests.support.database.postgres import execute, store_call
from tests.support.server.demo import RunningDemo

Visiting = Callable[..., AbstractContextManager[Visit]]


def opened(visited: Visit, demo: RunningDemo, call_id: str) -> Page:
    """Open the page of a call, and check that it is shown."""
    open_page(visited, demo, call_id)
    expect(visited.page.locator("#status")).to_be_visible()
    return visited.page


def open_page(visited: Visit, demo: RunningDemo, call_id: str) -> None:
    visited.page.goto(f"/calls/{quote(call_id, safe='')}")
    give(visited.page, demo.token)


def give(page: Page, token: str) -> None:
    page.get_by_label("Access token").fill(token)
    page.get_by_role("button", name="Show the call").click()


@contextmanager
def told_stream(demo: RunningDemo, state: str) -> Iterator[None]:
    """Set another state at Stream for the call on air, while the block lasts."""
    httpx.put(demo.on_air_at_stream_url, json={"state": state}).raise_for_status()
    try:
        yield
    finally:
        httpx.put(demo.on_air_at_stream_url, json={"state": "on_air"}).raise_for_status()


@contextmanager
def without_calls(demo: RunningDemo) -> Iterator[None]:
    """Remove the table of calls while the block lasts."""
    execute(demo.database_url, "ALTER TABLE calls RENAME TO calls_put_away")
    try:
        yield
    finally:
        execute(demo.database_url, "ALTER TABLE calls_put_away RENAME TO calls")


@contextmanager
def stored(
    demo: RunningDemo, call_id: str, title: str, recording_url: str | None = None
) -> Iterator[None]:
    """Store another call while the block lasts."""
    store_call(
        demo.database_url,
        id=call_id,
        title=title,
        recording_url=recording_url,
        status=CallStatus.ENDED,
        ended_at=MOMENT,
    )
    try:
        yield
    finally:
        execute(demo.database_url, f"DELETE FROM calls WHERE id = '{call_id}'")
