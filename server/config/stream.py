"""The Stream app that the server queries."""

import os
from pathlib import Path
from stat import S_ISSOCK
from typing import Annotated, Literal, Self

from pydantic import AfterValidator, SecretStr, field_validator, model_validator
from pydantic_settings import NoDecode, SettingsConfigDict

from machine.addresses import BaseUrl
from machine.environment import EnvironmentSettings
from server.config.quantities import Count, Milliseconds


def _check_socket(descriptor: int) -> int:
    try:
        is_socket = S_ISSOCK(os.fstat(descriptor).st_mode)
    except (OSError, OverflowError):
        is_socket = False
    if not is_socket:
        raise ValueError("must be the descriptor of a socket that this process has inherited")
    return descriptor


class StreamSettings(EnvironmentSettings):
    """The Stream app, and the limits of requests to it."""

    model_config = SettingsConfigDict(env_prefix="STREAM_")
    credentials = ("api_key", "api_secret")

    api_key: str | None = None
    """Without it Stream is not asked, and `live` is null."""
    api_key_file: Path | None = None
    """The same, in a file."""
    api_secret: SecretStr | None = None
    """Goes with the key."""
    api_secret_file: Path | None = None
    """The same, in a file."""
    base_url: BaseUrl = "https://video.stream-io-api.com"
    """`https://`, or `http://` on this machine; without a query."""
    timeout_ms: Milliseconds = 300
    """How long a caller waits for Stream at most."""
    cache_ttl_ms: Milliseconds = 1000
    """How old a response of Stream may be when it is used."""
    max_concurrent_requests: Count = 64
    """Requests to Stream under way at once."""
    bulk: Literal["auto", "off"] = "auto"
    """`auto` asks for many calls by one request (QueryCalls), `off` for each alone (GetCall)."""
    breaker_failures: Count = 5
    """Calls that must fail, with no success between them, before the breaker opens."""
    breaker_open_ms: Milliseconds = 5000
    """How long it is left alone, before one request tries it again."""

    sibling_sockets: Annotated[tuple[Annotated[int, AfterValidator(_check_socket)], ...], NoDecode] = ()
    """Internal: with several `WORKERS`, `serve` sets it to the file descriptors by which they tell each
    other what Stream says: the worker's own, and those of the others."""

    @property
    def configured(self) -> bool:
        """Whether a Stream app is configured."""
        return self.api_key is not None

    @property
    def request_timeout_ms(self) -> int:
        """How long a request may take: until its response could no longer be used."""
        return max(self.cache_ttl_ms, self.timeout_ms)

    @field_validator("sibling_sockets", mode="before")
    @classmethod
    def _split(cls, value: object) -> object:
        return value.split() if isinstance(value, str) else value

    @model_validator(mode="after")
    def _key_and_secret_go_together(self) -> Self:
        if (self.api_key is None) != (self.api_secret is None):
            raise ValueError("STREAM_API_KEY and STREAM_API_SECRET go together: set both or neither")
        return self
