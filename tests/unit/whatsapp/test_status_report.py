"""What the owner says of itself: never that it owns the numbers when its lease ran out."""

from dataclasses import dataclass
from types import SimpleNamespace
from typing import Any

from services.sending import Lanes
from services.store import Lease
from services.whatsapp.status_report import StatusReport
from tests.doubles.clock import ManualClock


@dataclass
class OneLease:
    """The database of one lease, which this process always gets."""

    token: int = 7

    async def update_and_read(self, *_: object, **__: object) -> dict[str, Any]:
        return {"holder": "box-1", "token": self.token, "expires_ms": 10_000, "now_ms": 0}


def context(clock: ManualClock) -> Any:
    return SimpleNamespace(
        clock=clock,
        lanes=Lanes(),
        dispatcher=SimpleNamespace(sending_count=0, in_doubt_count=0),
        event_writer=SimpleNamespace(stats=SimpleNamespace(events=3, batches=1, dead_letters=0)),
        links={},
    )


async def test_an_owner_whose_lease_ran_out_says_fenced_until_it_is_renewed() -> None:
    clock = ManualClock()
    lease = Lease(
        OneLease(),  # type: ignore[arg-type]
        "owner",
        holder="box-1",
        ttl_s=10,
        margin_s=1,
        monotonic=clock.monotonic,
    )
    report = StatusReport(SimpleNamespace(lease=lease, change_notifier=SimpleNamespace(is_streaming=True)))  # type: ignore[arg-type]
    assert report.facts()["state"] == "starting"
    await lease.acquire()
    report.begin(context(clock))
    clock.advance(8.5)
    assert report.facts()["state"] == "owner"
    clock.advance(1)
    facts = report.facts()
    assert (facts["state"], facts["lease_remaining_s"], facts["epoch"]) == ("fenced", 0, 7)
    await lease.acquire()
    assert report.facts()["state"] == "owner"
    report.end()
    clock.advance(60)
    assert report.facts()["state"] == "standby", "who does not term has nothing to lose"
