"""A call's status page for people on call: what it shows, and how it stays fresh."""

import re

import pytest
from playwright.sync_api import Route, expect

from demo.sample_calls import sample_id
from tests.support.callers.call_page import (
    Visiting,
    open_page,
    opened,
    stored,
    told_stream,
    without_calls,
)
from tests.support.data.calls import new_id
from tests.support.server.demo import RunningDemo
from tests.support.server.deployments import Deployment

HIDE = "Object.defineProperty(document, 'hidden', { get: () => %s, configurable: true })"
TELL = "document.dispatchEvent(new Event('visibilitychange'))"


@pytest.mark.parametrize("demo", Deployment, indirect=True)
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


@pytest.mark.parametrize("demo", Deployment, indirect=True)
def test_it_shows_a_change_by_itself_and_tells_of_it(visit: Visiting, demo: RunningDemo) -> None:
    with visit() as visited:
        page = opened(visited, demo, sample_id(2))
        with told_stream(demo, state="ended"):
            expect(page.locator("#live")).to_have_text("Ended")
            expect(page.get_by_role("status")).to_have_text("The row says live, Stream says ended.")
        expect(page.locator("#live")).to_have_text("On air")


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
        for wait in (40, 10, 20, 40):
            page.get_by_role("button", name="Refresh now").click()
            expect(page.locator("#trouble")).to_contain_text("429. Too many requests.")
            # The seconds go by meanwhile.
            shown = re.compile(f"Trying again in ({wait}|{wait - 1}|{wait - 2}) s")
            expect(page.locator("#freshness")).to_contain_text(shown)


@pytest.mark.parametrize("demo", Deployment, indirect=True)
def test_it_says_that_the_service_cannot_answer_and_heals(visit: Visiting, demo: RunningDemo) -> None:
    with visit() as visited:
        page = opened(visited, demo, sample_id(4))
        with without_calls(demo):
            page.get_by_role("button", name="Refresh now").click()
            trouble = page.locator("#trouble")
            expect(trouble).to_contain_text("What you see is not fresh. Last refreshed")
            expect(trouble).to_contain_text("503. The calls cannot be read right now.")
            expect(page.locator("#status")).to_have_text("Errored")
        expect(trouble).to_be_hidden()
        expect(page.locator("#freshness")).to_contain_text("Refreshed")


def test_it_says_that_nothing_can_be_reached_and_heals(visit: Visiting, demo: RunningDemo) -> None:
    with visit() as visited:
        page = opened(visited, demo, sample_id(4))
        page.context.set_offline(True)
        page.get_by_role("button", name="Refresh now").click()
        expect(page.locator("#trouble")).to_contain_text("the service cannot be reached")
        page.context.set_offline(False)
        expect(page.locator("#trouble")).to_be_hidden()
        # Chromium logs it by itself.
        visited.errors[:] = [
            error for error in visited.errors if "ERR_INTERNET_DISCONNECTED" not in error
        ]


@pytest.mark.parametrize(
    "call_id", ["no-such-call", "00000000-0000-4000-8000-000000000000", "a b", "%2F..%2F", "50%"]
)
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
