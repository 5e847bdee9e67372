"""A real browser without a window: Debian's Chromium, driven by Playwright."""

import shutil
import subprocess
from collections.abc import Iterator
from contextlib import contextmanager

from playwright.sync_api import Browser, sync_playwright

from tests.support.machine.toolchains import ROOT, sole_process

_SETUP = ROOT / "scripts" / "setup_chromium"


@contextmanager
def browser_running(*options: str) -> Iterator[Browser]:
    """Run Chromium with its options while the block lasts, installed first if it is missing.

    Playwright keeps an event loop under way in this thread: no test with a loop of its own may
    run meanwhile.
    """
    with sole_process("debian"):
        subprocess.run([_SETUP], check=True)
    with sync_playwright() as playwright:
        # Without its sandbox, which root has no use of.
        browser = playwright.chromium.launch(
            executable_path=shutil.which("chromium"), args=["--no-sandbox", *options]
        )
        try:
            yield browser
        finally:
            browser.close()
