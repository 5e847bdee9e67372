"""A load balancer that sends new connections to one of several gateways, as a Kubernetes Service."""

import socket
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress

_LOOK_SECONDS = 0.1


class Switchboard:
    """A TCP port that forwards bytes both ways; connections stay with their first target."""

    def __init__(self, target: str) -> None:
        self.target = target
        """The target of new connections."""
        self._listening = socket.create_server(("127.0.0.1", 0), backlog=128)
        self._over = threading.Event()
        self._threads = [threading.Thread(target=self._accept)]

    @property
    def address(self) -> str:
        return f"127.0.0.1:{self._listening.getsockname()[1]}"

    @contextmanager
    def running(self) -> Iterator[None]:
        """Forward while the block lasts, and until all connections are closed."""
        self._threads[0].start()
        try:
            yield
        finally:
            self._over.set()
            for thread in self._threads:
                thread.join()

    def _accept(self) -> None:
        self._listening.settimeout(_LOOK_SECONDS)
        with self._listening:
            while not self._over.is_set():
                with suppress(TimeoutError):
                    caller, _ = self._listening.accept()
                    self._start(self._connect, caller)

    def _connect(self, caller: socket.socket) -> None:
        host, _, port = self.target.rpartition(":")
        with caller, suppress(ConnectionError), socket.create_connection((host, int(port))) as gateway:
            answering = self._start(_pass_on, gateway, caller)
            _pass_on(caller, gateway)
            answering.join()

    def _start(self, target: Callable[..., None], *arguments: socket.socket) -> threading.Thread:
        thread = threading.Thread(target=target, args=arguments)
        self._threads.append(thread)
        thread.start()
        return thread


def _pass_on(from_: socket.socket, to: socket.socket) -> None:
    """Forward what one sends until it has no more to send."""
    from_.settimeout(None)
    with suppress(OSError):  # the other has closed
        while data := from_.recv(65536):
            to.sendall(data)
    with suppress(OSError):
        to.shutdown(socket.SHUT_WR)
