"""TLS with PostgreSQL: `sslrootcert=system` trusts the CAs of the system."""

import ssl
import struct
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from socket import create_server, socket
from threading import Thread

import psycopg
import pytest

from server.store import engine
from server.store.engine import connection_parameters
from tests.support.network.certificates import Authority, Pair

GREETING = b"SFATAL\0C28000\0Mwho has come by TLS is refused\0\0"


@pytest.fixture(autouse=True)
def _no_settings(monkeypatch: pytest.MonkeyPatch) -> None:
    for name in ("SSL_CERT_FILE", "SSL_CERT_DIR", "PGSSLROOTCERT", "PGSSLMODE"):
        monkeypatch.delenv(name, raising=False)


@contextmanager
def tls_postgres(pair: Pair) -> Iterator[int]:
    """Serve PostgreSQL's TLS handshake to one client, on a port."""
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.load_cert_chain(pair.certificate, pair.key)
    with create_server(("127.0.0.1", 0)) as listener:
        thread = Thread(target=_greet, args=(listener, context), daemon=True)
        thread.start()
        yield listener.getsockname()[1]
        thread.join()


def _greet(listener: socket, context: ssl.SSLContext) -> None:
    client, _ = listener.accept()
    with client:
        client.recv(8)  # it asks for TLS
        client.sendall(b"S")
        try:
            with context.wrap_socket(client, server_side=True) as encrypted:
                encrypted.recv(1024)
                encrypted.sendall(b"E" + struct.pack("!i", len(GREETING) + 4) + GREETING)
        except ssl.SSLError:
            return  # it does not trust the certificate


def refused(url: str) -> str:
    with pytest.raises(psycopg.OperationalError) as raised:
        psycopg.connect(**connection_parameters(url))
    return str(raised.value)


@pytest.mark.parametrize("way", ["url", "PGSSLROOTCERT"])
def test_the_system_s_cas_are_trusted(monkeypatch: pytest.MonkeyPatch, tmp_path: Path, way: str) -> None:
    authority = Authority(tmp_path)
    monkeypatch.setattr(engine, "CA_BUNDLES", ("/none", str(authority.certificate)))
    if way == "PGSSLROOTCERT":
        monkeypatch.setenv(way, "system")
    with tls_postgres(authority.issue("server")) as port:
        query = "?sslrootcert=system" if way == "url" else ""
        assert "who has come by TLS is refused" in refused(f"postgresql://127.0.0.1:{port}/calls{query}")


def test_others_are_not(tmp_path: Path) -> None:
    with tls_postgres(Authority(tmp_path).issue("server")) as port:
        words = refused(f"postgresql://127.0.0.1:{port}/calls?sslrootcert=system")
        assert "certificate verify failed" in words


def test_nor_is_another_name(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    authority = Authority(tmp_path)
    monkeypatch.setattr(engine, "CA_BUNDLES", (str(authority.certificate),))
    with tls_postgres(authority.issue("server", "other.example.com")) as port:
        words = refused(f"postgresql://127.0.0.1:{port}/calls?sslrootcert=system")
        assert 'does not match host name "127.0.0.1"' in words


def test_the_variables_of_openssl_go_before(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    authority = Authority(tmp_path)
    monkeypatch.setenv("SSL_CERT_FILE", str(authority.certificate))
    with tls_postgres(authority.issue("server")) as port:
        words = refused(f"postgresql://127.0.0.1:{port}/calls?sslrootcert=system")
        assert "who has come by TLS is refused" in words


def test_less_than_its_name_is_refused() -> None:
    words = refused("postgresql://127.0.0.1:1/calls?sslrootcert=system&sslmode=require")
    assert 'weak sslmode "require" may not be used with sslrootcert=system' in words
