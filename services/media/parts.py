"""Where a message object names files: pure walks over a Cloud API payload.

Process: worker, whatsapp.
"""

import copy
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Any, Final

from services.media.kinds import KINDS

_FREE: Final = frozenset({"flow_action_payload", "flow_action_data"})
"""Data of a flow: whatever stands there is the flow's own business."""


@dataclass(frozen=True, slots=True)
class MediaPart:
    """A named file: where (`template.components[0].parameters[0].image`), what it goes as, its object."""

    path: str
    kind: str
    source: dict[str, Any]

    @property
    def media_id(self) -> str | None:
        """The id that it names; None for a link."""
        value = self.source.get("id")
        return str(value) if value else None


def media_parts(payload: Mapping[str, Any]) -> list[MediaPart]:
    """Every file that a payload names: of the message itself, a header, a card or a template's parameter."""
    return list(_walk(payload, ""))


def with_media_ids(payload: Mapping[str, Any], ids: Mapping[str, str]) -> dict[str, Any]:
    """The payload with other media ids; those that ``ids`` does not know stay."""
    changed: dict[str, Any] = copy.deepcopy(dict(payload))
    for part in media_parts(changed):
        if part.media_id is not None and part.media_id in ids:
            part.source["id"] = ids[part.media_id]
    return changed


def _walk(value: Any, path: str) -> Iterator[MediaPart]:
    if isinstance(value, Mapping):
        for key, item in value.items():
            here = f"{path}.{key}" if path else key
            if key in KINDS and isinstance(item, dict) and (item.get("id") or item.get("link")):
                yield MediaPart(here, key, item)
            elif key not in _FREE:
                yield from _walk(item, here)
    elif isinstance(value, list):
        for position, item in enumerate(value):
            yield from _walk(item, f"{path}[{position}]")
