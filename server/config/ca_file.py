"""A file of certificate authorities, which must be of use before anything relies on it."""

import ssl
from pathlib import Path
from typing import Annotated

from pydantic import AfterValidator


def _check(file: Path) -> Path:
    try:
        ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT).load_verify_locations(file)
    except ssl.SSLError:
        raise ValueError("holds no certificates in PEM") from None
    except OSError as error:
        raise ValueError(f"cannot be read: {error.strerror}") from None
    return file


CaFile = Annotated[Path, AfterValidator(_check)]
"""A file with certificates of authorities, in PEM."""
