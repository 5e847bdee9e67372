"""The API reference, read and tried in a browser."""

import re
from collections.abc import Callable
from contextlib import AbstractContextManager

import pytest
from playwright.sync_api import Locator, Page, expect

from demo.sample_calls import sample_id
from tests.support.callers.visits import PHONE, Visit
from tests.support.server.demo import RunningDemo
from tests.support.server.deployments import Deployment

Visiting = Callable[..., AbstractContextManager[Visit]]
OPERATION = "/v1/live/calls/{id}"
ON_AIR = f"/v1/live/calls/{sample_id(2)}"

# What Swagger UI itself does: a link in a button, headings that skip a level, a title outside of main.
OF_SWAGGER_UI = ("nested-interactive", "heading-order", "region")


@pytest.mark.parametrize("demo", Deployment, indirect=True)
def test_the_documented_operation_is_there_and_nothing_of_another_host(visit: Visiting) -> None:
    with visit() as visited:
        page = opened(visited)
        operation = page.locator("#operations-live-getCall")
        expect(operation).to_contain_text("Get call status (DB row + best-effort Stream live status)")
        expect(operation.locator("tr[data-param-name=id] .parameter__name.required")).to_be_visible()
        for status in ("200", "304", "401", "403", "404", "405", "429", "503", "504"):
            expect(operation.locator(f"tr.response[data-code='{status}']")).to_be_visible()
        expect(page.locator("#operations-live-headCall")).to_be_visible()


@pytest.mark.parametrize("demo", Deployment, indirect=True)
def test_trying_it_shows_the_200_and_the_404(visit: Visiting, demo: RunningDemo) -> None:
    with visit() as visited:
        page = opened(visited)
        authorize(page, demo.token)
        reply = tried(page)
        expect(reply.locator(".response .response-col_status")).to_contain_text("200")
        expect(reply).to_contain_text('"title": "Strength class"')
        page.get_by_placeholder("id", exact=True).fill("no-such-call")
        reply = tried(page)
        expect(reply.locator(".response .response-col_status")).to_contain_text("404")
        expect(reply).to_contain_text('"No call has this id."')
        assert visited.statuses(ON_AIR) == [200]


def test_trying_it_without_a_token_shows_the_401(visit: Visiting) -> None:
    with visit() as visited:
        reply = tried(opened(visited))
        expect(reply).to_contain_text("An access token is required.")


def test_it_is_tried_with_the_keyboard_alone(visit: Visiting, demo: RunningDemo) -> None:
    with visit() as visited:
        page = opened(visited)
        tab_to(page, ".authorize")
        page.keyboard.press("Enter")
        expect(page.locator(".auth-container input")).to_be_focused()
        page.keyboard.type(demo.token)
        page.keyboard.press("Enter")
        expect(page.locator(".auth-container")).to_contain_text("Authorized")
        tab_to(page, ".btn-done")
        page.keyboard.press("Enter")
        tab_to(page, ".execute")
        page.keyboard.press("Enter")
        expect(page.locator(".live-responses-table")).to_contain_text('"title": "Strength class"')


def test_a_phone_shows_it_whole(visit: Visiting, demo: RunningDemo) -> None:
    with visit(viewport=PHONE, has_touch=True, is_mobile=True) as visited:
        page = opened(visited)
        authorize(page, demo.token)
        tried(page)
        assert not visited.overflows
        cut_off = "[...document.querySelectorAll('.opblock')].some((o) => o.scrollWidth > o.clientWidth)"
        assert not page.evaluate(cut_off)


def test_it_follows_light_and_dark(visit: Visiting) -> None:
    with visit(color_scheme="light") as visited:
        page = opened(visited)
        assert visited.brightness > 200
        page.emulate_media(color_scheme="dark")
        expect(page.locator("html")).to_have_class(re.compile("dark-mode"))
        assert visited.brightness < 60


@pytest.mark.parametrize("color_scheme", ["light", "dark"])
def test_axe_finds_no_fault(visit: Visiting, color_scheme: str) -> None:
    with visit(color_scheme=color_scheme) as visited:
        opened(visited)
        assert visited.faults(*OF_SWAGGER_UI) == []


def test_the_token_is_gone_with_the_page(visit: Visiting, demo: RunningDemo) -> None:
    with visit() as visited:
        page = opened(visited)
        authorize(page, demo.token)
        kept = page.evaluate("JSON.stringify([{...localStorage}, {...sessionStorage}, document.cookie])")
        assert demo.token not in kept
        opened(visited)
        tried(page)
        assert visited.statuses(ON_AIR) == [401]


def opened(visited: Visit) -> Page:
    visited.page.goto("/docs")
    expect(visited.page.get_by_placeholder("id", exact=True)).to_be_visible()
    return visited.page


def authorize(page: Page, token: str) -> None:
    page.locator(".authorize").first.click()
    dialog = page.locator(".dialog-ux")
    dialog.locator("input").fill(token)
    dialog.get_by_role("button", name="Apply credentials").click()
    dialog.locator(".btn-done").click()


def tried(page: Page) -> Locator:
    page.get_by_role("button", name="Execute").click()
    table = page.locator(".live-responses-table")
    expect(table).to_be_visible()
    return table


def tab_to(page: Page, selector: str) -> None:
    for _ in range(60):
        page.keyboard.press("Tab")
        if page.evaluate("(selector) => document.activeElement.matches(selector)", selector):
            return
    raise AssertionError(f"{selector} is out of the keyboard's reach")
