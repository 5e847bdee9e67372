"""What is documented of the fields of a call, which tests compare with: from documented.json."""

import json
from pathlib import Path
from typing import Any

SCHEMAS: dict[str, Any] = json.loads((Path(__file__).parents[2] / "gateway/documented.json").read_text())
"""The schemas of the bodies, by name."""

_PROPERTIES: dict[str, Any] = SCHEMAS["Call"]["properties"]

FIELDS = tuple(name for name in _PROPERTIES if name != "live")
"""The fields of a call's row, in the documented order."""

NULLABLE = tuple(name for name in FIELDS if "null" in _PROPERTIES[name]["type"])
"""Those that may be null."""

TIMESTAMPS = tuple(name for name in FIELDS if _PROPERTIES[name].get("format") == "date-time")
"""Those that are date-times."""

TEXTS = tuple(name for name in FIELDS if not {"format", "enum"} & set(_PROPERTIES[name]))
"""Those that hold any text."""
