"""Which proxy a request to an issuer goes through."""

from ipaddress import ip_address, ip_network
from typing import NamedTuple
from urllib.request import getproxies_environment, proxy_bypass

import httpx

from machine.addresses import LOOPBACK_HOSTS
from server.auth.issuer_errors import IssuerError


class Proxy(NamedTuple):
    """A proxy, and the setting that named it."""

    url: str
    setting: str


def choose_proxy(url: str, proxy_url: str | None) -> Proxy | None:
    """Choose the proxy for a URL, or none.

    AUTH_PROXY_URL takes everything, and HTTPS_PROXY what is encrypted up to the issuer. This machine
    and what NO_PROXY names are connected to directly. Raises httpx.InvalidURL, and IssuerError for a
    proxy of another kind.
    """
    target = httpx.URL(url)
    environment = getproxies_environment()
    if target.host in LOOPBACK_HOSTS or _passes_by(target, environment.get("no", "")):
        return None
    if proxy_url is not None:
        return Proxy(proxy_url, "AUTH_PROXY_URL")
    usual = environment.get("https") if target.scheme == "https" else None
    return _usual_proxy(usual) if usual else None


def _usual_proxy(usual: str) -> Proxy:
    url = usual if "://" in usual else f"http://{usual}"
    if not url.lower().startswith(("http://", "https://")):
        raise IssuerError("HTTPS_PROXY is neither http:// nor https://: set AUTH_PROXY_URL or NO_PROXY")
    httpx.URL(url)  # no other reads it without showing its password in an error
    return Proxy(url, "HTTPS_PROXY")


def _passes_by(target: httpx.URL, no_proxy: str) -> bool:
    """Return whether NO_PROXY names a host: itself, a domain above it, a network, or `*`."""
    if proxy_bypass(target.netloc.decode()):
        return True
    return any(_is_in(target.host, entry.strip()) for entry in no_proxy.split(","))


def _is_in(host: str, network: str) -> bool:
    try:
        return ip_address(host) in ip_network(network, strict=False)
    except ValueError:
        return False
