"""How settings are read of the environment."""

from typing import Any, ClassVar

from pydantic import model_validator
from pydantic_settings import BaseSettings, SettingsConfigDict


class EnvironmentSettings(BaseSettings):
    """Settings of which an empty one is none, and whose values no error shows."""

    model_config = SettingsConfigDict(env_ignore_empty=True, frozen=True, hide_input_in_errors=True)

    credentials: ClassVar[tuple[str, ...]] = ()
    """The fields that are pasted, or written into files, of which a line end is no part."""

    @model_validator(mode="before")
    @classmethod
    def _read_credentials(cls, values: dict[str, Any]) -> dict[str, Any]:
        given = values.keys() & set(cls.credentials)
        return {**values, **{name: _without_line_end(values[name]) for name in given}}


def _without_line_end(value: Any) -> Any:
    """Drop what editors and `echo` write at the end; return None if nothing else is there."""
    return value.rstrip("\r\n") or None if isinstance(value, str) else value
