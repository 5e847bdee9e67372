"""A throw-away CA, and the files of the certificates that it issues."""

import ssl
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from pathlib import Path

import grpc
import trustme

HERE = ("127.0.0.1", "localhost")


@dataclass(frozen=True)
class Pair:
    """The files of a certificate and its key."""

    certificate: Path
    key: Path

    def settings(self, prefix: str) -> dict[str, str]:
        """Return the settings for them, with the prefix."""
        return {f"{prefix}_CERTIFICATE_FILE": str(self.certificate), f"{prefix}_KEY_FILE": str(self.key)}

    def server_context(self) -> ssl.SSLContext:
        """Make the context of a server that presents the certificate."""
        context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
        context.load_cert_chain(self.certificate, self.key)
        return context


class Authority:
    """A CA whose files are in a folder; it replaces them as a careful program does, by renaming."""

    def __init__(self, folder: Path, name: str = "ca") -> None:
        self.folder = folder
        self.certificate = folder / f"{name}.pem"
        self._ca = trustme.CA()
        self.write(self.certificate)

    def write(self, file: Path) -> None:
        """Write the CA's own certificate."""
        _replace(file, self._ca.cert_pem.bytes())

    def issue(self, file_name: str, *names: str, days: int = 30) -> Pair:
        """Issue a certificate for host names or addresses; with no days left it is expired."""
        begin = datetime.now(UTC) - timedelta(days=2)
        end = datetime.now(UTC) + timedelta(days=days, hours=-1)
        issued = self._ca.issue_cert(*(names or HERE), not_before=begin, not_after=end)
        pair = Pair(self.folder / f"{file_name}.pem", self.folder / f"{file_name}.key")
        _replace(pair.key, issued.private_key_pem.bytes())
        _replace(pair.certificate, b"".join(pem.bytes() for pem in issued.cert_chain_pems))
        return pair

    def client_credentials(self) -> grpc.ChannelCredentials:
        """Make those of a gRPC client that trusts this CA alone."""
        return grpc.ssl_channel_credentials(self.certificate.read_bytes())

    def trusting(self, *alpn: str) -> ssl.SSLContext:
        """Make the context of a client that trusts this CA alone."""
        context = ssl.create_default_context(cafile=self.certificate)
        context.set_alpn_protocols(alpn)
        return context


def server_credentials(pair: Pair, client_ca: Authority | None = None) -> grpc.ServerCredentials:
    """Make those of a gRPC server, which requires a certificate of its clients if a CA is given."""
    chain = (pair.key.read_bytes(), pair.certificate.read_bytes())
    roots = client_ca.certificate.read_bytes() if client_ca else None
    return grpc.ssl_server_credentials([chain], roots, require_client_auth=roots is not None)


def _replace(file: Path, content: bytes) -> None:
    new = file.with_name(f"{file.name}.new")
    new.write_bytes(content)
    new.replace(file)
