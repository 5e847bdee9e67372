"""The endpoint that introspects access tokens (RFC 7662), and the limits of its use."""

import re
from pathlib import Path
from typing import Annotated, Literal, Self

from pydantic import Field, FilePath, SecretStr, field_validator, model_validator
from pydantic_settings import NoDecode, SettingsConfigDict

from machine.environment import EnvironmentSettings
from server.config.quantities import Count, Milliseconds

_CLIENT_FAULT = (
    "introspection needs AUTH_INTROSPECTION_CLIENT_ID and AUTH_INTROSPECTION_CLIENT_SECRET, or "
    "AUTH_INTROSPECTION_AUTH=bearer, or none"
)
_BEARER_FAULT = (
    "AUTH_INTROSPECTION_AUTH=bearer needs one of AUTH_INTROSPECTION_TOKEN and "
    "AUTH_INTROSPECTION_TOKEN_FILE"
)


class IntrospectionSettings(EnvironmentSettings):
    """The endpoint that introspects opaque access tokens, and the server's credentials there."""

    model_config = SettingsConfigDict(env_prefix="AUTH_INTROSPECTION_")
    credentials = ("client_secret",)

    url: str | None = None
    """The introspection endpoint (RFC 7662) that is asked about opaque tokens, or about all if there are
    no keys: `https://`, or `http://` on this machine or with `AUTH_PLAIN_HTTP=on`."""
    auth: Literal["basic", "form", "bearer", "none"] = "basic"
    """How the server authenticates there: its client's id and secret by HTTP Basic, or in the `form`;
    `bearer`, a token of its own; or `none`, if the network decides who may ask."""
    client_id: str | None = None
    """The server's own client at the issuer."""
    client_secret: SecretStr | None = None
    """Its secret."""
    client_secret_file: Path | None = None
    """The same, in a file."""
    token: SecretStr | None = None
    """The server's own token, for `bearer`."""
    token_file: FilePath | None = None
    """The same, in a file that is reread for each request."""
    require: Annotated[frozenset[str], NoDecode] = frozenset()
    """Claims that an answer must have, separated by spaces, such as `iss aud`; those that it has are
    compared anyway."""
    cache_ttl_ms: Annotated[int, Field(ge=0)] = 30_000
    """How long an answer is used, never past `exp`: so long may a revoked token live. `0` asks for each
    call."""
    timeout_ms: Milliseconds = 2000
    """How long a request to the endpoint may take; a token waits half as long for its turn."""
    max_concurrent_requests: Count = 32
    """Requests to it under way at once, for each worker."""
    max_new_per_second: Count = 50
    """Requests to it a second about tokens that it has not called active before, for each worker: what a
    flood of junk may take. Raise it if more callers than that sign in a second, or come at once after a
    restart."""

    @property
    def configured(self) -> bool:
        """Whether tokens are introspected."""
        return self.url is not None or self.discovers

    @property
    def discovers(self) -> bool:
        """Whether the endpoint is discovered from the issuer."""
        given = (self.client_id, self.client_secret, self.token, self.token_file)
        return self.url is None and any(credential is not None for credential in given)

    @field_validator("require", mode="before")
    @classmethod
    def _split(cls, value: object) -> object:
        return value.split() if isinstance(value, str) else value

    @model_validator(mode="after")
    def _credentials_go_with_the_way(self) -> Self:
        client = (self.client_id, self.client_secret)
        tokens = (self.token, self.token_file)
        if self.configured and self.auth in ("basic", "form") and None in client:
            raise ValueError(_CLIENT_FAULT)
        if self.configured and self.auth == "bearer" and tokens.count(None) != 1:
            raise ValueError(_BEARER_FAULT)
        return self

    @field_validator("token")
    @classmethod
    def _is_token(cls, token: SecretStr | None) -> SecretStr | None:
        if token and not re.fullmatch("[!-~]+", token.get_secret_value()):
            raise ValueError("must be one word of ASCII, as `Authorization: Bearer …` has it")
        return token
