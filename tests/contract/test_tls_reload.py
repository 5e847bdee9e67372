"""Certificates that change while a server runs: new connections get the new ones, old ones go on."""

import asyncio
import logging
from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from pathlib import Path

import grpc
import pytest
from trustme import CA, LeafCert

from tests.support.callers.metrics import own_metrics
from tests.support.network.tls import (
    TlsFiles,
    channel_to,
    code_for,
    code_of,
    expiry_of,
    for_host,
    serial_of,
    served_serial,
    tls_server,
)

NOT_AFTER = "livecalls_certificate_not_after_timestamp_seconds"
OK, UNAVAILABLE = grpc.StatusCode.OK, grpc.StatusCode.UNAVAILABLE
AUTHORITY, OTHER_CA = CA(), CA()

Change = Callable[[TlsFiles, LeafCert], None]


def overwrite(files: TlsFiles, certificate: LeafCert) -> None:
    files.hold(certificate, AUTHORITY)


def rename_into_place(files: TlsFiles, certificate: LeafCert) -> None:
    beside = files.folder / "beside"
    beside.mkdir(exist_ok=True)
    new = TlsFiles(beside).hold(certificate, AUTHORITY)
    for file in (new.certificate, new.key, new.client_ca):
        file.rename(files.folder / file.name)


def swap_symlink(files: TlsFiles, certificate: LeafCert) -> None:
    """Do as Kubernetes does with a secret: the folder is a link that is replaced."""
    real = files.folder.with_name(f"of-{serial_of(certificate)}")
    real.mkdir(exist_ok=True)
    TlsFiles(real).hold(certificate, AUTHORITY)
    link = files.folder.with_name("link")
    link.symlink_to(real)
    link.rename(files.folder)


@pytest.fixture
def files(tmp_path: Path) -> TlsFiles:
    return TlsFiles(tmp_path / "tls")


@pytest.fixture
def first() -> LeafCert:
    return for_host(AUTHORITY)


@pytest.fixture
def second() -> LeafCert:
    return for_host(AUTHORITY, not_after=datetime.now(UTC) + timedelta(days=30))


def reported(caplog: pytest.LogCaptureFixture) -> list[tuple[str, str]]:
    return [
        (record.message, vars(record).get("reason") or vars(record)["certificate"])
        for record in caplog.records
        if record.name == "server.tls"
    ]


@pytest.mark.parametrize("change", [overwrite, rename_into_place, swap_symlink])
async def test_new_connections_get_the_changed_certificate_and_old_ones_go_on(
    files: TlsFiles, first: LeafCert, second: LeafCert, change: Change
) -> None:
    if change is not swap_symlink:
        files.folder.mkdir()
    change(files, first)
    async with (
        tls_server(files.settings(mutual=True)) as port,
        channel_to(port, AUTHORITY, first) as old,
    ):
        assert await code_of(old) == OK
        for certificate in (second, first):
            change(files, certificate)
            assert await asyncio.to_thread(served_serial, port) == serial_of(certificate)
            assert own_metrics()[NOT_AFTER] == expiry_of(certificate)
            assert await code_for(port, AUTHORITY, second) == OK
            assert await code_of(old) == OK
            assert old.get_state() == grpc.ChannelConnectivity.READY


def cut(files: TlsFiles) -> None:
    files.certificate.write_bytes(files.certificate.read_bytes()[:200])


def empty(files: TlsFiles) -> None:
    files.key.write_bytes(b"")


def remove(files: TlsFiles) -> None:
    files.certificate.unlink()


def mismatch(files: TlsFiles) -> None:
    files.key.write_bytes(for_host(AUTHORITY).private_key_pem.bytes())


def spoil_client_ca(files: TlsFiles) -> None:
    files.client_ca.write_bytes(b"-----BEGIN CERTIFICATE-----\n")


@pytest.mark.parametrize(
    ("spoil", "reason"),
    [
        (cut, "GRPC_TLS_CERTIFICATE_FILE: there is no certificate in PEM in it"),
        (empty, "GRPC_TLS_KEY_FILE: there is no private key in PEM in it"),
        (remove, "GRPC_TLS_CERTIFICATE_FILE: cannot read {0}: No such file or directory"),
        (
            mismatch,
            "GRPC_TLS_KEY_FILE: the key is not that of the certificate in GRPC_TLS_CERTIFICATE_FILE",
        ),
        (spoil_client_ca, "GRPC_TLS_CLIENT_CA_FILE: there is no certificate in PEM in it"),
    ],
)
async def test_files_that_cannot_be_used_are_reported_once_and_those_before_are_kept(
    files: TlsFiles,
    first: LeafCert,
    spoil: Callable[[TlsFiles], None],
    reason: str,
    caplog: pytest.LogCaptureFixture,
) -> None:
    caplog.set_level(logging.INFO)
    files.folder.mkdir()
    files.hold(first, AUTHORITY)
    async with tls_server(files.settings(mutual=True)) as port:
        caplog.clear()
        spoil(files)
        for _ in range(3):
            assert await asyncio.to_thread(served_serial, port) == serial_of(first)
            assert await code_for(port, AUTHORITY, first) == OK
        kept = "TLS certificate kept, for the changed files cannot be used"
        assert reported(caplog) == [(kept, reason.format(files.certificate))]

        caplog.clear()
        files.hold(second := for_host(AUTHORITY), AUTHORITY)
        assert await asyncio.to_thread(served_serial, port) == serial_of(second)
        reloaded = "certificate for localhost, 127.0.0.1, until 3000-01-01T00:00:00Z"
        assert reported(caplog) == [("TLS certificate reloaded", reloaded)]


async def test_new_connections_are_held_against_the_changed_ca(files: TlsFiles, first: LeafCert) -> None:
    files.folder.mkdir()
    files.hold(first, AUTHORITY)
    async with (
        tls_server(files.settings(mutual=True)) as port,
        channel_to(port, AUTHORITY, first) as old,
    ):
        assert await code_of(old) == OK
        files.hold(first, OTHER_CA)
        assert await code_for(port, AUTHORITY, first) == UNAVAILABLE
        assert await code_for(port, AUTHORITY, for_host(OTHER_CA)) == OK
        assert await code_of(old) == OK


async def test_no_request_fails_while_certificates_change_under_load(
    files: TlsFiles, first: LeafCert, second: LeafCert
) -> None:
    files.folder.mkdir()
    files.hold(first, AUTHORITY)
    codes: list[grpc.StatusCode] = []
    ended = asyncio.Event()

    async def ask_on_one(port: int) -> None:
        async with channel_to(port, AUTHORITY, first) as channel:
            while not ended.is_set():
                codes.append(await code_of(channel))

    async def ask_on_new_ones(port: int) -> None:
        while not ended.is_set():
            codes.append(await code_for(port, AUTHORITY, first))

    async with tls_server(files.settings(mutual=True)) as port, asyncio.TaskGroup() as load:
        for ask in (ask_on_one, ask_on_one, ask_on_new_ones, ask_on_new_ones):
            load.create_task(ask(port))
        for change in (overwrite, rename_into_place) * 5:
            for certificate in (second, first):
                change(files, certificate)
                assert await asyncio.to_thread(served_serial, port) == serial_of(certificate)
                codes.extend([await code_for(port, AUTHORITY, first) for _ in range(5)])
        ended.set()
    assert set(codes) == {OK}
