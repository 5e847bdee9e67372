"""The documents' tables of settings, held against the settings."""

from dataclasses import fields
from pathlib import Path
from typing import Any

import pytest
from pydantic_settings import BaseSettings

from client.settings import CallerSettings
from gateway.config import GatewaySettings
from scripts.settings_tables import DOCUMENTS, TABLE, fill, variables
from server.config.introspection import IntrospectionSettings
from server.config.server import EmbeddedSettings
from server.config.settings import Settings
from server.config.tokens import ALGORITHMS, TokenSettings


@pytest.mark.parametrize("document", DOCUMENTS, ids=lambda document: document.name)
def test_a_table_is_what_make_settings_writes(document: Path) -> None:
    assert fill(document.read_text()) == document.read_text()


def test_every_setting_is_in_a_table() -> None:
    kinds: list[Any] = [field.type for field in fields(Settings)] + [CallerSettings, GatewaySettings]
    tables = [
        f"{match['module']}.{match['name']}"
        for document in DOCUMENTS
        for match in TABLE.finditer(document.read_text())
    ]
    assert sorted(tables) == sorted(f"{kind.__module__}.{kind.__qualname__}" for kind in kinds)


@pytest.mark.parametrize(
    ("settings", "variable", "default"),
    [
        (IntrospectionSettings, "AUTH_INTROSPECTION_CACHE_TTL_MS", "30000"),
        (IntrospectionSettings, "AUTH_INTROSPECTION_REQUIRE", ""),
        (EmbeddedSettings, "EMBEDDED", "0"),
        (EmbeddedSettings, "EMBEDDED_WAIT_READY", "1"),
        (TokenSettings, "AUTH_ALGORITHMS", " ".join(ALGORITHMS)),
        (TokenSettings, "AUTH_JWKS_URL", ""),
        (GatewaySettings, "REST_HOST", "127.0.0.1"),
    ],
)
def test_a_default_is_written_as_the_environment_would_have_it(
    settings: type[BaseSettings], variable: str, default: str
) -> None:
    assert dict(variables(settings))[variable] == default
