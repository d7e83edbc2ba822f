"""Contacts: people whichever of our numbers they wrote to, and what they agreed to.

Process: worker, whatsapp.
"""

from services.contacts.changes import Decision, Patch
from services.contacts.commands import ContactCommands
from services.contacts.consents import OPTED_OUT, ConsentCache, ConsentState, opted_out_among, reason_of
from services.contacts.csv.records import CsvReader, CsvRecord, records_of
from services.contacts.csv.rows import csv_line
from services.contacts.documents import CONTACTS, NOT_OPTED_OUT, contact_record
from services.contacts.editor import ContactEditor
from services.contacts.events import ContactEvents
from services.contacts.identity import IDENTITY_RULE, Identity, identity_of, identity_of_key, parse_identity
from services.contacts.keywords import Keywords, listed
from services.contacts.projection import project_contact
from services.contacts.records import ConsentCategory, ConsentEntry, ConsentSource, ConsentStatus, Contact
from services.contacts.repository import ContactFilter, ContactRepository
from services.contacts.requests import parse_decision, parse_patch
from services.contacts.service import ContactService, ImportReport
from services.contacts.state import ContactState

__all__ = [
    "CONTACTS",
    "IDENTITY_RULE",
    "NOT_OPTED_OUT",
    "OPTED_OUT",
    "ConsentCache",
    "ConsentCategory",
    "ConsentEntry",
    "ConsentSource",
    "ConsentState",
    "ConsentStatus",
    "Contact",
    "ContactCommands",
    "ContactEditor",
    "ContactEvents",
    "ContactFilter",
    "ContactRepository",
    "ContactService",
    "ContactState",
    "CsvReader",
    "CsvRecord",
    "Decision",
    "Identity",
    "ImportReport",
    "Keywords",
    "Patch",
    "contact_record",
    "csv_line",
    "identity_of",
    "identity_of_key",
    "listed",
    "opted_out_among",
    "parse_decision",
    "parse_identity",
    "parse_patch",
    "project_contact",
    "reason_of",
    "records_of",
]
