"""Whose certificates are believed, and which one is shown."""

import ssl

from client.settings import CallerSettings


class TlsFilesError(Exception):
    """The files for TLS cannot be used; the message says why, and shows nothing of them."""


def trust(settings: CallerSettings) -> ssl.SSLContext:
    """Make what a connection by TLS is checked with; raises TlsFilesError."""
    try:
        context = ssl.create_default_context(cafile=settings.tls_ca_file)
        if settings.tls_certificate_file:
            context.load_cert_chain(settings.tls_certificate_file, settings.tls_key_file, _no_passphrase)
    except (OSError, ValueError) as error:
        reason = getattr(error, "reason", None) or getattr(error, "strerror", None) or error
        raise TlsFilesError(f"The files for TLS cannot be used: {reason}") from None
    return context


def _no_passphrase() -> str:
    raise ValueError("the key asks for a passphrase")
