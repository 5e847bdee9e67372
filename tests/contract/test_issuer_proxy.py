"""The proxy of requests to issuers, with a real one."""

from collections.abc import Iterator
from contextlib import aclosing
from pathlib import Path

import pytest
from pydantic import SecretStr

from server.auth.issuer_client import IssuerClient
from server.auth.issuer_errors import IssuerError
from server.auth.issuer_proxy import Proxy, choose_proxy
from server.config.tokens import TokenSettings
from tests.support.auth.tokens import all_signers, key_set
from tests.support.network.certificates import Authority
from tests.support.network.connect_proxy import ConnectProxy
from tests.support.stand_ins.key_server import PATH, KeyServer
from tests.support.stand_ins.stream import closed_port

DOCUMENT = key_set(*all_signers())
# A name that only the proxy knows.
HOST = "issuer.test"
URL = f"https://{HOST}{PATH}"
HOST_AND_PORT = f"{HOST}:443"


@pytest.fixture(autouse=True)
def _no_proxies(monkeypatch: pytest.MonkeyPatch) -> None:
    for name in ("HTTP_PROXY", "HTTPS_PROXY", "ALL_PROXY", "NO_PROXY"):
        monkeypatch.delenv(name, raising=False)
        monkeypatch.delenv(name.lower(), raising=False)


@pytest.fixture
def proxy(issuer: KeyServer) -> Iterator[ConnectProxy]:
    with ConnectProxy(issuer.port).running() as proxy:
        yield proxy


def client_of(authority: Authority, proxy_url: str | None = None) -> IssuerClient:
    url = SecretStr(proxy_url) if proxy_url else None
    return IssuerClient(TokenSettings(ca_file=authority.certificate, proxy_url=url))


async def reason_of(client: IssuerClient, url: str = URL) -> str:
    with pytest.raises(IssuerError) as raised:
        await client.get(url)
    return raised.value.reason


async def test_an_issuer_is_asked_through_the_proxy_of_the_settings(
    authority: Authority, issuer: KeyServer, proxy: ConnectProxy
) -> None:
    async with aclosing(client_of(authority, proxy.url)) as client:
        assert await client.get(URL) == DOCUMENT
    assert proxy.targets == [HOST_AND_PORT]
    assert issuer.headers[0]["host"] == HOST


