"""The phones: every number in the world is one, and a test scripts those it cares about.

Process: sandbox.
"""

import re
from dataclasses import dataclass

from services.sandbox.wire.ids import user_id_of, wa_id_of
from services.sandbox.wire.notifications import Person
from services.sandbox.wire.shapes import Json
from services.sandbox.world.behaviour import STANDARD, Behaviour
from services.sandbox.world.shelf import Shelf
from services.sandbox.world.storage import Storage

EVERY_PHONE = "*"
"""The name under which a test scripts all phones that have no script of their own."""

USER_ID = re.compile(r"[A-Z]{2}\.(ENT\.)?[0-9A-Za-z]{1,128}")

MAGIC_PREFIX = "19990"
"""`19990` and six digits of an error code: a phone that fails with that code. The area code 999 does not exist."""


@dataclass(frozen=True, slots=True)
class Phone:
    """One person's phone. `key` is the wa_id, or the user id of somebody whose number nobody knows."""

    key: str
    person: Person
    behaviour: Behaviour


class Phones:
    """Scripts by wa_id, kept in the storage; everything else about a phone is computed from its number."""

    def __init__(self, storage: Storage) -> None:
        self._shelf = Shelf(storage, "phone")
        self._behaviours: dict[str, Behaviour] = {}
        self._aliases: dict[str, str] = {}
        self._replies_used = Shelf(storage, "replies_used")

    def load(self) -> None:
        self._shelf.load()
        self._replies_used.load()
        self._behaviours = {key: Behaviour.model_validate(thing) for key, thing in self._shelf.items()}
        self._index_aliases()

    def forget(self) -> None:
        """After the storage was cleared: no phone has a script."""
        self.load()

    def by_number(self, digits: str) -> Phone:
        """The phone that a number leads to; an alias leads to its owner's."""
        key = self._aliases.get(digits, digits) if self._aliases else digits
        behaviour = self.behaviour_of(key)
        wa_id = None if behaviour.hides_number else key
        return Phone(key, Person(user_id_of(key), wa_id, behaviour.name, behaviour.username), behaviour)

    def by_user_id(self, user_id: str) -> Phone:
        """The phone of a business-scoped user id; one that the sandbox did not make is a person without a number."""
        wa_id = wa_id_of(user_id)
        if wa_id is not None and user_id_of(wa_id) == user_id:
            return self.by_number(wa_id)
        behaviour = self.behaviour_of(user_id)
        return Phone(user_id, Person(user_id, None, behaviour.name, behaviour.username), behaviour)

    def by_key(self, key: str) -> Phone:
        """The phone of a key that `Phone.key` gave."""
        return self.by_number(key) if key.isdecimal() else self.by_user_id(key)

    def behaviour_of(self, key: str) -> Behaviour:
        if key in self._behaviours:
            return self._behaviours[key]
        if len(key) == 11 and key.startswith(MAGIC_PREFIX):
            return Behaviour(fails=int(key[len(MAGIC_PREFIX) :]))
        return self._behaviours.get(EVERY_PHONE, STANDARD)

    def script(self, key: str, changes: Json) -> tuple[Behaviour, Behaviour]:
        """Change some keys of a phone's behaviour; gives it before and after. ValidationError names what is wrong."""
        before = self.behaviour_of(key)
        after = Behaviour.model_validate({**before.model_dump(), **changes})
        self._behaviours[key] = after
        self._shelf.put(key, after.model_dump())
        if "replies" in changes:
            self._replies_used.drop(key)
        self._index_aliases()
        return before, after

    def unscript(self, key: str) -> bool:
        """Back to the standard behaviour. Whether there was a script."""
        self._behaviours.pop(key, None)
        self._replies_used.drop(key)
        self._index_aliases()
        return self._shelf.drop(key)

    def scripted(self) -> dict[str, Behaviour]:
        return dict(self._behaviours)

    def next_reply(self, phone: Phone) -> Json | None:
        """What the person answers to one more message: a message object, or None. A list is used up in turn."""
        replies = phone.behaviour.replies
        if replies is None:
            return None
        if isinstance(replies, list):
            used = (self._replies_used.get(phone.key) or {"count": 0})["count"]
            if used >= len(replies):
                return None
            self._replies_used.put(phone.key, {"count": used + 1})
            replies = replies[used]
        return {"type": "text", "text": {"body": replies}} if isinstance(replies, str) else dict(replies)

    def _index_aliases(self) -> None:
        self._aliases = {alias: key for key, one in self._behaviours.items() for alias in one.aliases}
