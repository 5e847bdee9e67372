"""Which certificates are trusted, and which one is presented."""

import ssl

from client.settings import CallerSettings


class TlsFilesError(Exception):
    """The files for TLS cannot be used; the message has the reason, and nothing of their content."""


def make_ssl_context(settings: CallerSettings) -> ssl.SSLContext:
    """Make the context of TLS connections; raises TlsFilesError."""
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
