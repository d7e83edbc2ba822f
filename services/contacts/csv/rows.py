"""A contact as a line of CSV, in both directions. What an export writes, an import takes back.

Process: worker.
"""

import csv
import io
from collections.abc import Iterable
from datetime import datetime
from typing import Any, Final

import orjson

from config.clock import moment_of, rfc3339
from config.errors import Fault, RequestRefused
from config.request_models import MOMENT_RULE
from services.contacts.csv.guard import guarded, plain
from services.contacts.csv.records import CsvRecord
from services.contacts.identity import IDENTITY_RULE, identity_of
from services.contacts.records import ConsentCategory, ConsentEntry, ConsentSource, ConsentStatus, Contact
from services.contacts.requests import ATTRIBUTE_NAME, parse_patch

TO_COLUMNS: Final = ("to", "wa_id", "phone", "user_id")
LABEL_SEPARATOR: Final = "|"
CONSENT_COLUMNS: Final = tuple(
    f"{category}_{part}" for category in ("all", "marketing") for part in ("consent", "at", "source", "proof")
)
EXPORT_COLUMNS: Final = (
    "id",
    "wa_id",
    "user_id",
    "name",
    "profile_name",
    "username",
    "labels",
    "opted_out",
    *CONSENT_COLUMNS,
    "attributes",
    "created_at",
    "updated_at",
)
_OWN: Final = frozenset({*TO_COLUMNS, *EXPORT_COLUMNS, "opt_out", "opt_in"})
_UNTOUCHED: Final = frozenset({"id", "profile_name", "username", "opted_out", "created_at", "updated_at"})


def unknown_columns(header: Iterable[str]) -> list[str]:
    """Columns that are neither ours nor an attribute's name."""
    return [name for name in header if name not in _OWN and not ATTRIBUTE_NAME.fullmatch(_attribute(name))]


def import_row(record: CsvRecord, now: datetime) -> tuple[dict[str, Any] | None, list[str]]:
    """A record as a row of the import command, or the reasons why it is none."""
    faults: list[Fault] = []
    cells = {name: plain(cell) for name, cell in record.cells.items() if cell and name not in _UNTOUCHED}
    identity = next((identity_of(cells[name]) for name in TO_COLUMNS if cells.get(name)), None)
    if identity is None:
        faults.append(Fault("to", IDENTITY_RULE))
    row: dict[str, Any] = {"line": record.line}
    if identity is not None:
        row["key"] = identity.key
    row |= _profile(cells, faults)
    decisions = _decisions(cells, record.line, now, faults)
    if decisions:
        row["decisions"] = decisions
    if faults:
        return None, [f"{fault.path} {fault.reason}" for fault in faults]
    return row, []


def export_line(contact: Contact) -> str:
    """A contact as one line, line break and all."""
    cells: dict[str, Any] = {
        "id": contact.id,
        "wa_id": contact.wa_id,
        "user_id": contact.user_id,
        "name": contact.name,
        "profile_name": contact.profile_name,
        "username": contact.username,
        "labels": LABEL_SEPARATOR.join(contact.labels),
        "opted_out": contact.opted_out.value if contact.opted_out else "",
        "attributes": orjson.dumps(contact.attributes).decode() if contact.attributes else "",
        "created_at": rfc3339(contact.created_at),
        "updated_at": rfc3339(contact.updated_at),
    }
    for category, entry in contact.consent.items():
        cells |= _consent_cells(category, entry)
    return csv_line(guarded(_text(cells.get(name))) for name in EXPORT_COLUMNS)


def csv_line(cells: Iterable[str]) -> str:
    """Cells as one line of CSV."""
    out = io.StringIO()
    csv.writer(out).writerow(cells)
    return out.getvalue()


def _consent_cells(category: ConsentCategory, entry: ConsentEntry) -> dict[str, Any]:
    proof = {name: rfc3339(item) if isinstance(item, datetime) else item for name, item in entry.proof.items()}
    return {
        f"{category.value}_consent": entry.status.value,
        f"{category.value}_at": rfc3339(entry.at),
        f"{category.value}_source": entry.source,
        f"{category.value}_proof": orjson.dumps(proof).decode() if proof else "",
    }


def _decisions(cells: dict[str, str], line: int, now: datetime, faults: list[Fault]) -> list[dict[str, Any]]:
    """From ``opt_out`` and ``opt_in`` (marketing or all), or from the columns of an export."""
    found = []
    for name, status in (("opt_in", ConsentStatus.IN), ("opt_out", ConsentStatus.OUT)):
        if name in cells:
            found.append(_decision(name, cells[name].lower(), status.value, {}, now, faults))
    for category in (ConsentCategory.MARKETING.value, ConsentCategory.ALL.value):
        if f"{category}_consent" in cells:
            parts = {
                part: cells[f"{category}_{part}"]
                for part in ("at", "source", "proof")
                if cells.get(f"{category}_{part}")
            }
            name = f"{category}_consent"
            found.append(_decision(name, category, cells[name].lower(), parts, now, faults))
    for decision in found:
        decision["proof"] = {**decision["proof"], "line": line}
    return found


def _decision(
    path: str, category: str, status: str, parts: dict[str, str], now: datetime, faults: list[Fault]
) -> dict[str, Any]:
    if category not in [one.value for one in ConsentCategory]:
        faults.append(Fault(path, "must be marketing or all"))
    if status not in [one.value for one in ConsentStatus]:
        faults.append(Fault(path, "must be in or out"))
    at = moment_of(parts["at"]) if "at" in parts else now
    if at is None:
        faults.append(Fault(path.replace("consent", "at"), MOMENT_RULE))
    source, proof = parts.get("source"), parts.get("proof", "")
    return {
        "category": category,
        "status": status,
        "at": min(at or now, now),
        "source": ConsentSource.IMPORT.value,
        "proof": {name: text[:1000] for name, text in (("source", source), ("text", proof)) if text},
    }


def _profile(cells: dict[str, str], faults: list[Fault]) -> dict[str, Any]:
    """The change of the profile that the cells ask for; labels are added to those there are."""
    change: dict[str, Any] = {}
    if "name" in cells:
        change["name"] = " ".join(cells["name"].split())
    if "labels" in cells:
        change["labels"] = [label.strip() for label in cells["labels"].split(LABEL_SEPARATOR) if label.strip()]
    if attributes := _attributes(cells, faults):
        change["attributes"] = attributes
    try:
        checked = parse_patch(change) if change else {}
    except RequestRefused as refusal:
        faults += refusal.faults
        return {}
    return {"add_labels" if name == "labels" else name: value for name, value in checked.items()}


def _attributes(cells: dict[str, str], faults: list[Fault]) -> dict[str, Any]:
    found: dict[str, Any] = {}
    if "attributes" in cells:
        try:
            value = orjson.loads(cells["attributes"])
        except orjson.JSONDecodeError:
            value = None
        if isinstance(value, dict):
            found |= value
        else:
            faults.append(Fault("attributes", "must be a JSON object"))
    found |= {_attribute(name): cell for name, cell in cells.items() if name not in _OWN}
    return found


def _attribute(column: str) -> str:
    return column.removeprefix("attributes.")


def _text(value: Any) -> str:
    return "" if value is None else str(value)
