"""`python -m server health` against real servers, by plain text and by TLS."""

import os
from collections.abc import AsyncIterator
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest
from click.testing import Result
from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec
from trustme import CA

from demo.ports import free_ports
from server.application.get_call import GetCall
from server.auth.authenticator import AllowAll
from server.transport.admission import Admission
from server.transport.aio.server import AioServer
from server.transport.live_calls import LiveCalls
from tests.support.data.calls import ScriptedPorts
from tests.support.machine.commands import run_apart, run_process
from tests.support.network.tls import TlsFiles, for_host, tls_server
from tests.support.server.service import Service
from tests.support.stand_ins.silent_host import silent_ports
from tests.support.stand_ins.stream import closed_port

CA_OF_SERVER, OTHER_CA = CA(), CA()


@pytest.fixture(autouse=True)
def _silent(monkeypatch: pytest.MonkeyPatch) -> None:
    # As the command sets it, which would stay in the tests' own process.
    monkeypatch.setenv("GRPC_VERBOSITY", os.environ.get("GRPC_VERBOSITY", "NONE"))


@pytest.fixture
async def starting() -> AsyncIterator[AioServer]:
    """A server that listens, and is not ready yet."""
    ports = ScriptedPorts()
    service = LiveCalls(GetCall(ports, ports), Admission(AllowAll(), 1))
    _, second = free_ports(2)
    server = AioServer(service, f"127.0.0.1:{second}")
    await server.start()
    yield server
    await server.stop(0)


@pytest.fixture
def files(tmp_path: Path) -> TlsFiles:
    return TlsFiles(tmp_path).hold(for_host(CA_OF_SERVER), CA_OF_SERVER)


async def health(*options: str, **settings: str) -> Result:
    """Run the command, with as much time as a busy machine may take."""
    return await run_apart("health", "--timeout", "20", *options, stdin=b"", **settings)


def serves(ended: Result) -> bool:
    """Return whether the command found the server well; it prints one line in either case."""
    if ended.exit_code == 0:
        assert (ended.stdout, ended.stderr) == ("SERVING\n", "")
        return True
    assert (ended.exit_code, ended.stdout) == (1, "")
    (line,) = ended.stderr.splitlines()
    assert line.startswith("Error: ")
    return False


async def test_a_server_that_serves_is_found_well_both_ways(service: Service) -> None:
    assert serves(await health("--address", f"127.0.0.1:{service.port}"))


@pytest.mark.parametrize("host", ["127.0.0.1", "localhost", "0.0.0.0"])  # noqa: S104 - where it listens
async def test_it_asks_where_the_server_listens_whether_it_is_ready(
    starting: AioServer, host: str
) -> None:
    settings = {"GRPC_HOST": host, "GRPC_PORT": str(starting.port)}
    starts = await health(**settings)
    assert not serves(starts)
    assert starts.stderr.endswith(f":{starting.port}: NOT_SERVING\n")
    await starting.announce_ready()
    assert serves(await health(**settings))
    await starting.announce_end()
    assert not serves(await health(**settings))


async def test_one_worker_that_serves_is_enough(starting: AioServer) -> None:
    settings = {"GRPC_PORT": str(starting.port - 1), "WORKERS": "2"}
    neither = await health(**settings)
    assert not serves(neither)
    assert "Connection refused; 127.0.0.1:" in neither.stderr
    await starting.announce_ready()
    assert serves(await health(**settings))


async def test_nobody_listens() -> None:
    port = closed_port()
    ended = await health(GRPC_PORT=str(port))
    assert not serves(ended)
    assert ended.stderr.startswith(f"Error: 127.0.0.1:{port}: UNAVAILABLE: ")
    assert ended.stderr.endswith(": Connection refused\n")


async def test_whoever_is_silent_is_not_waited_for() -> None:
    with silent_ports(1) as (port,):
        ended = await health("--timeout", "0.1", GRPC_PORT=str(port))
    assert not serves(ended)
    assert ended.stderr == f"Error: 127.0.0.1:{port}: no response in 0.1 s\n"


