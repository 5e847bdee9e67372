"""Pictures of the pages for the documents, made anew: `make screenshots`."""

import io
from pathlib import Path
from typing import Any

from PIL import Image
from playwright.sync_api import Browser, Page, expect

from demo.sample_calls import sample_id
from tests.support.callers.browser import browser_running
from tests.support.callers.visits import PHONE, visiting
from tests.support.server.demo import RunningDemo, running_demo

FOLDER = Path(__file__).parents[2] / "docs" / "screenshots"
DESK = {"width": 1000, "height": 800}
LOOKS: dict[str, dict[str, Any]] = {
    "light": {"viewport": DESK},
    "phone-dark": {"viewport": PHONE, "color_scheme": "dark"},
}
_COLOURS = 64


def main() -> None:
    FOLDER.mkdir(parents=True, exist_ok=True)
    with running_demo() as demo, browser_running() as browser:
        for look in LOOKS:
            picture_docs(browser, demo, look)
            picture_call(browser, demo, look)


def picture_docs(browser: Browser, demo: RunningDemo, look: str) -> None:
    with visiting(browser, demo.url, **LOOKS[look]) as visit:
        visit.page.goto("/docs")
        expect(visit.page.get_by_placeholder("id", exact=True)).to_be_visible()
        save(visit.page, f"docs-{look}")


def picture_call(browser: Browser, demo: RunningDemo, look: str) -> None:
    with visiting(browser, demo.url, **LOOKS[look]) as visit:
        visit.page.goto(f"/calls/{sample_id(2)}")
        visit.page.get_by_label("Access token").fill(demo.token)
        visit.page.keyboard.press("Enter")
        expect(visit.page.locator("#status")).to_be_visible()
        save(visit.page, f"call-{look}")


def save(page: Page, name: str) -> None:
    """Save a screenshot with few colours: a third of the size."""
    shot = Image.open(io.BytesIO(page.screenshot(animations="disabled")))
    shot.convert("RGB").quantize(_COLOURS).save(FOLDER / f"{name}.png", optimize=True)


if __name__ == "__main__":
    main()
