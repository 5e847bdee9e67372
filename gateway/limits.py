"""How many threads and connections, and how much memory, Envoy may take by the limits of the machine."""

import resource

from gateway.config import GatewaySettings
from machine.addresses import LOOPBACK_HOSTS
from machine.cpus import usable_cpus
from machine.request_size import MAX_REQUEST_BYTES
from machine.worker_memory import PYTHON_BYTES, worker_bytes

MAX_HEAP_BYTES = 1 << 30
"""Envoy's heap if there is no limit to go by, and the most that is taken of a large machine."""

_MIB = 1 << 20
# The rest is for what is no heap: code, what the kernel holds of requests, what comes until Envoy
# notices that it is too much.
_HEAP_OF_CGROUP = 0.5
# What half a request may hold by HTTP/1.1, its content and more, of which there may be many before Envoy
# looks at its heap.
_CONNECTION_BYTES = MAX_REQUEST_BYTES + 32 * 1024
# Listeners, logs, the admin page; each event loop and its connections to each of the server's workers.
_OTHER_FILES = 96
_FILES_OF_LOOP = 6
_FILES_OF_LOOP_AND_WORKER = 2
# Embedded, there is one loop, but connections to PostgreSQL, to Stream and to the key server.
_OTHER_FILES_EMBEDDED = 384


def heap_bytes(settings: GatewaySettings, cgroup_bytes: int | None) -> int:
    """Return how large Envoy's heap may get, in bytes, in a cgroup of so many; None is unlimited."""
    if settings.max_heap_mb is not None:
        return settings.max_heap_mb * _MIB
    if cgroup_bytes is None:
        return MAX_HEAP_BYTES
    if settings.embedded:
        return worker_bytes(settings.workers, cgroup_bytes) - PYTHON_BYTES
    return min(int(cgroup_bytes * _HEAP_OF_CGROUP), MAX_HEAP_BYTES)


def concurrency(settings: GatewaySettings, cpus: int) -> int:
    """Return how many threads Envoy serves callers with, where it may use so many CPUs."""
    if settings.envoy_concurrency is not None:
        return settings.envoy_concurrency
    if settings.embedded:
        return 1  # Python has one thread, for which more would wait
    if settings.grpc_host in LOOPBACK_HOSTS:
        # More would only take CPUs from the workers, which take longer for a request than Envoy does.
        return min(cpus, settings.workers)
    return cpus


def max_connections(settings: GatewaySettings, cgroup_bytes: int | None) -> tuple[int, str]:
    """Return how many connections are possible, and what bounds them if more are configured."""
    heap, files = heap_bytes(settings, cgroup_bytes), max_files()
    bounds = [
        (settings.max_connections, ""),
        (heap // _CONNECTION_BYTES, f"a heap of {heap // _MIB} MiB"),
        (_spare_files(settings, files), f"{files} open files"),
    ]
    return min(bounds)


def max_files() -> int:
    """Read the hard limit of open files."""
    return resource.getrlimit(resource.RLIMIT_NOFILE)[1]


def allow_all_files() -> None:
    """Raise the soft limit of open files to the hard one, for the process that becomes Envoy."""
    resource.setrlimit(resource.RLIMIT_NOFILE, (max_files(), max_files()))


def _spare_files(settings: GatewaySettings, files: int) -> int:
    """Return how many files connections may take: Envoy does not survive having none left."""
    loops = concurrency(settings, usable_cpus())
    standalone = _OTHER_FILES + loops * (_FILES_OF_LOOP + _FILES_OF_LOOP_AND_WORKER * settings.workers)
    others = _OTHER_FILES_EMBEDDED if settings.embedded else standalone
    return max(files - others, files // 2)
