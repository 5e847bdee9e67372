"""Distinguishes access tokens from the other tokens that an issuer signs with the same keys."""

from collections.abc import Mapping
from typing import Any

from server.auth.errors import TokenRefusedError

# Keycloak's `typ` claims, and what some write into the header.
_OTHER_TYPES = frozenset({"id", "id_token", "refresh", "offline", "logout"})
# Claims of ID tokens (OpenID Connect Core 1.0, sections 2 and 3.3.2.11).
_OF_ID_TOKENS = ("at_hash", "c_hash")


def check_type(header: Mapping[str, Any], claims: Mapping[str, Any], *, typed: bool) -> None:
    """Raise TokenRefusedError for a token that is recognisably no access token.

    With `typed` it must be one by the type in its header (RFC 9068, section 2.1).
    """
    type_ = _type_of(header)
    if typed and type_ != "at+jwt":
        raise TokenRefusedError("typ is not at+jwt")
    if _is_other(type_) or _lower(claims.get("typ")) in _OTHER_TYPES:
        raise TokenRefusedError("typ of another token")
    if claims.get("token_use") not in (None, "access"):
        raise TokenRefusedError("token_use of another token")
    if _is_id_token(claims):
        raise TokenRefusedError("ID token")


def _type_of(header: Mapping[str, Any]) -> str:
    """Read the type in the header, a media type that may lack `application/`, in any case."""
    return _lower(header.get("typ")).removeprefix("application/")


def _is_other(type_: str) -> bool:
    """RFC 8725, section 3.11: a type such as `logout+jwt` keeps a token from being taken for another."""
    return type_ in _OTHER_TYPES or (type_.endswith("+jwt") and type_ != "at+jwt")


def _is_id_token(claims: Mapping[str, Any]) -> bool:
    if any(claims.get(name) is not None for name in _OF_ID_TOKENS):
        return True
    # Keycloak before 24 puts the nonce into access tokens too, which it marks as bearer tokens.
    return claims.get("nonce") is not None and _lower(claims.get("typ")) != "bearer"


def _lower(value: Any) -> str:
    """Return text in lower case; a type that is no text is none."""
    return value.lower() if isinstance(value, str) else ""
