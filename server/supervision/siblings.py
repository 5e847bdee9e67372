"""Sockets by which the workers of a supervisor reach each other."""

import socket
from collections.abc import Mapping, Sequence
from dataclasses import dataclass


@dataclass(frozen=True)
class Siblings:
    """The sockets that a worker inherits: its own, from which it reads, and those that lead to others.

    They stay this process's too, so that a worker's replacement has the same.
    """

    sockets: Sequence[socket.socket] = ()

    @property
    def descriptors(self) -> Sequence[int]:
        """What the worker's process is to inherit."""
        return [each.fileno() for each in self.sockets]

    @property
    def settings(self) -> Mapping[str, str]:
        """The settings that name them to the worker."""
        return {"STREAM_SIBLING_SOCKETS": " ".join(map(str, self.descriptors))}


ALONE = Siblings()


def connect_siblings(workers: int) -> list[Siblings]:
    """Make the sockets of each worker, of datagrams; one alone needs none."""
    if workers == 1:
        return [ALONE]
    own, to = zip(*(socket.socketpair(type=socket.SOCK_DGRAM) for _ in range(workers)), strict=True)
    return [
        Siblings((own[place], *(to[other] for other in range(workers) if other != place)))
        for place in range(workers)
    ]
