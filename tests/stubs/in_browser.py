"""Runs the cases on standard input in Chromium, by the page at PAGE_URL; writes an outcome a line."""

import base64
import hashlib
import json
import os
import ssl
import sys
from collections.abc import Iterable
from typing import Any

from cryptography.hazmat.primitives.serialization import Encoding, PublicFormat
from cryptography.x509 import Certificate, load_der_x509_certificate

from tests.support.callers.browser import browser_running
from tests.support.callers.rest import connected_by_tls


def main() -> None:
    errand = json.load(sys.stdin)
    sys.stdout.writelines(f"{json.dumps(outcome)}\n" for outcome in outcomes(errand))


def outcomes(errand: dict[str, Any]) -> list[dict[str, Any]]:
    """Run the cases of an errand in the page, in a browser for each CA, which it trusts or not."""
    targets = errand["targets"]
    found: dict[str, dict[str, Any]] = {}
    for authority in {target["ca"] for target in targets.values()}:
        cases = [case for case in errand["cases"] if targets[case["target"]]["ca"] == authority]
        addresses = {targets[case["target"]]["address"] for case in cases}
        options = _trusting(authority, addresses) if authority else []
        for outcome in _in_page(options, {"targets": targets, "cases": cases}):
            found[outcome["name"]] = outcome
    return [found[case["name"]] for case in errand["cases"]]


def _in_page(options: list[str], errand: dict[str, Any]) -> list[dict[str, Any]]:
    with browser_running(*options) as browser:
        page = browser.new_page()
        page.goto(os.environ["PAGE_URL"])
        found: list[dict[str, Any]] = page.evaluate("errand => runCases(errand)", errand)
        return found


def _trusting(authority: str, addresses: Iterable[str]) -> list[str]:
    """Return the options of trust: Chromium takes the keys of servers, other clients their CA."""
    shown = [_certificate(address, authority) for address in addresses]
    keys = ",".join(_key_digest(certificate) for certificate in shown if certificate)
    return [f"--ignore-certificate-errors-spki-list={keys}"] if keys else []


def _certificate(address: str, authority: str) -> Certificate | None:
    """Fetch a server's certificate; None if it is not of the authority, and so not to be trusted."""
    try:
        with connected_by_tls(address, ssl.create_default_context(cafile=authority)) as connection:
            return load_der_x509_certificate(connection.getpeercert(binary_form=True) or b"")
    except ssl.SSLError:
        return None


def _key_digest(certificate: Certificate) -> str:
    key = certificate.public_key().public_bytes(Encoding.DER, PublicFormat.SubjectPublicKeyInfo)
    return base64.b64encode(hashlib.sha256(key).digest()).decode()


if __name__ == "__main__":
    main()
