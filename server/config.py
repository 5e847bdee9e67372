"""The settings of the server and of who asks it, read once from the environment."""

import re
from dataclasses import dataclass, field
from ipaddress import ip_address
from pathlib import Path
from typing import Annotated, Literal, Self

from pydantic import (
    AfterValidator,
    BeforeValidator,
    Field,
    FilePath,
    SecretStr,
    StringConstraints,
    field_validator,
    model_validator,
)
from pydantic_settings import NoDecode, SettingsConfigDict

from server.addresses import LAST_PORT, BaseUrl, Host, HostToAsk, Port, SafeUrl, host_and_port
from server.environment import EnvironmentSettings

Milliseconds = Annotated[int, Field(gt=0)]
Count = Annotated[int, Field(gt=0)]

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


class DatabaseSettings(EnvironmentSettings):
    """Where the calls are stored, and how long a read of them may take."""

    model_config = SettingsConfigDict(env_prefix="DATABASE_")
    credentials = ("url",)

    url: SecretStr | None = None
    """A PostgreSQL URL: postgresql://user:password@host/database."""
    url_file: Path | None = None
    pool_size: Count = 4
    """Connections a server keeps, and so SELECTs that it has under way at once."""
    connect_timeout_ms: Milliseconds = 1000
    statement_timeout_ms: Milliseconds = 1000
    read_timeout_ms: Milliseconds = 1500
    """How long a caller waits for a row, whatever the reason."""
    max_connection_age_ms: Milliseconds = 300_000
    """How old a connection may get until another takes its place."""
    ready_timeout_ms: Annotated[int, Field(ge=0)] = 60_000
    """How long a fresh server waits for a first row before it serves all the same; 0 is for ever."""


class StreamSettings(EnvironmentSettings):
    """The Stream app to ask, and how much may be spent on asking."""

    model_config = SettingsConfigDict(env_prefix="STREAM_")
    credentials = ("api_key", "api_secret")

    api_key: str | None = None
    api_key_file: Path | None = None
    api_secret: SecretStr | None = None
    api_secret_file: Path | None = None
    base_url: BaseUrl = "https://video.stream-io-api.com"
    budget_ms: Milliseconds = 300
    """How long a caller waits for Stream at most."""
    reuse_ms: Milliseconds = 1000
    """How old an answer of Stream's may be when it is shown."""
    max_questions: Count = 64
    """Questions to Stream under way at once."""
    breaker_failures: Count = 5
    """Calls that must fail, with no success between them, before Stream is left alone."""
    breaker_open_ms: Milliseconds = 5000
    """How long it is left alone, before one question tries it again."""

    @property
    def configured(self) -> bool:
        """Whether there is a Stream app to ask."""
        return self.api_key is not None

    @property
    def question_ms(self) -> int:
        """How long a question may take: until its answer could no longer be shown."""
        return max(self.reuse_ms, self.budget_ms)

    @model_validator(mode="after")
    def _key_and_secret_go_together(self) -> Self:
        if (self.api_key is None) != (self.api_secret is None):
            raise ValueError("STREAM_API_KEY and STREAM_API_SECRET go together: set both or neither")
        return self


class TlsSettings(EnvironmentSettings):
    """The certificates of the server, in PEM files; without them gRPC is plain text."""

    model_config = SettingsConfigDict(env_prefix="GRPC_TLS_")

    certificate_file: Path | None = None
    """The server's certificate, and behind it those that lead to its CA."""
    key_file: Path | None = None
    client_ca_file: Path | None = None
    """With it, clients must show a certificate of one of its CAs."""

    @property
    def mode(self) -> Literal["off", "on", "mutual"]:
        """Whether gRPC is encrypted, and whether clients must show who they are."""
        if self.certificate_file is None:
            return "off"
        return "on" if self.client_ca_file is None else "mutual"

    @model_validator(mode="after")
    def _certificate_and_key_go_together(self) -> Self:
        if (self.certificate_file is None) != (self.key_file is None):
            raise ValueError(
                "GRPC_TLS_CERTIFICATE_FILE and GRPC_TLS_KEY_FILE go together: set both or neither"
            )
        if self.client_ca_file and not self.certificate_file:
            raise ValueError(
                "GRPC_TLS_CLIENT_CA_FILE needs GRPC_TLS_CERTIFICATE_FILE and GRPC_TLS_KEY_FILE"
            )
        return self


def _upper_if_text(value: object) -> object:
    return value.upper() if isinstance(value, str) else value


