"""Asks servers for their gRPC health, as a probe does."""

import re
from collections.abc import Iterator, Sequence
from contextlib import ExitStack
from dataclasses import dataclass

import grpc
from cryptography import x509
from grpc_health.v1.health_pb2 import HealthCheckRequest, HealthCheckResponse
from grpc_health.v1.health_pb2_grpc import HealthStub

_SERVING = HealthCheckResponse.SERVING
# A probe stays on its machine, whatever proxy the environment names.
_OPTIONS = (("grpc.enable_http_proxy", 0),)
# What core writes before the reason.
_ADDRESSES = re.compile(r".*last error: \w+: ip\w+:\S+: ")


class NotServingError(Exception):
    """No server reports SERVING; the message is one line, with what each one does instead."""


@dataclass(frozen=True)
class ProbeTls:
    """How TLS is spoken: the certificate that servers present, in PEM, is the only one trusted."""

    server_certificate: bytes
    key: bytes | None = None
    certificate: bytes | None = None
    """Shown if a certificate is asked for."""

    def credentials(self) -> grpc.ChannelCredentials:
        """Make the channel's credentials."""
        return grpc.ssl_channel_credentials(self.server_certificate, self.key, self.certificate)

    def options(self) -> Iterator[tuple[str, str]]:
        """Yield gRPC's options: the name is the certificate's own, for probes connect to an address.

        Raises ValueError if there is no certificate in PEM.
        """
        name = _name(x509.load_pem_x509_certificates(self.server_certificate)[0])
        yield ("grpc.ssl_target_name_override", name.replace("*", "probe"))


def probe(addresses: Sequence[str], tls: ProbeTls | None, seconds: float) -> None:
    """Return if a server reports SERVING in time, which of several one is enough for.

    Raises NotServingError.
    """
    with ExitStack() as stack:
        channels = [stack.enter_context(_channel(address, tls)) for address in addresses]
        calls = [
            HealthStub(channel).Check.future(HealthCheckRequest(), timeout=seconds)
            for channel in channels
        ]
        faults = []
        for address, call in zip(addresses, calls, strict=True):
            fault = _fault(call, seconds)
            if fault is None:
                return
            faults.append(f"{address}: {fault}")
    raise NotServingError("; ".join(faults))


def _name(certificate: x509.Certificate) -> str:
    """Return the first name that a certificate is for, empty if there is none."""
    try:
        names = certificate.extensions.get_extension_for_class(x509.SubjectAlternativeName).value
        return str(next(iter(names)).value)
    except x509.ExtensionNotFound:
        common_names = certificate.subject.get_attributes_for_oid(x509.NameOID.COMMON_NAME)
        return str(common_names[0].value) if common_names else ""


def _channel(address: str, tls: ProbeTls | None) -> grpc.Channel:
    if tls is None:
        return grpc.insecure_channel(address, _OPTIONS)
    return grpc.secure_channel(address, tls.credentials(), [*_OPTIONS, *tls.options()])


def _fault(call: "grpc.Future[HealthCheckResponse]", seconds: float) -> str | None:
    """Wait for a response, and return what is wrong; None if it is SERVING."""
    try:
        status = call.result().status
    except grpc.RpcError as error:
        if error.code() is grpc.StatusCode.DEADLINE_EXCEEDED:
            return f"no response in {seconds:g} s"
        details = _ADDRESSES.sub("", " ".join((error.details() or "").split()))
        return f"{error.code().name}: {details}"
    return None if status == _SERVING else HealthCheckResponse.ServingStatus.Name(status)
