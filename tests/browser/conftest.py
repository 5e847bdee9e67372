from collections.abc import Callable, Iterator
from contextlib import AbstractContextManager
from functools import partial

import pytest
from playwright.sync_api import Browser

from tests.support.callers.browser import browser_running
from tests.support.callers.visits import Visit, visiting
from tests.support.server.demo import RunningDemo, running_demo
from tests.support.server.deployments import Deployment


@pytest.fixture(scope="module")
def browser() -> Iterator[Browser]:
    """Chromium, for one module: it conflicts with the event loops of other modules' tests."""
    with browser_running() as browser:
        yield browser


@pytest.fixture(scope="session")
def demo(request: pytest.FixtureRequest) -> Iterator[RunningDemo]:
    """Everything, as `make run` starts it, standalone unless a test names its ways to serve.

    A test leaves it as it found it.
    """
    deployment: Deployment = getattr(request, "param", Deployment.STANDALONE)
    with running_demo(**deployment.settings) as demo:
        yield demo


@pytest.fixture
def visit(browser: Browser, demo: RunningDemo) -> Callable[..., AbstractContextManager[Visit]]:
    """Open pages of the demo; options are those of Playwright's contexts."""
    return partial(visiting, browser, demo.url)
