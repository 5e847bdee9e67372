"""The README's tables of settings, held against the settings."""

import re
from pathlib import Path

import pytest
from pydantic_settings import BaseSettings

from client.settings import CallerSettings
from gateway.config import GatewaySettings
from server.config.database import DatabaseSettings
from server.config.introspection import IntrospectionSettings
from server.config.server import InsideSettings, ServerSettings
from server.config.stream import StreamSettings
from server.config.tls import TlsSettings
from server.config.tokens import TokenSettings

README = (Path(__file__).parents[2] / "README.md").read_text()
NONE: tuple[object, ...] = (None, (), frozenset())
ROW = re.compile(r"^\| `([A-Z_]+)` \| (?:`([^`]*)`|none) \|", re.MULTILINE)


def documented(heading: str) -> dict[str, str]:
    table = README.split(f"| {heading} | default | what |")[1].split("\n\n")[0]
    return dict(ROW.findall(table))


def defaults(kind: type[BaseSettings]) -> dict[str, str]:
    prefix = kind.model_config.get("env_prefix", "")
    return {f"{prefix}{name}".upper(): said(field.default) for name, field in kind.model_fields.items()}


def said(value: object) -> str:
    if value in NONE:
        return ""
    if isinstance(value, tuple):
        return " ".join(value)
    return str(int(value)) if isinstance(value, bool) else str(value)


@pytest.mark.parametrize(
    ("heading", "kinds"),
    [
        (
            "server",
            (
                *(ServerSettings, InsideSettings, TokenSettings, IntrospectionSettings),
                *(TlsSettings, DatabaseSettings, StreamSettings),
            ),
        ),
        ("gateway", (GatewaySettings,)),
        ("`get`", (CallerSettings,)),
    ],
)
def test_it_lists_every_setting_with_its_default(
    heading: str, kinds: tuple[type[BaseSettings], ...]
) -> None:
    assert documented(heading) == {
        name: value for kind in kinds for name, value in defaults(kind).items()
    }
