"""How settings are read from the environment, and secrets from files that it names."""

from pathlib import Path
from typing import Any, ClassVar

from pydantic import model_validator
from pydantic_settings import BaseSettings, SettingsConfigDict


class EnvironmentSettings(BaseSettings):
    """Settings: an empty one counts as unset, and no error shows their values."""

    model_config = SettingsConfigDict(env_ignore_empty=True, frozen=True, hide_input_in_errors=True)

    credentials: ClassVar[tuple[str, ...]] = ()
    """The fields that may be read from a file instead, which the field NAME_file names."""

    @classmethod
    def variables(cls) -> frozenset[str]:
        """Return the names of the settings' environment variables."""
        prefix = cls.model_config.get("env_prefix", "")
        return frozenset(f"{prefix}{name}".upper() for name in cls.model_fields)

    @model_validator(mode="before")
    @classmethod
    def _read_credentials(cls, values: dict[str, Any]) -> dict[str, Any]:
        return {**values, **{name: cls._credential(name, values) for name in cls.credentials}}

    @classmethod
    def _credential(cls, name: str, values: dict[str, Any]) -> Any:
        value, file = values.get(name), values.get(f"{name}_file")
        if file is None:
            return _without_line_end(value)
        variable = f"{cls.model_config.get('env_prefix', '')}{name}".upper()
        if value is not None:
            raise ValueError(f"{variable} and {variable}_FILE exclude each other: set one of them")
        try:
            return _read(Path(file))
        except ValueError as error:
            raise ValueError(f"{variable}_FILE: {error}") from None


def _read(file: Path) -> str:
    """Read a credential; ValueError has neither it nor the path, for which it may be taken."""
    try:
        text = _without_line_end(file.read_text(encoding="utf-8"))
    except OSError as error:
        raise ValueError(f"cannot read the file: {error.strerror}") from None
    except UnicodeDecodeError:
        raise ValueError("the file is not text in UTF-8") from None
    if not text:
        raise ValueError("the file is empty")
    return str(text)


def _without_line_end(value: Any) -> Any:
    """Drop what editors and `echo` write at the end; return None if nothing else is there."""
    return value.rstrip("\r\n") or None if isinstance(value, str) else value
