"""What the owner knows of each number, ahead of the documents by what is still being written.

Process: whatsapp.
"""

from collections.abc import Callable, Iterator, Sequence
from dataclasses import replace
from typing import Any

from services.numbers.records import Number


class NumberState:
    """The numbers of one term. ``on_change`` is told of a number's new state: its limits may be others now."""

    def __init__(self, numbers: Sequence[Number], *, on_change: Callable[[Number], None] = lambda _: None) -> None:
        """``numbers`` as the documents have them, the default one first."""
        self._numbers = {number.phone_number_id: number for number in numbers}
        self._on_change = on_change

    def __iter__(self) -> Iterator[Number]:
        """Every number, the default one first."""
        return iter(list(self._numbers.values()))

    def get(self, phone_number_id: str | None) -> Number | None:
        """This number, if it is ours."""
        return self._numbers.get(phone_number_id or "")

    def of_account(self, waba_id: str | None) -> list[Number]:
        """The numbers of one account."""
        return [number for number in self if number.waba_id == waba_id]

    def change(self, phone_number_id: str, **changes: Any) -> Number:
        """From now on it is so; the caller records the fact."""
        number = replace(self._numbers[phone_number_id], **changes)
        self.replace(number)
        return number

    def replace(self, number: Number) -> None:
        """From now on this number is so."""
        self._numbers[number.phone_number_id] = number
        self._on_change(number)
