"""A call's status page, as people on call have it before them."""

import re
from collections.abc import Callable, Iterator
from contextlib import AbstractContextManager, contextmanager
from urllib.parse import quote

import httpx
import pytest
from playwright.sync_api import Page, Route, expect

from server.application.call import CallStatus
from server.demo.sample_calls import sample_id
from tests.support.calls import MOMENT, new_id
from tests.support.demo import RunningDemo
from tests.support.postgres import execute, store_call
from tests.support.visits import PHONE, Visit
from tests.support.ways import Way

Visiting = Callable[..., AbstractContextManager[Visit]]

HOSTILE = '<img src=x onerror="window.hit = 1"><script>window.hit = 2</script>'
HIDE = "Object.defineProperty(document, 'hidden', { get: () => %s, configurable: true })"
TELL = "document.dispatchEvent(new Event('visibilitychange'))"


@pytest.mark.parametrize("demo", Way, indirect=True)
@pytest.mark.parametrize(
    ("digit", "title", "says"),
    [
        (1, "Breathing for beginners", ("Scheduled", "Not known")),
        (2, "Strength class", ("Live", "On air")),
        (3, "Nutrition: questions and answers", ("Ended", "Ended")),
        (4, "Sleep consultation", ("Errored", "Not known")),
        (5, "Running club", ("Live", "Not known")),
        (6, '"Morning" {yoga} \\ утренняя йога', ("Live", "Not on air")),
    ],
)
def test_it_shows_a_sample_call(
    visit: Visiting, demo: RunningDemo, digit: int, title: str, says: tuple[str, str]
) -> None:
    row, stream = says
    with visit() as visited:
        page = opened(visited, demo, sample_id(digit))
        expect(page.get_by_role("heading", level=1)).to_contain_text(title)
        expect(page.locator("#status")).to_have_text(row)
        expect(page.locator("#live")).to_have_text(stream)
        expect(page.locator("#id")).to_have_text(sample_id(digit))
        expect(page).to_have_title(re.compile(f"^{row} · "))


def test_it_says_since_when_in_words_and_as_a_time_with_its_zone(
    visit: Visiting, demo: RunningDemo
) -> None:
    with visit(timezone_id="Asia/Kolkata") as visited:
        page = opened(visited, demo, sample_id(2))
        expect(page.locator("#since")).to_contain_text(re.compile(r"started \d+ minutes ago"))
        time = page.locator("#since time")
        expect(time).to_contain_text("GMT+5:30")
        assert re.fullmatch(
            r"\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\.000Z", time.get_attribute("datetime") or ""
        )


def test_it_links_to_the_recording_and_shows_the_reply_as_it_is(
    visit: Visiting, demo: RunningDemo
) -> None:
    with visit() as visited:
        page = opened(visited, demo, sample_id(3))
        link = page.get_by_role("link", name="https://recordings.example.com/nutrition.mp4")
        expect(link).to_have_attribute("rel", "noreferrer noopener")
        page.get_by_text("The reply as it is").click()
        expect(page.locator("#json")).to_contain_text('"stream_call_id": "demo-ended"')
        expect(page.locator("#etag")).to_have_text(re.compile(r'^"[0-9a-f]{16}"$'))


def test_it_says_that_live_state_is_unknown(visit: Visiting, demo: RunningDemo) -> None:
    with visit() as visited:
        page = opened(visited, demo, sample_id(5))
        expect(page.locator("#live-since")).to_contain_text("may be on air all the same")
        expect(page.locator("#differ")).to_be_hidden()


def test_it_says_where_the_row_and_stream_differ(visit: Visiting, demo: RunningDemo) -> None:
    with visit() as visited:
        page = opened(visited, demo, sample_id(6))
        expect(page.locator("#differ")).to_contain_text("the row says live, and Stream does not")


@pytest.mark.parametrize("demo", Way, indirect=True)
def test_it_shows_a_change_by_itself_and_tells_of_it(visit: Visiting, demo: RunningDemo) -> None:
    with visit() as visited:
        page = opened(visited, demo, sample_id(2))
        with told_stream(demo, state="ended"):
            expect(page.locator("#live")).to_have_text("Ended", timeout=10_000)
            expect(page.get_by_role("status")).to_have_text("The row says live, Stream says ended.")
        expect(page.locator("#live")).to_have_text("On air", timeout=10_000)


def test_what_has_not_changed_is_not_sent_again(visit: Visiting, demo: RunningDemo) -> None:
    path = f"/v1/live/calls/{sample_id(4)}"
    with visit() as visited:
        page = opened(visited, demo, sample_id(4))
        with page.expect_response(f"**{path}"):
            page.get_by_role("button", name="Refresh now").click()
        with page.expect_response(f"**{path}"):  # by itself
            pass
        assert visited.statuses(path) == [200, 304, 304]
        expect(page.locator("#status")).to_have_text("Errored")


