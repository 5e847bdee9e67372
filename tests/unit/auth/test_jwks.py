import json
from typing import Any

import pytest
from cryptography.hazmat.primitives.asymmetric import ec, ed448, rsa

from server.auth.jwks import KeySet, UnusableKeysError, VerificationKey, read_key_set
from tests.support.auth.tokens import ABSENT, ALGORITHMS, Signer, all_signers, jwk_of, key_set, signer

RSA = signer("RS256")
SMALL_RSA = jwk_of(rsa.generate_private_key(65537, 1024).public_key())  # noqa: S505 - to be refused
ED448 = jwk_of(ed448.Ed448PrivateKey.generate().public_key())
SECP256K1 = jwk_of(ec.generate_private_key(ec.SECP256K1()).public_key())


def changed(**members: Any) -> dict[str, Any]:
    return {name: value for name, value in {**RSA.jwk, **members}.items() if value is not ABSENT}


def read(*keys: Any) -> list[VerificationKey]:
    return list(read_key_set(key_set(*keys)).keys)


def test_a_key_of_each_algorithm_is_read() -> None:
    keys = read(*all_signers())
    assert {key.kid: key.algorithms for key in keys} == {
        **{name.lower(): {name} for name in ALGORITHMS},
        **{name.lower(): {"EdDSA", "Ed25519"} for name in ("EdDSA", "Ed25519")},
    }


@pytest.mark.parametrize(
    ("algorithm", "algorithms"),
    [
        *((name, {"RS256", "RS384", "RS512", "PS256", "PS384", "PS512"}) for name in ("RS256", "PS512")),
        *((name, {name}) for name in ("ES256", "ES384", "ES512")),
        ("Ed25519", {"EdDSA", "Ed25519"}),
    ],
)
@pytest.mark.parametrize("named", [{}, {"alg": ""}, {"alg": None}], ids=repr)
def test_a_key_that_names_no_algorithm_is_for_those_of_its_kind(
    algorithm: str, algorithms: set[str], named: dict[str, Any]
) -> None:
    (key,) = read({**signer(algorithm).bare_jwk, **named, "kid": "bare"})
    assert key.algorithms == algorithms


@pytest.mark.parametrize(
    ("written", "algorithms"),
    [("rs256", {"RS256"}), ("Ps384", {"PS384"}), ("RS512", {"RS512"})],
)
def test_a_key_that_names_one_is_for_that_alone_in_any_case(written: str, algorithms: set[str]) -> None:
    assert read(changed(alg=written))[0].algorithms == algorithms


@pytest.mark.parametrize(
    "members", [{"use": ""}, {"use": None}, {"use": ABSENT}, {"key_ops": ["verify"]}, {"key_ops": 5}]
)
def test_a_key_for_signatures_may_leave_its_use_open(members: dict[str, Any]) -> None:
    assert read(changed(**members))


@pytest.mark.parametrize("kid", [ABSENT, None], ids=["absent", "null"])
def test_a_key_may_have_no_id(kid: Any) -> None:
    (key,) = read(changed(kid=kid))
    assert key.kid is None


MALFORMED = "malformed, or of an unknown curve"
UNUSABLE: dict[str, tuple[Any, str]] = {
    "a private RSA key": ({**jwk_of(RSA.private_key), "kid": "x"}, "a private key"),
    "a private EC key": ({**jwk_of(signer("ES256").private_key), "kid": "x"}, "a private key"),
    "a private Ed25519 key": ({**jwk_of(signer("EdDSA").private_key), "kid": "x"}, "a private key"),
    "a shared secret": ({"kty": "oct", "k": "c2VjcmV0", "kid": "x"}, "a symmetric key"),
    "a shared secret for RS256": (
        {"kty": "oct", "k": "c2VjcmV0", "kid": "x", "alg": "RS256"},
        "a symmetric key",
    ),
    "an RSA key for HS256": (changed(alg="HS256"), "its algorithm is not accepted"),
    "an RSA key for none": (changed(alg="none"), "its algorithm is not accepted"),
    "an RSA key for ES256": (changed(alg="ES256"), "its algorithm is for another kind of key"),
    "an RSA key for EdDSA": (changed(alg="EdDSA"), "its algorithm is for another kind of key"),
    "an RSA key of odd use": (changed(use=["sig"]), "its use is not sig"),
    "an RSA key of another use": (changed(use="tls"), "its use is not sig"),
    "an RSA key for signatures with an algorithm of encryption": (
        changed(alg="RSA-OAEP"),
        "its algorithm is not accepted",
    ),
    "an RSA key of 1024 bits": ({**SMALL_RSA, "kid": "x"}, "1024 bits, fewer than 2048"),
    "a P-384 key for ES256": (
        {**signer("ES384").bare_jwk, "kid": "x", "alg": "ES256"},
        "its algorithm is for another kind of key",
    ),
    "a secp256k1 key": ({**SECP256K1, "kid": "x"}, "its curve is not accepted"),
    "a secp256k1 key for ES256": (
        {**SECP256K1, "kid": "x", "alg": "ES256"},
        "its curve is not accepted",
    ),
    "an Ed448 key": ({**ED448, "kid": "x"}, "its curve is not accepted"),
    "an Ed448 key for EdDSA": ({**ED448, "kid": "x", "alg": "EdDSA"}, "its curve is not accepted"),
    "a key whose kid is a number": (changed(kid=1), "its kid is no text"),
    "a key whose kid is a list": (changed(kid=["x"]), "its kid is no text"),
    "a key without modulus": (changed(n=ABSENT), MALFORMED),
    "a key with a number for modulus": (changed(n=5), MALFORMED),
    "a key with an even exponent": (changed(e="AA"), MALFORMED),
    "a key with an unhashable algorithm": (changed(alg=["RS256"]), "its algorithm is not accepted"),
    "a key of an unknown algorithm": (changed(alg="RS1"), "its algorithm is not accepted"),
    "a key of an unknown type": (changed(kty="AKP"), "an unknown kind of key"),
    "a key of an unhashable type": (changed(kty=["RSA"]), "an unknown kind of key"),
    "a key without type": (changed(kty=ABSENT), "an unknown kind of key"),
    "a point that is not on the curve": (
        {**signer("ES256").jwk, "y": signer("ES256").jwk["x"]},
        MALFORMED,
    ),
    "a curve nobody knows": ({**signer("ES256").jwk, "crv": "P-257"}, MALFORMED),
    "a list": ([], "no JSON Web Key"),
    "a number": (5, "no JSON Web Key"),
    "null": (None, "no JSON Web Key"),
    "an empty object": ({}, "an unknown kind of key"),
}


