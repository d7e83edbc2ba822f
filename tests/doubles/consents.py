"""Consents of people of whom none has opted out."""

from collections.abc import Iterable


class EverybodyConsents:
    """No opt-outs are known."""

    async def load(self, keys: Iterable[str]) -> None:
        pass

    def blocks(self, key: str, *, is_marketing: bool, number: str | None = None) -> str | None:
        return None
