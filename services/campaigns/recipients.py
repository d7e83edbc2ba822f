"""Puts people on a campaign's list: from a body, from a CSV file, or from contacts, some hundred at a time.

Process: worker (lists and files), whatsapp (contacts).
"""

from collections.abc import AsyncIterator, Sequence
from dataclasses import dataclass, field
from typing import Any, Final

from config.errors import Fault, RequestRefused, Unavailable
from config.ids import new_id, new_order
from services.campaigns.documents import RECIPIENTS, recipient_document, recipient_id
from services.campaigns.records import Recipient
from services.campaigns.requests import Person, person_of
from services.contacts import Contact, CsvRecord, records_of
from services.store import Database

PAGE: Final = 500
MAX_ERRORS: Final = 100
TO_COLUMNS: Final = ("to", "phone", "wa_id", "user_id")


@dataclass(slots=True)
class ListReport:
    """What became of a list. ``duplicates`` were on it before; ``errors`` holds the first of the faulty lines."""

    lines: int = 0
    added: int = 0
    duplicates: int = 0
    failed: int = 0
    errors: list[dict[str, Any]] = field(default_factory=list)

    def refuse(self, line: int, reasons: Sequence[str]) -> None:
        """One line that was not taken."""
        self.failed += 1
        for reason in reasons:
            if len(self.errors) < MAX_ERRORS:
                self.errors.append({"line": line, "reason": reason})


class RecipientLists:
    """Inserts recipients. The same person twice is one recipient: the key of the document says so."""

    def __init__(self, database: Database, *, most: int) -> None:
        """``most`` recipients a campaign."""
        self._database = database
        self._most = most

    async def add(self, campaign_id: str, people: Sequence[Person], *, held: int = 0) -> ListReport:
        """Add people to the ``held`` that are there. Raises ``RequestRefused`` past the limit, ``Unavailable``."""
        report = ListReport(lines=len(people))
        for start in range(0, len(people), PAGE):
            await self._insert(campaign_id, people[start : start + PAGE], report, held=held)
        return report

    async def add_csv(self, campaign_id: str, chunks: AsyncIterator[bytes], *, held: int) -> ListReport:
        """Add the people of a CSV file: a column ``to``, all others are variables. The same file twice is safe.

        Raises ``RequestRefused`` for an unreadable file and past the limit, ``Unavailable``.
        """
        report = ListReport()
        people: list[Person] = []
        async for record in records_of(chunks):
            report.lines += 1
            person, reasons = _person(record)
            if person is None:
                report.refuse(record.line, reasons)
                continue
            people.append(person)
            if len(people) == PAGE:
                await self._insert(campaign_id, people, report, held=held)
                people = []
        if people:
            await self._insert(campaign_id, people, report, held=held)
        return report

    async def _insert(self, campaign_id: str, people: Sequence[Person], report: ListReport, *, held: int) -> None:
        if held + report.added >= self._most:
            raise RequestRefused(
                f"A campaign has at most {self._most} recipients (PANAL_CAMPAIGN_MAX_RECIPIENTS).",
                code="audience_too_large",
                faults=[Fault("recipients", f"{report.added} were added")],
            )
        documents = [recipient_document(recipient_of(campaign_id, person)) for person in people]
        try:
            duplicates = await self._database.insert_many(RECIPIENTS, documents, ordered=False)
        except Unavailable:
            # Safe to repeat: what the first try stored is met as a duplicate.
            duplicates = await self._database.insert_many(RECIPIENTS, documents, ordered=False)
        report.duplicates += len(duplicates)
        report.added += len(documents) - len(duplicates)


def recipient_of(campaign_id: str, person: Person) -> Recipient:
    """A new recipient with the id of its message."""
    return Recipient(
        id=recipient_id(campaign_id, person.key),
        campaign_id=campaign_id,
        key=person.key,
        order=new_order(),
        variables=person.variables,
        message_id=new_id("msg"),
    )


def person_of_contact(contact: Contact) -> Person:
    """A contact as a recipient: its names and attributes are its variables."""
    variables = {name: str(value) for name, value in contact.attributes.items() if not isinstance(value, bool)}
    name = contact.shown_name
    if name:
        variables |= {"name": name, "first_name": name.split()[0]}
    if contact.username:
        variables["username"] = contact.username
    if contact.wa_id:
        variables["wa_id"] = contact.wa_id
    return Person(contact.key, variables)


def _person(record: CsvRecord) -> tuple[Person | None, list[str]]:
    if record.reason is not None:
        return None, [record.reason]
    cells = record.cells
    if not any(name in cells for name in TO_COLUMNS):
        raise RequestRefused(
            "The file has no column with the recipients.",
            code="invalid_csv",
            faults=[Fault("line 1", "needs a column named to")],
        )
    to = next((cells[name] for name in TO_COLUMNS if cells.get(name)), "")
    person, wrong = person_of(to, {name: cell for name, cell in cells.items() if name not in TO_COLUMNS})
    return person, [f"{name} {reason}" for name, reason in wrong]
