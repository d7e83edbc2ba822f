"""The catalogue is kept in step with the WhatsApp Business Account, and what changed becomes events.

Process: whatsapp.
"""

import asyncio
import logging
from collections.abc import Mapping, Sequence
from dataclasses import replace
from datetime import datetime
from typing import Any, Final

from config.clock import Clock
from config.errors import PanalError, RequestRefused
from services.cloud_webhook import TemplateUpdate
from services.commands import Command, Outcome
from services.graph import GraphAccess, TemplateInfo
from services.numbers import Number
from services.store import Fact, Recorder, VersionedWrite
from services.templates.body_text import body_text
from services.templates.events import TOLD_BY_STATE, changes_between, status_fact, told_to_all
from services.templates.records import Template, TemplateStatus, template_status
from services.templates.repository import TemplateRepository, synced_write, template_write

log = logging.getLogger(__name__)

FIRST_TRY_AGAIN_S: Final = 5.0


class TemplateSync:
    """Reads whole accounts: at the start, every ``every_s``, when somebody asks, and after Meta told of a change.

    An account's events stand in the log of each of its numbers: who follows one number misses nothing of it.
    """

    def __init__(
        self,
        repository: TemplateRepository,
        graph: GraphAccess,
        recorder: Recorder,
        clock: Clock,
        *,
        numbers: Sequence[Number],
        every_s: float,
    ) -> None:
        """Nothing is read yet."""
        self._repository = repository
        self._graph = graph
        self._recorder = recorder
        self._clock = clock
        self._every_s = every_s
        self._home = {number.waba_id: number.phone_number_id for number in reversed(numbers) if number.link != "web"}
        self._numbers_of = {
            waba_id: [
                number.phone_number_id for number in numbers if number.waba_id == waba_id and number.link != "web"
            ]
            for waba_id in self._home
        }
        self._waba_of = {number.phone_number_id: number.waba_id for number in numbers}
        self._due_at = dict.fromkeys(self._home, clock.monotonic())
        self._reading: dict[str, asyncio.Lock] = {waba_id: asyncio.Lock() for waba_id in self._home}
        # The owner is the only writer, so its memory is ahead of the documents by what is still being written.
        self._held: dict[str, dict[str, Template]] = {}
        self._names: dict[str, dict[tuple[str, str], Template]] = {}  # the same by name; rebuilt after a change
        self._read_once: set[str] = set()

    async def step(self) -> int:
        """The background task: read what is due. A failure is logged, and tried again sooner than the next time."""
        for waba_id, due_at in self._due_at.items():
            if self._clock.monotonic() < due_at:
                continue
            try:
                outcome = await self._read(waba_id)
            except PanalError as error:
                self._due_at[waba_id] = self._clock.monotonic() + min(FIRST_TRY_AGAIN_S, self._every_s)
                log.warning(
                    "The templates of an account could not be read.",
                    extra={"action": "template.sync_failed", "waba_id": waba_id, "detail": str(error)},
                )
            else:
                await self._recorder.record(outcome.facts, outcome.writes).applied
        return 0

    async def sync(self, command: Command) -> Outcome:
        """Handler of the command ``template.sync``: read this account (or all) now."""
        asked = command.data.get("waba_id")
        if asked is not None and asked not in self._home:
            raise RequestRefused("There is no such account here.", code="not_found")
        results: dict[str, Any] = {}
        facts: list[Fact] = []
        writes: list[VersionedWrite] = []
        for waba_id in self._home if asked is None else (str(asked),):
            try:
                outcome = await self._read(waba_id)
            except PanalError as error:
                if asked is not None:
                    raise
                results[waba_id] = {"error": error.text}  # what the others brought must not be lost
                continue
            results[waba_id] = outcome.result
            facts += outcome.facts
            writes += outcome.writes
        return Outcome({"accounts": results}, facts, writes)

    async def load(self, changes: Sequence[object]) -> None:
        """Read what ``on_changes`` needs for these, so that it can fail no more. Raises ``Unavailable``."""
        for change in changes:
            if isinstance(change, TemplateUpdate) and change.waba_id is not None and change.waba_id in self._home:
                await self._hold(change.waba_id)

    async def on_changes(self, changes: Sequence[object]) -> tuple[list[Fact], list[VersionedWrite]]:
        """What Meta's webhook tells of templates: facts at once; the whole account is read soon after.

        What is known already, told again or read before it was told, makes no fact.
        """
        facts: list[Fact] = []
        changed: dict[str, Template] = {}
        for change in changes:
            home = self._home.get(change.waba_id or "") if isinstance(change, TemplateUpdate) else None
            if not isinstance(change, TemplateUpdate) or home is None or change.waba_id is None:
                continue
            self._due_at[change.waba_id] = self._clock.monotonic()
            held = await self._hold(change.waba_id)
            known = held.get(change.template_id or "") or changed.get(change.template_id or "")
            fact, template = status_fact(change, known, number=home, now=self._clock.now())
            if known is None or template != known or change.field not in TOLD_BY_STATE:
                facts += told_to_all([fact], self._numbers_of[change.waba_id])
            if template is not None:
                changed[template.id] = template
                if template.id in held:  # a new one is told of as created when the account is read
                    held[template.id] = template
                    self._names.pop(change.waba_id, None)
        return facts, [template_write(template) for template in changed.values()]

    def category_of(self, phone_number_id: str, name: str, language: str) -> str | None:
        """Meta's category of a template (``MARKETING`` …), from memory alone; None: it is not known here."""
        template = self._find(phone_number_id, name, language)
        return None if template is None else template.category

    def text_of(self, phone_number_id: str, sent: Mapping[str, Any]) -> str | None:
        """What a message with this `template` object says, from memory alone; None: the template is not known here."""
        language = sent.get("language")
        code = language.get("code") if isinstance(language, Mapping) else None
        template = self._find(phone_number_id, str(sent.get("name")), str(code))
        return None if template is None else body_text(template.components, sent)

    async def recall(self) -> None:
        """Know every account as it was read last, before the first message is judged. Raises ``Unavailable``."""
        for waba_id in self._home:
            await self._hold(waba_id)

    def _find(self, phone_number_id: str, name: str, language: str) -> Template | None:
        waba_id = self._waba_of.get(phone_number_id, "")
        held = self._held.get(waba_id)
        if held is None:
            return None
        names = self._names.get(waba_id)
        if names is None:
            names = self._names[waba_id] = {(one.name, one.language): one for one in held.values()}
        return names.get((name, language))

    async def _hold(self, waba_id: str) -> dict[str, Template]:
        """The account as the last facts have it."""
        if waba_id not in self._held:
            stored = await self._repository.of_account(waba_id)
            self._held.setdefault(waba_id, {template.id: template for template in stored})
        return self._held[waba_id]

    async def _read(self, waba_id: str) -> Outcome:
        async with self._reading[waba_id]:
            now = self._clock.now()
            is_first = waba_id not in self._read_once and await self._repository.synced_at(waba_id) is None
            await self._hold(waba_id)
            home = self._home[waba_id]
            infos = await self._graph.management.templates(waba_id, self._graph.token_of(home))
            after = {
                template.id: template for info in infos if (template := template_of(info, waba_id, now)) is not None
            }
            before = self._held[waba_id]
            self._held[waba_id] = dict(after)
            self._names.pop(waba_id, None)
            self._read_once.add(waba_id)
            self._due_at[waba_id] = self._clock.monotonic() + self._every_s
        found = [] if is_first else changes_between(before, after, number=home, now=now)
        facts = told_to_all(found, self._numbers_of[waba_id])
        changed = [template for key, template in after.items() if not _same(before.get(key), template)]
        writes = [template_write(template) for template in changed]
        writes += [template_write(gone(template)) for key, template in before.items() if key not in after]
        log.info(
            "Read the templates of an account.",
            extra={"action": "template.synced", "waba_id": waba_id, "count": len(after), "changed": len(writes)},
        )
        result = {"count": len(after), "changed": len(writes)}
        return Outcome(result, facts, [*writes, synced_write(waba_id, now)])


def template_of(info: TemplateInfo, waba_id: str, now: datetime) -> Template | None:
    """Meta's record as ours; None for one without an id."""
    if info.id is None:
        return None
    quality, reason = info.raw.get("quality_score"), _text(info.raw.get("rejected_reason"))
    return Template(
        id=info.id,
        waba_id=waba_id,
        name=info.name,
        language=info.language,
        status=template_status(info.status),
        raw_status=info.status or "",
        category=info.category,
        components=info.components,
        parameter_format=_text(info.raw.get("parameter_format")),
        quality=_text(quality.get("score")) if isinstance(quality, Mapping) else None,
        rejected_reason=None if reason == "NONE" else reason,
        synced_at=now,
    )


def gone(template: Template) -> Template:
    """The same, as one that Meta no longer lists."""
    return replace(template, raw_status="DELETED", status=TemplateStatus.DELETED)


def _same(before: Template | None, after: Template) -> bool:
    """Nothing changed but the time of reading."""
    if before is None:
        return False
    return replace(before, synced_at=None, components=list(before.components or ())) == replace(
        after, synced_at=None, components=list(after.components or ())
    )


def _text(value: object) -> str | None:
    return value if isinstance(value, str) and value else None
