"""Keeps contacts and consents in step with what customers do: they write, say STOP, or tell WhatsApp.

Process: whatsapp.
"""

import logging
from collections.abc import Sequence
from datetime import datetime
from typing import Final

from config.clock import Clock
from services.cloud_webhook import InboundMessage, StatusUpdate, UserPreference
from services.contacts.changes import Decision, Patch
from services.contacts.editor import ContactEditor
from services.contacts.identity import Identity
from services.contacts.keywords import Keywords, spoken_text
from services.contacts.records import ConsentCategory, ConsentSource, ConsentStatus
from services.conversations import keys_of
from services.store import Fact

log = logging.getLogger(__name__)

STOPPED_MARKETING: Final = 131050
"""Meta's error for a marketing message to somebody who stopped them. Source: Meta, "Error codes" (2026-06)."""

MAX_NAME_CHARS: Final = 200
_CHOICES: Final = {"stop": ConsentStatus.OUT, "resume": ConsentStatus.IN}


class ContactEvents:
    """Facts about contacts from a batch of changes. Duplicates are to be dropped before."""

    def __init__(
        self,
        editor: ContactEditor,
        clock: Clock,
        *,
        keywords: Keywords,
        keyword_category: ConsentCategory,
        numbers: Sequence[str],
    ) -> None:
        """``numbers`` are the phone_number_ids that are operated here, the default one first."""
        self._editor = editor
        self._clock = clock
        self._keywords = keywords
        self._keyword_category = keyword_category
        self._numbers = tuple(numbers)

    async def on_changes(self, changes: Sequence[object], seen: Sequence[tuple[str, Identity]] = ()) -> list[Fact]:
        """Facts of inbound messages, user preferences and 131050 statuses; other changes are passed over.

        ``seen`` are addresses that were told together, with the number of ours to which they were: contacts learn
        them, nobody becomes a contact by it. Raises ``Unavailable``: then nothing was changed, and the batch is to
        come again.
        """
        people = [(change, identity) for change in changes if (identity := _person(change)) is not None]
        await self._editor.load_people([identity for _, identity in (*people, *seen)])
        facts: list[Fact] = []
        now = self._clock.now()
        for number, identity in seen:
            facts += self._editor.join(identity, number, now)
            if self._editor.known(identity) is not None:
                _, entry = self._editor.save(identity, number, Patch(), source="status")
                facts += [] if entry is None else [entry.fact(number, now)]
        for change, identity in people:
            facts += self._editor.join(identity, self._log_of(change), now)
            if isinstance(change, InboundMessage):
                facts += self._on_message(change, identity, now)
            elif isinstance(change, UserPreference):
                facts += self._on_preference(change, identity, now)
            elif isinstance(change, StatusUpdate):
                facts += self._on_status(change, identity, now)
        return facts

    def _on_message(self, change: InboundMessage, identity: Identity, now: datetime) -> list[Fact]:
        number = change.phone_number_id
        if number not in self._numbers or number is None:
            return []
        names: dict[str, str | None] = {}
        if change.profile_name:
            names["profile_name"] = change.profile_name[:MAX_NAME_CHARS]
        if change.username:
            names["username"] = change.username[:MAX_NAME_CHARS]
        _, entry = self._editor.save(identity, number, Patch(names=names), source="message")
        facts = [] if entry is None else [entry.fact(number, now)]
        text = spoken_text(change.kind, change.content)
        status = None if text is None else self._keywords.status_of(text)
        if status is not None:
            category = self._keyword_category if status is ConsentStatus.OUT else ConsentCategory.ALL
            proof = {"message_id": change.wamid, "text": text, "at": change.at or now}
            decision = Decision(category, status, change.at or now, ConsentSource.KEYWORD.value, proof)
            facts += self._editor.decide(identity, number, decision, now)
        return facts

    def _on_preference(self, change: UserPreference, identity: Identity, now: datetime) -> list[Fact]:
        status = _CHOICES.get((change.choice or "").lower())
        if status is None:
            log.warning(
                "A user preference has a word that nobody knows.",
                extra={"action": "preference.unknown", "category": change.category, "choice": change.choice},
            )
            return []
        proof = {"category": change.category, "detail": change.detail, "at": change.at or now}
        source = ConsentSource.USER_PREFERENCE.value
        decision = Decision(_MARKETING, status, change.at or now, source, proof)
        return self._learned(change, identity, decision, now)

    def _on_status(self, change: StatusUpdate, identity: Identity, now: datetime) -> list[Fact]:
        """WhatsApp refused a marketing message for this reason: the news of the choice itself may have been lost."""
        proof = {"message_id": change.wamid, "error": STOPPED_MARKETING, "at": change.at or now}
        source = ConsentSource.PLATFORM.value
        decision = Decision(_MARKETING, ConsentStatus.OUT, change.at or now, source, proof)
        return self._learned(change, identity, decision, now)

    def _log_of(self, change: object) -> str:
        told_to = change.phone_number_id if isinstance(change, InboundMessage | UserPreference | StatusUpdate) else None
        return told_to if told_to in self._numbers and told_to is not None else self._numbers[0]

    def _learned(
        self,
        change: UserPreference | StatusUpdate,
        identity: Identity,
        decision: Decision,
        now: datetime,
    ) -> list[Fact]:
        """A decision of somebody who may never have written to us. It holds whichever number was told."""
        number = self._log_of(change)
        _, entry = self._editor.save(identity, number, Patch(), source=decision.source)
        facts = [] if entry is None else [entry.fact(number, now)]
        return facts + self._editor.decide(identity, number, decision, now)


_MARKETING: Final = ConsentCategory.MARKETING


def _person(change: object) -> Identity | None:
    """Who this change is about; None for changes that say nothing about a contact."""
    if isinstance(change, InboundMessage):
        now = change.now
        former = keys_of(change.from_wa_id, change.from_user_id)
        identity = Identity(now.wa_id, now.user_id, former, is_current=True, seen_at=change.at)
    elif isinstance(change, UserPreference):
        identity = Identity(change.wa_id, change.user_id, is_current=True, seen_at=change.at)
    elif isinstance(change, StatusUpdate):
        if not any(error.code == STOPPED_MARKETING for error in change.errors):
            return None
        is_person = change.recipient_type in (None, "individual")
        identity = Identity(change.recipient_id if is_person else None, change.recipient_user_id)
    else:
        return None
    return identity if identity.keys else None
