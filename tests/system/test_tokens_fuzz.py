"""Any Authorization header: it causes no fault of the server, and admits nobody."""

import json
import math
import time
from collections.abc import Iterator
from typing import Any

import grpc
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from tests.support.auth.tokens import AUDIENCE, ISSUER, honest_claims, signer
from tests.support.callers.faces import ask_rest
from tests.support.callers.raw_grpc import BrokenOffError, RawGrpc, raw_grpc
from tests.support.server.deployments import Deployment
from tests.support.server.stack import Stack

RSA = signer("RS256")
GOOD = RSA.token(exp=9_999_999_999)
REFUSED = grpc.StatusCode.UNAUTHENTICATED
# What HTTP/2 forbids in headers; grpc.aio reads it all the same.
NO_HEADER = bytes({*range(0x20), 0x7F} - {ord("\t")})

fuzzed = settings(max_examples=100, suppress_health_check=[HealthCheck.function_scoped_fixture])

texts = st.text(max_size=20)
json_values: st.SearchStrategy[Any] = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | texts,
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(texts, inner, max_size=3),
    max_leaves=6,
)
nearly = st.sampled_from([ISSUER, AUDIENCE, "RS256", "ES256", "none", "rs256", "es256", 1, 2**64])
odd_times = st.sampled_from(["9999999999", 10**400, math.inf, math.nan, [9_999_999_999], True, ""])
odd_values = json_values | nearly
odd_bytes = st.binary(max_size=60) | st.sampled_from([b"=", b"==", b".", b",", b" ", b"\t", b"\0", b"~"])
whatever = st.one_of(
    odd_bytes, odd_bytes.map(lambda odd: b"Bearer " + odd), st.binary(min_size=1000, max_size=20_000)
)


@st.composite
def mutations(draw: st.DrawFn) -> bytes:
    """A valid token with something wrong with it."""
    token = bytearray(b"Bearer " + GOOD.encode())
    for _ in range(draw(st.integers(1, 3))):
        start = draw(st.integers(0, len(token)) | st.just(len(token)))
        end = draw(st.integers(start, min(len(token), start + 400)))
        match draw(st.sampled_from(["flip", "cut", "insert", "repeat", "move"])):
            case "flip" if start < len(token):
                token[start] ^= 1 << draw(st.integers(0, 7))
            case "cut":
                del token[start:end]
            case "insert":
                token[start:start] = draw(odd_bytes)
            case "repeat":
                token[start:start] = token[start:end]
            case "move":
                moved = token[start:end]
                del token[start:end]
                token += moved
    return bytes(token)


@st.composite
def odd_headers(draw: st.DrawFn) -> bytes:
    """Well signed, under a header that is not the issuer's."""
    header = {"alg": "RS256", "kid": "rs256", **draw(st.dictionaries(texts, odd_values, max_size=3))}
    names = st.sampled_from(["jku", "jwk", "x5u", "x5c"])
    header |= draw(st.dictionaries(names, odd_values, max_size=draw(st.sampled_from([0, 4]))))
    wrong = draw(st.sampled_from(["alg", "kid", "crit"]))
    header[wrong] = draw(odd_values.filter(lambda value: value != header.get(wrong)))
    return b"Bearer " + RSA.signed(_json(header), _json(honest_claims())).encode()


@st.composite
def odd_claims(draw: st.DrawFn) -> bytes:
    """Well signed, with one claim at least by which it is nobody's token."""
    claims = {**honest_claims(), **draw(st.dictionaries(texts, odd_values, max_size=3))}
    names = st.sampled_from(["nbf", "iat", "sub", "jti", "scope", "scp"])
    claims |= draw(st.dictionaries(names, odd_values, max_size=draw(st.sampled_from([0, 4]))))
    wrong, is_right = draw(st.sampled_from([("iss", _is_ours), ("aud", _is_for_us), ("exp", _is_ahead)]))
    claims[wrong] = draw((odd_times | odd_values).filter(lambda value: not is_right(value)))
    return b"Bearer " + RSA.signed(b'{"alg":"RS256","kid":"rs256"}', _json(claims)).encode()


KINDS: dict[str, st.SearchStrategy[bytes]] = {
    "any bytes": whatever,
    "a good token, changed": mutations(),
    "an odd header, well signed": odd_headers(),
    "odd claims, well signed": odd_claims(),
}


