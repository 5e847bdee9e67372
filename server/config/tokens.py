"""Whose access tokens the server accepts."""

from typing import Annotated, Self

from pydantic import FilePath, StringConstraints, field_validator, model_validator
from pydantic_settings import NoDecode, SettingsConfigDict

from server.addresses import SafeUrl
from server.config.environment import EnvironmentSettings

# What RFC 6749 lets a scope consist of.
Scope = Annotated[str, StringConstraints(pattern=r"^[!#-\[\]-~]+$")]


class TokenSettings(EnvironmentSettings):
    """Whose access tokens are accepted, and what they must grant."""

    model_config = SettingsConfigDict(env_prefix="AUTH_")

    issuer: str | None = None
    """The `iss` that tokens must carry."""
    audience: str | None = None
    """What must be in their `aud`."""
    jwks_url: SafeUrl | None = None
    """Where the keys are that tokens are signed with."""
    jwks_file: FilePath | None = None
    """The same, as a file."""
    scopes: Annotated[frozenset[Scope], NoDecode] = frozenset()
    """Scopes that a token must grant, all of them; separated by spaces."""

    @property
    def configured(self) -> bool:
        """Whether it is said whose tokens are accepted."""
        return self.issuer is not None

    @field_validator("scopes", mode="before")
    @classmethod
    def _split(cls, value: object) -> object:
        return value.split() if isinstance(value, str) else value

    @model_validator(mode="after")
    def _all_or_none(self) -> Self:
        sources = [self.jwks_url, self.jwks_file]
        given = [self.issuer, self.audience, *(source for source in sources if source is not None)]
        if any(given) and (None in given or len(given) != 3):  # noqa: PLR2004 - of the three kinds
            raise ValueError(
                "AUTH_ISSUER, AUTH_AUDIENCE and one of AUTH_JWKS_URL and AUTH_JWKS_FILE go together"
            )
        return self
