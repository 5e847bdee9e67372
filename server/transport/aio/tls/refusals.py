"""Why clients are rejected by TLS, for operators."""

import re

# BoringSSL's messages, and what they mean for a server. The first match counts.
_REASONS = {
    "CERTIFICATE_VERIFY_FAILED: certificate has expired": "its certificate has expired",
    "CERTIFICATE_VERIFY_FAILED: certificate is not yet valid": "its certificate is not valid yet",
    "CERTIFICATE_VERIFY_FAILED": "its certificate is of no CA in GRPC_TLS_CLIENT_CA_FILE",
    "PEER_DID_NOT_RETURN_A_CERTIFICATE": "it shows no certificate",
    "WRONG_VERSION_NUMBER": "it speaks plain text, not TLS",
    "HTTP_REQUEST": "it speaks plain text, not TLS",
    "UNSUPPORTED_PROTOCOL": "it speaks no TLS newer than 1.1",
    "BAD_PACKET_LENGTH": "it broke off, as OpenSSL does that refuses the server's certificate",
    "ALERT_UNKNOWN_CA": "it does not know the CA of the server's certificate",
    "ALERT_CERTIFICATE_EXPIRED": "it takes the server's certificate for expired",
}
_NAME = re.compile(r"OPENSSL_internal:(\w+)")


def reason_of(detail: str) -> str:
    """Return why a handshake failed, from BoringSSL's message."""
    for part, reason in _REASONS.items():
        if part in detail:
            return reason
    name = _NAME.search(detail)
    return f"its TLS handshake failed: {name[1] if name else 'unknown'}"
