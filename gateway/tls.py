"""TLS on both sides of Envoy: its sockets, and the files with the paths of the certificates.

Envoy watches the files of certificates only if such a file (its SDS) names them; those that its
configuration names are read once.
"""

import json
from collections.abc import Mapping
from ipaddress import ip_address
from pathlib import Path
from tempfile import mkdtemp
from typing import Any

from gateway.config import GatewaySettings
from gateway.temporary_files import find_folder

Json = dict[str, Any]

_TYPES = "type.googleapis.com/envoy.extensions.transport_sockets.tls.v3"
_PARAMETERS: Json = {
    "tls_minimum_protocol_version": "TLSv1_2",
    "tls_maximum_protocol_version": "TLSv1_3",
    # Those of TLS 1.2; TLS 1.3 has its own three.
    "cipher_suites": [
        "ECDHE-ECDSA-AES128-GCM-SHA256",
        "ECDHE-RSA-AES128-GCM-SHA256",
        "ECDHE-ECDSA-AES256-GCM-SHA384",
        "ECDHE-RSA-AES256-GCM-SHA384",
        "ECDHE-ECDSA-CHACHA20-POLY1305",
        "ECDHE-RSA-CHACHA20-POLY1305",
    ],
    "ecdh_curves": ["X25519MLKEM768", "X25519", "P-256", "P-384"],
}


def listener_socket(secrets: Mapping[str, Path]) -> Json | None:
    """Make the socket towards callers; None is plain text."""
    if "listener" not in secrets:
        return None
    return _socket(
        "DownstreamTlsContext",
        alpn_protocols=["h2", "http/1.1"],
        tls_certificate_sds_secret_configs=[_reference("listener", secrets)],
    )


def upstream_socket(settings: GatewaySettings, secrets: Mapping[str, Path]) -> Json | None:
    """Make the socket towards the server; None is plain text."""
    if "server-ca" not in secrets:
        return None
    shown = [_reference("client", secrets)] if "client" in secrets else []
    socket = _socket(
        "UpstreamTlsContext",
        alpn_protocols=["h2"],
        tls_certificate_sds_secret_configs=shown,
        validation_context_sds_secret_config=_reference("server-ca", secrets),
    )
    if not _ip_address(name := _upstream_name(settings)):
        socket["typed_config"]["sni"] = name
    return socket


def trusting_socket(ca_file: Path, name: str) -> Json:
    """Make the socket towards a server of that name, whose certificate must be of this CA."""
    socket = _socket("UpstreamTlsContext", **_trust(ca_file, name))
    if not _ip_address(name):
        socket["typed_config"]["sni"] = name
    return socket


def write_secrets(settings: GatewaySettings) -> dict[str, Path]:
    """Write the files that name certificates, for those that are configured; they hold nothing secret.

    They are in a folder of their own and stay there: Envoy may read them as long as it runs.
    Raises NoFolderError.
    """
    if not (secrets := _secrets(settings)):
        return {}
    find_folder()
    folder = Path(mkdtemp(prefix="livecalls-gateway-"))
    files = {name: folder / f"{name}.json" for name in secrets}
    for name, secret in secrets.items():
        resource = {"@type": f"{_TYPES}.Secret", "name": name, **secret}
        files[name].write_text(json.dumps({"resources": [resource]}))
    return files


def _secrets(settings: GatewaySettings) -> dict[str, Json]:
    pairs = {
        "listener": (settings.rest_tls_certificate_file, settings.rest_tls_key_file),
        "client": (settings.upstream_tls_certificate_file, settings.upstream_tls_key_file),
    }
    secrets = {name: _certificate(file, key) for name, (file, key) in pairs.items() if file and key}
    if ca := settings.upstream_tls_ca_file:
        secrets["server-ca"] = _trust(ca, _upstream_name(settings))
    return secrets


def _certificate(certificate: Path, key: Path) -> Json:
    return {"tls_certificate": {"certificate_chain": _file(certificate), "private_key": _file(key)}}


def _trust(ca: Path, name: str) -> Json:
    address = _ip_address(name)
    names = {"san_type": "IP_ADDRESS" if address else "DNS", "matcher": {"exact": address or name}}
    return {"validation_context": {"trusted_ca": _file(ca), "match_typed_subject_alt_names": [names]}}


def _file(path: Path) -> Json:
    return {"filename": str(path.absolute())}


def _socket(kind: str, **common: Any) -> Json:
    context = {"tls_params": _PARAMETERS, **common}
    return {"name": "tls", "typed_config": {"@type": f"{_TYPES}.{kind}", "common_tls_context": context}}


def _reference(name: str, secrets: Mapping[str, Path]) -> Json:
    source = {"path_config_source": {"path": str(secrets[name])}, "resource_api_version": "V3"}
    return {"name": name, "sds_config": source}


def _upstream_name(settings: GatewaySettings) -> str:
    return settings.upstream_tls_name or settings.grpc_host


def _ip_address(name: str) -> str | None:
    try:
        return str(ip_address(name))
    except ValueError:
        return None
