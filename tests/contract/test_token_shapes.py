"""Tokens and key sets as providers really make them, and attacks that leniency could let in."""

import logging

import grpc
import pytest

from server.auth.claims import rules_of
from server.config.tokens import TokenSettings
from tests.support.auth.guarded import ask, guarded_service, refused
from tests.support.auth.token_shapes import GROUPS, OTHER_ISSUER, PUBLISHED, Group
from tests.support.auth.tokens import ABSENT, ISSUER, Signer, signer, token_settings
from tests.support.machine.log import the_one
from tests.support.server.service import Deployment, Service
from tests.support.stand_ins.key_server import KeyServer

RSA = signer("RS256")
_OF_OTHER = Signer("rs256", "RS256", signer("RS256", "of the other").private_key)


async def outcome_of(service: Service, token: str) -> str:
    try:
        await ask(service, token)
    except grpc.aio.AioRpcError as error:
        return error.code().name.lower()
    return "ok"


@pytest.mark.parametrize("group", GROUPS.values(), ids=GROUPS)
async def test_each_shape_is_answered_as_is_right(
    deployment: Deployment, key_server: KeyServer, monkeypatch: pytest.MonkeyPatch, group: Group
) -> None:
    key_server.publishes(*PUBLISHED)
    for name, value in {**token_settings(key_server.url), **group.settings}.items():
        monkeypatch.setenv(name, value)
    settings = TokenSettings()
    keys = dict.fromkeys(settings.issuer, key_server.url)
    async with guarded_service(deployment, keys, *settings.scopes, rules=rules_of(settings)) as service:
        outcomes = {name: await outcome_of(service, it.make()) for name, it in group.shapes.items()}
    assert outcomes == group.outcomes()


async def test_a_second_issuers_key_is_not_used_for_the_first(
    deployment: Deployment, key_server: KeyServer
) -> None:
    other = KeyServer()
    key_server.publishes(RSA)
    other.publishes(_OF_OTHER, signer("ES256", "other"))
    with other.running():
        urls = {ISSUER: key_server.url, OTHER_ISSUER: other.url}
        async with guarded_service(deployment, urls) as service:
            assert await ask(service, RSA.token())
            assert await ask(service, _OF_OTHER.token(iss=OTHER_ISSUER))
            for crossed in (
                _OF_OTHER.token(),
                _OF_OTHER.token({"kid": ABSENT}),
                signer("ES256", "other").token(),
                RSA.token(iss=OTHER_ISSUER),
                RSA.token({"kid": ABSENT}, iss=OTHER_ISSUER),
            ):
                error = await refused(service, crossed)
                assert error.code() == grpc.StatusCode.UNAUTHENTICATED


@pytest.mark.parametrize(
    ("claims", "shown"),
    [
        (
            {"iss": ISSUER.rstrip("/")},
            {"check": "InvalidIssuer", "issuer": ISSUER.rstrip("/"), "wanted": [ISSUER]},
        ),
        (
            {"aud": ["api://calls", "other"]},
            {"check": "InvalidAudience", "audience": ["api://calls", "other"], "wanted": ["livecalls"]},
        ),
        ({"aud": ABSENT}, {"check": "MissingRequiredClaim", "claim": "aud"}),
    ],
)
async def test_the_log_shows_what_a_well_signed_token_has_and_what_is_wanted(
    deployment: Deployment,
    key_server: KeyServer,
    caplog: pytest.LogCaptureFixture,
    claims: dict[str, object],
    shown: dict[str, object],
) -> None:
    async with guarded_service(deployment, key_server.url) as service:
        caplog.set_level(logging.INFO)
        caplog.clear()
        error = await refused(service, RSA.token(sub="a-person", email="a@b.example", **claims))
        assert error.details() == "The access token is not valid."
        line = await the_one(caplog, "server.auth")
    assert {name: line[name] for name in shown} == shown
    for word in ("a-person", "a@b.example"):
        assert word not in str(line)


async def test_a_key_that_is_left_out_is_logged_and_one_for_encryption_is_not(
    deployment: Deployment, key_server: KeyServer, caplog: pytest.LogCaptureFixture
) -> None:
    key_server.publishes(*PUBLISHED)
    async with guarded_service(deployment, key_server.url):
        (line,) = [vars(line) for line in caplog.records if line.message == "key ignored"]
    assert (line["kid"], line["algorithm"]) == ("left-out", "ES256K")
    assert line["reason"] == "its algorithm is not accepted"
