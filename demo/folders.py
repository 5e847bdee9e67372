"""Where the demo keeps its things, seen from the folder it is run in."""

from pathlib import Path

DATA = Path(".data")
POSTGRES = DATA / "postgres"
TOKENS = DATA / "tokens"
OPAQUE_TOKENS = TOKENS / "opaque"
CERTIFICATES = DATA / "certificates"
