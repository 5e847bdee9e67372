"""Who is admitted and who is not, by every API of the running service."""

import time
from collections.abc import Callable, Iterator

import pytest

from demo.readiness import wait_until
from tests.support.auth.forged_tokens import FORGED, NO_TOKEN, SEVERAL
from tests.support.auth.tokens import AUDIENCE, Signer, all_signers, bearer, signer
from tests.support.callers.faces import (
    ADMITTED,
    FACES,
    TOKEN_INVALID,
    TOKEN_REQUIRED,
    Face,
    ask_rest,
    faces_of,
    outcome_of,
)
from tests.support.callers.rest import ask
from tests.support.data.calls import CALL_ID
from tests.support.server.stack import Stack
from tests.support.stand_ins.key_server import KeyServer

RSA = signer("RS256")
PATH = f"/v1/live/calls/{CALL_ID}"
UNKNOWN = "/v1/live/calls/00000000-0000-4000-8000-000000000000"


@pytest.fixture(scope="module")
def faces(guarded_stack: Stack) -> Iterator[dict[str, Face]]:
    with faces_of(guarded_stack) as faces:
        yield faces


@pytest.mark.parametrize("name", FACES)
@pytest.mark.parametrize("key", all_signers(), ids=lambda key: key.algorithm)
def test_a_good_token_is_let_in(faces: dict[str, Face], name: str, key: Signer) -> None:
    assert faces[name]([f"Bearer {key.token()}"]) == ADMITTED


@pytest.mark.parametrize("name", FACES)
@pytest.mark.parametrize(
    "claims",
    [
        {"aud": ["other", AUDIENCE]},
        {"scope": "anything"},
        {"jti": "x", "custom": {"a": [1]}},
        {"nbf": 1},
    ],
    ids=repr,
)
def test_a_good_token_may_say_more(faces: dict[str, Face], name: str, claims: dict[str, object]) -> None:
    assert faces[name]([f"Bearer {RSA.token(**claims)}"]) == ADMITTED


@pytest.mark.parametrize("name", FACES)
@pytest.mark.parametrize(("claim", "ahead"), [("exp", -20), ("nbf", 20), ("iat", 20)])
def test_a_clock_that_is_off_by_less_than_30_s_is_forgiven(
    faces: dict[str, Face], name: str, claim: str, ahead: int
) -> None:
    honest = RSA.token(**{claim: int(time.time()) + ahead})
    assert faces[name]([f"Bearer {honest}"]) == ADMITTED


@pytest.mark.parametrize("name", FACES)
@pytest.mark.parametrize("scheme", ["bearer", "BEARER", "Bearer  "])
def test_the_scheme_is_read_as_http_reads_schemes(
    faces: dict[str, Face], name: str, scheme: str
) -> None:
    assert faces[name]([f"{scheme} {RSA.token()}"]) == ADMITTED


@pytest.mark.parametrize("name", FACES)
@pytest.mark.parametrize("forged", FORGED.values(), ids=FORGED)
def test_a_forged_or_stale_token_is_refused(
    faces: dict[str, Face], name: str, forged: Callable[[], str]
) -> None:
    assert faces[name]([f"Bearer {forged()}"]) == TOKEN_INVALID


@pytest.mark.parametrize("name", FACES)
@pytest.mark.parametrize("several", SEVERAL.values(), ids=SEVERAL)
def test_several_authorization_headers_are_refused(
    faces: dict[str, Face], name: str, several: Callable[[], list[str]]
) -> None:
    assert faces[name](several()) == TOKEN_INVALID


@pytest.mark.parametrize("name", FACES)
@pytest.mark.parametrize("shown", NO_TOKEN.values(), ids=NO_TOKEN)
def test_who_shows_no_token_is_told_to(
    faces: dict[str, Face], name: str, shown: Callable[[], list[str]]
) -> None:
    assert faces[name](shown()) == TOKEN_REQUIRED


@pytest.mark.parametrize(
    "around",
    [
        b"Bearer\t%s",
        b"Bearer \t%s",
        b"Bearer\xc2\xa0%s",
        b"Bearer \xe2\x80\x8b%s",
        b"Bearer %s\xff",
        b"Bearer \xff%s",
        b"Bearer %s\x7f",
        b"Bearer %s\xc3\xa9",
        b"Bearer \x1b%s",
        b"Bearer %s\r\n continued",
        b"Bearer %s\0",
    ],
)
def test_odd_bytes_around_a_good_token_let_nobody_in(guarded_stack: Stack, around: bytes) -> None:
    reply = ask_rest(guarded_stack.gateway.url, [around % RSA.token().encode()])
    assert reply.status in (400, 401)
    assert outcome_of(reply).word in ("invalid_argument", "unauthenticated")


def test_spaces_around_the_header_are_http_s_own(guarded_stack: Stack) -> None:
    reply = ask_rest(guarded_stack.gateway.url, [f" \t Bearer {RSA.token()} \t "])
    assert reply.status == 200


