"""The demo's folders, relative to the working directory."""

from pathlib import Path

DATA = Path(".data")
POSTGRES = DATA / "postgres"
TOKENS = DATA / "tokens"
OPAQUE_TOKENS = TOKENS / "opaque"
CERTIFICATES = DATA / "certificates"
