"""Which number is meant? A small cache over the numbers of the database.

Process: worker.
"""

from config.clock import Clock
from config.errors import Fault, RequestRefused, Unavailable
from services.numbers.records import Number
from services.numbers.repository import NumberRepository
from services.store import AHEAD_S, SingleFlight

FRESH_S = 5.0


class UnknownNumber(RequestRefused):
    """No number with this phone_number_id is operated here."""

    code = "unknown_number"
    default_text = "There is no such number here."


class NumberCache:
    """Numbers by id. Read again when older than ``FRESH_S``; when the database is away, the old ones still serve."""

    def __init__(self, repository: NumberRepository, clock: Clock) -> None:
        """Empty."""
        self._repository = repository
        self._clock = clock
        self._by_id: dict[str, Number] = {}
        self._read_at = float("-inf")
        self._forgotten = 0
        self._reads: SingleFlight[None, None] = SingleFlight(self._read)

    async def all(self) -> list[Number]:
        """Every number, the default one first."""
        if not self._is_fresh():
            await self._refresh()
        return list(self._by_id.values())

    async def resolve(self, phone_number_id: str | None) -> Number:
        """This number, or the default one. Raises ``UnknownNumber``, or ``Unavailable`` when none is known yet."""
        if not self._is_fresh():
            await self._refresh()
        if not self._by_id:
            raise Unavailable("No number is set up yet. Try again in a moment.", code="no_number", retry_after_s=1)
        if phone_number_id is None:
            return next(iter(self._by_id.values()))
        number = self._by_id.get(phone_number_id)
        if number is None:
            raise UnknownNumber(faults=[Fault("from", "is not a phone_number_id of this installation")])
        return number

    def known(self, phone_number_id: str | None) -> Number | None:
        """The same number, when the numbers were read just now. None says nothing: ``resolve`` does."""
        if not self._is_fresh():
            return None
        if phone_number_id is None:
            return next(iter(self._by_id.values()))
        return self._by_id.get(phone_number_id)

    def forget(self) -> None:
        """Read them again at the next question: something was changed just now."""
        self._read_at = float("-inf")
        self._forgotten += 1

    def _is_fresh(self) -> bool:
        """They need not be read before they are used. Read ahead when they soon will be."""
        left_s = self._read_at + FRESH_S - self._clock.monotonic()
        if not self._by_id or left_s <= 0:
            return False
        if left_s < AHEAD_S:
            self._reads.begin(None)
        return True

    async def _refresh(self) -> None:
        try:
            await self._reads.get(None)
        except Unavailable:
            if not self._by_id:
                raise

    async def _read(self, _: None) -> None:
        now, forgotten = self._clock.monotonic(), self._forgotten
        self._by_id = {number.phone_number_id: number for number in await self._repository.all()}
        if forgotten == self._forgotten:  # else it may be from before the change
            self._read_at = now
