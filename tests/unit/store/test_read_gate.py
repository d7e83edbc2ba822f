"""Readers go side by side; who deletes is alone."""

import asyncio

from services.store import ReadGate
from tests.doubles.clock import virtual_time


@virtual_time
async def test_a_delete_waits_for_running_reads_and_later_reads_wait_for_it() -> None:
    gate, told = ReadGate(), list[str]()

    async def read(name: str, seconds: float) -> None:
        async with gate.reading():
            told.append(f"{name} begins")
            await asyncio.sleep(seconds)
            told.append(f"{name} ends")

    async def delete(name: str) -> None:
        async with gate.closed():
            told.append(f"{name} begins")
            await asyncio.sleep(1)
            told.append(f"{name} ends")

    tasks = [asyncio.create_task(read("a", 1)), asyncio.create_task(read("b", 2))]
    await asyncio.sleep(0.5)
    tasks += [asyncio.create_task(delete("x")), asyncio.create_task(delete("y"))]
    await asyncio.sleep(0.1)
    tasks.append(asyncio.create_task(read("c", 1)))
    await asyncio.gather(*tasks)
    assert told[:4] == ["a begins", "b begins", "a ends", "b ends"]
    assert told[4:6] == ["x begins", "x ends"]
    begins = [words for words in told[6:] if words.endswith("begins")]
    assert sorted(begins) == ["c begins", "y begins"]
    assert told.index("c ends") - told.index("c begins") == 1 == told.index("y ends") - told.index("y begins")


@virtual_time
async def test_a_deletion_that_is_given_up_or_fails_lets_the_readers_in() -> None:
    gate = ReadGate()
    async with gate.reading():
        waiting = asyncio.create_task(gate.closed().__aenter__())
        await asyncio.sleep(0.1)
        waiting.cancel()
        await asyncio.gather(waiting, return_exceptions=True)
        async with asyncio.timeout(1), gate.reading():
            pass
    try:
        async with gate.closed():
            raise RuntimeError("it failed")
    except RuntimeError:
        pass
    async with asyncio.timeout(1), gate.reading():
        pass
