"""Files of certificates and keys, rejected at the start if Envoy could not use them."""

import ssl
from pathlib import Path
from typing import Annotated

from pydantic import AfterValidator

from machine.printed_settings import describe_path


def check_pair(prefix: str, certificate: Path | None, key: Path | None) -> None:
    """Raise ValueError unless both are set and belong together, or neither is set."""
    names = f"{prefix}_CERTIFICATE_FILE and {prefix}_KEY_FILE"
    if (certificate is None) != (key is None):
        raise ValueError(f"{names} go together: set both or neither")
    if certificate is None:
        return
    try:
        # A password, however wrong, keeps it from prompting for one.
        ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER).load_cert_chain(certificate, key, password="")
    except (ssl.SSLError, ValueError) as error:
        raise ValueError(f"{names} cannot be used: {_reason(error)}") from None


def _readable(path: Path) -> Path:
    try:
        path.open("rb").close()
    except OSError as error:
        raise ValueError(f"cannot read {describe_path(path)}: {error.strerror}") from None
    return path


def _require_certificates(path: Path) -> Path:
    try:
        ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT).load_verify_locations(path)
    except ssl.SSLError as error:
        raise ValueError(f"no certificates in {path}: {_reason(error)}") from None
    return path


def _reason(error: Exception) -> str:
    known = error.reason if isinstance(error, ssl.SSLError) else None
    return known.lower().replace("_", " ") if known else "not PEM, or encrypted"


ReadableFile = Annotated[Path, AfterValidator(_readable)]
CaFile = Annotated[ReadableFile, AfterValidator(_require_certificates)]
