"""How the command line reaches a running service."""

import re
from pathlib import Path
from typing import Annotated, Any, Self

from pydantic import AfterValidator, FilePath, SecretStr, model_validator

from machine.addresses import HostToAsk, Port, host_and_port
from machine.environment import EnvironmentSettings
from machine.settings_errors import refuse_misspelt, report_settings_errors


def _is_one_word(token: SecretStr) -> SecretStr:
    if not re.fullmatch("[!-~]+", token.get_secret_value()):
        raise ValueError("must be one word of ASCII, as `Authorization: Bearer …` has it")
    return token


class CallerSettings(EnvironmentSettings):
    """How the command line reaches a running service, and its credentials there."""

    credentials = ("access_token",)

    access_token: Annotated[SecretStr, AfterValidator(_is_one_word)] | None = None
    """Shown to be let in; `--token` overrides it."""
    access_token_file: Path | None = None
    """The same, in a file."""
    grpc_host: HostToAsk = "127.0.0.1"
    """Where to ask by gRPC, or with both in one `--address`; `::` and `0.0.0.0` are this machine."""
    grpc_port: Port = 50051
    """The port there."""
    rest_host: HostToAsk = "127.0.0.1"
    """Where to ask by REST, or `--url`."""
    rest_port: Port = 8080
    """The port there."""
    tls_ca_file: FilePath | None = None
    """The CA of the service's certificate, in PEM; with it, TLS is spoken. `--tls-ca` overrides it."""
    tls_certificate_file: FilePath | None = None
    """Shown if a certificate is asked for. `--tls-certificate` overrides it."""
    tls_key_file: FilePath | None = None
    """Its key. `--tls-key` overrides it."""

    @property
    def address(self) -> str:
        """Host and port of the gRPC API."""
        return host_and_port(self.grpc_host, self.grpc_port)

    @property
    def url(self) -> str:
        """The base URL of the REST API."""
        scheme = "https" if self.tls_ca_file else "http"
        return f"{scheme}://{host_and_port(self.rest_host, self.rest_port)}"

    @property
    def bearer(self) -> dict[str, str]:
        """The authorization header, if there is a token."""
        token = self.access_token
        return {"authorization": f"Bearer {token.get_secret_value()}"} if token else {}

    @model_validator(mode="after")
    def _certificate_and_key_go_together(self) -> Self:
        if (self.tls_certificate_file is None) != (self.tls_key_file is None):
            raise ValueError("TLS_CERTIFICATE_FILE and TLS_KEY_FILE go together: set both or neither")
        if self.tls_certificate_file and not self.tls_ca_file:
            raise ValueError("TLS_CERTIFICATE_FILE needs TLS_CA_FILE")
        return self


def load_caller_settings(**given: Any) -> CallerSettings:
    """Read the settings of who asks the service; what is given goes before the environment.

    Raises click.ClickException if one of them is wrong, or misspelt.
    """
    refuse_misspelt(CallerSettings.variables())
    with report_settings_errors():
        return CallerSettings(**given)
