"""What WhatsApp allows a number is asked now and then; a failure is told, and asked again sooner."""

from config.errors import Unavailable
from services.graph import NumberInfo
from services.numbers import NumberLimits, OwnPace
from services.numbers.limits import FAILURE_FRESH_S, FRESH_S
from tests.doubles.clock import ManualClock

NUMBER = "106540352242922"
PACE = OwnPace(per_s=80.0, pair_period_s=6.0, pair_burst=45)


class Meta:
    """Answers, or does not, and counts."""

    def __init__(self) -> None:
        self.asked = 0
        self.fault: Unavailable | None = None

    async def number(self, phone_number_id: str) -> NumberInfo:
        self.asked += 1
        if self.fault is not None:
            raise self.fault
        return NumberInfo(phone_number_id, None, "Miel", "GREEN", "CONNECTED", "HIGH", "TIER_1K", {})


async def test_whatsapp_is_asked_once_a_minute() -> None:
    meta, clock = Meta(), ManualClock()
    limits = NumberLimits(PACE, meta.number, clock)
    for _ in range(3):
        found = await limits.allowance(NUMBER)
        assert found.info is not None
        assert (found.info.quality_rating, found.info.throughput_level) == ("GREEN", "HIGH")
    assert meta.asked == 1
    clock.advance(FRESH_S + 1)
    assert (await limits.allowance(NUMBER)).asked_at == clock.now()
    assert meta.asked == 2


async def test_a_failure_is_told_and_asked_again_soon() -> None:
    meta, clock = Meta(), ManualClock()
    limits = NumberLimits(PACE, meta.number, clock)
    meta.fault = Unavailable("WhatsApp is away.")
    found = await limits.allowance(NUMBER)
    assert found.info is None
    assert found.fault is meta.fault
    assert (await limits.allowance(NUMBER)) is found
    meta.fault = None
    clock.advance(FAILURE_FRESH_S + 1)
    assert (await limits.allowance(NUMBER)).info is not None