def test_it_rests_while_nobody_looks(visit: Visiting, demo: RunningDemo) -> None:
    path = f"/v1/live/calls/{sample_id(4)}"
    with visit() as visited:
        visited.page.clock.install()
        page = opened(visited, demo, sample_id(4))
        page.evaluate(f"{HIDE % 'true'}; {TELL}")
        page.clock.run_for(60_000)
        assert visited.statuses(path) == [200]
        with page.expect_response(f"**{path}"):
            page.evaluate(f"{HIDE % 'false'}; {TELL}")


def test_it_waits_as_long_as_it_is_told_and_longer_each_time(visit: Visiting, demo: RunningDemo) -> None:
    told = ["40", "1", "1", "1"]

    def turn_away(route: Route) -> None:
        after = told.pop(0)
        route.fulfill(status=429, headers={"Retry-After": after}, json={"message": "Too many requests."})

    with visit() as visited:
        page = visited.page
        page.clock.install()
        opened(visited, demo, sample_id(4))
        page.route("**/v1/live/calls/*", turn_away)
        waits = []
        for _ in range(4):
            page.get_by_role("button", name="Refresh now").click()
            expect(page.locator("#trouble")).to_contain_text("429. Too many requests.")
            shown = page.locator("#freshness")
            expect(shown).to_contain_text("Trying again in")
            waits.append(int(re.findall(r"again in (\d+) s", shown.inner_text())[0]))
        assert waits == pytest.approx([40, 10, 20, 40], abs=2)


@pytest.mark.parametrize("demo", Way, indirect=True)
def test_it_says_that_the_service_cannot_answer_and_heals(visit: Visiting, demo: RunningDemo) -> None:
    with visit() as visited:
        page = opened(visited, demo, sample_id(4))
        with without_calls(demo):
            page.get_by_role("button", name="Refresh now").click()
            trouble = page.locator("#trouble")
            expect(trouble).to_contain_text("What you see is not fresh. Last refreshed")
            expect(trouble).to_contain_text("503. The calls cannot be read right now.")
            expect(page.locator("#status")).to_have_text("Errored")
        expect(trouble).to_be_hidden(timeout=15_000)
        expect(page.locator("#freshness")).to_contain_text("Refreshed")


def test_it_says_that_nothing_can_be_reached_and_heals(visit: Visiting, demo: RunningDemo) -> None:
    with visit() as visited:
        page = opened(visited, demo, sample_id(4))
        page.context.set_offline(True)
        page.get_by_role("button", name="Refresh now").click()
        expect(page.locator("#trouble")).to_contain_text("the service cannot be reached")
        page.context.set_offline(False)
        expect(page.locator("#trouble")).to_be_hidden(timeout=15_000)
        # Chromium notes it of its own accord.
        visited.errors[:] = [
            error for error in visited.errors if "ERR_INTERNET_DISCONNECTED" not in error
        ]


@pytest.mark.parametrize("call_id", ["no-such-call", new_id(), "a b", "%2F..%2F", "50%"])
def test_it_says_that_there_is_no_such_call(visit: Visiting, demo: RunningDemo, call_id: str) -> None:
    with visit() as visited:
        open_page(visited, demo, call_id)
        expect(visited.page.locator("h1")).to_have_text("Not found")
        expect(visited.page.locator("#trouble")).to_contain_text("No call has this id.")
        expect(visited.page.locator("#id")).to_have_text(call_id)


def test_a_call_that_comes_to_be_is_shown(visit: Visiting, demo: RunningDemo) -> None:
    call_id = new_id()
    with visit() as visited:
        visited.page.clock.install()
        open_page(visited, demo, call_id)
        expect(visited.page.locator("h1")).to_have_text("Not found")
        with stored(demo, call_id, title="It is there"):
            visited.page.clock.run_for(31_000)
            expect(visited.page.locator("h1")).to_have_text("It is there")


def test_a_refused_token_is_asked_for_again(visit: Visiting, demo: RunningDemo) -> None:
    with visit() as visited:
        page = visited.page
        page.goto(f"/calls/{sample_id(2)}")
        give(page, "no-token")
        alert = page.get_by_role("alert")
        expect(alert).to_have_text("The token is refused. The access token is not valid.")
        expect(page.get_by_label("Access token")).to_be_focused()
        give(page, "not a tökén")
        expect(alert).to_contain_text("That is no access token")
        give(page, f"Bearer {demo.token}")
        expect(page.locator("#status")).to_have_text("Live")
        assert visited.statuses(f"/v1/live/calls/{sample_id(2)}") == [401, 200]


