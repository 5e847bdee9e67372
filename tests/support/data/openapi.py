"""The REST API's OpenAPI document, and how much of it schemathesis tries."""

from pathlib import Path

import schemathesis
from hypothesis import HealthCheck, settings

OPENAPI = Path(__file__).parents[3] / "gateway" / "openapi.yaml"

schema = schemathesis.openapi.from_path(OPENAPI)

examples = settings(
    max_examples=50,
    derandomize=True,
    # The server is the same for every example, and so are its responses.
    suppress_health_check=[HealthCheck.function_scoped_fixture],
)
