"""Hosts, ports and URLs: how they are written, and whether one can listen there."""

import os
import re
import socket
from errno import EACCES, EADDRINUSE
from ipaddress import IPv6Address, ip_address
from typing import Annotated, Literal, NamedTuple
from urllib.parse import urlsplit

from pydantic import AfterValidator, BeforeValidator, Field, SecretStr, ValidationInfo


def bare_host(text: str) -> str:
    """Return a host without the brackets that an IPv6 address may have.

    Raises ValueError for what is no host, such as one with a port.
    """
    bracketed = re.fullmatch(r"\[(.*)\]", text)
    host = bracketed[1] if bracketed else text
    if bracketed or ":" in host:
        _check_ipv6(host)
    if re.search(r"[\s/\[\]@]", host):
        raise ValueError("must be a host name or an IP address")
    return host


def _check_ipv6(host: str) -> None:
    try:
        IPv6Address(host)
    except ValueError:
        raise ValueError("must be a host name or an IP address, without a port") from None


def reachable(host: str) -> str:
    """Return the host to connect to for one that is listened on: loopback for `::` or `0.0.0.0`."""
    try:
        address = ip_address(host)
    except ValueError:
        return host
    if not address.is_unspecified:
        return host
    return "127.0.0.1" if address.version == 4 else "::1"  # noqa: PLR2004 - IPv4


Host = Annotated[str, AfterValidator(bare_host)]
"""A host name or an IP address, in a setting that may have brackets around IPv6."""

HostToAsk = Annotated[Host, AfterValidator(reachable)]
"""The same, to connect to: never a wildcard."""


def _is_no_service(value: object, info: ValidationInfo) -> object:
    """Reject, as such, the variable that Kubernetes sets for a Service of the same name."""
    if isinstance(value, str) and re.match("(tcp|udp|sctp)://", value):
        variable = str(info.field_name).upper()
        service = variable.removesuffix("_PORT").lower()
        raise ValueError(
            f"is no port but what Kubernetes sets for a Service called {service}: "
            f"set {variable} in the pod, or `enableServiceLinks: false`"
        )
    return value


LAST_PORT = 65535
Port = Annotated[int, Field(ge=0, le=LAST_PORT), BeforeValidator(_is_no_service)]
"""A port, or 0 to let the system choose one."""


def host_and_port(host: str, port: int) -> str:
    """Write a bare host and a port, as URLs and gRPC have it."""
    return f"[{host}]:{port}" if ":" in host else f"{host}:{port}"


LOOPBACK_HOSTS = frozenset({"127.0.0.1", "localhost", "::1"})
"""The hosts for which plain http never leaves the machine."""


def is_safe_url(text: str, *, plain_http: bool = False) -> bool:
    """Return whether a URL is https://, or http:// on this machine, or to any if that is allowed."""
    try:
        parts = urlsplit(text)
        host, port = parts.hostname, parts.port
    except ValueError:
        return False
    is_allowed = parts.scheme == "https" or plain_http or host in LOOPBACK_HOSTS
    return bool(host) and port != 0 and parts.scheme in ("http", "https") and is_allowed


def _check_safe_url(text: str) -> str:
    if not is_safe_url(text):
        raise ValueError("must be an https:// URL, or http:// on this machine")
    return text


# A name or an address, a port, a path; no user, who would be sent instead of the token.
_BASE_URL = re.compile(
    r"https?://([a-z0-9._-]+|\[[0-9a-f:.]+\])(:[0-9]+)?(/[!-~]*)?", re.IGNORECASE | re.ASCII
)


def _is_base_url(text: str) -> str:
    """Check a safe URL that paths are put behind; raises ValueError if no HTTP client could take it."""
    parts = urlsplit(_check_safe_url(text))
    if not _BASE_URL.fullmatch(text) or "?" in text or "#" in text or parts.port == 0:
        raise ValueError("must be https://HOST, with a port and a path at most")
    host = parts.hostname or ""
    if ":" in host or re.fullmatch("[0-9.]+", host):
        ip_address(host)
    return text


SafeUrl = Annotated[str, AfterValidator(_check_safe_url)]
"""An https:// URL, or http:// on this machine."""

BaseUrl = Annotated[str, AfterValidator(_is_base_url)]
"""A safe URL that paths are put behind."""


def _check_proxy_url(url: SecretStr) -> SecretStr:
    """Check the URL of a proxy, which may have a user and a password."""
    text = url.get_secret_value()
    try:
        parts = urlsplit(text)
        is_usable = parts.scheme in ("http", "https") and parts.hostname and parts.port != 0
    except ValueError:
        is_usable = False
    if not is_usable or re.search(r"[^!-~]", text) or parts.path not in ("", "/"):
        raise ValueError("must be http://HOST:PORT or https://HOST:PORT, with user:password@ at most")
    return url


ProxyUrl = Annotated[SecretStr, AfterValidator(_check_proxy_url)]
"""The URL of an HTTP proxy; its password is never shown."""


Face = Literal["GRPC", "REST", "METRICS"]
"""What an address is listened on for, as its settings begin."""


class Obstacle(NamedTuple):
    """Why an address cannot be listened on, as the system describes it, and which part is to blame."""

    reason: str
    part: Literal["HOST", "PORT"]

    def describe(self, host: str, port: int, face: Face = "GRPC") -> str:
        """Write a line for people, with the setting that they can change."""
        address = host_and_port(host, port)
        return f"Cannot listen on {address}: {self.reason}: name another with {face}_{self.part}="


def find_obstacle(host: str, port: int, *, shared: bool = False) -> Obstacle | None:
    """Find out what keeps one from listening on an address: it is taken, or none of this machine's.

    A name may stand for several addresses, one of which is enough, but none may be taken. A shared one
    may be, by whoever shares it too.
    """
    try:
        addresses = socket.getaddrinfo(host, port, type=socket.SOCK_STREAM, flags=socket.AI_PASSIVE)
    except (OSError, UnicodeError) as error:
        return Obstacle(getattr(error, "strerror", None) or "not a host name", "HOST")
    faults = [_fault(family, address, shared=shared) for family, _, _, _, address in addresses]
    for fault in faults:
        if fault in (EADDRINUSE, EACCES):
            return Obstacle(os.strerror(fault), "PORT")
    return Obstacle(os.strerror(faults[0]), "HOST") if all(faults) else None


def _fault(family: int, address: tuple[object, ...], *, shared: bool) -> int:
    """Try to bind, and not to listen: who connects would be cut off. Return the errno, or 0."""
    try:
        with socket.socket(family, socket.SOCK_STREAM) as probe:
            probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
            probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEPORT, shared)
            probe.bind(address)
    except OSError as error:
        return error.errno or EADDRINUSE
    return 0
