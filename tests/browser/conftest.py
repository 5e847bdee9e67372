from collections.abc import Iterator

import pytest
from playwright.sync_api import Browser

from tests.support.browser import browser_running


@pytest.fixture(scope="module")
def browser() -> Iterator[Browser]:
    """Chromium, for one module: it would not bear the event loops that tests of others have."""
    with browser_running() as browser:
        yield browser
