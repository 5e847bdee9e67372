"""A call's status page in use: the token, hostile words, the keyboard, dark and small screens."""

import pytest
from playwright.sync_api import expect

from demo.sample_calls import sample_id
from tests.support.callers.call_page import Visiting, give, opened, stored
from tests.support.callers.visits import PHONE
from tests.support.data.calls import new_id
from tests.support.server.demo import RunningDemo

HOSTILE = '<img src=x onerror="window.hit = 1"><script>window.hit = 2</script>'


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
        # It survives a reload, and is forgotten on request.
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
