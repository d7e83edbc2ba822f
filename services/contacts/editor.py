"""Facts about contacts. Each function changes what the owner knows and answers what is to be recorded.

Process: whatsapp.
"""

from collections.abc import Mapping, Sequence
from dataclasses import replace
from datetime import datetime
from typing import Any, Final, Protocol

from config.ids import new_id, new_order
from services.contacts.changes import Change, Decision, Entry, Patch, addresses_at, event_data
from services.contacts.consents import ConsentState
from services.contacts.documents import NOT_OPTED_OUT, OUT_AT_NUMBERS, consent_document
from services.contacts.identity import Identity, identity_of_key
from services.contacts.profiles import Profile, merged_attributes, merged_profiles, stored_profile, strictest
from services.contacts.records import ConsentCategory, ConsentStatus
from services.contacts.requests import MAX_LABELS
from services.contacts.state import ContactState, Known
from services.conversations import holders_of, keys_of, surplus
from services.store import Fact

MAX_HISTORIES: Final = 1_000

_OTHER: Final = {ConsentStatus.OUT: "contact.opted_out", ConsentStatus.IN: "contact.opted_in"}


class Aliases(Protocol):
    """Under which addresses people have conversations."""

    async def load_keys(self, keys: Sequence[str]) -> None:
        """Know these. Raises ``Unavailable``."""
        ...

    def aliases_of(self, key: str) -> tuple[str, ...]:
        """Every address of the person who has this one; empty when nobody is known to have it."""
        ...