@pytest.mark.parametrize("mutual", [False, True], ids=["tls", "mutual"])
async def test_it_speaks_tls_as_the_server_does(files: TlsFiles, *, mutual: bool) -> None:
    settings = files.variables()
    if not mutual:
        del settings["GRPC_TLS_CLIENT_CA_FILE"]
    async with tls_server(files.settings(mutual=mutual)) as port:
        assert serves(await health(GRPC_PORT=str(port), **settings))


@pytest.mark.parametrize("names", [("*.example.com",), ("10.1.2.3", "example.com")], ids=len)
async def test_the_certificate_may_be_for_other_names(tmp_path: Path, names: tuple[str, ...]) -> None:
    files = TlsFiles(tmp_path).hold(CA_OF_SERVER.issue_cert(*names))
    async with tls_server(files.settings()) as port:
        address = ("--address", f"127.0.0.1:{port}", "--server-certificate", str(files.certificate))
        assert serves(await health(*address))


async def test_the_certificate_may_have_but_a_common_name(tmp_path: Path) -> None:
    files = TlsFiles(tmp_path)
    key = ec.generate_private_key(ec.SECP256R1())
    name = x509.Name([x509.NameAttribute(x509.NameOID.COMMON_NAME, "old.example.com")])
    now, day = datetime.now(UTC), timedelta(days=1)
    builder = x509.CertificateBuilder(name, name, key.public_key(), 1)
    signed = builder.not_valid_before(now - day).not_valid_after(now + day).sign(key, hashes.SHA256())
    files.certificate.write_bytes(signed.public_bytes(serialization.Encoding.PEM))
    files.key.write_bytes(
        key.private_bytes(
            serialization.Encoding.PEM,
            serialization.PrivateFormat.PKCS8,
            serialization.NoEncryption(),
        )
    )
    settings = files.variables()
    del settings["GRPC_TLS_CLIENT_CA_FILE"]
    async with tls_server(files.settings()) as port:
        assert serves(await health(GRPC_PORT=str(port), **settings))


async def test_another_certificate_may_be_shown(files: TlsFiles, tmp_path: Path) -> None:
    files.hold(for_host(CA_OF_SERVER), OTHER_CA)
    (folder := tmp_path / "probe").mkdir()
    shown = TlsFiles(folder).hold(OTHER_CA.issue_cert("probe.example.com"))
    options = ("--tls-certificate", str(shown.certificate), "--tls-key", str(shown.key))
    async with tls_server(files.settings(mutual=True)) as port:
        settings = {"GRPC_PORT": str(port), **files.variables()}
        assert not serves(await health(**settings))
        assert serves(await health(*options, **settings))


async def test_who_shows_another_server_s_certificate_is_not_believed(
    files: TlsFiles, tmp_path: Path
) -> None:
    (folder := tmp_path / "other").mkdir()
    other = TlsFiles(folder).hold(for_host(OTHER_CA))
    async with tls_server(files.settings()) as port:
        ended = run_process(
            *("health", "--timeout", "20", "--server-certificate", str(other.certificate)),
            GRPC_PORT=str(port),
        )
    (line,) = ended.stderr.decode().splitlines()  # and none of gRPC's core
    assert "CERTIFICATE_VERIFY_FAILED" in line
    assert ended.returncode == 1


@pytest.mark.parametrize("content", ["", "no certificate"])
async def test_a_file_without_a_certificate_is_a_line(tmp_path: Path, content: str) -> None:
    file = tmp_path / "server.pem"
    file.write_text(content)
    assert not serves(await health("--server-certificate", str(file)))


@pytest.mark.parametrize(
    ("options", "settings"),
    [
        ((), {"EMBEDDED": "1"}),
        (("--tls-certificate", __file__), {}),
        *((("--timeout", it), {}) for it in ("0", "inf", "1e30")),
    ],
    ids=["embedded without an address", "half a pair", "no time", "no end", "too much time"],
)
async def test_wrong_usage_is_told_apart(options: tuple[str, ...], settings: dict[str, str]) -> None:
    assert (await health(*options, **settings)).exit_code == 2
