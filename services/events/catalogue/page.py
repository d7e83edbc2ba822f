"""The page about events. ``python -m services.events.catalogue.page > docs/events.md`` writes it.

Process: none; a tool of the developers.
"""

import json
import sys
from typing import Any, Final

from services.events.catalogue.event_type import EventType
from services.events.catalogue.types import CATALOGUE

_HEAD: Final = """\
<!-- Written by `python -m services.events.catalogue.page > docs/events.md`; change its tables, not this page. -->

# Events

Everything that happens to a phone number is an event in its log. Events are numbered 1, 2, 3 … without a gap. You get
the same object from `GET /v1/events`, from the streams `/v1/events/stream` (server-sent events) and `/v1/events/ws`
(WebSocket), and as the body of a webhook. To receive events, read [receive.md](receive.md)
([español](receive.es.md)).

| field | meaning |
|---|---|
| `seq` | its number in the log of its phone number. After 41 and 43 you know that you missed 42, and can ask for it |
| `id` | the id of the event, the same everywhere and for ever |
| `type` | what happened: one of the types below. In a filter, `message.*` means the whole family |
| `at` | when it happened, RFC 3339 in UTC |
| `phone_number_id` | the phone number whose log has the event |
| `data` | the fields of the type, listed below |

New types and new fields come without notice: ignore what you do not know. A field marked *maybe* can be missing. A
field marked *or null* can be null.
"""

_FAMILY_WORDS: Final = {
    "message": "A message in either direction, step by step.",
    "conversation": "One of your numbers with one contact.",
    "contact": "A person and their consent.",
    "template": "A message template of the account, as WhatsApp sees it.",
    "campaign": "One template to many people.",
    "number": "One of your phone numbers.",
    "account": "The WhatsApp Business Account. Each of its numbers has the event in its log; an endpoint gets it once.",
    "notification": "Any other notification of WhatsApp.",
    "webhook_endpoint": "A subscriber. An endpoint gets no events about itself.",
    "cluster": "The installation. These events are in the log of the default number.",
}


def example_of(kind: EventType, seq: int) -> dict[str, Any]:
    """A whole event, as it is published."""
    return {
        "seq": 0 if kind.name == "webhook_endpoint.test" else seq,
        "id": f"evt_01KFM3Q5{seq:02d}B6P2D7A9V5C1X0ZD"[:30],
        "type": kind.name,
        "at": "2026-01-02T03:04:05.678Z",
        "phone_number_id": "106540352242922",
        "data": dict(kind.example),
    }


def page() -> str:
    """``docs/events.md``."""
    lines = [_HEAD]
    family = ""
    for seq, kind in enumerate(CATALOGUE, 1):
        name = kind.name.partition(".")[0]
        if name != family:
            family = name
            lines += [f"## {family}", "", _FAMILY_WORDS[family], ""]
        lines += [f"### {kind.name}", "", kind.meaning, ""]
        if kind.fields:
            lines += ["| data | type | meaning |", "|---|---|---|"]
            for field_name, one in kind.fields.items():
                type_words = _TYPE_WORDS[one.kind] + (" or null" if one.is_nullable else "")
                maybe = "" if one.is_required else " *(maybe)*"
                lines.append(f"| `{field_name}` | {type_words} | {one.words}{maybe} |")
            lines.append("")
        lines += ["```json", json.dumps(example_of(kind, seq), ensure_ascii=False, indent=2), "```", ""]
    return "\n".join(lines)


_TYPE_WORDS: Final = {
    "text": "text",
    "moment": "time",
    "whole": "whole number",
    "number": "number",
    "bool": "true or false",
    "object": "object",
    "texts": "list of texts",
    "objects": "list of objects",
    "any": "anything",
}

if __name__ == "__main__":
    sys.stdout.write(page())
