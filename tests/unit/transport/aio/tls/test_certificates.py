"""What is wrong with certificate files, in one line with the setting."""

from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest
from cryptography import x509
from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.asymmetric import ec, rsa
from cryptography.hazmat.primitives.serialization import (
    BestAvailableEncryption,
    Encoding,
    KeySerializationEncryption,
    NoEncryption,
    PrivateFormat,
)
from trustme import CA

from server.config.tls import TlsSettings
from server.transport.aio.tls.certificates import CertificateFilesError, load_certificates
from tests.support.network.tls import TlsFiles, chain_of, expired, for_host

AUTHORITY = CA()
TODAY = datetime.now(UTC)


@pytest.fixture
def files(tmp_path: Path) -> TlsFiles:
    return TlsFiles(tmp_path).hold(for_host(AUTHORITY), AUTHORITY)


def problem(files: TlsFiles) -> str:
    with pytest.raises(CertificateFilesError) as raised:
        load_certificates(files.settings(mutual=True))
    return str(raised.value)


def pem(
    key: ec.EllipticCurvePrivateKey | rsa.RSAPrivateKey,
    encryption: KeySerializationEncryption | None = None,
) -> bytes:
    encryption = encryption or NoEncryption()
    return key.private_bytes(Encoding.PEM, PrivateFormat.TraditionalOpenSSL, encryption)


def self_signed(key: ec.EllipticCurvePrivateKey | rsa.RSAPrivateKey) -> bytes:
    name = x509.Name([x509.NameAttribute(x509.NameOID.COMMON_NAME, "calls.example.com")])
    builder = x509.CertificateBuilder(name, name, key.public_key(), serial_number=1)
    builder = builder.not_valid_before(TODAY - timedelta(days=1))
    builder = builder.not_valid_after(datetime(2999, 1, 2, 3, 4, 5, tzinfo=UTC))
    return builder.sign(key, hashes.SHA256()).public_bytes(Encoding.PEM)


def test_good_files_are_said_in_a_line(files: TlsFiles) -> None:
    certificates = load_certificates(files.settings(mutual=True))
    assert str(certificates) == "certificate for localhost, 127.0.0.1, until 3000-01-01T00:00:00Z"


def test_without_settings_there_is_nothing_to_load() -> None:
    with pytest.raises(CertificateFilesError, match="are not set"):
        load_certificates(TlsSettings(certificate_file=None, key_file=None))


@pytest.mark.parametrize(
    "key", [rsa.generate_private_key(65537, 2048), ec.generate_private_key(ec.SECP384R1())]
)
def test_a_certificate_without_alternative_names_has_its_subject_s(
    files: TlsFiles, key: ec.EllipticCurvePrivateKey | rsa.RSAPrivateKey
) -> None:
    files.key.write_bytes(pem(key))
    files.certificate.write_bytes(self_signed(key))
    certificates = load_certificates(files.settings())
    assert str(certificates) == "certificate for CN=calls.example.com, until 2999-01-02T03:04:05Z"


def test_the_chain_comes_behind_the_certificate(files: TlsFiles) -> None:
    below = AUTHORITY.create_child_ca()
    files.hold(for_host(below))
    assert load_certificates(files.settings()).files.certificate.count(b"BEGIN") == 2


@pytest.mark.parametrize("name", ["certificate", "key", "client_ca"])
def test_a_missing_file_is_named(files: TlsFiles, name: str) -> None:
    file: Path = getattr(files, name)
    file.unlink()
    assert (
        problem(files) == f"GRPC_TLS_{name.upper()}_FILE: cannot read {file}: No such file or directory"
    )


def test_a_folder_is_no_file(files: TlsFiles) -> None:
    files.key.unlink()
    files.key.mkdir()
    assert problem(files) == f"GRPC_TLS_KEY_FILE: cannot read {files.key}: Is a directory"


