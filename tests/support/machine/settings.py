"""Settings as programs load them from an environment, in the test's own process."""

import os
from collections.abc import Callable, Mapping
from typing import TypeVar
from unittest.mock import patch

import click
import pytest

from gateway.config import GatewaySettings
from machine.settings_errors import report_settings_errors
from server.config.loading import load_settings
from server.config.settings import Settings
from tests.support.machine.commands import environment

Loaded = TypeVar("Loaded")


def load(variables: Mapping[str, str]) -> Settings:
    """Load the server's settings from variables, and no other settings."""
    return load_by(load_settings, variables)


def refusal(variables: Mapping[str, str]) -> str:
    """Return why the server refuses variables."""
    return refusal_by(load_settings, variables)


def load_by(loading: Callable[[], Loaded], variables: Mapping[str, str]) -> Loaded:
    """Load the settings of any program from variables, and no other settings."""
    with patch.dict(os.environ, environment(**variables), clear=True):
        return loading()


def refusal_by(loading: Callable[[], object], variables: Mapping[str, str]) -> str:
    """Return why a program refuses variables."""
    with pytest.raises(click.ClickException) as raised:
        load_by(loading, variables)
    return raised.value.message


def load_gateway() -> GatewaySettings:
    """Load the gateway's settings, as its commands do."""
    with report_settings_errors():
        return GatewaySettings()
