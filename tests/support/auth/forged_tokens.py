"""Tokens and headers with which nobody may be admitted, by their names."""

import json
import math
import time
import zlib
from collections.abc import Callable
from typing import Any

import jwt
from cryptography.hazmat.primitives.serialization import Encoding, PublicFormat

from tests.support.auth.tokens import (
    ABSENT,
    AUDIENCE,
    ISSUER,
    Signer,
    all_signers,
    encoded,
    honest_claims,
    signer,
)

RSA = signer("RS256")
EC = signer("ES256")
ED = signer("EdDSA")
RS512 = signer("RS512")
ES384 = signer("ES384")
ATTACKER = signer("RS256", "attacker")
ATTACKERS_URL = "http://127.0.0.1:9/keys.json"
PADDING = 17_000
PUBLISHED = (*all_signers(), signer("RS256", "second"))
"""The keys that the issuer publishes: two for RS256, so that a token by it must name its own."""


def _headers(**changes: Any) -> Callable[[], str]:
    """The issuer's own signature, with a header that it would not write."""
    return lambda: RSA.token(changes)


def _claims(**changes: Any) -> Callable[[], str]:
    return lambda: RSA.token(**changes)


def _by(algorithm: str, key: Signer, **headers: Any) -> Callable[[], str]:
    """The issuer's own key, used for another algorithm."""
    return lambda: Signer(key.kid, algorithm, key.private_key).token(headers)


def _id_token(**claims: Any) -> Callable[[], str]:
    """What the issuer signs for a user who logs in, for the same audience."""
    return lambda: RSA.token({"typ": "JWT"}, **claims)


def _ahead(claim: str, seconds: int) -> Callable[[], str]:
    return lambda: RSA.token(**{claim: math.floor(time.time()) + seconds})


def _unsigned(algorithm: str, signature: str = "") -> Callable[[], str]:
    return lambda: ".".join([*_parts({"alg": algorithm, "kid": "rs256"}), signature])


def _still_signed(algorithm: str) -> Callable[[], str]:
    """Another algorithm's name over the issuer's own signature."""
    return lambda: ".".join([*_parts({"alg": algorithm, "kid": "rs256"}), RSA.token().split(".")[2]])


def _by_secret(secret: bytes, algorithm: str = "HS256", kid: str = "rs256") -> Callable[[], str]:
    """A token signed with a shared secret that everybody knows: the public key."""

    def make() -> str:
        header, payload = _parts({"alg": algorithm, "kid": kid, "typ": "JWT"})
        code = jwt.algorithms.get_default_algorithms()[algorithm]
        return f"{header}.{payload}.{encoded(code.sign(f'{header}.{payload}'.encode(), secret))}"

    return make


def _public(encoding: Encoding, layout: PublicFormat) -> bytes:
    public: bytes = RSA.private_key.public_key().public_bytes(encoding, layout)
    return public


def _parts(header: dict[str, Any]) -> list[str]:
    return [encoded(json.dumps(part).encode()) for part in (header, honest_claims())]


def _with_payload(make: Callable[[bytes], bytes]) -> Callable[[], str]:
    header = json.dumps({"alg": "RS256", "kid": "rs256"}).encode()
    return lambda: RSA.signed(header, make(json.dumps(honest_claims()).encode()))


def _encrypted() -> str:
    header = encoded(json.dumps({"alg": "RSA-OAEP", "enc": "A256GCM", "kid": "rs256"}).encode())
    return ".".join([header, *[encoded(b"x" * length) for length in (256, 12, 300, 16)]])


def _changed(part: int, place: int) -> Callable[[], str]:
    """A good token with one character changed."""

    def make() -> str:
        parts = RSA.token().split(".")
        characters = list(parts[part])
        characters[place] = "A" if characters[place] != "A" else "B"
        return ".".join([*parts[:part], "".join(characters), *parts[part + 1 :]])

    return make


