"""What callers may do to contacts, as the owner does it. Repeating one changes nothing more.

Process: whatsapp.
"""

from collections.abc import Mapping, Sequence
from datetime import UTC, datetime
from typing import Any, Final

from config.clock import Clock
from config.errors import Fault, RequestRefused
from services.commands import Command, Outcome
from services.contacts.changes import Decision, Entry, Patch
from services.contacts.editor import ContactEditor, is_shared
from services.contacts.identity import Identity, identity_of_key
from services.contacts.profiles import Profile
from services.contacts.records import ConsentCategory, ConsentSource, ConsentStatus
from services.contacts.requests import MAX_ATTRIBUTES, MAX_LABELS, all_of
from services.contacts.state import Known
from services.store import Fact

ROWS_PER_EVENT: Final = 100


class ContactCommands:
    """Handlers of ``contact.*`` commands."""

    def __init__(self, editor: ContactEditor, clock: Clock, *, numbers: Sequence[str]) -> None:
        """``numbers`` are the phone_number_ids that this owner keeps a log of, the default one first."""
        self._editor = editor
        self._clock = clock
        self._numbers = tuple(numbers)

    async def save(self, command: Command) -> Outcome:
        """Make a contact, or change one. Raises ``RequestRefused`` (unknown, too many labels or attributes)."""
        data, limit = command.data, _limit(command)
        known, identity = await self._find(data, limit)
        number, patch = self._log_of(command, known), _patch(data)
        _check_room(known, patch, number, limit)
        known, entry = self._editor.save(
            identity,
            number,
            patch,
            source=ConsentSource.API.value,
            limit=limit,
            is_by_id=bool(data.get("contact_id")),
        )
        facts = [] if entry is None else [entry.fact(number, self._clock.now())]
        # A limited key is not told that others knew the contact before.
        is_new = entry is not None and (entry.is_new or (bool(limit) and entry.is_first))
        return Outcome({"contact_id": known.id, "is_new": is_new}, facts)

    async def opt_out(self, command: Command) -> Outcome:
        """Write no more to this person: nothing of the category, or nothing at all."""
        return await self._decide(command, ConsentStatus.OUT)

    async def opt_in(self, command: Command) -> Outcome:
        """This person agreed to be written to."""
        return await self._decide(command, ConsentStatus.IN)

    async def import_rows(self, command: Command) -> Outcome:
        """Rows of a CSV file that were checked already; the result counts what became of them."""
        number, limit = self._log_of(command, None), _limit(command)
        rows = command.data["rows"]
        await self._editor.load([row["key"] for row in rows])
        now = self._clock.now()
        entries: list[Entry] = []
        facts: list[Fact] = []
        errors: list[dict[str, Any]] = []
        for row in rows:
            identity, patch = identity_of_key(row["key"]), _patch(row)
            try:
                _check_room(self._editor.known(identity), patch, number, limit)
            except RequestRefused as refusal:
                errors += [{"line": row["line"], "path": f.path, "reason": f.reason} for f in refusal.faults]
                continue
            _, entry = self._editor.save(identity, number, patch, source=ConsentSource.IMPORT.value, limit=limit)
            if entry is not None:
                entries.append(entry)
            for decision in row.get("decisions", ()):
                facts += self._editor.decide(identity, number, _decision(decision), now, limit=limit)
        for start in range(0, len(entries), ROWS_PER_EVENT):
            part = [dict(entry.data) for entry in entries[start : start + ROWS_PER_EVENT]]
            writes = [entry.pop("contact_write") for entry in part]
            imported = {"count": len(part), "contacts": part, "contact_writes": writes}
            facts.insert(start // ROWS_PER_EVENT, Fact("contact.imported", number, now, imported))
        created = sum(entry.is_new or (bool(limit) and entry.is_first) for entry in entries)
        counts = {"created": created, "updated": len(entries) - created, "rows": len(rows)}
        decided = sum(fact.type != "contact.imported" for fact in facts)
        return Outcome({**counts, "consents": decided, "errors": errors}, facts)

    async def _decide(self, command: Command, status: ConsentStatus) -> Outcome:
        data, limit, now = command.data, _limit(command), self._clock.now()
        known, identity = await self._find(data, limit)
        number, facts = self._log_of(command, known), list[Fact]()
        if known is None or (limit and limit.isdisjoint(known.numbers)):
            known, entry = self._editor.save(identity, number, Patch(), source=ConsentSource.API.value, limit=limit)
            facts += [] if entry is None else [entry.fact(number, now)]
        decision = _decision({**data, "status": status.value})
        facts += self._editor.decide(identity, number, decision, now, limit=limit)
        return Outcome({"contact_id": known.id, "is_changed": bool(facts)}, facts)

    def _log_of(self, command: Command, known: Known | None) -> str:
        """The number in whose log it is told: the one that was asked for, if this owner has it.

        Without a wish it is one that knows the contact, of those that the caller may use: nobody becomes the contact of
        a number because somebody wrote down a label.
        """
        number, limit = command.data.get("number"), _limit(command)
        if number in self._numbers:
            return str(number)
        own = [one for one in self._numbers if not limit or one in limit] or list(self._numbers)
        return next((one for one in own if known is not None and one in known.numbers), own[0])

    async def _find(self, data: Mapping[str, Any], limit: frozenset[str]) -> tuple[Known | None, Identity]:
        """The contact that a command means: by id (it must exist), or by key."""
        if data.get("contact_id"):
            known = await self._editor.load_id(str(data["contact_id"]))
            if known is None or (limit and limit.isdisjoint(known.numbers)):
                raise RequestRefused("There is no such contact.", code="not_found")
            return known, Identity(known.wa_id, known.user_id)
        identity = identity_of_key(str(data["key"]))
        await self._editor.load(identity.keys)
        return self._editor.known(identity), identity


def _patch(data: Mapping[str, Any]) -> Patch:
    attributes = data.get("attributes") or {}
    return Patch(
        names={"name": data["name"]} if "name" in data else {},
        labels=data.get("labels"),
        added_labels=all_of(data.get("add_labels")),
        removed_labels=all_of(data.get("remove_labels")),
        attributes={name: value for name, value in attributes.items() if value is not None},
        removed_attributes=[name for name, value in attributes.items() if value is None],
    )


def _limit(command: Command) -> frozenset[str]:
    """The numbers to which the caller's key is limited; empty: to none."""
    return frozenset(command.data.get("numbers") or ())


def _check_room(contact: Known | None, patch: Patch, number: str, limit: frozenset[str]) -> None:
    known: Known | Profile | None = contact
    if contact is not None and is_shared(contact, limit):
        known = contact.profiles.get(number)
    held = set(known.attributes) if known else set()
    if len((held | patch.attributes.keys()) - set(patch.removed_attributes)) > MAX_ATTRIBUTES:
        fault = Fault("attributes", f"would be more than {MAX_ATTRIBUTES} with those that the contact has")
        raise RequestRefused("The contact would have too many attributes.", faults=[fault])
    labels = set(patch.labels if patch.labels is not None else known.labels if known else ())
    if len((labels | set(patch.added_labels)) - set(patch.removed_labels)) > MAX_LABELS:
        fault = Fault("add_labels", f"would be more than {MAX_LABELS} with those that the contact has")
        raise RequestRefused("The contact would have too many labels.", faults=[fault])


def _decision(data: Mapping[str, Any]) -> Decision:
    at = data["at"]
    return Decision(
        category=ConsentCategory(data["category"]),
        status=ConsentStatus(data["status"]),
        at=at if isinstance(at, datetime) else datetime.now(UTC),
        source=str(data["source"]),
        proof=dict(data.get("proof") or {}),
    )
