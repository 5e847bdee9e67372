import base64
from urllib.parse import unquote_plus

import pytest

from server.auth.introspection import basic, try_introspection
from server.auth.issuer_errors import IssuerError
from tests.support.stand_ins.scripted_introspection import ScriptedIntrospection


@pytest.mark.parametrize(
    ("client_id", "secret", "pair"),
    [
        ("app", "secret", "app:secret"),
        ("a:b", "c:d", "a%3Ab:c%3Ad"),
        ("a b", "ü+%/", "a+b:%C3%BC%2B%25%2F"),
    ],
)
def test_credentials_are_form_encoded_before_they_are_written_as_basic(
    client_id: str, secret: str, pair: str
) -> None:
    scheme, _, shown = basic(client_id, secret).partition(" ")
    decoded = base64.b64decode(shown).decode()
    assert (scheme, decoded) == ("Basic", pair)
    assert [unquote_plus(part) for part in decoded.split(":")] == [client_id, secret]


async def test_an_endpoint_is_tried_with_a_token_that_nobody_has_issued() -> None:
    endpoint = ScriptedIntrospection()
    for _ in range(2):
        await try_introspection(endpoint)
    first, second = (token for token, _ in endpoint.asked)
    assert first != second


async def test_one_for_which_any_token_is_active_is_of_no_use() -> None:
    async def introspect(_: str) -> dict[str, bool]:
        return {"active": True}

    with pytest.raises(IssuerError, match="a random token is active there"):
        await try_introspection(introspect)
