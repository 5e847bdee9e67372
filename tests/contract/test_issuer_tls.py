"""Whose certificates of issuers are trusted, with real servers."""

import socket
import ssl
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import ExitStack, aclosing, contextmanager
from pathlib import Path

import pytest

from server.auth.issuer_client import IssuerClient
from server.auth.issuer_errors import IssuerError
from server.auth.issuer_tls import create_trust
from server.config.tokens import TokenSettings
from tests.support.auth.tokens import all_signers, key_set
from tests.support.network.certificates import Authority, Pair
from tests.support.stand_ins.key_server import KeyServer

DOCUMENT = key_set(*all_signers())

Serve = Callable[..., KeyServer]


@pytest.fixture
def serve(authority: Authority) -> Iterator[Serve]:
    """Run a key server with a certificate of the authority's, or of another's."""
    with ExitStack() as stack:

        def run(*names: str, days: int = 30, issuer: Authority = authority) -> KeyServer:
            server = KeyServer()
            stack.enter_context(
                server.running(issuer.issue("server", *names, days=days).server_context())
            )
            return server

        yield run


def settings_with(file: Path | None) -> TokenSettings:
    return TokenSettings(ca_file=file)


async def reason_of(client: IssuerClient, url: str) -> str:
    with pytest.raises(IssuerError) as raised:
        await client.get(url)
    return raised.value.reason


async def test_an_authority_of_ones_own_is_trusted_if_its_file_is_named(
    serve: Serve, authority: Authority
) -> None:
    server = serve()
    async with aclosing(IssuerClient(settings_with(authority.certificate))) as client:
        assert await client.get(server.url) == DOCUMENT


async def test_nobody_else_is_trusted_then(
    serve: Serve, authority: Authority, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    other = Authority(tmp_path, "other")
    server = serve()
    monkeypatch.setenv("SSL_CERT_FILE", str(authority.certificate))
    async with aclosing(IssuerClient(settings_with(other.certificate))) as client:
        assert "TLS certificate not trusted" in await reason_of(client, server.url)
    assert server.requests == 0


async def test_those_of_the_system_are_trusted_without_a_file(
    serve: Serve, authority: Authority, monkeypatch: pytest.MonkeyPatch
) -> None:
    server = serve()
    async with aclosing(IssuerClient(settings_with(None))) as client:
        assert "TLS certificate not trusted" in await reason_of(client, server.url)
    assert server.requests == 0
    # So OpenSSL's path to the system's authorities is changed.
    monkeypatch.setenv("SSL_CERT_FILE", str(authority.certificate))
    async with aclosing(IssuerClient(settings_with(None))) as client:
        assert await client.get(server.url) == DOCUMENT


def test_a_machine_without_any_has_those_that_come_along(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("SSL_CERT_FILE", str(tmp_path / "none"))
    monkeypatch.setenv("SSL_CERT_DIR", str(tmp_path / "none"))
    assert create_trust(None).cert_store_stats()["x509_ca"] > 50


@pytest.mark.parametrize(
    ("names", "days", "words"),
    [(("other.example",), 30, "IP address mismatch"), ((), 0, "certificate has expired")],
)
async def test_it_is_named_what_is_wrong_with_a_certificate(
    serve: Serve, authority: Authority, names: tuple[str, ...], days: int, words: str
) -> None:
    server = serve(*names, days=days)
    async with aclosing(IssuerClient(settings_with(authority.certificate))) as client:
        reason = await reason_of(client, server.url)
    assert reason.startswith("TLS certificate not trusted: ")
    assert words in reason
    assert server.requests == 0


async def test_one_that_speaks_no_tls_is_named_so(key_server: KeyServer) -> None:
    async with aclosing(IssuerClient(settings_with(None))) as client:
        url = key_server.url.replace("http:", "https:")
        assert await reason_of(client, url) == "TLS failed: WRONG_VERSION_NUMBER"


@contextmanager
def asking_for_a_certificate(pair: Pair) -> Iterator[int]:
    """Reject a client without a certificate, and end only once it has read the alert."""
    context = pair.server_context()
    context.verify_mode = ssl.CERT_REQUIRED

    def refuse(listening: socket.socket) -> None:
        connection, _ = listening.accept()
        with connection.dup() as raw:
            with pytest.raises(ssl.SSLError):
                context.wrap_socket(connection, server_side=True)
            raw.shutdown(socket.SHUT_WR)
            while raw.recv(65536):
                pass

    with socket.create_server(("127.0.0.1", 0)) as listening, ThreadPoolExecutor() as pool:
        refusing = pool.submit(refuse, listening)
        yield listening.getsockname()[1]
        refusing.result()


async def test_one_that_asks_for_a_certificate_of_ours_is_named_so(authority: Authority) -> None:
    with asking_for_a_certificate(authority.issue("server")) as port:
        async with aclosing(IssuerClient(settings_with(authority.certificate))) as client:
            reason = await reason_of(client, f"https://127.0.0.1:{port}/")
    assert reason == "TLS failed: TLSV13_ALERT_CERTIFICATE_REQUIRED"


async def test_what_the_file_has_got_meanwhile_is_trusted_without_a_restart(
    serve: Serve, authority: Authority, tmp_path: Path
) -> None:
    new = Authority(tmp_path, "new")
    server = serve(issuer=new)
    async with aclosing(IssuerClient(settings_with(authority.certificate))) as client:
        assert "not trusted" in await reason_of(client, server.url)
        new.write(authority.certificate)
        assert "not trusted" in await reason_of(client, server.url)
        assert await client.get(server.url) == DOCUMENT
