"""What happened to templates, as facts for the log. Pure.

Process: whatsapp.
"""

from collections.abc import Mapping, Sequence
from dataclasses import replace
from datetime import datetime
from typing import Any, Final

from services.cloud_webhook import TemplateUpdate
from services.store import Fact
from services.templates.records import Template, TemplateStatus, template_status

STATUS_FIELD: Final = "message_template_status_update"
QUALITY_FIELD: Final = "message_template_quality_update"
CATEGORY_FIELD: Final = "template_category_update"
TOLD_BY_STATE: Final = frozenset({STATUS_FIELD, QUALITY_FIELD, CATEGORY_FIELD})
"""What these say is in the template afterwards: told twice, it changes nothing."""


def changes_between(
    before: Mapping[str, Template], after: Mapping[str, Template], *, number: str, now: datetime
) -> list[Fact]:
    """The facts between two readings of an account: created, state, category and quality changed, deleted."""
    facts = []
    for key, template in after.items():
        known = before.get(key)
        if known is None:
            facts.append(_fact("template.created", template, number, now))
            continue
        if known.status is not template.status:
            meta = _status_meta(template, template.raw_status, template.rejected_reason)
            facts.append(_fact(event_of(template.status), template, number, now, known=known, meta=meta))
        if known.category != template.category:
            facts.append(_fact("template.category_changed", template, number, now, known=known))
        if known.quality != template.quality:
            facts.append(_fact("template.quality_changed", template, number, now, known=known))
    for key, template in before.items():
        if key not in after:
            meta = _status_meta(template, "DELETED", None)
            facts.append(_fact("template.deleted", template, number, now, known=template, meta=meta))
    return facts


def status_fact(
    change: TemplateUpdate, known: Template | None, *, number: str, now: datetime
) -> tuple[Fact, Template | None]:
    """The fact of Meta's webhook, and the template as it is now; None when nothing is known to keep."""
    template = _with_change(change, known)
    data: dict[str, Any] = {
        "template_id": change.template_id or (known.id if known else None),
        "waba_id": change.waba_id,
        "name": change.name or (known.name if known else None),
        "language": change.language or (known.language if known else None),
        "event": change.event,
        "reason": change.reason,
        "meta": {"field": change.field, "value": change.value},
    }
    if template is not None:
        data |= {"status": template.status.value, "category": template.category}
    if known is not None:
        data["previous_status"] = known.status.value
    kind = "template.updated"
    if change.field == STATUS_FIELD:
        kind = event_of(template_status(change.event))
    elif change.field == QUALITY_FIELD:
        kind = "template.quality_changed"
    elif change.field == CATEGORY_FIELD:
        kind = "template.category_changed"
    return Fact(kind, number, change.at or now, data), template


def told_to_all(facts: Sequence[Fact], numbers: Sequence[str]) -> list[Fact]:
    """Each fact of an account for each of its numbers; all of them name the numbers, so that a reader knows copies."""
    return [
        replace(fact, number=number, data={**fact.data, "phone_number_ids": list(numbers)})
        for fact in facts
        for number in numbers
    ]


def event_of(status: TemplateStatus) -> str:
    """`APPROVED` → `template.approved`; a word that we do not know is an update."""
    return "template.updated" if status is TemplateStatus.UNKNOWN else f"template.{status.value.lower()}"


def _with_change(change: TemplateUpdate, known: Template | None) -> Template | None:
    is_status = change.field == STATUS_FIELD
    word = (change.event or "") if is_status else (known.raw_status if known else "")
    if known is not None:
        quality = change.event if change.field == QUALITY_FIELD else known.quality
        reason = change.reason if is_status else known.rejected_reason
        return replace(
            known,
            raw_status=word,
            status=template_status(word),
            category=change.category or known.category,
            quality=quality,
            rejected_reason=reason,
        )
    if not is_status or not (change.template_id and change.waba_id and change.name and change.language):
        return None
    return Template(
        id=change.template_id,
        waba_id=change.waba_id,
        name=change.name,
        language=change.language,
        status=template_status(word),
        raw_status=word,
        category=change.category,
        components=None,
        rejected_reason=change.reason,
    )


def _fact(
    kind: str,
    template: Template,
    number: str,
    now: datetime,
    *,
    known: Template | None = None,
    meta: Mapping[str, Any] | None = None,
) -> Fact:
    data: dict[str, Any] = {
        "template_id": template.id,
        "waba_id": template.waba_id,
        "name": template.name,
        "language": template.language,
        "status": template.status.value,
        "category": template.category,
        "quality": template.quality,
        "reason": template.rejected_reason,
    }
    if known is not None:
        data |= {"previous_status": known.status.value, "previous_category": known.category}
    if meta is not None:
        data["meta"] = meta
    return Fact(kind, number, now, data)


def _status_meta(template: Template, word: str, reason: str | None) -> dict[str, Any]:
    """As Meta's webhook says it. Its id is a number there."""
    return {
        "field": STATUS_FIELD,
        "value": {
            "event": word,
            "message_template_id": int(template.id) if template.id.isdecimal() else template.id,
            "message_template_name": template.name,
            "message_template_language": template.language,
            "message_template_category": template.category,
            "reason": reason or "NONE",
        },
    }
