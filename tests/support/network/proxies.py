"""nginx and HAProxy before the gateway, with nothing configured but address and upstream."""

import os
import shutil
import subprocess
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path

from demo.ports import free_port
from demo.readiness import listens, wait_until
from tests.support.machine.toolchains import set_up_by

# With Debian's folder of them, which not every PATH has.
_PATH = f"{os.environ['PATH']}:/usr/sbin"

# One process, whose files are all in the folder it is started for.
_NGINX = """
daemon off;
master_process off;
pid nginx.pid;
events {{}}
http {{
    access_log off;
    client_body_temp_path body;
    proxy_temp_path proxy;
    fastcgi_temp_path fastcgi;
    uwsgi_temp_path uwsgi;
    scgi_temp_path scgi;
    server {{
        listen {listen};
        location / {{ {passes} }}
    }}
}}
"""
_HAPROXY = """
global
    stats socket {folder}/stats

defaults
    mode http
    timeout connect 20s
    timeout client 60s
    timeout server 60s

frontend callers
    bind {listen}
    default_backend gateway

backend gateway
{backend}
"""


@contextmanager
def nginx_running(folder: Path, passes: str, protocol: str = "") -> Iterator[str]:
    """Run nginx while the block lasts, with a location that proxies; yield its address."""
    address = f"127.0.0.1:{free_port()}"
    configuration = folder / "nginx.conf"
    configuration.write_text(_NGINX.format(listen=f"{address} {protocol}".rstrip(), passes=passes))
    command = ["nginx", "-p", str(folder), "-e", "stderr", "-c", str(configuration)]
    with _running(command, address):
        yield address


@contextmanager
def haproxy_running(folder: Path, *backend: str, protocol: str = "") -> Iterator[str]:
    """Run HAProxy while the block lasts, with the lines of a backend; yield its address."""
    address = f"127.0.0.1:{free_port()}"
    configuration = folder / "haproxy.cfg"
    lines = "\n".join(f"    {line}" for line in backend)
    listen = f"{address} {protocol}".rstrip()
    configuration.write_text(_HAPROXY.format(folder=folder, listen=listen, backend=lines))
    with _running(["haproxy", "-db", "-f", str(configuration)], address):
        yield address


@contextmanager
def _running(command: Sequence[str], address: str) -> Iterator[None]:
    set_up_by("scripts/setup_programs", "nginx", "haproxy")
    file = shutil.which(command[0], path=_PATH)
    assert file
    process = subprocess.Popen([file, *command[1:]])
    try:
        assert wait_until(lambda: process.poll() is not None or listens(address), 20)
        assert process.poll() is None, f"{command[0]} has ended"
        yield
    finally:
        process.terminate()
        process.wait(10)
