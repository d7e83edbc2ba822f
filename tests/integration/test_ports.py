"""Every process that runs tests has ports of its own."""

import socket
import subprocess
import sys
from contextlib import ExitStack, closing

import pytest

from tests.harness.ports import BLOCK, claim, ephemeral_range, first_ports, free_port, is_free
from tests.harness.sanic_command import ROOT

ASK = "from tests.harness.ports import free_port; print(*(free_port() for _ in range(20)))"


def test_runs_at_the_same_time_are_given_different_ports() -> None:
    ours = {free_port() for _ in range(BLOCK - 1)}
    command = [sys.executable, "-c", ASK]
    others = [subprocess.Popen(command, cwd=ROOT, stdout=subprocess.PIPE, text=True) for _ in range(2)]
    ports = [{int(port) for port in other.communicate(timeout=60)[0].split()} for other in others]
    assert [len(found) for found in ports] == [20, 20]
    assert not ours & (ports[0] | ports[1])
    low, high = ephemeral_range()
    assert all(not low <= port <= high for port in ours)


def test_a_port_that_somebody_listens_on_is_passed_over() -> None:
    with closing(claim(first_ports(ephemeral_range()))) as block:
        taken = {block.take() for _ in range(2)}
        for _ in range(BLOCK - 3):  # round, up to the first of them
            block.take()
        with ExitStack() as stack:
            for port in taken:
                stack.enter_context(socket.create_server(("127.0.0.1", port)))
            assert block.take() not in taken


def test_a_block_is_free_again_when_its_owner_has_died() -> None:
    holder = subprocess.Popen(
        [sys.executable, "-c", HOLD], cwd=ROOT, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True
    )
    assert holder.stdout is not None
    first = int(holder.stdout.readline())
    assert not is_free(first)
    with pytest.raises(RuntimeError, match="no block"):
        claim(iter([first]))
    holder.kill()
    holder.communicate()
    with closing(claim(iter([first]))) as block:
        assert block.first == first


HOLD = """
import sys
from tests.harness.ports import claim, ephemeral_range, first_ports
block = claim(first_ports(ephemeral_range()))
print(block.first, flush=True)
sys.stdin.read()
"""