FORGED: dict[str, Callable[[], str]] = {
    **{f"alg {name}, empty signature": _unsigned(name) for name in ("none", "None", "nOnE", "NONE", "")},
    **{f"alg {name}, any signature": _unsigned(name, "x" * 86) for name in ("none", "None", "nOnE")},
    **{f"alg {name} over a good signature": _still_signed(name) for name in ("none", "PS256", "RS512")},
    "HS256 by the public key's PEM": _by_secret(
        _public(Encoding.PEM, PublicFormat.SubjectPublicKeyInfo)
    ),
    "HS256 by its PEM without the last newline": _by_secret(
        _public(Encoding.PEM, PublicFormat.SubjectPublicKeyInfo).rstrip()
    ),
    "HS256 by its PKCS 1": _by_secret(_public(Encoding.PEM, PublicFormat.PKCS1)),
    "HS256 by its DER": _by_secret(_public(Encoding.DER, PublicFormat.SubjectPublicKeyInfo)),
    "HS256 by its JWK": _by_secret(json.dumps(RSA.jwk).encode()),
    "HS256 by its modulus": _by_secret(RSA.jwk["n"].encode()),
    "HS512 by its PEM": _by_secret(_public(Encoding.PEM, PublicFormat.SubjectPublicKeyInfo), "HS512"),
    "HS256 by an empty secret": _by_secret(b""),
    "HS256 under the kid of an EC key": _by_secret(json.dumps(EC.jwk).encode(), kid="es256"),
    "kid unknown": signer("RS256", "unknown").token,
    "kid of a path": _headers(kid="../../../dev/null"),
    "kid of SQL": _headers(kid="x' UNION SELECT 'key"),
    "kid empty": _headers(kid=""),
    "kid null": _headers(kid=None),
    "kid a number": _headers(kid=1),
    "kid a list": _headers(kid=["rs256"]),
    "another key's signature under a known kid": lambda: ATTACKER.token({"kid": "rs256"}),
    "ES256 under the kid of an RSA key": lambda: EC.token({"kid": "rs256"}),
    "RS256 under the kid of an EC key": lambda: RSA.token({"kid": "es256"}),
    "EdDSA under the kid of an RSA key": lambda: ED.token({"kid": "rs256"}),
    "alg RS256 under the kid of an EC key": lambda: EC.token({"alg": "RS256"}),
    "ES384 under the kid of an RSA key": lambda: ES384.token({"kid": "rs256"}),
    "ES384 under the kid of a P-256 key": lambda: ES384.token({"kid": "es256"}),
    "ES384 by a P-256 key": _by("ES384", EC, kid="es384"),
    "RS256 key used for PS256": _by("PS256", RSA),
    "RS512 key used for PS256": _by("PS256", RS512),
    "RS512 key used for PS256 under its kid": _by("PS256", RS512, kid="ps256"),
    "RS512 key used for RS256 under its kid": _by("RS256", RS512, kid="rs256"),
    "without kid, another key's": lambda: signer("ES256", "attacker").token({"kid": ABSENT}),
    "kid missing": _headers(kid=ABSENT),
    "ID token by its claim typ": _id_token(typ="ID"),
    "ID token by its header": _headers(typ="ID"),
    "ID token by token_use": _id_token(token_use="id"),  # noqa: S106 - none
    "ID token by at_hash": _id_token(at_hash="MTIzNDU2Nzg5MDEyMzQ1Ng"),
    "ID token by nonce": _id_token(nonce="n-0S6_WzA2Mj"),
    "refresh token": _id_token(typ="Refresh"),
    "logout token": _headers(typ="logout+jwt"),
    "alg a list": _headers(alg=["RS256"]),
    "alg missing": _headers(alg=ABSENT),
    "jku of an attacker": lambda: ATTACKER.token({"jku": ATTACKERS_URL}),
    "jku of an attacker under a known kid": lambda: ATTACKER.token(
        {"jku": ATTACKERS_URL, "kid": "rs256"}
    ),
    "x5u of an attacker": lambda: ATTACKER.token({"x5u": ATTACKERS_URL, "kid": "rs256"}),
    "jwk of an attacker": lambda: ATTACKER.token({"jwk": ATTACKER.jwk}),
    "jwk of an attacker under a known kid": lambda: ATTACKER.token(
        {"jwk": ATTACKER.jwk, "kid": "rs256"}
    ),
    "x5c of an attacker": lambda: ATTACKER.token({"x5c": ["MIIB"]}),
    "x5c of an attacker under a known kid": lambda: ATTACKER.token({"x5c": ["MIIB"], "kid": "rs256"}),
    "crit, well signed": _headers(crit=["exp"], exp=1),
    "crit of b64, well signed": _headers(crit=["b64"], b64=True),
    "crit empty, well signed": _headers(crit=[]),
    "b64 false": _headers(b64=False),
    "expired 31 s ago": _ahead("exp", -31),
    "expired long ago": _claims(exp=1),
    "not good for another 40 s": _ahead("nbf", 40),
    "issued in 40 s": _ahead("iat", 40),
    "wrong issuer": _claims(iss="https://attacker.example/"),
    "issuer with a slash more": _claims(iss=f"{ISSUER}/"),
    "issuers": _claims(iss=[ISSUER]),
    "no issuer": _claims(iss=ABSENT),
    "wrong audience": _claims(aud="other"),
    "audience in the middle of a word": _claims(aud=f"not-{AUDIENCE}-at-all"),
    "other audiences": _claims(aud=["other", f"{AUDIENCE}2"]),
    "no audience": _claims(aud=ABSENT),
    "no exp": _claims(exp=ABSENT),
    "exp null": _claims(exp=None),
    "exp text": _claims(exp="9999999999"),
    "exp infinite": _claims(exp=math.inf),
    "exp not a number": _claims(exp=math.nan),
    "exp beyond all numbers": _claims(exp=10**400),
    "exp a list": _claims(exp=[9_999_999_999]),
    "nbf text": _claims(nbf="0"),
    "oversize": _claims(padding="x" * PADDING),
    "payload deflated": _with_payload(zlib.compress),
    "payload a list": _with_payload(lambda claims: b"[" + claims + b"]"),
    "payload a token": _with_payload(lambda _: RSA.token().encode()),
    "payload brackets": _with_payload(lambda _: b"[" * 10_000),
    "payload digits": _with_payload(lambda _: b'{"exp":' + b"9" * 8_000 + b"}"),
    "payload not UTF-8": _with_payload(lambda claims: claims + b"\xff"),
    "payload cut": _with_payload(lambda claims: claims[:-1]),
    "payload empty": _with_payload(lambda _: b""),
    "header brackets": lambda: RSA.signed(b"[" * 10_000, b"{}"),
    "header null": lambda: RSA.signed(b"null", b"{}"),
    "header empty": lambda: RSA.signed(b"", b"{}"),
    "encrypted": _encrypted,
    "one part": lambda: "x",
    "two parts": lambda: RSA.token().rpartition(".")[0],
    "four parts": lambda: f"{RSA.token()}.x",
    "dots": lambda: "..",
    "nothing": lambda: "",
    "quoted": lambda: f'"{RSA.token()}"',
    "padded": lambda: f"{RSA.token()}==",
    "plus and slash": lambda: RSA.token() + "+/",
    "percent": lambda: RSA.token().replace(".", "%2E"),
    "two tokens": lambda: f"{RSA.token()} {RSA.token()}",
    "two tokens with a comma": lambda: f"{RSA.token()},{RSA.token()}",
    "a name before it": lambda: f"token={RSA.token()}",
    **{
        f"character {place} of part {part} changed": _changed(part, place)
        for part in range(3)
        for place in (0, 5, -1)
    },
}


def _bearer(make: Callable[[], str]) -> str:
    return f"Bearer {make()}"


SEVERAL: dict[str, Callable[[], list[str]]] = {
    "the same good token twice": lambda: [_bearer(RSA.token)] * 2,
    "two good tokens": lambda: [_bearer(RSA.token), _bearer(EC.token)],
    "a good one and a forged one": lambda: [_bearer(RSA.token), _bearer(ATTACKER.token)],
    "a forged one and a good one": lambda: [_bearer(ATTACKER.token), _bearer(RSA.token)],
    "a good one and a password": lambda: [_bearer(RSA.token), "Basic dTpw"],
    "three good ones": lambda: [_bearer(RSA.token)] * 3,
}

NO_TOKEN: dict[str, Callable[[], list[str]]] = {
    "no header": list,
    "an empty header": lambda: [""],
    "a password": lambda: ["Basic dTpw"],
    "a good token without its scheme": lambda: [RSA.token()],
    "another scheme": lambda: [f"DPoP {RSA.token()}"],
    "a digest": lambda: ['Digest username="u"'],
}
