"""Ports for the servers of the tests. Each pytest process owns a block of them, so that no two runs ever collide.

A port that the kernel picks (`bind` to 0) comes from the range out of which it also serves outgoing connections:
between the moment a test learns of it and the moment its server listens there, anybody's connection may take it. So
the blocks lie outside of that range. A block belongs to the process that holds its first
port, which the kernel frees at any death.
"""

import functools
import itertools
import os
import socket
from collections.abc import Iterator
from pathlib import Path

BLOCK = 400  # a cluster takes three to five ports, and a run goes round
LOWEST, HIGHEST = 10_000, 65_535
EPHEMERAL = Path("/proc/sys/net/ipv4/ip_local_port_range")


class PortBlock:
    """Ports from `first` on, one after the other and round again; `holder` keeps the first of them."""

    def __init__(self, holder: socket.socket, first: int) -> None:
        self.first = first
        self._holder = holder
        self._ports = itertools.cycle(range(first + 1, first + BLOCK))

    def take(self) -> int:
        """The next port that nobody listens on. RuntimeError when there is none in the whole block."""
        for port in itertools.islice(self._ports, BLOCK):
            if is_free(port):
                return port
        raise RuntimeError(f"no free port from {self.first} to {self.first + BLOCK}")

    def close(self) -> None:
        """Give the block to others; the kernel does so when the process ends."""
        self._holder.close()


def first_ports(ephemeral: tuple[int, int]) -> Iterator[int]:
    """Where the blocks begin: below the ephemeral range, then above it."""
    low, high = ephemeral
    yield from range(LOWEST, low - BLOCK + 1, BLOCK)
    yield from range(max(high + 1, LOWEST), HIGHEST - BLOCK + 2, BLOCK)


def ephemeral_range() -> tuple[int, int]:
    """First and last port of outgoing connections; IANA's own range where the kernel does not say."""
    try:
        low, high = EPHEMERAL.read_text().split()
    except (OSError, ValueError):
        return 49_152, HIGHEST
    return int(low), int(high)


def claim(firsts: Iterator[int]) -> PortBlock:
    """The first block that no other process holds. RuntimeError when all are taken."""
    for first in firsts:
        holder = socket.socket()
        try:
            holder.bind(("127.0.0.1", first))
        except OSError:
            holder.close()
            continue
        return PortBlock(holder, first)
    raise RuntimeError("no block of ports is free outside of the range of outgoing connections")


def is_free(port: int) -> bool:
    with socket.socket() as probe:
        try:
            probe.bind(("127.0.0.1", port))
        except OSError:
            return False
    return True


def free_port() -> int:
    """A port of 127.0.0.1 that nobody listens on, and that no other run of the tests is given."""
    return _block_of(os.getpid()).take()


@functools.cache
def _block_of(_pid: int) -> PortBlock:
    """A process that was forked claims a block of its own."""
    return claim(first_ports(ephemeral_range()))
