"""Throw-away certificates in files, and clients of a server that has them."""

import socket
import ssl
import warnings
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from pathlib import Path

import grpc
from cryptography import x509
from livecalls.v1 import live_calls_pb2 as pb
from trustme import CA, LeafCert

from server.config.tls import TlsSettings
from server.transport.aio.tls.credentials import server_credentials
from tests.support.data.calls import CALL_ID, PLAIN_CALL, ScriptedPorts
from tests.support.server.service import GET_CALL, scripted_server

HOST = "localhost"


@dataclass(frozen=True)
class TlsFiles:
    """The certificate files of a server."""

    folder: Path

    @property
    def certificate(self) -> Path:
        return self.folder / "certificate.pem"

    @property
    def key(self) -> Path:
        return self.folder / "key.pem"

    @property
    def client_ca(self) -> Path:
        return self.folder / "client_ca.pem"

    def hold(self, certificate: LeafCert, client_ca: CA | None = None) -> "TlsFiles":
        """Rewrite the files, each in place."""
        self.certificate.write_bytes(chain_of(certificate))
        self.key.write_bytes(certificate.private_key_pem.bytes())
        if client_ca:
            self.client_ca.write_bytes(client_ca.cert_pem.bytes())
        return self

    def settings(self, *, mutual: bool = False) -> TlsSettings:
        """Return the settings of the files, with that of the clients' CA only if TLS is mutual."""
        client_ca = self.client_ca if mutual else None
        return TlsSettings(
            certificate_file=self.certificate, key_file=self.key, client_ca_file=client_ca
        )

    def variables(self) -> dict[str, str]:
        """Return the environment variables of all three."""
        return {
            "GRPC_TLS_CERTIFICATE_FILE": str(self.certificate),
            "GRPC_TLS_KEY_FILE": str(self.key),
            "GRPC_TLS_CLIENT_CA_FILE": str(self.client_ca),
        }


def for_host(ca: CA, not_after: datetime | None = None) -> LeafCert:
    """Issue a certificate for a server on this machine, which expires in years unless it is said."""
    return ca.issue_cert(HOST, "127.0.0.1", not_after=not_after)


def expired(ca: CA) -> LeafCert:
    """Issue a certificate that was valid until yesterday."""
    today = datetime.now(UTC)
    return ca.issue_cert(HOST, not_before=today - timedelta(days=2), not_after=today - timedelta(days=1))


def chain_of(certificate: LeafCert) -> bytes:
    """Write a certificate and those that lead to its CA as PEM."""
    return b"".join(blob.bytes() for blob in certificate.cert_chain_pems)


def serial_of(certificate: LeafCert) -> int:
    """Return a certificate's serial number."""
    return x509.load_pem_x509_certificate(chain_of(certificate)).serial_number


def expiry_of(certificate: LeafCert) -> float:
    """Return when a certificate expires, in seconds since 1970."""
    return x509.load_pem_x509_certificate(chain_of(certificate)).not_valid_after_utc.timestamp()


@asynccontextmanager
async def tls_server(settings: TlsSettings) -> AsyncIterator[int]:
    """Serve one call by TLS while the block lasts, and yield the port."""
    ports = ScriptedPorts()
    ports.holds(PLAIN_CALL)
    async with scripted_server(ports, server_credentials(settings)) as port:
        yield port


def channel_to(port: int, trusted: CA, shown: LeafCert | None = None) -> grpc.aio.Channel:
    """Make a channel with connections of its own, by TLS."""
    key, certificate = (shown.private_key_pem.bytes(), chain_of(shown)) if shown else (None, None)
    credentials = grpc.ssl_channel_credentials(trusted.cert_pem.bytes(), key, certificate)
    options = (("grpc.use_local_subchannel_pool", 1),)
    return grpc.aio.secure_channel(f"{HOST}:{port}", credentials, options)


async def code_of(channel: grpc.aio.Channel) -> grpc.StatusCode:
    """Request the call by a channel, and return the status."""
    get_call: grpc.aio.UnaryUnaryMultiCallable[bytes, bytes] = channel.unary_unary(GET_CALL)
    try:
        await get_call(pb.GetCallRequest(id=str(CALL_ID)).SerializeToString(), timeout=10)
    except grpc.aio.AioRpcError as error:
        return error.code()
    return grpc.StatusCode.OK


async def code_for(port: int, trusted: CA, shown: LeafCert | None = None) -> grpc.StatusCode:
    """Request the call by a new connection, and return the status."""
    async with channel_to(port, trusted, shown) as channel:
        return await code_of(channel)


def client_context(version: ssl.TLSVersion = ssl.TLSVersion.TLSv1_3) -> ssl.SSLContext:
    """Make the context of a client that uses one version of TLS and trusts everybody."""
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT)
    context.check_hostname = False
    context.verify_mode = ssl.CERT_NONE
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", DeprecationWarning)  # of 1.1
        context.minimum_version = context.maximum_version = version
    context.set_ciphers("ALL:@SECLEVEL=0")
    context.set_alpn_protocols(["h2"])
    return context


def served_serial(port: int) -> int:
    """Return the serial number of the certificate that a new connection gets."""
    with (
        socket.create_connection(("127.0.0.1", port)) as connection,
        client_context().wrap_socket(connection) as encrypted,
    ):
        shown = encrypted.getpeercert(binary_form=True)
    assert shown
    return x509.load_der_x509_certificate(shown).serial_number
