"""Containers of the project's images, run by runc as an operator would: without any right.

They share the network of the machine, for all listen on its loopback.
"""

import json
import subprocess
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager, suppress
from itertools import count
from pathlib import Path
from typing import Any, NamedTuple

from demo.readiness import wait_until
from tests.support.machine.toolchains import ROOT, build_once, set_up_by

UID = 10001
IMAGES = ("server", "gateway", "embedded")
_BUILDAH = str(ROOT / "scripts" / "buildah")
_NUMBERS = count(1)
_NAMESPACES = ("pid", "ipc", "uts", "mount")


class Image(NamedTuple):
    """An image whose files are mounted in a folder, and its own configuration."""

    files: Path
    config: Mapping[str, Any]


class Container:
    """A container that runs until its process ends; what it writes is in a file."""

    def __init__(self, image: Image, folder: Path, *arguments: str, **settings: str) -> None:
        """Start it with the image's entry point, and with arguments in place of its command."""
        self._id = f"livecalls-{folder.name}-{next(_NUMBERS)}"
        bundle = folder / self._id
        bundle.mkdir()
        command = [*image.config["Entrypoint"], *(arguments or image.config["Cmd"])]
        (bundle / "config.json").write_text(json.dumps(_specification(image, command, settings)))
        self._said = bundle / "said"
        with self._said.open("wb") as said:
            self._runc = subprocess.Popen(
                ["runc", "run", "--bundle", str(bundle), self._id], stdout=said, stderr=said
            )

    def wait(self, seconds: float = 60) -> int:
        """Wait until it ends; return the exit code of its process."""
        return self._runc.wait(seconds)

    def stop(self) -> int:
        """End it as an orchestrator does, by SIGTERM; return the exit code of its process."""
        subprocess.run(["runc", "kill", self._id, "TERM"], check=True)
        return self.wait()

    def kill(self) -> None:
        """End it if it still runs."""
        if self._runc.poll() is None:
            subprocess.run(["runc", "kill", self._id, "KILL"], check=False)
            self.wait()

    def waits_for(self, condition: Callable[[], bool]) -> bool:
        """Wait until the condition holds; return false if the process ends before."""
        return wait_until(lambda: self._runc.poll() is not None or condition(), 60) and condition()

    def said(self) -> str:
        """Read what it has written so far, to both streams."""
        return self._said.read_text()


@contextmanager
def mounted_images() -> Iterator[dict[str, Image]]:
    """Build the images, once in a run of tests, and mount their files while the block lasts."""
    set_up_by("scripts/setup_programs", "mmdebstrap", "buildah", "runc")
    build_once("images", ["scripts/build_images", *IMAGES])
    names = {image: _buildah("from", "--pull-never", f"livecalls-{image}") for image in IMAGES}
    try:
        yield {image: _mounted(name) for image, name in names.items()}
    finally:
        for name in names.values():
            _buildah("rm", name)


@contextmanager
def running(image: Image, folder: Path, *arguments: str, **settings: str) -> Iterator[Container]:
    """Run a container while the block lasts."""
    container = Container(image, folder, *arguments, **settings)
    try:
        yield container
    finally:
        with suppress(subprocess.TimeoutExpired):
            container.kill()


def run_to_end(image: Image, folder: Path, *arguments: str, **settings: str) -> tuple[int, str]:
    """Run a container until its process ends; return the exit code, and what it has written."""
    with running(image, folder, *arguments, **settings) as container:
        return container.wait(), container.said()


def _buildah(*arguments: str) -> str:
    done = subprocess.run([_BUILDAH, *arguments], check=True, capture_output=True, text=True)
    return done.stdout.strip()


def _mounted(name: str) -> Image:
    return Image(Path(_buildah("mount", name)), json.loads(_buildah("inspect", name))["OCIv1"]["config"])


def _specification(image: Image, command: list[str], settings: Mapping[str, str]) -> dict[str, Any]:
    user, _, group = image.config["User"].partition(":")
    memory = {"type": "tmpfs", "source": "tmpfs"}
    shared = ["nosuid", "noexec", "nodev", "mode=1777", "size=64m"]
    return {
        "ociVersion": "1.0.2",
        "process": {
            "user": {"uid": int(user), "gid": int(group)},
            "args": command,
            "env": [*image.config["Env"], *(f"{name}={value}" for name, value in settings.items())],
            "cwd": "/",
            "capabilities": {},
            "noNewPrivileges": True,
        },
        "root": {"path": str(image.files), "readonly": True},
        "mounts": [
            {"destination": "/proc", "type": "proc", "source": "proc"},
            {"destination": "/dev", **memory, "options": ["nosuid", "mode=755"]},
            {"destination": "/dev/shm", **memory, "options": shared},  # noqa: S108 - the container's own
        ],
        "linux": {"namespaces": [{"type": kind} for kind in _NAMESPACES]},
    }
