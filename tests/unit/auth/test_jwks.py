import json
import logging
from typing import Any

import pytest
from cryptography.hazmat.primitives.asymmetric import ec, ed448, rsa

from server.auth.jwks import UnusableKeysError, read_key_set
from tests.support.tokens import ABSENT, all_signers, jwk_of, key_set, signer

RSA = signer("RS256")
SMALL_RSA = jwk_of(rsa.generate_private_key(65537, 1024).public_key())  # noqa: S505 - to be refused
ED448 = jwk_of(ed448.Ed448PrivateKey.generate().public_key())
SECP256K1 = jwk_of(ec.generate_private_key(ec.SECP256K1()).public_key())


def changed(**members: Any) -> dict[str, Any]:
    return {name: value for name, value in {**RSA.jwk, **members}.items() if value is not ABSENT}


def test_a_key_of_each_algorithm_is_read() -> None:
    keys = read_key_set(key_set(*all_signers()))
    assert {kid: key.algorithm_name for kid, key in keys.items()} == {
        "rs256": "RS256",
        "es256": "ES256",
        "eddsa": "EdDSA",
    }


@pytest.mark.parametrize("algorithm", ["RS256", "ES256", "EdDSA"])
def test_a_key_that_does_not_say_its_algorithm_is_for_the_one_of_its_type(algorithm: str) -> None:
    keys = read_key_set(key_set({**signer(algorithm).bare_jwk, "kid": "bare"}))
    assert keys["bare"].algorithm_name == algorithm


UNUSABLE: dict[str, Any] = {
    "a private RSA key": {**jwk_of(RSA.private_key), "kid": "x"},
    "a private EC key": {**jwk_of(signer("ES256").private_key), "kid": "x"},
    "a private Ed25519 key": {**jwk_of(signer("EdDSA").private_key), "kid": "x"},
    "a shared secret": {"kty": "oct", "k": "c2VjcmV0", "kid": "x"},
    "a shared secret for RS256": {"kty": "oct", "k": "c2VjcmV0", "kid": "x", "alg": "RS256"},
    "an RSA key for HS256": changed(alg="HS256"),
    "an RSA key for none": changed(alg="none"),
    "an RSA key for RS512": changed(alg="RS512"),
    "an RSA key for PS256": changed(alg="PS256"),
    "an RSA key for ES256": changed(alg="ES256"),
    "an RSA key for encryption": changed(use="enc"),
    "an RSA key of odd use": changed(use=["sig"]),
    "an RSA key of 1024 bits": {**SMALL_RSA, "kid": "x"},
    "a P-384 key": {**signer("ES384").bare_jwk, "kid": "x"},
    "a P-384 key for ES256": {**signer("ES384").bare_jwk, "kid": "x", "alg": "ES256"},
    "a secp256k1 key for ES256": {**SECP256K1, "kid": "x", "alg": "ES256"},
    "an Ed448 key": {**ED448, "kid": "x"},
    "an Ed448 key for EdDSA": {**ED448, "kid": "x", "alg": "EdDSA"},
    "a key without kid": changed(kid=ABSENT),
    "a key whose kid is a number": changed(kid=1),
    "a key whose kid is null": changed(kid=None),
    "a key without modulus": changed(n=ABSENT),
    "a key with a number for modulus": changed(n=5),
    "a key with an even exponent": changed(e="AA"),
    "a key with an unhashable algorithm": changed(alg=["RS256"]),
    "a key of an unknown algorithm": changed(alg="RS1"),
    "a key of an unknown type": changed(kty="AKP"),
    "a key without type": changed(kty=ABSENT),
    "a point that is not on the curve": {**signer("ES256").jwk, "y": signer("ES256").jwk["x"]},
    "a curve nobody knows": {**signer("ES256").jwk, "crv": "P-257"},
    "a list": [],
    "a number": 5,
    "null": None,
    "an empty object": {},
}


@pytest.mark.parametrize("unusable", UNUSABLE.values(), ids=UNUSABLE)
def test_an_unusable_key_is_left_out_and_the_others_are_used(
    unusable: Any, caplog: pytest.LogCaptureFixture
) -> None:
    keys = read_key_set(key_set(unusable, signer("EdDSA"), unusable))
    assert set(keys) == {"eddsa"}
    assert caplog.record_tuples == [("server.auth", logging.WARNING, "key left out")] * 2


@pytest.mark.parametrize("unusable", UNUSABLE.values(), ids=UNUSABLE)
def test_a_set_of_unusable_keys_is_none(unusable: Any) -> None:
    with pytest.raises(UnusableKeysError, match="no usable key"):
        read_key_set(key_set(unusable))


def test_of_two_keys_with_one_id_the_last_one_counts() -> None:
    keys = read_key_set(key_set(signer("RS256", "x"), signer("ES256", "x")))
    assert [key.algorithm_name for key in keys.values()] == ["ES256"]


@pytest.mark.parametrize(
    "document",
    [
        b"",
        b"<html>",
        b"{",
        b"null",
        b"5",
        b'"keys"',
        b"[]",
        b"{}",
        b'{"keys": null}',
        b'{"keys": {}}',
        b'{"keys": "keys"}',
        b'{"keys": []}',
        b"\xff",
        b"\xff\xfe" + '{"keys": []}'.encode("utf-16-le"),
        b'{"keys": ' + b"[" * 50_000,
        b'{"keys": ' + b"9" * 5_000 + b"}",
        json.dumps(RSA.jwk).encode(),
        json.dumps([RSA.jwk]).encode(),
    ],
)
def test_what_is_no_key_set_is_said_to_be_unusable(document: bytes) -> None:
    with pytest.raises(UnusableKeysError):
        read_key_set(document)
