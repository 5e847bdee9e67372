"""Which clients are served by TLS, and which are rejected."""

import asyncio
import socket
import ssl
from collections.abc import AsyncIterator
from pathlib import Path

import grpc
import pytest
from trustme import CA, LeafCert

from tests.support.network.tls import (
    TlsFiles,
    client_context,
    code_for,
    code_of,
    expired,
    for_host,
    tls_server,
)

OK, UNAVAILABLE = grpc.StatusCode.OK, grpc.StatusCode.UNAVAILABLE
CA_OF_SERVER, CA_OF_CLIENTS, OTHER_CA = CA(), CA(), CA()


@pytest.fixture
def files(tmp_path: Path) -> TlsFiles:
    return TlsFiles(tmp_path).hold(for_host(CA_OF_SERVER), CA_OF_CLIENTS)


@pytest.fixture
async def port(files: TlsFiles) -> AsyncIterator[int]:
    async with tls_server(files.settings()) as port:
        yield port


@pytest.fixture
async def mutual_port(files: TlsFiles) -> AsyncIterator[int]:
    async with tls_server(files.settings(mutual=True)) as port:
        yield port


def shaken_version(port: int, version: ssl.TLSVersion) -> str | None:
    with (
        socket.create_connection(("127.0.0.1", port)) as connection,
        client_context(version).wrap_socket(connection) as encrypted,
    ):
        return encrypted.version()


async def test_a_client_that_knows_the_ca_is_answered(port: int) -> None:
    assert await code_for(port, trusted=CA_OF_SERVER) == OK


async def test_a_client_that_does_not_know_the_ca_goes_away(port: int) -> None:
    assert await code_for(port, trusted=OTHER_CA) == UNAVAILABLE


@pytest.mark.parametrize("version", [ssl.TLSVersion.TLSv1_2, ssl.TLSVersion.TLSv1_3])
async def test_tls_of_today_is_spoken(port: int, version: ssl.TLSVersion) -> None:
    assert await asyncio.to_thread(shaken_version, port, version) == version.name.replace("_", ".")


async def test_tls_of_yesterday_is_not(port: int) -> None:
    # The connection is closed, without an error of the client's own: so it did use 1.1.
    with pytest.raises((ssl.SSLEOFError, ssl.SSLZeroReturnError)):
        await asyncio.to_thread(shaken_version, port, ssl.TLSVersion.TLSv1_1)


@pytest.mark.parametrize("mutual", [False, True])
async def test_plain_text_is_refused(files: TlsFiles, mutual: bool) -> None:
    async with (
        tls_server(files.settings(mutual=mutual)) as port,
        grpc.aio.insecure_channel(f"127.0.0.1:{port}") as channel,
    ):
        assert await code_of(channel) == UNAVAILABLE


async def test_a_client_with_a_certificate_of_the_clients_ca_is_answered(mutual_port: int) -> None:
    assert await code_for(mutual_port, CA_OF_SERVER, for_host(CA_OF_CLIENTS)) == OK


@pytest.mark.parametrize(
    "shown",
    [None, for_host(OTHER_CA), for_host(CA_OF_SERVER), expired(CA_OF_CLIENTS)],
    ids=["none", "of another CA", "of the server's CA", "expired"],
)
async def test_a_client_with_no_such_certificate_is_refused_and_others_are_not(
    mutual_port: int, shown: LeafCert | None
) -> None:
    assert await code_for(mutual_port, CA_OF_SERVER, shown) == UNAVAILABLE
    assert await code_for(mutual_port, CA_OF_SERVER, for_host(CA_OF_CLIENTS)) == OK
