"""ID tokens and others of the same issuer, which are no access tokens."""

from typing import Any

import pytest

from server.auth.claims import TokenRules
from server.auth.errors import TokenRefusedError
from server.auth.key_cache import KeyCache
from server.auth.token_type import check_type
from server.auth.tokens import TokenVerifier
from tests.support.auth.tokens import AUDIENCE, ISSUER
from tests.support.auth.verifying import RSA, check_of

JWT = {"typ": "JWT"}
ACCESS_TOKENS: dict[str, tuple[dict[str, Any], dict[str, Any]]] = {
    "RFC 9068": ({"typ": "at+jwt"}, {}),
    "RFC 9068, as a media type": ({"typ": "application/at+jwt"}, {}),
    "RFC 9068, in capitals": ({"typ": "AT+JWT"}, {}),
    "no type": ({}, {}),
    "any JWT": (JWT, {}),
    "a type that is null": ({"typ": None}, {}),
    "a type that is a number": ({"typ": 5}, {"typ": 5}),
    "Cognito": (JWT, {"token_use": "access"}),
    "Keycloak": (JWT, {"typ": "Bearer", "azp": "app", "sid": "x"}),
    "Keycloak before 24": (JWT, {"typ": "Bearer", "nonce": "n"}),
    "Keycloak, bound to a key": (JWT, {"typ": "DPoP"}),
    "Entra": (JWT, {"ver": "2.0", "scp": "calls", "azp": "app"}),
    "claims that are null": (JWT, {"nonce": None, "at_hash": None, "token_use": None, "typ": None}),
}
OTHERS: dict[str, tuple[dict[str, Any], dict[str, Any]]] = {
    "Cognito's ID token": (JWT, {"token_use": "id", "at_hash": "x"}),
    "Cognito's, by its use alone": (JWT, {"token_use": "id"}),
    "a use that is no text": (JWT, {"token_use": 5}),
    "Entra's ID token": (JWT, {"nonce": "n", "aud": "app", "ver": "2.0"}),
    "Keycloak's ID token": (JWT, {"typ": "ID"}),
    "Keycloak's, with a nonce": (JWT, {"typ": "ID", "nonce": "n"}),
    "Keycloak's refresh token": (JWT, {"typ": "Refresh"}),
    "Keycloak's offline token": (JWT, {"typ": "Offline"}),
    "Keycloak's logout token": (JWT, {"typ": "Logout"}),
    "at_hash": (JWT, {"at_hash": "x"}),
    "at_hash, empty": (JWT, {"at_hash": ""}),
    "c_hash": ({}, {"c_hash": "x"}),
    "nonce": ({}, {"nonce": "n"}),
    "nonce, a number": ({}, {"nonce": 5}),
    "nonce under the type of an access token": ({"typ": "at+jwt"}, {"nonce": "n"}),
    "typ ID in the header": ({"typ": "ID"}, {}),
    "typ id_token+jwt": ({"typ": "id_token+jwt"}, {}),
    "typ logout+jwt": ({"typ": "logout+jwt"}, {}),
    "typ dpop+jwt": ({"typ": "dpop+jwt"}, {}),
    "typ application/secevent+jwt": ({"typ": "application/SecEvent+JWT"}, {}),
}


@pytest.mark.parametrize(("header", "claims"), ACCESS_TOKENS.values(), ids=ACCESS_TOKENS)
def test_an_access_token_is_accepted(header: dict[str, Any], claims: dict[str, Any]) -> None:
    check_type(header, claims, typed=False)


@pytest.mark.parametrize(("header", "claims"), OTHERS.values(), ids=OTHERS)
@pytest.mark.parametrize("typed", [False, True])
def test_another_token_is_refused(header: dict[str, Any], claims: dict[str, Any], typed: bool) -> None:
    with pytest.raises(TokenRefusedError):
        check_type(header, claims, typed=typed)


@pytest.mark.parametrize("typ", ["at+jwt", "application/at+jwt", "At+Jwt"])
def test_a_required_type_is_written_as_media_types_are(typ: str) -> None:
    check_type({"typ": typ}, {}, typed=True)


@pytest.mark.parametrize("header", [{}, JWT, {"typ": None}, {"typ": ["at+jwt"]}, {"typ": "xat+jwt"}])
def test_with_a_required_type_any_other_is_refused(header: dict[str, Any]) -> None:
    with pytest.raises(TokenRefusedError, match="not valid") as raised:
        check_type(header, {"typ": "at+jwt"}, typed=True)
    assert raised.value.check == "typ is not at+jwt"


async def test_the_type_of_a_well_signed_token_is_checked(keys: KeyCache, tokens: TokenVerifier) -> None:
    typed = TokenVerifier({ISSUER: keys}, TokenRules((AUDIENCE,), typed=True))
    assert await typed.verify(RSA.token())
    assert await tokens.verify(RSA.token(JWT))
    assert await check_of(tokens, RSA.token(nonce="n")) == "ID token"
    assert await check_of(typed, RSA.token(JWT)) == "typ is not at+jwt"