class ContactEditor:
    """Turns what was learned into entries and facts. ``load`` the keys first: everything here is memory."""

    def __init__(self, state: ContactState, consents: ConsentState, aliases: Aliases | None = None) -> None:
        """``aliases`` know addresses of people who are no contacts yet."""
        self._state = state
        self._consents = consents
        self._aliases = aliases
        self._histories: dict[str, list[Mapping[str, Any]]] = {}

    async def load(self, keys: Sequence[str]) -> None:
        """Know these contacts and all consents. Raises ``Unavailable``."""
        await self.load_people([identity_of_key(key) for key in keys])

    async def load_people(self, identities: Sequence[Identity]) -> None:
        """The same for people of whom several addresses are known. Raises ``Unavailable``."""
        await self._consents.load()
        await self._state.load([key for identity in identities for key in identity.keys])
        if self._aliases is not None:
            # Who has one address alone, and is no contact, may have been seen with another one.
            alone = [one.key for one in identities if len(one.keys) == 1 and self._state.by_key(one.key) is None]
            if alone:
                await self._aliases.load_keys(alone)
                await self._state.load([alias for key in alone for alias in self._aliases.aliases_of(key)])
        for identity in identities:
            people = self._state.of(self._whole(identity))
            for known in people if len(people) > 1 else ():
                if len(self._histories) > MAX_HISTORIES:
                    self._histories.clear()
                self._histories[known.id] = await self._state.history_of(known.id)

    async def load_id(self, contact_id: str) -> Known | None:
        """The same for one contact by its id; None: there is none."""
        await self._consents.load()
        return await self._state.load_id(contact_id)

    def known(self, identity: Identity) -> Known | None:
        """The contact of this person, the one with the phone number first."""
        return next(iter(self._state.of(self._whole(identity))), None)

    def _whole(self, identity: Identity) -> Identity:
        """With the addresses under which the person has conversations."""
        if self._aliases is None or len(identity.keys) > 1 or self._state.by_key(identity.key) is not None:
            return identity
        return replace(identity, former=self._aliases.aliases_of(identity.key))

    def join(self, identity: Identity, number: str, now: datetime) -> list[Fact]:
        """These addresses were seen together: their contacts become one, and addresses that were others' pass on."""
        people, lost = holders_of(identity, self._state.by_key)
        facts = []
        for known, key in lost:
            self._state.give_up(known, key)
            if known.wa_id is not None and key == f"wa:{known.wa_id}":
                known.wa_id = None
            known.key = Identity(known.wa_id, known.user_id).key
            self._consents.note([key], None, dict.fromkeys(known.decided_at))
            known.profiles.setdefault(number, Profile())
            data = event_data(known, number, Change(["addresses", "wa_id"]), source="message")
            facts.append(Fact("contact.updated", number, now, data))
        if len(people) > 1:
            into = min(people, key=lambda known: known.id)
            facts += [self._absorb(into, known, number, now) for known in people if known is not into]
        return facts

    def _absorb(self, into: Known, known: Known, number: str, now: datetime) -> Fact:
        """One contact becomes part of another. What either refused to get stays refused."""
        into.wa_id, into.user_id = into.wa_id or known.wa_id, into.user_id or known.user_id
        into.keys = tuple(dict.fromkeys((*into.keys, *known.keys)))
        into.key = Identity(into.wa_id, into.user_id).key
        for name in ("name", "profile_name", "username"):
            setattr(into, name, getattr(into, name) or getattr(known, name))
        into.labels = tuple(dict.fromkeys((*into.labels, *known.labels)))[:MAX_LABELS]
        into.numbers |= known.numbers | {number}
        into.profiles = merged_profiles(into.profiles, known.profiles)
        into.profiles.setdefault(number, Profile())
        for told, decided in known.decided_at.items():
            into.decided_at[told] = merged_decisions(into.decided_at.get(told, {}), decided)
        into.attributes = merged_attributes(into.attributes, known.attributes)
        for category, status in known.consent.items():
            if category not in into.consent or status is ConsentStatus.OUT is not into.consent[category]:
                into.consent[category] = status
                into.entries[category] = known.entries[category]
        into.opted_out = opted_out_by(into.consent)
        self._state.merge(into, known)
        self._give_up_surplus(into)
        self._state.hold(into)
        self._note(into)
        profile = into.profiles[number]
        change = Change(["addresses"], profile.attributes, whole_attributes=into.attributes, of_whole=["addresses"])
        history = self._histories.pop(known.id, [])
        consent = {category.value: dict(entry) for category, entry in into.entries.items()}
        data = {
            **event_data(into, number, change, source="message"),
            "merged_id": known.id,
            "phone_number_ids": [number],
            "consent": {name: entry for name, entry in consent.items() if entry.get("number") == number},
            "consent_history": [entry for entry in history if entry.get("number") == number],
            "opted_out": opted_out_at(into, number),
            "consent_order": new_order(),
            "contact_merge": {
                "phone_number_ids": sorted(into.numbers),
                "consent": consent,
                "consent_history": history,
                "opted_out": stored_opted_out(into),
                "consent_at": into.decided_at,
                "profiles": {told: stored_profile(one, into.wa_id) for told, one in into.profiles.items()},
            },
        }
        return Fact("contact.merged", number, now, data)

    def save(
        self,
        identity: Identity,
        number: str,
        patch: Patch,
        *,
        source: str,
        limit: frozenset[str] = frozenset(),
        is_by_id: bool = False,
    ) -> tuple[Known, Entry | None]:
        """Make or change the contact of this person, through ``number``. None: there is nothing new.

        ``limit``: for a key of these numbers alone. Of a contact that another number knows as well it changes what
        ``number`` knows, and nothing else. ``is_by_id``: nobody named an address, so the number learns none.
        """
        given, identity = identity.keys, self._whole(identity)
        told = given if limit else identity.keys
        people = self._state.of(identity)
        known = people[0] if people else None
        is_new = known is None
        if known is None:
            known = Known(new_id("con"), identity.key, None, None)
        change, is_limited, is_first = Change(), is_shared(known, limit), number not in known.numbers
        if not is_limited:
            change.of_whole = self._identify(known, identity)
            change.apply_to_whole(known, patch)
            told = tuple(key for key in told if key in known.keys)  # others belong to somebody else
        profile = known.profiles.setdefault(number, Profile())
        if is_by_id and profile.keys:
            told = ()
        change.apply_to_profile(known, profile, patch, told=told, is_first=is_first)
        known.numbers |= {number}
        if not change.changed and not change.of_whole and not is_new:
            return known, None
        if is_first and not is_new and not is_limited:
            # All of it is new to this number: what is told is what was new to everybody.
            change.changed = [*change.of_whole, "phone_number_ids"]
        self._state.hold(known)
        self._note(known)
        data = event_data(known, number, change, source=source, is_new=is_new, is_limited=is_limited)
        return known, Entry(is_new, data, is_first)

    def decide(
        self, identity: Identity, number: str, decision: Decision, now: datetime, *, limit: frozenset[str] = frozenset()
    ) -> list[Fact]:
        """Record a decision for every contact of this person. Nothing when it is known already."""
        people = self._state.of(self._whole(identity))
        return [fact for known in people for fact in self.decide_for(known, number, decision, now, limit=limit)]

    def decide_for(
        self, known: Known, number: str, decision: Decision, now: datetime, *, limit: frozenset[str] = frozenset()
    ) -> list[Fact]:
        """Record a decision for one contact, told through ``number``.

        ``limit``: for a key of these numbers alone. Of a contact that another number knows as well it decides for
        these numbers only: it neither stops what others send nor lifts what others were told.
        """
        limited = sorted(limit) if is_shared(known, limit) else []
        data: dict[str, Any] = {
            "contact_id": known.id,
            **addresses_at(known, number),
            "category": decision.category.value,
            "status": decision.status.value,
            "source": decision.source,
            "proof": dict(decision.proof),
            "decided_at": decision.at,
            "limited_to": limited,
        }
        entry = consent_document(data, number)
        is_new = self._decide_at(known, decision, entry, limited)
        if not limited:
            is_new = self._decide_for_all(known, decision, entry) or is_new
        if not is_new:
            return []
        self._note(known)
        data |= {
            "opted_out": opted_out_at(known, number),
            "opted_out_stored": stored_opted_out(known),
            "consent_at": known.decided_at,
            "order": new_order(),
        }
        return [Fact(_OTHER[decision.status], number, now, data)]

    def _decide_for_all(self, known: Known, decision: Decision, entry: Mapping[str, Any]) -> bool:
        """Every number is to keep to it. False: that was so already."""
        consent = dict(known.consent) | dict.fromkeys(_decided(decision), decision.status)
        if consent == known.consent:
            return False
        decided = [category for category, status in consent.items() if known.consent.get(category) is not status]
        known.consent = consent
        known.opted_out = opted_out_by(consent)
        known.entries |= dict.fromkeys(decided, entry)
        return True

    def _decide_at(self, known: Known, decision: Decision, entry: Mapping[str, Any], numbers: Sequence[str]) -> bool:
        """Only these numbers are to keep to it; without numbers, what all agree to lifts what single ones were told."""
        lifts = not numbers and decision.status is ConsentStatus.IN
        is_new = False
        for number in list(known.decided_at) if lifts else numbers:
            at = dict(known.decided_at.get(number, {}))
            for category in _decided(decision):
                status = at[category.value]["status"] if category.value in at else None
                if status != decision.status.value and (status is not None or not lifts):
                    at[category.value] = entry
                    is_new = True
            known.decided_at = {**known.decided_at, number: at}
        return is_new

    def _note(self, known: Known) -> None:
        at = {number: _strictest_of(decided) for number, decided in known.decided_at.items()}
        self._consents.note(known.keys, known.opted_out, at)

    def _identify(self, known: Known, identity: Identity) -> list[str]:
        """Learn addresses that nobody else has. Those in use change when the person is known to be there now."""
        changed = []
        free = [key for key in identity.keys if self._state.by_key(key) in (None, known)]
        keys = tuple(dict.fromkeys((*known.keys, *free)))
        if keys != known.keys:
            known.keys = keys
            changed.append("addresses")
        is_late = identity.seen_at is not None and known.moved_at is not None and identity.seen_at < known.moved_at
        for name, kind in (("wa_id", "wa"), ("user_id", "user")):
            now, seen = getattr(known, name), getattr(identity, name)
            addresses = [key.partition(":")[2] for key in free if key.startswith(f"{kind}:")]
            if seen in addresses and seen != now and (now is None or (identity.is_current and not is_late)):
                setattr(known, name, seen)
                changed.append(name)
                known.moved_at = identity.seen_at if now is not None else known.moved_at
            elif now is None and addresses:
                setattr(known, name, addresses[0])
                changed.append(name)
        known.key = Identity(known.wa_id, known.user_id).key
        self._give_up_surplus(known)
        return changed

    def _give_up_surplus(self, known: Known) -> None:
        """Who had many addresses keeps the newest, and those in use."""
        in_use = keys_of(known.wa_id, known.user_id)
        for key in surplus(known.keys, in_use):
            self._state.give_up(known, key)


