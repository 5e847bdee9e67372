"""The certificates that the server presents and asks for."""

from pathlib import Path
from typing import Literal, Self

from pydantic import model_validator
from pydantic_settings import SettingsConfigDict

from machine.environment import EnvironmentSettings


class TlsSettings(EnvironmentSettings):
    """The certificates of the server, in PEM files; without them gRPC is plain text."""

    model_config = SettingsConfigDict(env_prefix="GRPC_TLS_")

    certificate_file: Path | None = None
    """The server's certificate, and its chain, in PEM; without it gRPC is plain text."""
    key_file: Path | None = None
    """Its key: RSA, P-256 or P-384, without a passphrase."""
    client_ca_file: Path | None = None
    """With it, clients must show a certificate of one of these CAs."""

    @property
    def mode(self) -> Literal["off", "on", "mutual"]:
        """Whether gRPC is encrypted, and whether clients must authenticate by a certificate."""
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
