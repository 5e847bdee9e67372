"""A browser's visit to the gateway's pages, and what it does meanwhile."""

from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from typing import Any
from urllib.parse import urlsplit

from axe_playwright_python.sync_playwright import Axe
from playwright.sync_api import Browser, ConsoleMessage, Page, Response, expect

# What Chromium logs for each reply that is no success, however well the page handles it.
_OF_A_STATUS = "Failed to load resource: the server responded with a status of"
PHONE = {"width": 360, "height": 740}

# How long a page may take to get anywhere, in milliseconds, for actions and what is expected alike. A
# test has more time than that.
_PATIENCE = 60_000
expect.set_options(timeout=_PATIENCE)


@dataclass
class Visit:
    """A page, and what was recorded of it."""

    page: Page
    hosts: set[str] = field(default_factory=set)
    errors: list[str] = field(default_factory=list)
    responses: list[Response] = field(default_factory=list)

    def statuses(self, path: str) -> list[int]:
        """List the statuses of the replies to requests for a path, by now."""
        return [reply.status for reply in self.responses if urlsplit(reply.url).path == path]

    @property
    def overflows(self) -> bool:
        """Return whether one must scroll sideways."""
        return bool(self.page.evaluate("document.documentElement.scrollWidth > innerWidth"))

    @property
    def brightness(self) -> float:
        """Measure the page's background, from 0 to 255."""
        colour = self.page.evaluate("getComputedStyle(document.body).backgroundColor")
        return sum(map(int, colour.strip("rgb()").split(","))) / 3

    def faults(self, *ignored: str) -> list[str]:
        """Let axe check accessibility; rules may be ignored, by their ids."""
        options = {"rules": {rule: {"enabled": False} for rule in ignored}}
        violations = Axe().run(self.page, options=options).response["violations"]
        return [f"{each['id']}: {node['html']}" for each in violations for node in each["nodes"]]

    def _notice(self) -> None:
        self.page.on("request", lambda request: self.hosts.add(urlsplit(request.url).netloc))
        self.page.on("response", lambda reply: self.responses.append(reply))  # noqa: PLW0108 - it marks what it is given
        self.page.on("console", self._take_message)
        self.page.on("pageerror", lambda error: self.errors.append(str(error)))

    def _take_message(self, message: ConsoleMessage) -> None:
        if message.type in ("error", "warning") and not message.text.startswith(_OF_A_STATUS):
            self.errors.append(message.text)


@contextmanager
def visiting(browser: Browser, url: str, **options: Any) -> Iterator[Visit]:
    """Open a page that has nothing of former visits; it must have no errors, nor use another host."""
    context = browser.new_context(base_url=url, **options)
    context.set_default_timeout(_PATIENCE)
    visit = Visit(context.new_page())
    visit._notice()
    try:
        yield visit
    finally:
        context.close()
    assert visit.errors == []
    assert visit.hosts <= {urlsplit(url).netloc}
