"""A link that does what a test tells it to: it sends to nobody and forgets nothing."""

import asyncio
from collections import deque
from collections.abc import Iterable
from dataclasses import dataclass, field

from services.links import LinkKind, LinkState, NotSubmitted, OutcomeUnknown, OutgoingMessage, SendRefused, Submitted

Failure = SendRefused | NotSubmitted | OutcomeUnknown


@dataclass(frozen=True, slots=True)
class Mark:
    """A read mark that was asked for."""

    phone_number_id: str
    wamid: str
    shows_typing: bool


@dataclass(slots=True)
class ScriptedLink:
    """Each call takes the next step of `script`: a failure is raised, None (and an empty script) is success.

    `sent` holds what WhatsApp would have: every success, and every OutcomeUnknown that is listed in `arrives`.
    `asked` holds all orders, in order. While `gate` is not set, calls wait at it. `names` are WhatsApp's own for some
    of the numbers.
    """

    script: deque[Failure | None] = field(default_factory=deque)
    arrives: list[OutcomeUnknown] = field(default_factory=list)
    asked: list[OutgoingMessage] = field(default_factory=list)
    sent: list[OutgoingMessage] = field(default_factory=list)
    marks: list[Mark] = field(default_factory=list)
    gate: asyncio.Event | None = None
    names: dict[str, str] = field(default_factory=dict)
    kind: LinkKind = LinkKind.CLOUD
    state: LinkState = LinkState.STARTING

    def then(self, steps: Iterable[Failure | None]) -> None:
        """Append to the script."""
        self.script.extend(steps)

    async def send(self, order: OutgoingMessage) -> Submitted:
        self.asked.append(order)
        await self._step(order)
        self.sent.append(order)
        wa_id = self.names.get(order.to, order.to) if order.recipient_kind == "wa_id" else None
        user_id = order.to if order.recipient_kind == "user_id" else None
        return Submitted(wamid=f"wamid.{order.id}", wa_id=wa_id, user_id=user_id)

    async def mark_read(self, phone_number_id: str, wamid: str, *, shows_typing: bool = False) -> None:
        await self._step(None)
        self.marks.append(Mark(phone_number_id, wamid, shows_typing))

    async def _step(self, order: OutgoingMessage | None) -> None:
        if self.gate is not None:
            await self.gate.wait()
        failure = self.script.popleft() if self.script else None
        if failure is None:
            self.state = LinkState.READY
            return
        if isinstance(failure, SendRefused):
            self.state = LinkState.REFUSED if failure.rule.klass == "auth" else LinkState.READY
        else:
            self.state = LinkState.UNREACHABLE
        if order is not None and any(failure is arriving for arriving in self.arrives):
            self.sent.append(order)
        raise failure
