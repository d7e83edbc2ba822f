import re
from datetime import timedelta
from pathlib import Path

from config import limits


def test_the_numbers_that_everything_leans_on() -> None:
    assert limits.TEXT_MAX_CHARS == 4096
    assert limits.CAPTION_MAX_CHARS == 1024
    assert timedelta(hours=24) == limits.CUSTOMER_SERVICE_WINDOW
    assert (limits.THROUGHPUT_PER_S, limits.PAIR_BURST_COUNT, limits.PAIR_PERIOD.total_seconds()) == (80, 45, 6)
    assert limits.VIDEO_MAX_BYTES == 16_777_216


def test_every_number_names_its_unit_and_its_source() -> None:
    lines = Path(limits.__file__).read_text(encoding="utf-8").splitlines()
    numbers = [line for line in lines if ": Final" in line and not line.startswith(("KB", "MB"))]
    assert len(numbers) > 50
    assert [line for line in numbers if "# [" not in line and not line.startswith("PHONE_")] == []
    units = re.compile(
        r"CHARS|COUNT|BYTES|PIXELS|PER_S|PER_HOUR|PER_WABA|DIGITS|TIERS|BASE|LINE_BREAKS|CHANGES|CODES|timedelta"
    )
    assert [line for line in numbers if not units.search(line)] == []
