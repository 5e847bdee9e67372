import pytest

from server.auth.bearer import LARGEST_TOKEN, bearer_token
from server.auth.errors import TokenRefusedError, TokenRequiredError


@pytest.mark.parametrize(
    "header", ["Bearer a.b.c", "bearer a.b.c", "BEARER a.b.c", "bEaReR a.b.c", "Bearer   a.b.c"]
)
def test_the_scheme_is_read_in_any_case_and_with_any_spaces_behind_it(header: str) -> None:
    assert bearer_token([header]) == "a.b.c"


@pytest.mark.parametrize(
    "token", ["aZ09-_.aZ09-_.aZ09-_", "lph_at_aZ09", "aZ09-._~+/", "aZ09+/==", "a=", "~"]
)
def test_a_token_is_read_whatever_rfc_6750_lets_it_be_made_of(token: str) -> None:
    assert bearer_token([f"Bearer {token}"]) == token


@pytest.mark.parametrize(
    "headers",
    [
        [],
        [""],
        ["Basic dTpw"],
        ["a.b.c"],
        ["Token a.b.c"],
        [" Bearer a.b.c"],
        ["\tBearer a.b.c"],
        ["\uff42earer a.b.c"],
        [b"Bearer a.b.c"],
    ],
)
def test_who_names_no_bearer_shows_no_token(headers: list[str | bytes]) -> None:
    with pytest.raises(TokenRequiredError):
        bearer_token(headers)


@pytest.mark.parametrize(
    "header",
    [
        "Bearer",
        "Bearer ",
        "Bearera.b.c",
        "Bearer: a.b.c",
        "Bearer\ta.b.c",
        "Bearer \ta.b.c",
        "Bearer a.b.c ",
        "Bearer a.b.c\t",
        "Bearer a.b.c\n",
        "Bearer a.b.c\r\nx: y",
        "Bearer a.b.c\0",
        "Bearer a b.c",
        "Bearer a.b.c, Bearer a.b.c",
        "Bearer a.b.c,Bearer a.b.c",
        'Bearer "a.b.c"',
        "Bearer token=a.b.c",
        "Bearer ==",
        "Bearer a==b",
        "Bearer a,b",
        "Bearer a%3D",
        "Bearer a.b.\u0441",
        "Bearer a.b.\u0663",
    ],
)
def test_any_other_text_behind_it_is_malformed(header: str) -> None:
    with pytest.raises(TokenRefusedError) as raised:
        bearer_token([header])
    assert raised.value.check == "malformed"


@pytest.mark.parametrize("second", ["Bearer a.b.c", "Bearer d.e.f", "Basic dTpw", "", b"\xff"])
@pytest.mark.parametrize("turned", [False, True])
def test_several_headers_are_refused_whatever_they_say(second: str | bytes, turned: bool) -> None:
    headers = ["Bearer a.b.c", second]
    with pytest.raises(TokenRefusedError) as raised:
        bearer_token(headers[::-1] if turned else headers)
    assert raised.value.check == "several Authorization headers"


def test_an_oversize_token_is_not_looked_at() -> None:
    longest = "Bearer " + "a" * (LARGEST_TOKEN - 7)
    assert bearer_token([longest]) == longest[7:]
    with pytest.raises(TokenRefusedError) as raised:
        bearer_token([longest + "a"])
    assert raised.value.check == "oversize"
