"""Connects to the first host of a database's URL that responds."""

import asyncio
import os
from collections.abc import Mapping
from random import shuffle
from socket import SOCK_STREAM
from traceback import clear_frames
from typing import Any

import psycopg

from server.store.faults import said_by

Parameters = Mapping[str, Any]

_LISTS = ("host", "hostaddr", "port")


async def connect_to_first(parameters: Parameters, seconds: float) -> psycopg.AsyncConnection[Any]:
    """Try one host after the other, and each address of its name, as libpq's parameters list them.

    Looking up a name and connecting to an address may take `seconds` each: the driver counts in whole
    ones, from 2. Raises psycopg.Error, which names each address and what is wrong with it.
    """
    failures: list[tuple[str, psycopg.Error]] = []
    for host in hosts_in_turn(parameters):
        try:
            addresses = await _addresses(host, seconds)
        except psycopg.OperationalError as error:
            failures.append((_name(host), error))
            continue
        for address in addresses:
            try:
                return await _connect(address, seconds)
            except psycopg.Error as error:
                failures.append((_name(address), error.with_traceback(None)))
    raise _join(failures)


def hosts_in_turn(parameters: Parameters) -> list[dict[str, Any]]:
    """Split parameters into those of one host each, in the order in which they are tried.

    Lists that do not match are left to libpq, which refuses them.
    """
    hosts = _split(parameters)
    if _get(parameters, "load_balance_hosts") == "random":
        shuffle(hosts)
    if _get(parameters, "target_session_attrs") != "prefer-standby":
        return hosts
    return [{**host, "target_session_attrs": wanted} for wanted in ("standby", "any") for host in hosts]


def _split(parameters: Parameters) -> list[dict[str, Any]]:
    lists = {name: str(value).split(",") for name in _LISTS if (value := _get(parameters, name))}
    count = max((len(values) for values in lists.values()), default=1)
    if len(lists.get("port", ())) == 1:
        lists["port"] *= count
    if any(len(values) != count for values in lists.values()):
        return [dict(parameters)]
    each = zip(*lists.values(), strict=True) if lists else [()]
    return [{**parameters, **dict(zip(lists, values, strict=True))} for values in each]


def _get(parameters: Parameters, name: str) -> Any:
    """Return a parameter of the URL, else of the environment, which libpq reads as well."""
    return parameters.get(name) or os.environ.get(f"PG{name.replace('_', '').upper()}")


async def _addresses(host: Parameters, seconds: float) -> list[dict[str, Any]]:
    """Look up the addresses of a host's name, unless it is none or its address is given."""
    name = host.get("host")
    if not name or name.startswith(("/", "@")) or host.get("hostaddr"):
        return [dict(host)]
    try:
        async with asyncio.timeout(seconds):
            found = await asyncio.get_running_loop().getaddrinfo(name, None, type=SOCK_STREAM)
    except TimeoutError:
        raise psycopg.OperationalError("connection failed: its name is not looked up in time") from None
    except (OSError, UnicodeError) as error:
        reason = getattr(error, "strerror", None) or "not a host name"
        raise psycopg.OperationalError(f"connection failed: no address: {reason}") from None
    addresses = list(dict.fromkeys(address[0] for *_, address in found))
    if _get(host, "load_balance_hosts") == "random":
        shuffle(addresses)
    return [{**host, "hostaddr": address} for address in addresses]


async def _connect(address: Parameters, seconds: float) -> psycopg.AsyncConnection[Any]:
    try:
        async with asyncio.timeout(seconds):
            return await psycopg.AsyncConnection.connect(**address, autocommit=True)
    except TimeoutError as error:
        _let_go(error)
        raise psycopg.errors.ConnectionTimeout("connection failed: no answer in time") from None
    except asyncio.CancelledError as error:
        _let_go(error)
        raise


def _let_go(error: BaseException | None) -> None:
    """Empty the frames that an error came through: they hold the socket of what was not yet connected.

    Left to the garbage collector, which rarely runs, PostgreSQL may run out of connections.
    """
    while error:
        clear_frames(error.__traceback__)
        error = error.__context__


def _name(host: Parameters) -> str:
    name, address, port = (host.get(key) for key in _LISTS)
    at = f" ({address})" if name and address and name != address else ""
    return f"{name or address or 'the default host'}{at}, port {port or 'by default'}"


def _join(failures: list[tuple[str, psycopg.Error]]) -> psycopg.Error:
    """Make one error of those of all addresses, of the kind of the last."""
    _, last = failures[-1]
    if len(failures) == 1:
        return last
    reasons = "; ".join(f"{name}: {said_by(error) or type(error).__name__}" for name, error in failures)
    return type(last)(f"connection failed: {reasons}")
