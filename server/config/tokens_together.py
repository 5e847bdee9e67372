"""Which settings of tokens go together."""

from collections.abc import Iterator

from machine.addresses import is_safe_url
from server.config.introspection import IntrospectionSettings
from server.config.tokens import TokenSettings

_PLAIN_HTTP = "https://, or http:// on this machine; AUTH_PLAIN_HTTP=on allows http:// to others"

_NO_ENDPOINT = (
    "AUTH_INTROSPECTION_URL is missing: only a single AUTH_ISSUER without AUTH_JWKS_URL is asked for it"
)


def check_together(tokens: TokenSettings, introspection: IntrospectionSettings) -> None:
    """Raise ValueError, with a line for each thing to change, if settings do not go together.

    With the URL of an introspection endpoint tokens need no issuer, and the keys of an issuer alone are
    not discovered: it is compared with the endpoint's responses.
    """
    faults = [
        *_key_faults(tokens),
        *_rule_faults(tokens, introspects=introspection.url is not None),
        *_introspection_faults(tokens, introspection),
    ]
    if faults:
        raise ValueError("\n".join(faults))


def _key_faults(tokens: TokenSettings) -> Iterator[str]:
    if tokens.jwks_url and tokens.jwks_file:
        yield "AUTH_JWKS_URL and AUTH_JWKS_FILE exclude each other: set one of them"
    if tokens.has_keys and not tokens.issuer:
        yield "AUTH_JWKS_URL and AUTH_JWKS_FILE need AUTH_ISSUER, whose keys they are"
    if tokens.jwks_url and not is_safe_url(tokens.jwks_url, plain_http=tokens.allows_plain_http):
        yield f"AUTH_JWKS_URL: must be {_PLAIN_HTTP}"
    if tokens.jwks_token_file and (
        tokens.jwks_file or (not tokens.jwks_url and len(tokens.issuer) != 1)
    ):
        yield "AUTH_JWKS_TOKEN_FILE needs AUTH_JWKS_URL or a single AUTH_ISSUER, to which it is shown"


def _rule_faults(tokens: TokenSettings, *, introspects: bool) -> Iterator[str]:
    verifies = tokens.has_keys or (bool(tokens.issuer) and not introspects)
    if verifies and not tokens.audience and tokens.compares_audience:
        yield "AUTH_ISSUER needs AUTH_AUDIENCE; AUTH_AUDIENCE_CLAIM=none accepts tokens for anybody"
    if not (tokens.issuer or introspects or tokens.has_keys) and tokens.audience:
        yield "AUTH_AUDIENCE needs AUTH_ISSUER"
    if tokens.discovers and not introspects:
        yield from _issuer_faults(tokens)


def _issuer_faults(tokens: TokenSettings) -> Iterator[str]:
    for issuer in tokens.issuer:
        is_url = is_safe_url(issuer, plain_http=tokens.allows_plain_http)
        if not is_url or "?" in issuer or "#" in issuer:
            yield f"AUTH_ISSUER: without AUTH_JWKS_URL or AUTH_JWKS_FILE it must be {_PLAIN_HTTP}"


def _introspection_faults(tokens: TokenSettings, introspection: IntrospectionSettings) -> Iterator[str]:
    url = introspection.url
    if url is not None and not is_safe_url(url, plain_http=tokens.allows_plain_http):
        yield f"AUTH_INTROSPECTION_URL: must be {_PLAIN_HTTP}"
    if introspection.discovers and not (tokens.discovers and len(tokens.issuer) == 1):
        yield _NO_ENDPOINT
    if "iss" in introspection.require and not tokens.issuer:
        yield "AUTH_INTROSPECTION_REQUIRE=iss needs AUTH_ISSUER, which it is compared with"
    if tokens.audience_claim in introspection.require and not tokens.audience:
        yield (
            f"AUTH_INTROSPECTION_REQUIRE={tokens.audience_claim} needs AUTH_AUDIENCE, which it is "
            "compared with"
        )
