"""Key servers as issuers really have them, before the service with the settings of its environment."""

import gzip
import json
from collections.abc import AsyncIterator, Callable
from contextlib import AbstractAsyncContextManager, asynccontextmanager
from pathlib import Path

import grpc
import pytest

from server.bootstrap import open_authenticator
from server.config.settings import Settings
from tests.support.auth.guarded import ask, refused
from tests.support.auth.tokens import AUDIENCE, ISSUER, Signer, key_set, signer, token_settings
from tests.support.data.calls import PLAIN_CALL
from tests.support.network.certificates import Authority
from tests.support.network.connect_proxy import ConnectProxy
from tests.support.server.service import Deployment, Service, scripted_service
from tests.support.stand_ins.key_server import OPENID, KeyServer

KEY = signer("ES256")
OTHER = signer("ES256", "other")
# A name that only the proxy knows.
HIDDEN = "https://issuer.test"

Serve = Callable[..., AbstractAsyncContextManager[Service]]


@pytest.fixture
def serve(deployment: Deployment, monkeypatch: pytest.MonkeyPatch) -> Serve:
    """Serve one call with settings, while a block lasts."""

    @asynccontextmanager
    async def run(**settings: str) -> AsyncIterator[Service]:
        for name, value in settings.items():
            monkeypatch.setenv(name, value)
        async with (
            open_authenticator(Settings()) as (guard, _),
            scripted_service(deployment, guard) as service,
        ):
            service.ports.holds(PLAIN_CALL)
            yield service

    return run


async def lets_in(service: Service, key: Signer, issuer: str = ISSUER) -> None:
    """Send a token of the issuer, and a forged one."""
    assert await ask(service, key.token(iss=issuer))
    forged = Signer(key.kid, key.algorithm, signer(key.algorithm, "forger").private_key)
    error = await refused(service, forged.token(iss=issuer))
    assert error.code() == grpc.StatusCode.UNAUTHENTICATED


def discovery_of(*issuers: str) -> dict[str, str]:
    """The settings of a server that discovers the keys of issuers."""
    return {"AUTH": "on", "AUTH_ISSUER": " ".join(issuers), "AUTH_AUDIENCE": AUDIENCE}


async def test_one_with_an_authority_of_its_own(
    serve: Serve, issuer: KeyServer, authority: Authority
) -> None:
    settings = {**token_settings(issuer.url), "AUTH_CA_FILE": str(authority.certificate)}
    async with serve(**settings) as service:
        await lets_in(service, KEY)


@pytest.mark.parametrize("setting", ["HTTPS_PROXY", "AUTH_PROXY_URL"])
async def test_an_issuer_alone_behind_a_proxy_that_packs_its_answers(
    serve: Serve, issuer: KeyServer, authority: Authority, setting: str
) -> None:
    publish_packed(issuer)
    with ConnectProxy(issuer.port).running() as proxy:
        settings = {setting: proxy.url, "AUTH_CA_FILE": str(authority.certificate)}
        async with serve(**discovery_of(HIDDEN), **settings) as service:
            await lets_in(service, KEY, HIDDEN)
    assert set(proxy.targets) == {"issuer.test:443"}


def publish_packed(issuer: KeyServer) -> None:
    metadata = {"issuer": HIDDEN, "jwks_uri": f"{HIDDEN}/keys"}
    for path, document in ((OPENID, json.dumps(metadata).encode()), ("/keys", key_set(KEY))):
        packed = gzip.compress(b"\xef\xbb\xbf" + document)
        issuer.answers_at(path, 200, packed, content_encoding="gzip")


async def test_one_by_plain_http_on_purpose_that_asks_for_a_token(serve: Serve, tmp_path: Path) -> None:
    file = tmp_path / "token"
    file.write_text("of-the-pod\n")
    # To the server it is another machine.
    server = KeyServer(host="127.0.0.2")
    server.publishes(KEY)
    settings = {"AUTH_PLAIN_HTTP": "on", "AUTH_JWKS_TOKEN_FILE": str(file)}
    with server.running():
        async with serve(**token_settings(server.url), **settings) as service:
            await lets_in(service, KEY)
    assert {headers.get("authorization") for headers in server.headers} == {"Bearer of-the-pod"}


async def test_several_issuers_each_with_keys_of_its_own(serve: Serve, key_server: KeyServer) -> None:
    other = KeyServer()
    with other.running():
        for server, key in ((key_server, KEY), (other, OTHER)):
            server.publishes(key)
            server.describes(server.origin)
        async with serve(**discovery_of(key_server.origin, other.origin)) as service:
            await lets_in(service, KEY, key_server.origin)
            await lets_in(service, OTHER, other.origin)
            for key, server in ((KEY, other), (OTHER, key_server)):
                error = await refused(service, key.token(iss=server.origin))
                assert error.code() == grpc.StatusCode.UNAUTHENTICATED


async def test_issuers_that_share_one_key_set(serve: Serve, key_server: KeyServer) -> None:
    key_server.publishes(KEY)
    settings = {**token_settings(key_server.url), "AUTH_ISSUER": "accounts.example https://b.example"}
    async with serve(**settings) as service:
        await lets_in(service, KEY, "accounts.example")
        await lets_in(service, KEY, "https://b.example")
    assert key_server.requests == 1


async def test_one_that_is_not_trusted_lets_nobody_in_and_is_named_so(
    serve: Serve, issuer: KeyServer, caplog: pytest.LogCaptureFixture
) -> None:
    async with serve(**token_settings(issuer.url)) as service:
        error = await refused(service, KEY.token())
    assert error.code() == grpc.StatusCode.UNAVAILABLE
    reasons = [vars(line).get("reason", "") for line in caplog.records]
    assert any(reason.startswith("TLS certificate not trusted: ") for reason in reasons)
    assert issuer.requests == 0


@pytest.mark.parametrize("claim", ["aud", "none"])
async def test_that_tokens_for_any_service_are_accepted_is_logged(
    serve: Serve, key_server: KeyServer, caplog: pytest.LogCaptureFixture, claim: str
) -> None:
    key_server.publishes(KEY)
    audience = AUDIENCE if claim == "aud" else ""
    settings = {"AUTH_AUDIENCE": audience, "AUTH_AUDIENCE_CLAIM": claim}
    async with serve(**{**token_settings(key_server.url), **settings}) as service:
        assert await ask(service, KEY.token())
    warning = "AUTH_AUDIENCE_CLAIM=none: tokens that were issued for any service are accepted"
    assert (warning in caplog.messages) == (claim == "none")
