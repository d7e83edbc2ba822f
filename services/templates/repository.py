"""Templates as documents: a copy of what the WhatsApp Business Account has.

Process: worker, whatsapp.
"""

from collections.abc import Mapping
from datetime import datetime
from typing import Any, Final

from services.store import Database, VersionedWrite
from services.templates.records import Template, TemplateStatus, template_status

TEMPLATES: Final = "templates"
ACCOUNTS: Final = "template_accounts"
MOST: Final = 6_000
"""The most that Meta allows one account, verified and with an approved display name."""

_PLAIN: Final = (
    "name", "language", "raw_status", "category", "components", "parameter_format", "quality", "rejected_reason",
    "synced_at",
)  # fmt: skip


class TemplateRepository:
    """The templates of one database.

    Every read raises ``Unavailable`` while the database does not answer.
    """

    def __init__(self, database: Database) -> None:
        self._database = database

    async def get(self, template_id: str) -> Template | None:
        """One template by Meta's id; None also when Meta no longer has it."""
        found = await self._database.find_one(TEMPLATES, {"_id": template_id})
        template = _record(found) if found else None
        return template if template is not None and template.status is not TemplateStatus.DELETED else None

    async def find(self, waba_id: str, name: str, language: str) -> Template | None:
        """The template with this name and language, which is unique in an account."""
        found = await self._database.find(TEMPLATES, {"waba": waba_id, "name": name, "language": language}, limit=10)
        alive = [template for template in map(_record, found) if template.status is not TemplateStatus.DELETED]
        return alive[0] if alive else None

    async def of_account(self, waba_id: str) -> list[Template]:
        """All of an account, by name and language; those that Meta no longer lists are left out."""
        found = await self._database.find(TEMPLATES, {"waba": waba_id}, limit=MOST)
        alive = [template for template in map(_record, found) if template.status is not TemplateStatus.DELETED]
        return sorted(alive, key=lambda template: (template.name, template.language))

    async def synced_at(self, waba_id: str) -> datetime | None:
        """When this account was last read whole; None before the first time."""
        found = await self._database.find_one(ACCOUNTS, {"_id": waba_id})
        moment: datetime | None = found.get("synced_at") if found else None
        return moment


def template_write(template: Template) -> VersionedWrite:
    """Keep a template as it is now. Unguarded: it is a copy, and the next reading of the account mends it."""
    values: dict[str, Any] = {"waba": template.waba_id, "status": template.status.value}
    values |= {name: getattr(template, name) for name in _PLAIN}
    if template.components is None:
        del values["components"]
    return VersionedWrite(TEMPLATES, template.id, None, set=values, upsert=True)


def synced_write(waba_id: str, at: datetime) -> VersionedWrite:
    """Remember that the account was read whole."""
    return VersionedWrite(ACCOUNTS, waba_id, None, set={"synced_at": at}, upsert=True)


def _record(document: Mapping[str, Any]) -> Template:
    plain = {name: document.get(name) for name in _PLAIN if name != "raw_status"}
    raw_status = document.get("raw_status") or ""
    return Template(
        id=document["_id"],
        waba_id=document["waba"],
        status=template_status(raw_status),
        raw_status=raw_status,
        **plain,  # type: ignore[arg-type]  # written by template_write
    )
