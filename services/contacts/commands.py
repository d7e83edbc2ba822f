"""What callers may do to contacts, as the owner does it. Repeating one changes nothing more.

Process: whatsapp.
"""

from collections.abc import Mapping, Sequence
from datetime import UTC, datetime
from typing import Any, Final

from config.clock import Clock
from config.errors import Fault, RequestRefused
from services.commands import Command, Outcome
from services.contacts.facts import ContactRegister, Decision, Entry, Patch
from services.contacts.identity import Identity, identity_of_key
from services.contacts.ledger import Known
from services.contacts.records import ConsentCategory, ConsentSource, ConsentStatus
from services.contacts.requests import MAX_ATTRIBUTES, MAX_LABELS, all_of
from services.store import Fact

ROWS_PER_EVENT: Final = 100


class ContactCommands:
    """Handlers of ``contact.*`` commands."""

    def __init__(self, register: ContactRegister, clock: Clock, *, numbers: Sequence[str]) -> None:
        """``numbers`` are the phone_number_ids that this owner keeps a log of, the default one first."""
        self._register = register
        self._clock = clock
        self._numbers = tuple(numbers)

    async def save(self, command: Command) -> Outcome:
        """Make a contact, or change one. Raises ``RequestRefused`` (unknown, too many labels or attributes)."""
        data, number = command.data, self._log_of(command)
        known, identity = await self._find(data)
        patch = _patch(data)
        _check_room(known, patch)
        known, entry = self._register.save(identity, number, patch, source=ConsentSource.API.value)
        facts = [] if entry is None else [entry.fact(number, self._clock.now())]
        return Outcome({"contact_id": known.id, "is_new": entry is not None and entry.is_new}, facts)

    async def opt_out(self, command: Command) -> Outcome:
        """Write no more to this person: nothing of the category, or nothing at all."""
        return await self._decide(command, ConsentStatus.OUT)

    async def opt_in(self, command: Command) -> Outcome:
        """This person agreed to be written to."""
        return await self._decide(command, ConsentStatus.IN)

    async def import_rows(self, command: Command) -> Outcome:
        """Rows of a CSV file that were checked already; the result counts what became of them."""
        number = self._log_of(command)
        rows = command.data["rows"]
        await self._register.load([row["key"] for row in rows])
        now = self._clock.now()
        entries: list[Entry] = []
        facts: list[Fact] = []
        errors: list[dict[str, Any]] = []
        for row in rows:
            identity, patch = identity_of_key(row["key"]), _patch(row)
            try:
                _check_room(self._register.known(identity), patch)
            except RequestRefused as refusal:
                errors += [{"line": row["line"], "path": f.path, "reason": f.reason} for f in refusal.faults]
                continue
            _, entry = self._register.save(identity, number, patch, source=ConsentSource.IMPORT.value)
            if entry is not None:
                entries.append(entry)
            for decision in row.get("decisions", ()):
                facts += self._register.decide(identity, number, _decision(decision), now)
        for start in range(0, len(entries), ROWS_PER_EVENT):
            part = [entry.data for entry in entries[start : start + ROWS_PER_EVENT]]
            facts.insert(
                start // ROWS_PER_EVENT, Fact("contact.imported", number, now, {"count": len(part), "contacts": part})
            )
        created = sum(entry.is_new for entry in entries)
        counts = {"created": created, "updated": len(entries) - created, "rows": len(rows)}
        decided = sum(fact.type != "contact.imported" for fact in facts)
        return Outcome({**counts, "consents": decided, "errors": errors}, facts)

    async def _decide(self, command: Command, status: ConsentStatus) -> Outcome:
        data, number, now = command.data, self._log_of(command), self._clock.now()
        known, identity = await self._find(data)
        facts: list[Fact] = []
        if known is None:
            known, entry = self._register.save(identity, number, Patch(), source=ConsentSource.API.value)
            facts += [] if entry is None else [entry.fact(number, now)]
        facts += self._register.decide(identity, number, _decision({**data, "status": status.value}), now)
        return Outcome({"contact_id": known.id, "is_changed": bool(facts)}, facts)

    def _log_of(self, command: Command) -> str:
        """The number in whose log it is told: the one that the caller works for, if this owner has it."""
        number = str(command.data.get("number"))
        return number if number in self._numbers else self._numbers[0]

    async def _find(self, data: Mapping[str, Any]) -> tuple[Known | None, Identity]:
        """The contact that a command means: by id (it must exist), or by key."""
        if data.get("contact_id"):
            known = await self._register.load_id(str(data["contact_id"]))
            if known is None:
                raise RequestRefused("There is no such contact.", code="not_found")
            return known, Identity(known.wa_id, known.user_id)
        identity = identity_of_key(str(data["key"]))
        await self._register.load(identity.keys)
        return self._register.known(identity), identity


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


def _check_room(known: Known | None, patch: Patch) -> None:
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