async def test_it_is_asked_through_the_usual_one_without_a_setting(
    authority: Authority, proxy: ConnectProxy, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("HTTPS_PROXY", proxy.url)
    async with aclosing(client_of(authority)) as client:
        assert await client.get(URL) == DOCUMENT
    assert proxy.targets == [HOST_AND_PORT]


async def test_a_proxy_may_have_tls_of_its_own(authority: Authority, issuer: KeyServer) -> None:
    with ConnectProxy(issuer.port).running(authority.issue("proxy").server_context()) as proxy:
        assert proxy.url.startswith("https:")
        async with aclosing(client_of(authority, proxy.url)) as client:
            assert await client.get(URL) == DOCUMENT
    assert proxy.targets == [HOST_AND_PORT]


async def test_a_proxy_may_ask_for_a_password(authority: Authority, issuer: KeyServer) -> None:
    with ConnectProxy(issuer.port, "user:pass").running() as proxy:
        async with aclosing(client_of(authority, proxy.url)) as client:
            assert await client.get(URL) == DOCUMENT
        wrong = proxy.url.replace("pass", "secret")
        async with aclosing(client_of(authority, wrong)) as client:
            reason = await reason_of(client)
    words = "the proxy refused: 407 Proxy Authentication Required (through AUTH_PROXY_URL)"
    assert reason == words


async def test_the_proxy_sees_nothing_of_what_is_asked(
    authority: Authority, issuer: KeyServer, proxy: ConnectProxy, tmp_path: Path
) -> None:
    """The issuer's certificate is checked behind it, too."""
    async with aclosing(client_of(Authority(tmp_path, "other"), proxy.url)) as client:
        assert "TLS certificate not trusted" in await reason_of(client)
    assert (proxy.forwarded, issuer.requests) == ([], 0)


async def test_a_proxy_that_is_away_is_named_so(authority: Authority) -> None:
    async with aclosing(client_of(authority, f"http://127.0.0.1:{closed_port()}")) as client:
        assert await reason_of(client) == "Connection refused (through AUTH_PROXY_URL)"


async def test_a_proxy_that_cannot_reach_the_issuer_is_named_so(
    authority: Authority, proxy: ConnectProxy
) -> None:
    proxy.status = 502
    async with aclosing(client_of(authority, proxy.url)) as client:
        assert await reason_of(client) == "the proxy refused: 502 Bad Gateway (through AUTH_PROXY_URL)"


async def test_plain_http_goes_through_the_proxy_of_the_settings_alone(
    authority: Authority, key_server: KeyServer, monkeypatch: pytest.MonkeyPatch
) -> None:
    with ConnectProxy(key_server.port).running() as proxy:
        async with aclosing(client_of(authority, proxy.url)) as client:
            assert await client.get(f"http://{HOST}{PATH}") == DOCUMENT
        assert proxy.targets == [HOST]
        for name in ("http_proxy", "https_proxy", "all_proxy"):
            monkeypatch.setenv(name, proxy.url)
        async with aclosing(client_of(authority)) as client:
            assert "DNS" in await reason_of(client, f"http://{HOST}{PATH}")
        assert proxy.targets == [HOST]


@pytest.mark.parametrize(
    "url", ["http://user:pass\u2100@127.0.0.1:1", "http://user:pass@a\u2100:1", "user:pass@[::z]:1"]
)
async def test_no_password_of_a_proxy_is_shown_whatever_its_url_is(
    authority: Authority, monkeypatch: pytest.MonkeyPatch, url: str
) -> None:
    monkeypatch.setenv("HTTPS_PROXY", url)
    async with aclosing(client_of(authority)) as client:
        assert "pass" not in await reason_of(client)


async def test_a_proxy_of_another_kind_is_no_reason_to_go_straight(
    authority: Authority, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("HTTPS_PROXY", "socks5://127.0.0.1:1")
    async with aclosing(client_of(authority)) as client:
        assert "HTTPS_PROXY is neither http:// nor https://" in await reason_of(client)


@pytest.mark.parametrize(
    "url", ["http://127.0.0.1:1/", "https://localhost/", "https://[::1]/", "https://LOCALHOST/"]
)
async def test_this_machine_is_asked_straight(url: str, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("HTTPS_PROXY", "http://usual:1")
    assert choose_proxy(url, "http://ours:1") is None


@pytest.mark.parametrize("proxy_url", [None, "http://ours:1"])
@pytest.mark.parametrize(
    ("no_proxy", "is_straight"),
    [
        ("issuer.test", True),
        (".test", True),
        ("test", True),
        ("*", True),
        ("a.example, issuer.test", True),
        ("issuer.test:8443", True),
        ("ISSUER.test", True),
        ("issuer.test:443", False),
        ("suer.test", False),
        ("10.0.0.0/8", False),
        ("", False),
    ],
)
async def test_what_no_proxy_names_is_asked_straight(
    no_proxy: str, is_straight: bool, proxy_url: str | None, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("HTTPS_PROXY", "http://usual:1")
    monkeypatch.setenv("NO_PROXY", no_proxy)
    assert (choose_proxy("https://issuer.test:8443/", proxy_url) is None) == is_straight


@pytest.mark.parametrize(
    ("no_proxy", "is_straight"),
    [("10.0.0.0/8", True), ("10.1.2.3", True), ("10.1.2.4/32", False), ("fd00::/8", False)],
)
async def test_no_proxy_may_name_a_network(
    no_proxy: str, is_straight: bool, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("HTTPS_PROXY", "http://usual:1")
    monkeypatch.setenv("NO_PROXY", f"a.example,{no_proxy}")
    assert (choose_proxy("https://10.1.2.3/", None) is None) == is_straight


async def test_the_proxy_of_the_settings_goes_before_the_usual_one(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setenv("HTTPS_PROXY", "usual:1")
    assert choose_proxy(URL, "http://ours:1") == Proxy("http://ours:1", "AUTH_PROXY_URL")
    assert choose_proxy(URL, None) == Proxy("http://usual:1", "HTTPS_PROXY")
