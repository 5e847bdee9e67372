"""Tokens and key sets as providers really make them, with settings and the expected outcome of each."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any

from tests.support.auth.tokens import ABSENT, ALGORITHMS, ISSUER, Signer, all_signers, signer

RSA = signer("RS256")
TWO_KINDS = [signer(algorithm, "two-kinds") for algorithm in ("RS384", "ES256")]
TOLERATED = signer("RS256", "tolerated")
FOR_ENCRYPTION = {**signer("RS256", "enc").jwk, "use": "enc", "alg": "RSA-OAEP"}
LEFT_OUT = {**signer("ES256", "left-out").jwk, "alg": "ES256K"}
"""A key that none of our algorithms is for."""
PUBLISHED: list[Signer | dict[str, Any]] = [
    *all_signers(),
    *TWO_KINDS,
    FOR_ENCRYPTION,
    LEFT_OUT,
    {**TOLERATED.jwk, "use": "", "alg": "rs256"},
]
ATTACKERS_URL = "http://127.0.0.1:9/keys.json"
OTHER_ISSUER = "https://login.example.com/other/v2.0"
OK, REFUSED, FORBIDDEN = "ok", "unauthenticated", "permission_denied"


@dataclass(frozen=True)
class Shape:
    """A token, made when it is needed, and the outcome of a request with it."""

    make: Callable[[], str]
    outcome: str


@dataclass(frozen=True)
class Group:
    """Shapes under the same settings, which come on top of those of the issuer and its keys."""

    settings: Mapping[str, str]
    shapes: Mapping[str, Shape]

    def outcomes(self) -> dict[str, str]:
        """Return the expected outcome of each shape."""
        return {name: shape.outcome for name, shape in self.shapes.items()}


def _jwt(key: Signer = RSA, /, **claims: Any) -> Callable[[], str]:
    """A token of the type that most providers write."""
    return lambda: key.token({"typ": "JWT"}, **claims)


def _headers(key: Signer = RSA, **headers: Any) -> Callable[[], str]:
    return lambda: key.token({"typ": "JWT", **headers})


def _by(algorithm: str, key: Signer) -> Callable[[], str]:
    return Signer(key.kid, algorithm, key.private_key).token


_DEFAULTS: dict[str, Shape] = {
    **{f"an access token by {name}": Shape(_jwt(signer(name)), OK) for name in ALGORITHMS},
    "RFC 9864's Ed25519 by a key for EdDSA": Shape(_by("Ed25519", signer("EdDSA")), OK),
    "an RS512 key used for PS256": Shape(_by("PS256", signer("RS512")), REFUSED),
    "ES384 under an RSA kid": Shape(_headers(signer("ES384"), kid="rs256"), REFUSED),
    "HS256 under an RSA kid": Shape(_headers(alg="HS256"), REFUSED),
    "none": Shape(_headers(alg="nOne"), REFUSED),
    "Cognito's ID token": Shape(_jwt(token_use="id", at_hash="x"), REFUSED),  # noqa: S106 - none
    "Entra's ID token": Shape(_jwt(ver="2.0", nonce="n"), REFUSED),
    "Keycloak's ID token": Shape(_jwt(typ="ID"), REFUSED),
    "Keycloak's access token": Shape(_jwt(typ="Bearer", azp="app"), OK),
    "at_hash": Shape(_jwt(at_hash="x"), REFUSED),
    "without kid, one key of the kind": Shape(_headers(signer("ES384"), kid=ABSENT), OK),
    "without kid, several keys of the kind": Shape(_headers(kid=ABSENT), REFUSED),
    "UAA's jku": Shape(_headers(jku=ATTACKERS_URL), OK),
    "jku of another's key": Shape(_headers(signer("RS256", "attacker"), jku=ATTACKERS_URL), REFUSED),
    "ADFS's x5c": Shape(_headers(x5c=["MIIB"], x5t="x"), OK),
    "crit": Shape(_headers(crit=["exp"], exp=1), REFUSED),
    "a numeric sub": Shape(_jwt(sub=12345), OK),
    "a numeric jti": Shape(_jwt(jti=67890), OK),
    "a null among the audiences": Shape(_jwt(aud=[None, "livecalls"]), OK),
    "one kid, the RSA key": Shape(_jwt(TWO_KINDS[0]), OK),
    "one kid, the EC key": Shape(_jwt(TWO_KINDS[1]), OK),
    "one kid, a third kind of key": Shape(_headers(signer("ES384"), kid="two-kinds"), REFUSED),
    'a key with use "" and alg "rs256"': Shape(_jwt(TOLERATED), OK),
    "a key for encryption": Shape(_jwt(signer("RS256", "enc")), REFUSED),
    "a key that is left out": Shape(_jwt(signer("ES256", "left-out")), REFUSED),
    "another issuer": Shape(_jwt(iss=OTHER_ISSUER), REFUSED),
    "the issuer without its slash": Shape(_jwt(iss=ISSUER.rstrip("/")), REFUSED),
    "no audience": Shape(_jwt(aud=ABSENT, client_id="livecalls"), REFUSED),
}
_SEVERAL: dict[str, Shape] = {
    "the first issuer, for the first audience": Shape(_jwt(aud="livecalls"), OK),
    "the second issuer, for the second audience": Shape(_jwt(iss=OTHER_ISSUER, aud="api://calls"), OK),
    "a third issuer": Shape(_jwt(iss="https://login.example.com/third/v2.0"), REFUSED),
    "an issuer that only begins alike": Shape(_jwt(iss=f"{OTHER_ISSUER}/"), REFUSED),
    "both issuers in one text": Shape(_jwt(iss=f"{ISSUER} {OTHER_ISSUER}"), REFUSED),
    "a third audience": Shape(_jwt(aud="other"), REFUSED),
    "both audiences in one text": Shape(_jwt(aud="livecalls api://calls"), REFUSED),
}
_COGNITO: dict[str, Shape] = {
    "Cognito's access token": Shape(
        _jwt(aud=ABSENT, client_id="app", token_use="access", scope="calls:read"),  # noqa: S106 - none
        OK,
    ),
    "Cognito's ID token": Shape(_jwt(aud="app", token_use="id", scope="calls:read"), REFUSED),  # noqa: S106 - none
    "another client": Shape(_jwt(aud=ABSENT, client_id="other", scope="calls:read"), REFUSED),
    "another client, for our audience": Shape(_jwt(aud="app", client_id="other"), REFUSED),
    "no client": Shape(_jwt(aud="app", scope="calls:read"), REFUSED),
    "Auth0's permissions": Shape(_jwt(client_id="app", permissions=["calls:read"]), OK),
    "Entra's app roles": Shape(_jwt(client_id="app", roles=["other", "calls:read"]), OK),
    "a claim that grants no scopes": Shape(_jwt(client_id="app", groups=["calls:read"]), FORBIDDEN),
}
_CLERK: dict[str, Shape] = {
    "Clerk's session token": Shape(_jwt(aud=ABSENT, azp="https://app.example.com"), OK),
    "another origin": Shape(_jwt(aud=ABSENT, azp="https://evil.example.com"), REFUSED),
    "an audience alone": Shape(_jwt(aud="https://app.example.com"), REFUSED),
}
_ANYBODY: dict[str, Shape] = {
    "Hydra's aud: []": Shape(lambda: signer("PS256").token(aud=[]), OK),
    "AuthKit's, without aud": Shape(lambda: signer("ES256").token(aud=ABSENT), OK),
    "the type as a media type": Shape(lambda: signer("ES256").token({"typ": "application/at+jwt"}), OK),
    "a token without the type": Shape(_jwt(signer("ES256")), REFUSED),
    "an algorithm that is not allowed": Shape(RSA.token, REFUSED),
}

GROUPS: dict[str, Group] = {
    "the defaults": Group({}, _DEFAULTS),
    "several issuers and audiences": Group(
        {"AUTH_ISSUER": f"{ISSUER} {OTHER_ISSUER}", "AUTH_AUDIENCE": "livecalls api://calls"}, _SEVERAL
    ),
    "client_id for aud, and scopes of four claims": Group(
        {
            "AUTH_AUDIENCE": "app",
            "AUTH_AUDIENCE_CLAIM": "client_id",
            "AUTH_SCOPES": "calls:read",
            "AUTH_SCOPE_CLAIMS": "scope scp permissions roles",
        },
        _COGNITO,
    ),
    "azp for aud": Group(
        {"AUTH_AUDIENCE": "https://app.example.com", "AUTH_AUDIENCE_CLAIM": "azp"}, _CLERK
    ),
    "no audience, a type, two algorithms": Group(
        {
            "AUTH_AUDIENCE": "",
            "AUTH_AUDIENCE_CLAIM": "none",
            "AUTH_TOKEN_TYPE": "at+jwt",
            "AUTH_ALGORITHMS": "PS256 ES256",
        },
        _ANYBODY,
    ),
}
