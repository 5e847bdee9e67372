"""Hosts and ports: how they are written, and whether one can listen there."""

import os
import re
import socket
from errno import EACCES, EADDRINUSE
from ipaddress import IPv6Address
from typing import Annotated, Literal, NamedTuple

from pydantic import AfterValidator


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


Host = Annotated[str, AfterValidator(bare_host)]
"""A host name or an IP address, in a setting that may have brackets around IPv6."""


def host_and_port(host: str, port: int) -> str:
    """Write a bare host and a port, as URLs and gRPC have it."""
    return f"[{host}]:{port}" if ":" in host else f"{host}:{port}"


class Obstacle(NamedTuple):
    """Why an address cannot be listened on, in the system's words, and which part of it is to blame."""

    reason: str
    part: Literal["HOST", "PORT"]

    def describe(self, host: str, port: int, face: Literal["GRPC", "REST"] = "GRPC") -> str:
        """Write a line for people, with the setting that they can change."""
        where = host_and_port(host, port)
        return f"Cannot listen on {where}: {self.reason}: name another with {face}_{self.part}="


def find_obstacle(host: str, port: int) -> Obstacle | None:
    """Find out what keeps one from listening on an address: it is taken, or none of this machine's.

    A name may stand for several addresses, one of which is enough, but none may be taken.
    """
    try:
        addresses = socket.getaddrinfo(host, port, type=socket.SOCK_STREAM, flags=socket.AI_PASSIVE)
    except (OSError, UnicodeError) as error:
        return Obstacle(getattr(error, "strerror", None) or "not a host name", "HOST")
    faults = [_fault(family, address) for family, _, _, _, address in addresses]
    for fault in faults:
        if fault in (EADDRINUSE, EACCES):
            return Obstacle(os.strerror(fault), "PORT")
    return Obstacle(os.strerror(faults[0]), "HOST") if all(faults) else None


def _fault(family: int, address: tuple[object, ...]) -> int:
    """Try to bind, and not to listen: who connects would be cut off. Return the errno, or 0."""
    try:
        with socket.socket(family, socket.SOCK_STREAM) as probe:
            probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
            probe.bind(address)
    except OSError as error:
        return error.errno or EADDRINUSE
    return 0
