"""Key servers as issuers really have them, before the running service."""

import gzip
import json
from collections.abc import Iterator
from pathlib import Path

import pytest

from demo.readiness import wait_until
from tests.support.auth.tokens import AUDIENCE, ISSUER, Signer, key_set, signer, token_settings
from tests.support.callers.faces import ADMITTED, FACES, TOKEN_INVALID, Face, RunStack
from tests.support.network.certificates import Authority
from tests.support.network.connect_proxy import ConnectProxy
from tests.support.server.deployments import Deployment
from tests.support.server.stack import server_of
from tests.support.stand_ins.key_server import OPENID, KeyServer

KEY = signer("ES256")
# A name that only the proxy knows.
HIDDEN = "https://issuer.test"


@pytest.fixture
def authority(tmp_path: Path) -> Authority:
    return Authority(tmp_path)


@pytest.fixture
def issuer(authority: Authority) -> Iterator[KeyServer]:
    """An issuer by TLS, with a certificate of an authority of its own."""
    server = KeyServer()
    names = ("issuer.test", "127.0.0.1")
    with server.running(authority.issue("issuer", *names).server_context()):
        server.publishes(KEY)
        yield server


def lets_in(faces: dict[str, Face], key: Signer, issuer: str = ISSUER) -> None:
    """Send a token of the issuer, and a forged one."""
    for name in FACES:
        assert faces[name]([f"Bearer {key.token(iss=issuer)}"]) == ADMITTED
        forged = Signer(key.kid, key.algorithm, signer(key.algorithm, "forger").private_key)
        assert faces[name]([f"Bearer {forged.token(iss=issuer)}"]) == TOKEN_INVALID


def test_an_issuer_alone_behind_the_usual_proxy_that_packs_its_answers(
    running: RunStack, issuer: KeyServer, authority: Authority
) -> None:
    metadata = {"issuer": HIDDEN, "jwks_uri": f"{HIDDEN}/keys"}
    for path, document in ((OPENID, json.dumps(metadata).encode()), ("/keys", key_set(KEY))):
        packed = gzip.compress(b"\xef\xbb\xbf" + document)
        issuer.answers_at(path, 200, packed, content_encoding="gzip")
    with ConnectProxy(issuer.port).running() as proxy:
        settings = {"AUTH": "on", "AUTH_ISSUER": HIDDEN, "AUTH_AUDIENCE": AUDIENCE}
        settings |= {"HTTPS_PROXY": proxy.url, "AUTH_CA_FILE": str(authority.certificate)}
        with running(**settings) as (_, faces):
            lets_in(faces, KEY, HIDDEN)
    assert set(proxy.targets) == {"issuer.test:443"}


def test_several_issuers_each_with_keys_that_are_found_and_are_its_own(
    running: RunStack, key_server: KeyServer
) -> None:
    other_key, other = signer("ES256", "other"), KeyServer()
    with other.running():
        for server, key in ((key_server, KEY), (other, other_key)):
            server.publishes(key)
            server.describes(server.origin)
        issuers = f"{key_server.origin} {other.origin}"
        settings = {"AUTH": "on", "AUTH_ISSUER": issuers, "AUTH_AUDIENCE": AUDIENCE}
        with running(**settings) as (_, faces):
            lets_in(faces, KEY, key_server.origin)
            lets_in(faces, other_key, other.origin)
            for name in FACES:
                for key, server in ((other_key, key_server), (KEY, other)):
                    assert faces[name]([f"Bearer {key.token(iss=server.origin)}"]) == TOKEN_INVALID


def test_one_by_plain_http_on_purpose_that_asks_for_a_token(running: RunStack, tmp_path: Path) -> None:
    token = tmp_path / "token"
    token.write_text("of-the-pod\n")
    # To the server it is another machine.
    server = KeyServer(host="127.0.0.2")
    server.publishes(KEY)
    settings = {"AUTH_PLAIN_HTTP": "on", "AUTH_JWKS_TOKEN_FILE": str(token)}
    with server.running(), running(**token_settings(server.url), **settings) as (stack, faces):
        lets_in(faces, KEY)
        assert stack.server.logged(
            "AUTH_PLAIN_HTTP=on: whoever is on the line to an issuer can let anybody in"
        )
    assert {headers.get("authorization") for headers in server.headers} == {"Bearer of-the-pod"}


def test_one_that_is_not_trusted_is_named_so_until_it_is(
    deployment: Deployment, issuer: KeyServer, authority: Authority, tmp_path: Path, database_url: str
) -> None:
    file = tmp_path / "authorities.pem"
    Authority(tmp_path, "stranger").write(file)
    settings = {**token_settings(issuer.url), "AUTH_CA_FILE": str(file), "DATABASE_URL": database_url}
    server = server_of(tmp_path, {**deployment.settings, **settings}, waits=False)
    try:
        assert wait_until(lambda: bool(server.logged("keys cannot be read")), 60), server.log()
        reason = server.logged("keys cannot be read")[0]["reason"]
        assert reason.startswith("TLS certificate not trusted: ")
        assert issuer.requests == 0
        authority.write(file)
        server.wait_ready()
    finally:
        ended = server.stop()
    assert ended == 0