def opted_out_by(consent: Mapping[ConsentCategory, ConsentStatus]) -> ConsentCategory | None:
    """What these decisions stop: everything before marketing."""
    categories = (ConsentCategory.ALL, ConsentCategory.MARKETING)
    return next((category for category in categories if consent.get(category) is ConsentStatus.OUT), None)


def opted_out_at(known: Known, number: str) -> str | None:
    """What this number must not send to the contact, through whichever number the decision came."""
    return strictest([known.opted_out, _strictest_of(known.decided_at.get(number, {}))])


def stored_opted_out(known: Known) -> str:
    """``opted_out`` as it is stored: an index finds everybody by it who must not get something from somebody."""
    if known.opted_out is not None:
        return known.opted_out.value
    outs = [_strictest_of(decided) for decided in known.decided_at.values()]
    return OUT_AT_NUMBERS if any(outs) else NOT_OPTED_OUT


def is_shared(known: Known, limit: frozenset[str]) -> bool:
    """Does a number beyond the limit know this contact? Never without a limit."""
    return bool(limit) and not known.numbers <= limit


def merged_decisions(
    one: Mapping[str, Mapping[str, Any]], other: Mapping[str, Mapping[str, Any]]
) -> dict[str, Mapping[str, Any]]:
    """Decisions of two contacts that are one person: what either refused stays refused."""
    return {**other, **{name: entry for name, entry in one.items() if other.get(name, {}).get("status") != "out"}}


def _decided(decision: Decision) -> list[ConsentCategory]:
    """Categories that a decision is about. Consent to everything is consent to marketing, too."""
    is_all = decision.status is ConsentStatus.IN and decision.category is ConsentCategory.ALL
    return [decision.category, *([ConsentCategory.MARKETING] if is_all else [])]


def _strictest_of(decided: Mapping[str, Mapping[str, Any]]) -> ConsentCategory | None:
    found = strictest([name for name, entry in decided.items() if entry["status"] == ConsentStatus.OUT.value])
    return ConsentCategory(found) if found else None
