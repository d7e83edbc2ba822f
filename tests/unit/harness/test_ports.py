"""Blocks of ports lie outside of the range that the kernel gives to outgoing connections."""

import pytest

from tests.harness.ports import BLOCK, HIGHEST, LOWEST, first_ports


@pytest.mark.parametrize("ephemeral", [(32_768, 60_999), (49_152, 65_535), (15_000, 65_000), (1_024, 60_000)])
def test_no_block_touches_the_ephemeral_range_or_another_block(ephemeral: tuple[int, int]) -> None:
    blocks = [range(first, first + BLOCK) for first in first_ports(ephemeral)]
    assert blocks
    for block in blocks:
        assert LOWEST <= block[0] <= block[-1] <= HIGHEST
        assert block[-1] < ephemeral[0] or block[0] > ephemeral[1]
    assert len({port for block in blocks for port in block}) == len(blocks) * BLOCK


def test_a_range_of_all_ports_leaves_none() -> None:
    assert list(first_ports((1_024, 65_535))) == []
