"""The certificate files of the server: read, and checked before gRPC sees them."""

from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path
from typing import NamedTuple

from cryptography import x509
from cryptography.exceptions import UnsupportedAlgorithm
from cryptography.hazmat.primitives.asymmetric import ec, rsa
from cryptography.hazmat.primitives.serialization import load_pem_private_key

from machine.printed_settings import describe_path
from server.config.tls import TlsSettings

CERTIFICATE, KEY, CLIENT_CA = (
    "GRPC_TLS_CERTIFICATE_FILE",
    "GRPC_TLS_KEY_FILE",
    "GRPC_TLS_CLIENT_CA_FILE",
)
_CURVES = (ec.SECP256R1, ec.SECP384R1)


class CertificateFilesError(Exception):
    """The files cannot be used; the message is one line with the setting and the reason."""


class CertificateFiles(NamedTuple):
    """What the files hold, byte for byte."""

    certificate: bytes
    key: bytes
    client_ca: bytes | None


@dataclass(frozen=True)
class Certificates:
    """Files that TLS can be served with."""

    files: CertificateFiles
    name: str
    until: datetime

    def __str__(self) -> str:
        return f"certificate for {self.name}, until {_format_time(self.until)}"


def load_certificates(settings: TlsSettings) -> Certificates:
    """Read and check the files; raises CertificateFilesError."""
    return check_files(read_files(settings))


def read_files(settings: TlsSettings) -> CertificateFiles:
    """Read the files that the settings name; raises CertificateFilesError."""
    if settings.certificate_file is None or settings.key_file is None:
        raise CertificateFilesError(f"{CERTIFICATE} and {KEY} are not set")
    return CertificateFiles(
        _read(CERTIFICATE, settings.certificate_file),
        _read(KEY, settings.key_file),
        _read(CLIENT_CA, settings.client_ca_file) if settings.client_ca_file else None,
    )


def check_files(files: CertificateFiles) -> Certificates:
    """Check that the files can be served with now; raises CertificateFilesError."""
    certificate = _certificates(CERTIFICATE, files.certificate)[0]
    _check_key(files.key, certificate)
    _check_time(certificate)
    if files.client_ca is not None:
        _check_client_ca(files.client_ca)
    return Certificates(files, _name(certificate), certificate.not_valid_after_utc)


def _read(setting: str, file: Path) -> bytes:
    try:
        return file.read_bytes()
    except OSError as error:
        reason = f"cannot read {describe_path(file)}: {error.strerror}"
        raise CertificateFilesError(f"{setting}: {reason}") from None


def _certificates(setting: str, pem: bytes) -> list[x509.Certificate]:
    try:
        return x509.load_pem_x509_certificates(pem)
    except ValueError:
        raise CertificateFilesError(f"{setting}: there is no certificate in PEM in it") from None


def _check_key(pem: bytes, certificate: x509.Certificate) -> None:
    try:
        key = load_pem_private_key(pem, password=None)
    except TypeError:
        raise CertificateFilesError(f"{KEY}: the key has a passphrase: write it without") from None
    except (ValueError, UnsupportedAlgorithm):
        raise CertificateFilesError(f"{KEY}: there is no private key in PEM in it") from None
    if key.public_key() != certificate.public_key():
        raise CertificateFilesError(f"{KEY}: the key is not that of the certificate in {CERTIFICATE}")
    if not _usable(key.public_key()):
        raise CertificateFilesError(f"{KEY}: gRPC takes RSA, P-256 and P-384 keys only")


def _usable(key: object) -> bool:
    """Return whether gRPC's server can sign, and its clients verify, with such a key."""
    if isinstance(key, ec.EllipticCurvePublicKey):
        return isinstance(key.curve, _CURVES)
    return isinstance(key, rsa.RSAPublicKey)


def _check_time(certificate: x509.Certificate) -> None:
    now = datetime.now(UTC)
    begin, end = certificate.not_valid_before_utc, certificate.not_valid_after_utc
    if now > end:
        words = f"expired at {_format_time(end)}"
    elif now < begin:
        words = f"is not valid before {_format_time(begin)}"
    else:
        return
    raise CertificateFilesError(f"{CERTIFICATE}: the certificate for {_name(certificate)} {words}")


def _check_client_ca(pem: bytes) -> None:
    ends = [ca.not_valid_after_utc for ca in _certificates(CLIENT_CA, pem)]
    if datetime.now(UTC) > max(ends):
        raise CertificateFilesError(
            f"{CLIENT_CA}: the last of its CAs expired at {_format_time(max(ends))}"
        )


def _name(certificate: x509.Certificate) -> str:
    try:
        names = certificate.extensions.get_extension_for_class(x509.SubjectAlternativeName).value
    except x509.ExtensionNotFound:
        return certificate.subject.rfc4514_string()
    return ", ".join(str(name.value) for name in names)


def _format_time(moment: datetime) -> str:
    return f"{moment:%Y-%m-%dT%H:%M:%SZ}"
