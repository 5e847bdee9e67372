"""Certificates that change while a gateway runs, and connections made before go on."""

import shutil
from collections.abc import Iterator
from contextlib import closing, contextmanager
from http.client import HTTPConnection
from pathlib import Path
from tempfile import mkdtemp

import pytest
from grpc import ServerCredentials

from tests.support.callers.rest import ask_over, connected_by_tls, tls_connection
from tests.support.envoy.gateway import Gateway, gateway_running, wait_for
from tests.support.network.certificates import Authority, Pair, server_credentials
from tests.support.stand_ins.upstream import Upstream, upstream_running

PATH = "/v1/live/calls/any"


@pytest.fixture
def authority(tmp_path: Path) -> Authority:
    return Authority(tmp_path)


@pytest.fixture
def successor(tmp_path: Path) -> Authority:
    return Authority(tmp_path, "successor")


def test_callers_are_shown_the_new_certificate(authority: Authority) -> None:
    with (
        gateway_showing(authority.issue("listener")) as gateway,
        closing(tls_connection(gateway.address, authority.trusting())) as kept,
    ):
        assert ask_over(kept, "GET", PATH).status == 404
        old = shown(gateway, authority)
        authority.issue("listener")
        wait_for(lambda: shown(gateway, authority) != old or None)
        assert ask_over(kept, "GET", PATH).status == 404


def test_a_mounted_secret_is_swapped(authority: Authority, tmp_path: Path) -> None:
    pair = mounted(tmp_path / "secret", authority.issue("listener"))
    with gateway_showing(pair) as gateway:
        old = shown(gateway, authority)
        mounted(tmp_path / "secret", authority.issue("listener"))
        wait_for(lambda: shown(gateway, authority) != old or None)


def test_what_is_written_in_place_is_read_at_the_next_rename(authority: Authority) -> None:
    pair = authority.issue("listener")
    with gateway_showing(pair) as gateway:
        old = shown(gateway, authority)
        renewed = authority.issue("renewed-elsewhere")
        shutil.copyfile(renewed.certificate, pair.certificate)
        shutil.copyfile(renewed.key, pair.key)
        (authority.folder / "nothing").touch()
        (authority.folder / "nothing").rename(authority.folder / ".reload")
        wait_for(lambda: shown(gateway, authority) != old or None)


def test_a_certificate_waits_for_its_key(authority: Authority) -> None:
    pair = authority.issue("listener")
    renewed = authority.issue("renewed")
    with gateway_showing(pair) as gateway:
        old = shown(gateway, authority)
        renewed.certificate.rename(pair.certificate)
        wait_for(lambda: "Failed to reload certificates" in gateway.log() or None)
        assert shown(gateway, authority) == old
        renewed.key.rename(pair.key)
        wait_for(lambda: shown(gateway, authority) != old or None)


def test_the_server_is_shown_the_new_certificate(authority: Authority, successor: Authority) -> None:
    server = authority.issue("server")
    with mutual_tls(authority, server_credentials(server, authority)) as (gateway, upstream, kept):
        assert ask_over(kept, "GET", PATH).status == 404
        with reloading(gateway):
            successor.issue("client")
        assert ask_over(kept, "GET", PATH).status == 404
        restart(upstream, server_credentials(server, successor))
        answers_again(kept)


def test_the_server_may_have_a_new_ca(authority: Authority, successor: Authority) -> None:
    with mutual_tls(authority, server_credentials(authority.issue("server"))) as (
        gateway,
        upstream,
        kept,
    ):
        assert ask_over(kept, "GET", PATH).status == 404
        with reloading(gateway):
            successor.write(authority.certificate)
        assert ask_over(kept, "GET", PATH).status == 404
        restart(upstream, server_credentials(successor.issue("server")))
        answers_again(kept)


@contextmanager
def gateway_showing(pair: Pair) -> Iterator[Gateway]:
    """Run a gateway that uses TLS with callers."""
    settings = pair.settings("REST_TLS")
    with (
        upstream_running() as upstream,
        gateway_running(upstream.port, pair.key.parent, **settings) as gateway,
    ):
        yield gateway


@contextmanager
def mutual_tls(
    authority: Authority, server: ServerCredentials
) -> Iterator[tuple[Gateway, Upstream, HTTPConnection]]:
    """Run a server, a gateway before it with mutual TLS, and a caller's connection.

    A connection keeps to a worker of Envoy, and so to the worker's connection to the server.
    """
    client = authority.issue("client").settings("UPSTREAM_TLS")
    settings = {"UPSTREAM_TLS_CA_FILE": str(authority.certificate), **client}
    with (
        upstream_running(server) as upstream,
        gateway_running(upstream.port, authority.folder, **settings) as gateway,
        closing(HTTPConnection(gateway.address, timeout=20)) as kept,
    ):
        yield gateway, upstream, kept


def mounted(folder: Path, pair: Pair) -> Pair:
    """Write both files as Kubernetes does: links through a link, which alone changes."""
    folder.mkdir(exist_ok=True)
    version = Path(mkdtemp(dir=folder))
    for file in (pair.certificate, pair.key):
        shutil.copy(file, version)
        if not (folder / file.name).is_symlink():
            (folder / file.name).symlink_to(Path("..data", file.name))
    (folder / "..data_tmp").symlink_to(version)
    (folder / "..data_tmp").rename(folder / "..data")
    return Pair(folder / pair.certificate.name, folder / pair.key.name)


def shown(gateway: Gateway, authority: Authority) -> bytes | None:
    with connected_by_tls(gateway.address, authority.trusting()) as connection:
        return connection.getpeercert(binary_form=True)


@contextmanager
def reloading(gateway: Gateway) -> Iterator[None]:
    """Wait until the block's change applies to new connections to the server."""
    counter = "cluster.livecalls.client_ssl_socket_factory.ssl_context_update_by_sds"
    before = gateway.counter(counter)
    yield
    wait_for(lambda: gateway.counter(counter) > before or None)


def restart(upstream: Upstream, credentials: ServerCredentials) -> None:
    upstream.stop()
    upstream.credentials = credentials
    upstream.start()


def answers_again(kept: HTTPConnection) -> None:
    wait_for(lambda: ask_over(kept, "GET", PATH).status == 404 or None)
