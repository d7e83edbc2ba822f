"""Is there such a template, and does the message fit it? Asked before a message is accepted.

Process: worker.
"""

import asyncio
from typing import Any, Final

from config.clock import Clock
from config.errors import Unavailable
from services.commands import CommandClient
from services.keys import Caller
from services.messages import Content, ContentRefused
from services.numbers import Number
from services.store import RefreshAheadCache
from services.templates.matching import absent, template_faults
from services.templates.records import Template
from services.templates.repository import TemplateRepository

FRESH_S: Final = 10.0
REMEMBERED_MOST: Final = 5_000
ASK_AGAIN_S: Final = 15.0

Key = tuple[str, str, str]
"""WABA, name, language."""


class TemplateCheck:
    """Looks into the catalogue, which it remembers for ten seconds.

    What the catalogue lacks may be newer than it: before a refusal the account is read again, at most every fifteen
    seconds. An account that nobody could read yet refuses nothing: WhatsApp will say it.
    """

    def __init__(self, repository: TemplateRepository, commands: CommandClient, clock: Clock) -> None:
        """Empty."""
        self._repository = repository
        self._commands = commands
        self._clock = clock
        self._known: RefreshAheadCache[Key, Template | None] = RefreshAheadCache(
            lambda key: repository.find(*key), clock, fresh_s=FRESH_S, most=REMEMBERED_MOST
        )
        self._synced: set[str] = set()
        self._asked_at: dict[str, float] = {}
        self._refreshed_at: dict[str, float] = {}
        self._refreshing: dict[str, asyncio.Task[None]] = {}

    async def check(self, content: Content, number: Number, caller: Caller) -> None:
        """Raises ``ContentRefused`` with Meta's code: 132001, 132000, 132012, 132015 …"""
        if content.kind != "template":
            return
        sent: dict[str, Any] = content.payload["template"]
        key = _key(content, number)
        template = await self._known.get(key)
        if template is None or template_faults(template, sent):
            if not await self._is_synced(number.waba_id):
                return
            await self._refresh(number.waba_id, caller)
            refreshed_at = self._refreshed_at.get(number.waba_id, float("-inf"))
            template = await self._known.get(key, newer_than=refreshed_at)
        faults = [absent(key[1], key[2])] if template is None else template_faults(template, sent)
        if faults:
            raise ContentRefused(faults)

    async def is_marketing(self, content: Content, number: Number) -> bool:
        """Is it a template of Meta's category ``MARKETING``? One that the catalogue lacks is not."""
        if content.kind != "template":
            return False
        template = await self._known.get(_key(content, number))
        return template is not None and template.category == "MARKETING"

    async def _is_synced(self, waba_id: str) -> bool:
        if waba_id not in self._synced and await self._repository.synced_at(waba_id) is not None:
            self._synced.add(waba_id)
        return waba_id in self._synced

    async def _refresh(self, waba_id: str, caller: Caller) -> None:
        """Have the account read again, unless that was just done. Who comes meanwhile waits for the same reading."""
        task = self._refreshing.get(waba_id)
        if task is None:
            if self._clock.monotonic() - self._asked_at.get(waba_id, float("-inf")) < ASK_AGAIN_S:
                return
            self._asked_at[waba_id] = self._clock.monotonic()
            task = self._refreshing[waba_id] = asyncio.create_task(self._ask(waba_id, caller.key_id))
        await asyncio.shield(task)

    async def _ask(self, waba_id: str, key_id: str) -> None:
        try:
            await self._commands.submit("template.sync", {"waba_id": waba_id}, by=key_id, runs_concurrently=True)
        except Unavailable:
            return
        finally:
            del self._refreshing[waba_id]
        self._refreshed_at[waba_id] = self._clock.monotonic()


def _key(content: Content, number: Number) -> Key:
    sent: dict[str, Any] = content.payload["template"]
    return number.waba_id, str(sent["name"]), str(sent["language"]["code"])