class ServerSettings(EnvironmentSettings):
    """Where the server listens, whom it lets in, how it ends, and how it logs."""

    grpc_host: Host = "127.0.0.1"
    grpc_port: Port = 50051
    workers: Count = 1
    """Processes that answer: the first on `grpc_port`, each other on the port behind the last."""
    auth: Literal["on", "off"] = "on"
    """`off` lets everybody call, with a token or without."""
    max_concurrent_requests: Count = 2000
    """Requests under way at once; more are turned away, rather than left to wait."""
    max_connection_age_ms: Annotated[int, Field(ge=0, lt=2**31)] = 0
    """How old a connection may get until its caller is sent for another; 0 is as old as it likes."""
    shutdown_grace_ms: Milliseconds = 2000
    """How long requests under way may still run once the server is told to end."""
    reflection: Literal["on", "off"] = "off"
    """`on` tells everybody what the contract is, so that tools can call without it."""
    log_level: Annotated[
        Literal["DEBUG", "INFO", "WARNING", "ERROR"], BeforeValidator(_upper_if_text)
    ] = "INFO"
    log_format: Literal["json", "text"] = "json"

    @property
    def reflected(self) -> bool:
        """Whether everybody is told what the contract is."""
        return self.reflection == "on"

    @property
    def on_loopback(self) -> bool:
        """Whether only this machine can reach the server."""
        try:
            return ip_address(self.grpc_host).is_loopback
        except ValueError:
            return self.grpc_host == "localhost"

    @property
    def grpc_ports(self) -> range:
        """The port of each worker."""
        return range(self.grpc_port, self.grpc_port + self.workers)

    @model_validator(mode="after")
    def _each_worker_has_a_port(self) -> Self:
        if self.workers > 1 and self.grpc_port == 0:
            raise ValueError("GRPC_PORT must not be 0 with several WORKERS: name the port of the first")
        if self.grpc_ports[-1] > LAST_PORT:
            raise ValueError(f"GRPC_PORT and WORKERS go beyond port {LAST_PORT}: lower one of them")
        return self


class InsideSettings(EnvironmentSettings):
    """How the server runs inside Envoy, and when such a worker is ended to be started again."""

    inside: bool = False
    """Whether Python answers in Envoy's own process, on the gateway's port."""
    admin_port: Port = 9901
    """The admin page of the first worker's Envoy; each other's is on the port behind the last."""
    inside_stuck_ms: Milliseconds = 10_000
    """How long the event loop may stand still."""
    inside_max_mb: Count | None = None
    """Resident memory of a worker, Envoy's and Python's together, in MiB; if unset, its share of the
    cgroup's."""
    inside_waits: bool = True
    """Whether Envoy waits with listening until the server is ready."""
    inside_kept: bool = False
    """Whether whoever keeps the worker closes its standard input as it is to end."""


def _is_one_word(token: SecretStr) -> SecretStr:
    if not re.fullmatch("[!-~]+", token.get_secret_value()):
        raise ValueError("must be one word of ASCII, as `Authorization: Bearer …` has it")
    return token


class CallerSettings(EnvironmentSettings):
    """How the command line reaches a running service, and what it shows to be let in."""

    credentials = ("access_token",)

    access_token: Annotated[SecretStr, AfterValidator(_is_one_word)] | None = None
    access_token_file: Path | None = None
    grpc_host: HostToAsk = "127.0.0.1"
    grpc_port: Port = 50051
    rest_host: HostToAsk = "127.0.0.1"
    rest_port: Port = 8080
    tls_ca_file: FilePath | None = None
    """The CA of the service's certificate, in PEM; with it, the service is spoken to by TLS."""
    tls_certificate_file: FilePath | None = None
    """What the service is shown, where it asks for a certificate."""
    tls_key_file: FilePath | None = None

    @property
    def address(self) -> str:
        """Where gRPC is answered."""
        return host_and_port(self.grpc_host, self.grpc_port)

    @property
    def url(self) -> str:
        """Where REST is answered."""
        scheme = "https" if self.tls_ca_file else "http"
        return f"{scheme}://{host_and_port(self.rest_host, self.rest_port)}"

    @property
    def bearer(self) -> dict[str, str]:
        """What is shown to be let in, if anything."""
        token = self.access_token
        return {"authorization": f"Bearer {token.get_secret_value()}"} if token else {}

    @model_validator(mode="after")
    def _certificate_and_key_go_together(self) -> Self:
        if (self.tls_certificate_file is None) != (self.tls_key_file is None):
            raise ValueError("TLS_CERTIFICATE_FILE and TLS_KEY_FILE go together: set both or neither")
        if self.tls_certificate_file and not self.tls_ca_file:
            raise ValueError("TLS_CERTIFICATE_FILE needs TLS_CA_FILE")
        return self


@dataclass(frozen=True)
class Settings:
    """All settings; made without arguments, they are what the environment says."""

    server: ServerSettings = field(default_factory=ServerSettings)
    tokens: TokenSettings = field(default_factory=TokenSettings)
    database: DatabaseSettings = field(default_factory=DatabaseSettings)
    stream: StreamSettings = field(default_factory=StreamSettings)
    tls: TlsSettings = field(default_factory=TlsSettings)
    inside: InsideSettings = field(default_factory=InsideSettings)
