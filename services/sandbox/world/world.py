"""The world: everything the sandbox keeps, put together once.

Process: sandbox.
"""

import asyncio
import random
import secrets
import time
from dataclasses import dataclass

from services.sandbox.hooks.outbox import Outbox
from services.sandbox.options import Options
from services.sandbox.wire.ids import IdMaker
from services.sandbox.wire.notifications import Sender, status_event
from services.sandbox.wire.shapes import Json, notification_bytes
from services.sandbox.wire.statuses import has_conversations
from services.sandbox.world.calls import Calls
from services.sandbox.world.messages import Messages
from services.sandbox.world.phones import Phone, Phones
from services.sandbox.world.rate_limits import RateLimits
from services.sandbox.world.rules import Rules
from services.sandbox.world.settings import SettingsShelf
from services.sandbox.world.shelf import Shelf
from services.sandbox.world.storage import Storage

SHUFFLE_WITHIN_S = 0.4


@dataclass(frozen=True, slots=True)
class Delivery:
    """How a notification goes out: how many copies more, and whether it keeps its place."""

    extra_copies: int = 0
    shuffles: bool = False


class World:
    """Holds the stores; the rules of the game are in `life` and in the handlers."""

    def __init__(self, options: Options) -> None:
        self.options = options
        self.storage = Storage(options.folder)
        self.outbox = Outbox(self.storage)
        self.calls = Calls(self.storage)
        self.messages = Messages(self.storage)
        self.phones = Phones(self.storage)
        self.rules = Rules(self.storage)
        self.settings = SettingsShelf(self.storage)
        self.counters = Shelf(self.storage, "counter")
        self.numbers = Shelf(self.storage, "number")
        self.accounts = Shelf(self.storage, "account")
        self.apps = Shelf(self.storage, "app")
        self.templates = Shelf(self.storage, "template")
        self.media = Shelf(self.storage, "media")
        self.uploads = Shelf(self.storage, "upload")
        self.handles = Shelf(self.storage, "handle")
        self.flows = Shelf(self.storage, "flow")
        self.pace = RateLimits()
        self.ids = IdMaker(b"")
        self.conversations_shown = has_conversations(options.api_version)
        self.chance = random.Random()  # noqa: S311 - repeatable chance is the point
        self._traces = 0

    def open(self) -> None:
        """Read everything back. OSError or sqlite3.Error when the data folder cannot be used."""
        self.storage.open()
        self._load()

    def close(self) -> None:
        self.storage.close()

    def reset(self) -> None:
        """Forget everything; seed again. Without a fixed seed the ids that follow were never given before."""
        self.storage.clear()
        self.pace.forget()
        self._load()

    def now(self) -> float:
        """Unix seconds."""
        return time.time()

    def settled(self) -> asyncio.Future[None]:
        return self.storage.settled()

    def new_object_id(self, kind: str) -> str:
        """An id that no object of this world has had."""
        count = (self.counters.get("objects") or {"count": 0})["count"] + 1
        self.counters.put("objects", {"count": count})
        return self.ids.object_id(kind, count)

    def new_trace_id(self) -> str:
        self._traces += 1
        return self.ids.trace_id(self._traces)

    def sender_of(self, phone_number_id: str) -> Sender:
        number = self.numbers.get(phone_number_id) or {}
        display = number.get("display_phone_number", self.options.display_phone_number)
        return Sender(number.get("waba", self.options.waba), phone_number_id, display)

    def webhook_of(self, waba_id: str, phone_number_id: str | None) -> str:
        """Where notifications go: an override of the phone number, else of the account, else of the app; "" = nowhere.

        Source: Meta, "Webhook overrides".
        """
        number = self.numbers.get(phone_number_id) if phone_number_id else None
        for thing in (number, self.accounts.get(waba_id), *(app for _, app in self.apps.items())):
            if thing is not None and thing.get("webhook_url"):
                return str(thing["webhook_url"])
        return self.options.webhook_url

    def notify_status(self, status: Json, *, phone_number_id: str, phone: Phone, delivery: Delivery) -> None:
        """A status of a message of this phone."""
        sender = self.sender_of(phone_number_id)
        event = status_event(sender, phone.person, status)
        waba_id = sender.waba_id
        self.notify(event, waba_id=waba_id, phone_number_id=phone_number_id, lane=phone.key, delivery=delivery)

    def notify(
        self,
        event: Json,
        *,
        waba_id: str,
        phone_number_id: str | None = None,
        lane: str = "account",
        delivery: Delivery | None = None,
    ) -> None:
        """Queue this notification for the webhook, if there is one. `lane` keeps those about one phone in order."""
        url = self.webhook_of(waba_id, phone_number_id)
        if not url or (self.accounts.get(waba_id) or {}).get("is_unsubscribed"):
            return
        body = notification_bytes(event)
        at = self.now()
        copies = 1 + (delivery.extra_copies if delivery else 0)
        for copy in range(copies):
            shuffles = delivery is not None and delivery.shuffles
            if shuffles:
                # A lane of its own has no order towards anything else; a short wait by chance mixes them for sure.
                name, hold_s = f"shuffled/{secrets.token_hex(8)}/{copy}", self.chance.uniform(0, SHUFFLE_WITHIN_S)
            else:
                name, hold_s = f"{phone_number_id or waba_id}/{lane}", 0.0
            self.outbox.owe(name, url, body, at=at, hold_s=hold_s)

    def _load(self) -> None:
        for shelf in (self.counters, self.numbers, self.accounts, self.apps, self.templates, self.media, self.uploads):
            shelf.load()
        for shelf in (self.handles, self.flows):
            shelf.load()
        for part in (self.calls, self.messages, self.phones, self.rules, self.settings, self.outbox):
            part.load()
        seed = self.counters.get("seed")
        if seed is None:
            fixed = self.options.seed
            seed = {"value": f"seed-{fixed}" if fixed is not None else secrets.token_hex(16)}
            self.counters.put("seed", seed)
        self.chance.seed(seed["value"])
        self.ids = IdMaker(seed["value"].encode("utf-8"))
        self.storage.flush()
