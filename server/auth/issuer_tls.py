"""Whose certificates are trusted in connections to issuers."""

import ssl
from pathlib import Path

import httpx


def create_trust(ca_file: Path | None) -> ssl.SSLContext:
    """Trust the authorities of a file alone, or those of the system, which takes 14 ms.

    The system's are what its owner can add a company's authority to, and what other programs there go
    by; OpenSSL finds them, in SSL_CERT_FILE and SSL_CERT_DIR first. A machine without any, such as a
    bare container, has certifi's, which httpx brings along. Raises OSError if the file is of no use.
    """
    if ca_file is not None:
        return ssl.create_default_context(cafile=ca_file)
    return (
        ssl.create_default_context()
        if _has_system_store()
        else httpx.create_ssl_context(trust_env=False)
    )


def _has_system_store() -> bool:
    paths = ssl.get_default_verify_paths()
    # OpenSSL finds authorities in a folder by their digest, as in 4a6481c9.0.
    return paths.cafile is not None or (paths.capath is not None and any(Path(paths.capath).glob("*.0")))
