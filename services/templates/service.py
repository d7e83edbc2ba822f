"""Templates of an account, changed there: create, edit, delete. What changed is read back into the catalogue.

Process: worker.
"""

from collections.abc import Iterator, Mapping
from contextlib import contextmanager, suppress
from typing import Any

from config.errors import RequestRefused, Unavailable
from services.commands import CommandClient
from services.graph import ErrorClass, GraphAccess, GraphRefused, TemplateCreated
from services.keys import Caller, NotPermitted
from services.numbers import Number, NumberCache
from services.templates.records import Template


class TemplateRefused(RequestRefused):
    """WhatsApp does not want this template, or this change: the caller can mend it."""

    code = "template_refused"


class TemplateService:
    """Calls WhatsApp for a caller.

    Every call may raise ``TemplateRefused``, or ``GraphRefused``, ``GraphUnreachable``, ``GraphUnknown`` for what the
    caller cannot mend.
    """

    def __init__(self, graph: GraphAccess, numbers: NumberCache, commands: CommandClient) -> None:
        self._graph = graph
        self._numbers = numbers
        self._commands = commands

    async def number_of(self, waba_id: str | None, caller: Caller) -> Number:
        """A number of this account that the caller may use; without an account, his first one. Raises ``not_found``."""
        for number in await self._numbers.all():
            if caller.may_use(number.phone_number_id) and waba_id in (None, number.waba_id):
                return number
        raise RequestRefused("There is no such account here.", code="not_found")

    async def require_all(self, waba_id: str, caller: Caller) -> None:
        """Templates are every number's of the account. Raise ``NotPermitted`` unless the caller may use all of them."""
        numbers = [one for one in await self._numbers.all() if one.waba_id == waba_id]
        if not all(caller.may_use(one.phone_number_id) for one in numbers):
            raise NotPermitted("Templates are shared by every number of the account; this API key is limited to some.")

    async def create(self, number: Number, definition: Mapping[str, Any], caller: Caller) -> TemplateCreated:
        """A new template; WhatsApp reviews it. The answer has its id, its state and its category."""
        await self.require_all(number.waba_id, caller)
        token = self._graph.token_of(number.phone_number_id)
        with _callers_fault():
            created = await self._graph.management.create_template(number.waba_id, token, definition)
        await self.read_again(number.waba_id, caller)
        return created

    async def edit(self, number: Number, template_id: str, changes: Mapping[str, Any], caller: Caller) -> None:
        """Other components or another category; it is reviewed again."""
        await self.require_all(number.waba_id, caller)
        token = self._graph.token_of(number.phone_number_id)
        with _callers_fault():
            await self._graph.management.edit_template(template_id, token, changes)
        await self.read_again(number.waba_id, caller)

    async def delete(self, number: Number, template: Template, caller: Caller) -> None:
        """This language of a template."""
        await self.require_all(number.waba_id, caller)
        token = self._graph.token_of(number.phone_number_id)
        with _callers_fault():
            await self._graph.management.delete_template(number.waba_id, token, template.name, template_id=template.id)
        await self.read_again(number.waba_id, caller)

    async def read_again(self, waba_id: str, caller: Caller) -> None:
        """Bring the catalogue up to date; when that takes too long it will be done all the same."""
        with suppress(Unavailable, RequestRefused):
            await self._commands.submit("template.sync", {"waba_id": waba_id}, by=caller.key_id, runs_concurrently=True)


@contextmanager
def _callers_fault() -> Iterator[None]:
    """What WhatsApp would refuse for ever is the caller's to mend."""
    try:
        yield
    except GraphRefused as refusal:
        if refusal.klass is not ErrorClass.FAIL:
            raise
        raise TemplateRefused(
            refusal.details or refusal.title,
            detail=refusal.detail,
            extra={"graph_code": refusal.graph_code, "subcode": refusal.subcode},
        ) from refusal
