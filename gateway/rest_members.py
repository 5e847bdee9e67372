"""The documented members of the REST bodies, for rest.lua: from the OpenAPI document."""

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import yaml

_HERE = Path(__file__).resolve().parent


def documented_members() -> dict[str, str]:
    """List the members of each object, in the documented order, with `?` for one that may be null.

    An object is named after its schema, as CALL, and one in it after both, as CALL_LIVE.
    """
    # By libyaml: it is long, and read at every start.
    document = yaml.load((_HERE / "openapi.yaml").read_text(), Loader=yaml.CSafeLoader)
    return dict(_objects(document["components"]["schemas"]))


def _objects(schemas: dict[str, Any], prefix: str = "") -> Iterator[tuple[str, str]]:
    for name, schema in schemas.items():
        if "properties" in schema:
            path = f"{prefix}{name}".upper()
            yield path, _members(schema)
            yield from _objects(schema["properties"], f"{path}_")


def _members(schema: Any) -> str:
    properties = schema["properties"].items()
    return " ".join(f"{name}?" if "null" in member["type"] else name for name, member in properties)
