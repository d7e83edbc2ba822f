"""Consents without any opt-out."""

from collections.abc import Iterable


class NoOptOuts:
    """Blocks no contact, and loads nothing."""

    async def load(self, keys: Iterable[str]) -> None:
        pass

    def blocks(self, key: str, *, is_marketing: bool, number: str | None = None) -> str | None:
        return None