def test_the_token_goes_nowhere_but_to_the_service(visit: Visiting, demo: RunningDemo) -> None:
    with visit() as visited:
        page = visited.page
        asked: list[str] = []
        page.on("request", lambda request: asked.append(request.url))
        opened(visited, demo, sample_id(2))
        assert page.get_by_label("Access token").get_attribute("type") == "password"
        assert page.url == f"{demo.url}/calls/{sample_id(2)}"
        assert not [url for url in asked if demo.token in url]
        assert page.evaluate("history.length") == 2  # about:blank, and this
        assert demo.token not in page.evaluate("JSON.stringify([history.state, {...localStorage}])")
        assert page.context.cookies() == []
        assert demo.token not in page.content()
        # It survives a reload, and is forgotten when told so.
        page.reload()
        expect(page.locator("#status")).to_have_text("Live")
        page.get_by_role("button", name="Forget the token").click()
        assert page.evaluate("sessionStorage.length") == 0
        page.reload()
        expect(page.get_by_label("Access token")).to_be_visible()
    with visit() as another:
        another.page.goto(f"/calls/{sample_id(2)}")
        expect(another.page.get_by_label("Access token")).to_be_visible()


@pytest.mark.parametrize(
    "url", ["javascript:window.hit=3", "data:text/html,<script>1</script>", " java\nscript:1", "nowhere"]
)
def test_hostile_words_are_words(visit: Visiting, demo: RunningDemo, url: str) -> None:
    call_id = new_id()
    with stored(demo, call_id, title=HOSTILE, recording_url=url), visit() as visited:
        page = opened(visited, demo, call_id)
        expect(page.locator("h1")).to_have_text(HOSTILE)
        expect(page.locator("#facts")).to_contain_text("no web address")
        assert page.locator("main a, main img, main script").count() == 0
        assert page.evaluate("window.hit") is None


def test_a_long_title_in_any_script_fits_a_phone(visit: Visiting, demo: RunningDemo) -> None:
    call_id, url = new_id(), "https://recordings.example.com/" + "a" * 300
    with (
        stored(demo, call_id, title="x" * 300, recording_url=url),
        visit(viewport=PHONE, has_touch=True, is_mobile=True) as visited,
    ):
        page = opened(visited, demo, call_id)
        assert not visited.overflows
        page.get_by_text("The reply as it is").click()
        assert not visited.overflows
        for digit in range(1, 7):
            page.goto(f"/calls/{sample_id(digit)}")
            expect(page.locator("#status")).to_be_visible()
            assert not visited.overflows


def test_it_is_used_with_the_keyboard_alone(visit: Visiting, demo: RunningDemo) -> None:
    with visit() as visited:
        page = visited.page
        page.goto(f"/calls/{sample_id(3)}")
        page.keyboard.type(demo.token)
        page.keyboard.press("Enter")
        expect(page.get_by_role("heading", level=1)).to_be_focused()
        expect(page.locator("#status")).to_have_text("Ended")
        reached = []
        for _ in range(4):
            page.keyboard.press("Tab")
            reached.append(page.evaluate("document.activeElement.textContent"))
        assert reached == [
            "Refresh now",
            "Forget the token",
            "https://recordings.example.com/nutrition.mp4",
            "The reply as it is",
        ]
        page.keyboard.press("Enter")
        page.keyboard.press("Tab")
        expect(page.locator("#json")).to_be_focused()


def test_it_follows_light_and_dark(visit: Visiting, demo: RunningDemo) -> None:
    with visit(color_scheme="light") as visited:
        page = opened(visited, demo, sample_id(2))
        assert visited.brightness > 200
        page.emulate_media(color_scheme="dark")
        assert visited.brightness < 60


@pytest.mark.parametrize("color_scheme", ["light", "dark"])
def test_axe_finds_no_fault(visit: Visiting, demo: RunningDemo, color_scheme: str) -> None:
    with visit(color_scheme=color_scheme, reduced_motion="reduce") as visited:
        page = visited.page
        page.goto(f"/calls/{sample_id(1)}")
        assert visited.faults() == []
        give(page, demo.token)
        for digit in range(1, 7):
            page.goto(f"/calls/{sample_id(digit)}")
            expect(page.locator("#status")).to_be_visible()
            page.get_by_text("The reply as it is").click()
            assert visited.faults() == []


def opened(visited: Visit, demo: RunningDemo, call_id: str) -> Page:
    """Open the page of a call, and see that it is shown."""
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
    """Let Stream say another state of the call on air, while the block lasts."""
    httpx.put(demo.on_air_at_stream_url, json={"state": state}).raise_for_status()
    try:
        yield
    finally:
        httpx.put(demo.on_air_at_stream_url, json={"state": "on_air"}).raise_for_status()


@contextmanager
def without_calls(demo: RunningDemo) -> Iterator[None]:
    """Have no table of calls while the block lasts."""
    execute(demo.database_url, "ALTER TABLE calls RENAME TO calls_put_away")
    try:
        yield
    finally:
        execute(demo.database_url, "ALTER TABLE calls_put_away RENAME TO calls")


@contextmanager
def stored(
    demo: RunningDemo, call_id: str, title: str, recording_url: str | None = None
) -> Iterator[None]:
    """Have another call while the block lasts."""
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