@pytest.mark.parametrize(("unusable", "reason"), UNUSABLE.values(), ids=UNUSABLE)
def test_an_unusable_key_is_left_out_with_the_reason_and_the_others_are_used(
    unusable: Any, reason: str
) -> None:
    keys = read_key_set(key_set(unusable, signer("EdDSA"), unusable))
    assert keys.kids == {"eddsa"}
    (left_out,) = keys.left_out
    assert left_out.reason == reason
    if isinstance(unusable, dict):
        assert left_out.kid == shown(unusable.get("kid"))
        assert left_out.algorithm == shown(unusable.get("alg"))


def shown(member: Any) -> str | None:
    return member if member is None or isinstance(member, str) else f"a {type(member).__name__}"


@pytest.mark.parametrize("member", ["kid", "alg", "use", "kty", "crv", "n", "key_ops"])
def test_a_key_that_is_nested_as_deep_as_json_goes_is_left_out(member: str) -> None:
    document = key_set(signer("EdDSA"), changed(**{member: "HERE"}))
    depth = 900
    document = document.replace(b'"HERE"', b"[" * depth + b"]" * depth)
    assert "eddsa" in read_key_set(document).kids


@pytest.mark.parametrize(("unusable", "reason"), UNUSABLE.values(), ids=UNUSABLE)
def test_a_set_of_unusable_keys_is_none(unusable: Any, reason: str) -> None:
    with pytest.raises(UnusableKeysError, match="no usable key") as raised:
        read_key_set(key_set(unusable))
    assert [key.reason for key in raised.value.left_out] == [reason]


def test_what_is_shown_of_a_left_out_key_is_short() -> None:
    (left_out,) = read_key_set(key_set(changed(kid="k" * 9000, alg="a" * 9000), RSA)).left_out
    assert (left_out.kid, left_out.algorithm) == ("k" * 100, "a" * 100)


@pytest.mark.parametrize(
    "members",
    [
        {"use": "enc"},
        {"use": "enc", "alg": "RSA-OAEP"},
        {"use": "enc", "kty": "oct"},
        {"use": ABSENT, "alg": "RSA-OAEP-256"},
        {"use": ABSENT, "alg": "RSA1_5"},
        {"use": "", "alg": "ECDH-ES+A128KW"},
        {"use": ABSENT, "key_ops": ["wrapKey"]},
    ],
    ids=repr,
)
def test_a_key_for_encryption_is_passed_over(members: dict[str, Any]) -> None:
    keys = read_key_set(key_set(changed(**members), signer("EdDSA")))
    assert keys.kids == {"eddsa"}
    assert not keys.left_out


def test_keys_of_different_kinds_with_one_id_are_told_apart_by_the_algorithm() -> None:
    keys = read_key_set(key_set(signer("RS256", "x"), signer("ES256", "x"), signer("PS256", "x")))
    assert {name: found(keys, "x", name) for name in ("RS256", "ES256", "PS256", "ES384")} == {
        "RS256": signer("RS256", "x").private_key.public_key(),
        "ES256": signer("ES256", "x").private_key.public_key(),
        "PS256": signer("PS256", "x").private_key.public_key(),
        "ES384": None,
    }


def test_of_two_keys_of_one_kind_with_one_id_the_last_one_counts() -> None:
    last = Signer("rs256", "RS256", signer("RS256", "another").private_key)
    assert found(read_key_set(key_set(RSA, last)), "rs256") == last.private_key.public_key()


def test_without_an_id_the_only_key_for_an_algorithm_is_found() -> None:
    keys = read_key_set(key_set(RSA, changed(alg="PS256", kid=ABSENT), signer("ES256")))
    assert found(keys, None, "RS256") == found(keys, None, "PS256") == RSA.private_key.public_key()
    assert found(keys, None, "ES256") == signer("ES256").private_key.public_key()
    assert found(keys, None, "ES384") is None


def test_without_an_id_none_is_chosen_of_several() -> None:
    bare = {**signer("PS256").bare_jwk, "kid": "bare"}
    assert found(read_key_set(key_set(RSA, bare)), None, "RS256") is None


def test_a_key_without_an_id_is_not_found_by_one() -> None:
    keys = read_key_set(key_set(changed(kid=ABSENT)))
    assert [found(keys, kid) for kid in ("rs256", "", "None")] == [None] * 3


def found(keys: KeySet, kid: str | None, algorithm: str = "RS256") -> object:
    key = keys.find(kid, algorithm)
    return key and key.public_key


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