def test_a_token_anywhere_else_is_not_looked_at(guarded_stack: Stack) -> None:
    url, token = guarded_stack.gateway.url, RSA.token()
    form = {"content-type": "application/x-www-form-urlencoded", "content-length": str(len(token) + 13)}
    replies = [
        ask_rest(url, [], f"{PATH}?access_token={token}"),
        ask_rest(url, [], f"{PATH}?authorization=Bearer%20{token}"),
        ask_rest(url, [], cookie=f"access_token={token}"),
        ask_rest(url, [], x_authorization=f"Bearer {token}"),
        ask_rest(url, [], proxy_authorization=f"Bearer {token}"),
        ask_rest(url, [], grpc_metadata_authorization=f"Bearer {token}"),
        ask(url, "GET", PATH, form, f"access_token={token}".encode()),
    ]
    assert {outcome_of(reply) for reply in replies} == {TOKEN_REQUIRED}


@pytest.mark.parametrize(
    ("headers", "body", "challenge"),
    [
        (
            {},
            b'{"error":"unauthenticated","message":"An access token is required."}',
            'Bearer realm="livecalls"',
        ),
        (
            bearer("x"),
            b'{"error":"unauthenticated","message":"The access token is not valid."}',
            'Bearer realm="livecalls", error="invalid_token"',
        ),
    ],
    ids=["required", "invalid"],
)
def test_a_refusal_has_the_documented_shape(
    guarded_stack: Stack, headers: dict[str, str], body: bytes, challenge: str
) -> None:
    reply = guarded_stack.get(headers={**headers, "x-request-id": "refused"})
    assert (reply.status, reply.body) == (401, body)
    assert {name: value for name, value in reply.headers if name != "date"} == {
        "www-authenticate": challenge,
        "content-type": "application/json",
        "content-length": str(len(body)),
        "cache-control": "no-store",
        "vary": "Origin",
        "x-request-id": "refused",
    }
    assert len(reply.headers) == 7


def test_a_head_is_refused_without_a_body(guarded_stack: Stack) -> None:
    get, head = (ask(guarded_stack.gateway.url, verb, PATH) for verb in ("GET", "HEAD"))
    assert (head.status, head.body) == (401, b"")
    for name in ("www-authenticate", "content-type", "content-length", "cache-control"):
        assert head.header(name) == get.header(name)


def test_who_knows_the_call_already_is_not_told_that_it_is_unchanged(guarded_stack: Stack) -> None:
    known = guarded_stack.get(headers=bearer(RSA.token()))
    etag = {"if-none-match": str(known.header("etag"))}
    assert guarded_stack.get(headers={**bearer(RSA.token()), **etag}).status == 304
    for headers in (etag, {"if-none-match": "*"}, {**bearer("x"), **etag}):
        reply = guarded_stack.get(headers=headers)
        assert (reply.status, reply.header("etag")) == (401, None)


@pytest.mark.parametrize("shown", [[], ["Bearer x"]], ids=["without a token", "with a bad one"])
def test_nobody_learns_which_calls_there_are(guarded_stack: Stack, shown: list[str]) -> None:
    replies = [
        ask_rest(guarded_stack.gateway.url, shown, path, x_request_id="same")
        for path in (PATH, UNKNOWN, "/v1/live/calls/no-uuid", "/v1/live/calls/%FF")
    ]
    assert {(reply.status, reply.body) for reply in replies} == {(401, replies[0].body)}
    assert (
        len({frozenset({*reply.headers} - {("date", reply.header("date"))}) for reply in replies}) == 1
    )


def test_keys_are_never_fetched_from_where_a_token_says(
    guarded_stack: Stack, key_server: KeyServer
) -> None:
    attacker = signer("RS256", "attacker")
    key_server.publishes(attacker)
    for header in ("jku", "x5u", "kid", "iss"):
        token = attacker.token({header: key_server.url}, iss=key_server.url)
        assert guarded_stack.get(headers=bearer(token)).status == 401
    assert key_server.requests == 0


@pytest.mark.parametrize("name", FACES)
def test_a_key_that_a_good_token_brings_along_is_neither_followed_nor_in_its_way(
    faces: dict[str, Face], key_server: KeyServer, name: str
) -> None:
    key_server.publishes(signer("RS256", "attacker"))
    brought = {
        **dict.fromkeys(("jku", "x5u"), key_server.url),
        "x5c": ["MIIB"],
        "jwk": signer("RS256", "attacker").jwk,
    }
    for header, value in brought.items():
        assert faces[name]([f"Bearer {RSA.token({header: value})}"]) == ADMITTED
    assert faces[name]([f"Bearer {RSA.token(brought)}"]) == ADMITTED
    assert key_server.requests == 0


def test_the_log_never_shows_a_token(guarded_stack: Stack) -> None:
    secret = RSA.token(sub="only-here")
    for shown in (secret, f"{secret}\xff", f"{secret}é", f"{secret} {secret}", secret[:-4]):
        ask_rest(guarded_stack.gateway.url, [f"Bearer {shown}".encode("latin-1")], x_request_id="logged")
    # Lines are written in order, with a delay: once this one is there, so are those before it.
    ask_rest(guarded_stack.gateway.url, [], x_request_id="the-last")
    assert wait_until(lambda: '"request_id":"the-last"' in guarded_stack.server.log(), 10)
    log = guarded_stack.server.log()
    assert '"request_id":"logged"' in log
    for part in secret.split("."):
        assert part[-16:] not in log
    assert "Bearer" not in log
    assert "keys.json" not in log