def _is_ours(issuer: Any) -> bool:
    return bool(issuer == ISSUER)


def _is_for_us(audience: Any) -> bool:
    return audience == AUDIENCE or (isinstance(audience, list) and AUDIENCE in audience)


def _is_ahead(expires: Any) -> bool:
    # What is beyond a float is no time at all.
    return isinstance(expires, int | float) and time.time() - 60 < expires < 2**1000


def _json(value: Any) -> bytes:
    return json.dumps(value).encode()


@pytest.fixture
def straight(guarded_stack: Stack) -> Iterator[RawGrpc]:
    with raw_grpc(guarded_stack.grpc_addresses[0]) as connection:
        yield connection


@pytest.fixture(scope="module", autouse=True)
def _no_fault_in_the_log(guarded_stack: Stack) -> Iterator[None]:
    yield
    for word in ("Traceback", "INTERNAL", "Bearer"):
        assert word not in guarded_stack.server.log()


@pytest.mark.parametrize("kind", KINDS.values(), ids=KINDS)
@fuzzed
@given(data=st.data())
def test_by_grpc(
    deployment: Deployment, straight: RawGrpc, kind: st.SearchStrategy[bytes], data: st.DataObject
) -> None:
    shown = read_by_all(deployment, data.draw(kind))
    assert straight.ask(shown) == (grpc.StatusCode.OK if _is_good(shown) else REFUSED)


@fuzzed
@given(shown=st.lists(whatever | st.just(b"Bearer " + GOOD.encode()), min_size=2, max_size=4))
def test_by_grpc_with_several_headers(
    deployment: Deployment, straight: RawGrpc, shown: list[bytes]
) -> None:
    shown = [read_by_all(deployment, value) for value in shown]
    code = straight.ask(*shown)
    # Envoy joins several headers into one, and ignores empty ones.
    taken = [value for value in shown if value] if deployment is Deployment.EMBEDDED else shown
    good = len(taken) == 1 and _is_good(taken[0])
    assert code == (grpc.StatusCode.OK if good else REFUSED)


@pytest.mark.parametrize("kind", KINDS.values(), ids=KINDS)
@fuzzed
@given(data=st.data())
def test_by_rest(guarded_stack: Stack, kind: st.SearchStrategy[bytes], data: st.DataObject) -> None:
    # What ends a header, or a request, makes it another one.
    line = data.draw(kind).translate(None, b"\r\n")
    reply = ask_rest(guarded_stack.gateway.url, [line])
    if _is_good(line.strip(b" \t")):
        assert reply.status == 200
    else:
        assert reply.status in (400, 401)
        assert reply.json()["error"] in ("invalid_argument", "unauthenticated")


@fuzzed
@given(
    claims=st.dictionaries(st.sampled_from([*honest_claims(), "nbf", "jti", "scope", "scp"]), odd_values)
)
def test_the_issuer_may_sign_anything(straight: RawGrpc, claims: dict[str, Any]) -> None:
    token = RSA.signed(b'{"alg":"RS256","kid":"rs256"}', _json({**honest_claims(), **claims}))
    assert straight.ask(b"Bearer " + token.encode()) in (grpc.StatusCode.OK, REFUSED)


@pytest.mark.parametrize("odd", [b"\0", b"\r\n", b"\x7f"])
def test_envoy_breaks_off_who_sends_what_is_no_header(guarded_stack: Stack, odd: bytes) -> None:
    _, through_envoy = guarded_stack.grpc_addresses
    with (
        raw_grpc(through_envoy) as connection,
        pytest.raises((BrokenOffError, ConnectionError)),
    ):
        connection.ask(b"Bearer " + GOOD.encode() + odd)
    assert guarded_stack.get(headers={"authorization": f"Bearer {GOOD}"}).status == 200


def read_by_all(deployment: Deployment, shown: bytes) -> bytes:
    """Drop what only grpc.aio reads, if that does not serve the request."""
    return shown.translate(None, NO_HEADER) if deployment is Deployment.EMBEDDED else shown


def _is_good(shown: bytes) -> bool:
    scheme, _, token = shown.partition(b" ")
    return scheme.lower() == b"bearer" and token.lstrip(b" ") == GOOD.encode()
