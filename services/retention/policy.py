"""What is old enough to go? Pure.

Process: whatsapp.
"""

from collections.abc import Iterable, Mapping
from datetime import datetime, timedelta
from typing import Any, Final

from services.messages import ACTIVE

_ACTIVE_WORDS: Final = frozenset(status.value for status in ACTIVE)


def order_at(moment: datetime) -> int:
    """The lowest ``order`` that something accepted at this moment can have."""
    return int(moment.timestamp() * 1000) << 20


def expired_messages(page: Iterable[Mapping[str, Any]], cutoff: datetime) -> list[str]:
    """Ids of messages that are settled and that nothing happened to since ``cutoff``.

    A message may have been accepted long ago and sent yesterday (it was scheduled, or held): that counts from its last
    change. What the owner still has to do something for never goes.
    """
    return [
        str(document["_id"])
        for document in page
        if document["status"] not in _ACTIVE_WORDS and (document.get("updated_at") or document["created_at"]) < cutoff
    ]


def level_of(used_bytes: int, limit_mb: int, *, before: str) -> str:
    """``ok``, ``warning`` from 80 %, ``critical`` from 95 %. Back to ``ok`` below 75 % only: it must not flap."""
    share = used_bytes / (limit_mb * 1_000_000) if limit_mb else 0.0
    if share >= CRITICAL_SHARE:
        return "critical"
    if share >= WARNING_SHARE or (before != "ok" and share >= CALM_SHARE):
        return "warning"
    return "ok"


WARNING_SHARE: Final = 0.80
CRITICAL_SHARE: Final = 0.95
CALM_SHARE: Final = 0.75

DAY: Final = timedelta(days=1)