def test_a_key_in_place_of_its_file_is_not_shown(files: TlsFiles) -> None:
    key = Path("-----BEGIN PRIVATE KEY-----\\nsecret")
    settings = files.settings(mutual=True).model_copy(update={"key_file": key})
    with pytest.raises(CertificateFilesError) as raised:
        load_certificates(settings)
    assert str(raised.value) == "GRPC_TLS_KEY_FILE: cannot read ***: No such file or directory"


@pytest.mark.parametrize(
    ("name", "what"),
    [("certificate", "certificate"), ("key", "private key"), ("client_ca", "certificate")],
)
@pytest.mark.parametrize("content", [b"", b"\xff\0", b"-----BEGIN CERTIFICATE-----\nAAAA\n"])
def test_what_is_no_pem_is_named(files: TlsFiles, name: str, what: str, content: bytes) -> None:
    file: Path = getattr(files, name)
    file.write_bytes(content)
    assert problem(files) == f"GRPC_TLS_{name.upper()}_FILE: there is no {what} in PEM in it"


def test_certificate_and_key_are_not_confused(files: TlsFiles) -> None:
    key = files.key.read_bytes()
    files.key.write_bytes(files.certificate.read_bytes())
    assert problem(files) == "GRPC_TLS_KEY_FILE: there is no private key in PEM in it"
    files.certificate.write_bytes(key)
    assert problem(files) == "GRPC_TLS_CERTIFICATE_FILE: there is no certificate in PEM in it"


def test_a_key_with_a_passphrase_cannot_be_used(files: TlsFiles) -> None:
    files.key.write_bytes(pem(ec.generate_private_key(ec.SECP256R1()), BestAvailableEncryption(b"x")))
    assert problem(files) == "GRPC_TLS_KEY_FILE: the key has a passphrase: write it without"


def test_the_key_must_be_that_of_the_certificate(files: TlsFiles) -> None:
    files.key.write_bytes(for_host(AUTHORITY).private_key_pem.bytes())
    assert problem(files) == (
        "GRPC_TLS_KEY_FILE: the key is not that of the certificate in GRPC_TLS_CERTIFICATE_FILE"
    )


@pytest.mark.parametrize("curve", [ec.SECP521R1(), ec.SECP256K1()], ids=lambda curve: curve.name)
def test_a_key_that_grpc_does_not_take_is_refused(files: TlsFiles, curve: ec.EllipticCurve) -> None:
    key = ec.generate_private_key(curve)
    files.key.write_bytes(pem(key))
    files.certificate.write_bytes(self_signed(key))
    assert problem(files) == "GRPC_TLS_KEY_FILE: gRPC takes RSA, P-256 and P-384 keys only"


def test_an_expired_certificate_is_refused(files: TlsFiles) -> None:
    files.hold(certificate := expired(AUTHORITY))
    end = x509.load_pem_x509_certificate(chain_of(certificate)).not_valid_after_utc
    assert problem(files) == (
        f"GRPC_TLS_CERTIFICATE_FILE: the certificate for localhost expired at {end:%Y-%m-%dT%H:%M:%SZ}"
    )


def test_a_certificate_of_the_future_is_refused(files: TlsFiles) -> None:
    tomorrow = TODAY + timedelta(days=1)
    files.hold(AUTHORITY.issue_cert("localhost", not_before=tomorrow, not_after=tomorrow + timedelta(1)))
    assert problem(files) == (
        "GRPC_TLS_CERTIFICATE_FILE: the certificate for localhost is not valid before "
        f"{tomorrow:%Y-%m-%dT%H:%M:%SZ}"
    )


def test_an_expired_ca_of_clients_is_refused_unless_another_is_beside_it(files: TlsFiles) -> None:
    old = chain_of(expired(AUTHORITY))
    files.client_ca.write_bytes(old)
    assert problem(files).startswith("GRPC_TLS_CLIENT_CA_FILE: the last of its CAs expired at ")
    files.client_ca.write_bytes(old + AUTHORITY.cert_pem.bytes())
    load_certificates(files.settings(mutual=True))
