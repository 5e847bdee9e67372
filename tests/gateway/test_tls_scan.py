"""What a scanner of TLS finds at the listener."""

from collections.abc import Iterator

import pytest
from sslyze import (
    CertificateInfoExtraArgument,
    ScanCommand,
    ScanCommandAttemptStatusEnum,
    ScanCommandsExtraArguments,
    Scanner,
    ServerNetworkLocation,
    ServerScanRequest,
    ServerScanResult,
)
from sslyze.mozilla_tls_profile.tls_config_checker import (
    MozillaTlsConfiguration,
    ServerNotCompliantWithTlsConfiguration,
    TlsConfigurationEnum,
    check_server_against_tls_configuration,
)
from sslyze.scanner.models import AllScanCommandsAttempts

from tests.support.envoy.gateway import gateway_running
from tests.support.network.certificates import Authority
from tests.support.stand_ins.upstream import Upstream

# sslyze brings CAs along whose serial numbers are not what they should be.
pytestmark = pytest.mark.filterwarnings("ignore:Parsed a serial number")


@pytest.fixture(scope="module")
def scan(
    running_upstream: Upstream, tmp_path_factory: pytest.TempPathFactory
) -> Iterator[ServerScanResult]:
    folder = tmp_path_factory.mktemp("gateway")
    authority = Authority(folder)
    certificate = authority.issue("listener").settings("REST_TLS")
    trusting = CertificateInfoExtraArgument(custom_ca_file=authority.certificate)
    with gateway_running(running_upstream.port, folder, **certificate) as gateway:
        host, _, port = gateway.address.partition(":")
        scanner = Scanner()
        scanner.queue_scans(
            [
                ServerScanRequest(
                    ServerNetworkLocation("localhost", int(port), ip_address=host),
                    scan_commands_extra_arguments=ScanCommandsExtraArguments(trusting),
                )
            ]
        )
        (result,) = scanner.get_results()
        yield result


@pytest.fixture
def found(scan: ServerScanResult) -> AllScanCommandsAttempts:
    assert scan.scan_result
    return scan.scan_result


@pytest.mark.parametrize("command", ScanCommand)
def test_every_check_was_made(command: ScanCommand, found: AllScanCommandsAttempts) -> None:
    assert getattr(found, command.value).status == ScanCommandAttemptStatusEnum.COMPLETED


def test_it_meets_mozillas_intermediate_profile(scan: ServerScanResult) -> None:
    profile = MozillaTlsConfiguration.get(TlsConfigurationEnum.MOZILLA_INTERMEDIATE)
    with pytest.raises(ServerNotCompliantWithTlsConfiguration) as caught:
        check_server_against_tls_configuration(scan, profile)
    # No public CA has issued the certificate.
    assert caught.value.issues.keys() == {"certificate_path_validation"}


@pytest.mark.parametrize(
    ("command", "names"),
    [
        (
            ScanCommand.TLS_1_2_CIPHER_SUITES,
            {
                "TLS_ECDHE_ECDSA_WITH_AES_128_GCM_SHA256",
                "TLS_ECDHE_ECDSA_WITH_AES_256_GCM_SHA384",
                "TLS_ECDHE_ECDSA_WITH_CHACHA20_POLY1305_SHA256",
            },
        ),
        (
            ScanCommand.TLS_1_3_CIPHER_SUITES,
            {"TLS_AES_128_GCM_SHA256", "TLS_AES_256_GCM_SHA384", "TLS_CHACHA20_POLY1305_SHA256"},
        ),
        (ScanCommand.TLS_1_1_CIPHER_SUITES, set()),
        (ScanCommand.TLS_1_0_CIPHER_SUITES, set()),
        (ScanCommand.SSL_3_0_CIPHER_SUITES, set()),
        (ScanCommand.SSL_2_0_CIPHER_SUITES, set()),
    ],
)
def test_each_version_has_these_ciphers_alone(
    command: ScanCommand, names: set[str], found: AllScanCommandsAttempts
) -> None:
    accepted = getattr(found, command.value).result.accepted_cipher_suites
    assert {each.cipher_suite.name for each in accepted} == names


def test_it_is_the_version_that_is_too_old(found: AllScanCommandsAttempts) -> None:
    assert found.tls_1_0_cipher_suites.result
    rejected = found.tls_1_0_cipher_suites.result.rejected_cipher_suites
    assert {each.error_message.strip() for each in rejected} == {"TLS alert: protocol version"}


def test_what_the_profile_does_not_ask_for(found: AllScanCommandsAttempts) -> None:
    assert found.tls_1_3_early_data.result
    assert not found.tls_1_3_early_data.result.supports_early_data
    assert found.session_renegotiation.result
    assert not found.session_renegotiation.result.is_vulnerable_to_client_renegotiation_dos
    assert found.http_headers.result
    assert found.http_headers.result.strict_transport_security_header
