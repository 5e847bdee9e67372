"""The server's side of TLS: gRPC's credentials, which follow the certificate files as they change."""

import logging
from threading import Lock

import grpc

from server.config.tls import TlsSettings
from server.transport.aio.tls.certificates import (
    CertificateFiles,
    CertificateFilesError,
    Certificates,
    check_files,
    load_certificates,
    read_files,
)
from server.transport.metrics import CERTIFICATE_NOT_AFTER

log = logging.getLogger("server.tls")


def server_credentials(settings: TlsSettings) -> grpc.ServerCredentials | None:
    """Make the credentials to listen with; None if TLS is off. Raises CertificateFilesError."""
    if settings.mode == "off":
        return None
    certificates = load_certificates(settings)
    log.info("TLS certificate loaded", extra={"certificate": str(certificates)})
    CERTIFICATE_NOT_AFTER.set(certificates.until.timestamp())
    watched = _WatchedFiles(settings, certificates.files)

    def renew() -> grpc.ServerCertificateConfiguration | None:
        changed = watched.poll()
        return _configuration(changed) if changed else None

    return grpc.dynamic_ssl_server_credentials(
        _configuration(certificates),
        renew,  # type: ignore[arg-type]  # None is no change, which the stubs do not know
        require_client_authentication=settings.mode == "mutual",
    )


def _configuration(certificates: Certificates) -> grpc.ServerCertificateConfiguration:
    certificate, key, client_ca = certificates.files
    return grpc.ssl_server_certificate_configuration([(key, certificate)], client_ca)


class _WatchedFiles:
    """The files, checked before each TLS handshake by the thread of gRPC that begins it.

    All of each is read, not its times alone: what is written twice within the clock's grain would be
    missed, and reading takes a fiftieth of the handshake's time.
    """

    def __init__(self, settings: TlsSettings, files: CertificateFiles) -> None:
        self._settings = settings
        self._seen: CertificateFiles | str = files
        self._lock = Lock()

    def poll(self) -> Certificates | None:
        """Return the certificates if the files have changed since the last check, and can be used."""
        with self._lock:
            seen = self._look()
            if seen == self._seen:
                return None
            self._seen = seen
            return _check_and_log(seen)

    def _look(self) -> CertificateFiles | str:
        """Read the files, or return why they cannot be read."""
        try:
            return read_files(self._settings)
        except CertificateFilesError as error:
            return str(error)


def _check_and_log(seen: CertificateFiles | str) -> Certificates | None:
    """Check what was read, and log whether it is used."""
    try:
        if isinstance(seen, str):
            raise CertificateFilesError(seen)  # noqa: TRY301 - one way for all that is wrong
        certificates = check_files(seen)
    except CertificateFilesError as error:
        log.warning(
            "TLS certificate kept, for the changed files cannot be used", extra={"reason": str(error)}
        )
        return None
    log.info("TLS certificate reloaded", extra={"certificate": str(certificates)})
    CERTIFICATE_NOT_AFTER.set(certificates.until.timestamp())
    return certificates
