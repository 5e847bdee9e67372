"""What is wrong with settings, in lines for people that end a command."""

import os
from collections.abc import Iterator
from contextlib import contextmanager

import click
from pydantic import ValidationError
from pydantic_core import ErrorDetails

from machine.environment import EnvironmentSettings
from machine.misspelt import find_misspelt


def refuse_misspelt(settings: frozenset[str], prefixes: tuple[str, ...] = ()) -> None:
    """Raise click.ClickException if the environment has what looks like a setting or was one."""
    if misspelt := list(find_misspelt(os.environ, settings, prefixes)):
        raise click.ClickException("\n".join(misspelt))


@contextmanager
def report_settings_errors() -> Iterator[None]:
    """Raise as a click.ClickException what is wrong with settings that are read in the block.

    It names the environment variable, and never shows its value.
    """
    try:
        yield
    except ValidationError as error:
        problems = error.errors(include_url=False, include_input=False, include_context=False)
        prefix = _prefix(error.title)
        raise click.ClickException("\n".join(_line(prefix, problem) for problem in problems)) from None
    except ValueError as error:
        raise click.ClickException(str(error)) from None


def _prefix(model: str) -> str:
    """Find out how the variables begin of the settings that are called by a name."""
    kinds = {kind.__name__: kind for kind in EnvironmentSettings.__subclasses__()}
    return kinds[model].model_config.get("env_prefix", "") if model in kinds else ""


def _line(prefix: str, problem: ErrorDetails) -> str:
    message = problem["msg"].removeprefix("Value error, ")
    name = prefix + ".".join(str(part) for part in problem["loc"])
    return f"{name.upper()}: {message}" if problem["loc"] else message
