"""What an issuer's metadata must be to be accepted, with real servers."""

from collections.abc import AsyncIterator
from contextlib import aclosing
from http import HTTPStatus
from pathlib import Path
from typing import Any

import pytest

from server.auth.discovery import Discovery, Metadata, oauth_url, openid_url
from server.auth.issuer_client import IssuerClient
from server.auth.issuer_errors import IssuerError
from server.auth.key_server_token import KeyServerToken
from server.config.tokens import TokenSettings
from tests.support.network.certificates import Authority
from tests.support.stand_ins.key_server import OPENID, KeyServer

OAUTH = "/.well-known/oauth-authorization-server"


@pytest.fixture
async def client() -> AsyncIterator[IssuerClient]:
    async with aclosing(IssuerClient(TokenSettings())) as client:
        yield client


async def failure_of(discovery: Discovery) -> IssuerError:
    with pytest.raises(IssuerError) as raised:
        await discovery.read()
    return raised.value


@pytest.mark.parametrize(
    ("issuer", "openid", "oauth"),
    [
        ("https://a.example", f"https://a.example{OPENID}", f"https://a.example{OAUTH}"),
        ("https://a.example/", f"https://a.example{OPENID}", f"https://a.example{OAUTH}"),
        ("https://a.example/b", f"https://a.example/b{OPENID}", f"https://a.example{OAUTH}/b"),
        ("https://a.example/b/", f"https://a.example/b{OPENID}", f"https://a.example{OAUTH}/b"),
        (
            "https://a.example:8/b/c",
            f"https://a.example:8/b/c{OPENID}",
            f"https://a.example:8{OAUTH}/b/c",
        ),
    ],
)
def test_the_addresses_of_metadata_follow_the_issuer(issuer: str, openid: str, oauth: str) -> None:
    assert (openid_url(issuer), oauth_url(issuer)) == (openid, oauth)


@pytest.mark.parametrize("path", ["", "/", "/realms/a", "/realms/a/"])
async def test_the_metadata_is_read_if_it_is_the_issuers_own(
    client: IssuerClient, key_server: KeyServer, path: str
) -> None:
    issuer = f"{key_server.origin}{path}"
    endpoint = f"{key_server.origin}/introspect"
    key_server.describes(issuer, introspection_endpoint=endpoint)
    discovery = Discovery(client, issuer)
    assert discovery.known is None
    metadata = await discovery.read()
    assert metadata == Metadata(key_server.url, endpoint)
    assert discovery.known == metadata
    assert key_server.requests == 1


async def test_the_metadata_of_oauth_is_read_if_there_is_none_of_openid(
    client: IssuerClient, key_server: KeyServer
) -> None:
    issuer = f"{key_server.origin}/tenant"
    key_server.answers(404)
    key_server.describes(issuer, at=f"{OAUTH}/tenant")
    assert await Discovery(client, issuer).read() == Metadata(key_server.url, None)
    assert key_server.paths == [f"/tenant{OPENID}", f"{OAUTH}/tenant"]


@pytest.mark.parametrize("status", [401, 429, 500, 503])
async def test_an_issuer_in_trouble_is_not_asked_elsewhere(
    client: IssuerClient, key_server: KeyServer, status: int
) -> None:
    key_server.answers(status, retry_after="9")
    failure = await failure_of(Discovery(client, key_server.origin))
    assert (failure.reason, failure.retry_after) == (f"discovery: status {status}", 9)
    assert key_server.requests == 1


async def test_an_issuer_without_metadata_is_named_so(
    client: IssuerClient, key_server: KeyServer
) -> None:
    key_server.answers(HTTPStatus.NOT_FOUND)
    assert (await failure_of(Discovery(client, key_server.origin))).reason == "discovery: status 404"


@pytest.mark.parametrize(
    "turn", [lambda url: f"{url}/", str.upper, lambda url: f"{url}/other", lambda _: 1]
)
async def test_the_issuer_is_compared_to_the_letter(
    client: IssuerClient, key_server: KeyServer, turn: Any
) -> None:
    named = turn(key_server.origin)
    key_server.describes(named, at=OPENID)
    discovery = Discovery(client, key_server.origin)
    assert (await failure_of(discovery)).reason == (
        f"discovery: the document is of the issuer {named!r}, and wanted is {key_server.origin!r}"
    )
    assert discovery.known is None


async def test_a_long_name_is_cut_for_the_log(client: IssuerClient, key_server: KeyServer) -> None:
    key_server.describes("x" * 100_000, at=OPENID)
    assert len((await failure_of(Discovery(client, key_server.origin))).reason) < 500


@pytest.mark.parametrize(
    "uri",
    [None, 1, "", "keys.json", "http://10.0.0.1/keys", "ftp://127.0.0.1/", "file:///keys", "https://"],
)
async def test_an_address_of_keys_that_others_can_change_is_a_failure(
    client: IssuerClient, key_server: KeyServer, uri: Any
) -> None:
    key_server.describes(key_server.origin, jwks_uri=uri, introspection_endpoint=uri)
    assert (await failure_of(Discovery(client, key_server.origin))).reason == (
        "discovery: jwks_uri is no https:// URL"
    )


async def test_plain_http_is_believed_if_it_is_on_purpose(
    client: IssuerClient, key_server: KeyServer
) -> None:
    uri, endpoint = "http://10.0.0.1/keys", "http://10.0.0.1/introspect"
    key_server.describes(key_server.origin, jwks_uri=uri, introspection_endpoint=endpoint)
    discovery = Discovery(client, key_server.origin, plain_http=True)
    assert await discovery.read() == Metadata(uri, endpoint)


async def test_an_encrypted_issuer_leads_to_no_plain_http_on_this_machine(tmp_path: Path) -> None:
    authority, server = Authority(tmp_path), KeyServer()
    settings = TokenSettings(ca_file=authority.certificate)
    with server.running(authority.issue("issuer").server_context()):
        async with aclosing(IssuerClient(settings)) as client:
            discovery = Discovery(client, server.origin)
            server.describes(server.origin, introspection_endpoint="http://127.0.0.1/introspect")
            assert await discovery.read() == Metadata(server.url, None)
            server.describes(server.origin, jwks_uri="http://127.0.0.1/keys")
            assert (await failure_of(discovery)).reason == "discovery: jwks_uri is no https:// URL"


@pytest.mark.parametrize(
    ("body", "reason"),
    [(b"<html>", "no JSON object but text/html"), (b"{", "no JSON"), (b"{}", "the issuer None, and")],
)
async def test_a_document_that_is_none_is_a_failure(
    client: IssuerClient, key_server: KeyServer, body: bytes, reason: str
) -> None:
    key_server.answers(200, body, content_type="text/html")
    assert reason in (await failure_of(Discovery(client, key_server.origin))).reason


async def test_a_failure_leaves_what_was_known(client: IssuerClient, key_server: KeyServer) -> None:
    key_server.describes(key_server.origin)
    discovery = Discovery(client, key_server.origin)
    known = await discovery.read()
    key_server.describes("https://other.example", at=OPENID)
    await failure_of(discovery)
    assert discovery.known == known


async def test_a_token_is_shown_for_the_metadata_too(
    client: IssuerClient, key_server: KeyServer, tmp_path: Path
) -> None:
    file = tmp_path / "token"
    file.write_text("a")
    key_server.describes(key_server.origin)
    await Discovery(client, key_server.origin, KeyServerToken(file, key_server.origin)).read()
    assert key_server.headers[0]["authorization"] == "Bearer a"
