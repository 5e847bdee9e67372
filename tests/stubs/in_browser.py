"""Runs cases in Chromium by gRPC-Web: a client like the programs of other languages.

The first argument is the port on which its page is served, so that a gateway can be told the page's origin.
"""

import base64
import hashlib
import json
import sys
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from functools import partial
from http.server import SimpleHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any

from cryptography.hazmat.primitives.serialization import Encoding, PublicFormat
from cryptography.x509 import load_pem_x509_certificate

from tests.support.browser import browser_running

_PAGE = Path(__file__).parents[2] / ".build" / "stubs" / "typescript" / "page"


def main() -> None:
    """Read the errand from standard input, and write an outcome a line."""
    errand = json.load(sys.stdin)
    for outcome in outcomes(errand, int(sys.argv[1])):
        print(json.dumps(outcome))


def outcomes(errand: dict[str, Any], port: int) -> list[dict[str, Any]]:
    """Have a page on the port run the cases of an errand."""
    authorities = {Path(target["ca"]) for target in errand["targets"].values() if target["ca"]}
    with _page_served(port) as url, browser_running(*_trusting(authorities)) as browser:
        page = browser.new_page()
        page.goto(url)
        found: list[dict[str, Any]] = page.evaluate("errand => runCases(errand)", errand)
        return found


def _trusting(authorities: set[Path]) -> list[str]:
    """Say which authorities, and no others, may sign what the browser's own do not."""
    keys = ",".join(map(_key_digest, sorted(authorities)))
    return [f"--ignore-certificate-errors-spki-list={keys}"] if keys else []


def _key_digest(certificate: Path) -> str:
    key = load_pem_x509_certificate(certificate.read_bytes()).public_key()
    der = key.public_bytes(Encoding.DER, PublicFormat.SubjectPublicKeyInfo)
    return base64.b64encode(hashlib.sha256(der).digest()).decode()


@contextmanager
def _page_served(port: int) -> Iterator[str]:
    server = ThreadingHTTPServer(("127.0.0.1", port), partial(_Quiet, directory=str(_PAGE)))
    thread = threading.Thread(target=server.serve_forever, args=(0.01,))
    thread.start()
    try:
        yield f"http://127.0.0.1:{port}/"
    finally:
        server.shutdown()
        thread.join()
        server.server_close()


class _Quiet(SimpleHTTPRequestHandler):
    def log_message(self, *_: Any) -> None:
        pass


if __name__ == "__main__":
    main()
