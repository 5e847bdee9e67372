"""Runs cases in Chromium by gRPC-Web: a client like the programs of other languages.

The first argument is the port of its page, so that a gateway can be told the page's origin.
"""

import base64
import hashlib
import json
import ssl
import sys
import threading
from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from functools import partial
from http.server import SimpleHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any

from cryptography.hazmat.primitives.serialization import Encoding, PublicFormat
from cryptography.x509 import Certificate, load_der_x509_certificate

from tests.support.browser import browser_running
from tests.support.rest import connected_by_tls

_PAGE = Path(__file__).parents[2] / ".build" / "stubs" / "typescript" / "page"


def main() -> None:
    """Read the errand from standard input, and write an outcome a line."""
    errand = json.load(sys.stdin)
    lines = (json.dumps(outcome) + "\n" for outcome in outcomes(errand, int(sys.argv[1])))
    sys.stdout.writelines(lines)


def outcomes(errand: dict[str, Any], port: int) -> list[dict[str, Any]]:
    """Have a page on the port run the cases of an errand."""
    options = _trusting(errand["targets"].values())
    with _page_served(port) as url, browser_running(*options) as browser:
        page = browser.new_page()
        page.goto(url)
        found: list[dict[str, Any]] = page.evaluate("errand => runCases(errand)", errand)
        return found


def _trusting(targets: Iterable[dict[str, Any]]) -> list[str]:
    """Say whom to trust: Chromium is told the keys of servers, where other clients are told a CA."""
    shown = [_certificate(target["address"], target["ca"]) for target in targets if target["ca"]]
    keys = ",".join(_key_digest(certificate) for certificate in shown if certificate)
    return [f"--ignore-certificate-errors-spki-list={keys}"] if keys else []


def _certificate(address: str, authority: str) -> Certificate | None:
    """Fetch what a server shows; none where it is not of the authority, and so not to be trusted."""
    try:
        with connected_by_tls(address, ssl.create_default_context(cafile=authority)) as connection:
            return load_der_x509_certificate(connection.getpeercert(binary_form=True) or b"")
    except ssl.SSLError:
        return None


def _key_digest(certificate: Certificate) -> str:
    key = certificate.public_key().public_bytes(Encoding.DER, PublicFormat.SubjectPublicKeyInfo)
    return base64.b64encode(hashlib.sha256(key).digest()).decode()


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
