"""The WhatsApp Business Account: its numbers, templates, profile, blocked users and subscription.

Process: whatsapp, worker.
"""

from collections.abc import AsyncIterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from services.graph.client import GraphClient, graph_path
from services.graph.outcomes import GraphUnknown

PAGE_LIMIT = 100
PAGES_MAX_COUNT = 200
"""A cursor that leads nowhere new must not lead for ever."""

NUMBER_FIELDS = (
    "id", "display_phone_number", "verified_name", "quality_rating", "code_verification_status", "name_status",
    "platform_type", "status", "throughput", "whatsapp_business_manager_messaging_limit",
)  # fmt: skip


@dataclass(frozen=True, slots=True)
class NumberInfo:
    """A phone number as Meta sees it; its own words, kept as they are. `raw` has every field that came."""

    id: str
    display_phone_number: str | None
    verified_name: str | None
    quality_rating: str | None
    status: str | None
    throughput_level: str | None
    messaging_limit: str | None
    raw: dict[str, Any]


@dataclass(frozen=True, slots=True)
class TemplateInfo:
    """A template as Meta holds it. `raw` is the whole object, components and all."""

    id: str | None
    name: str
    language: str
    status: str | None
    category: str | None
    components: list[dict[str, Any]]
    raw: dict[str, Any]


@dataclass(frozen=True, slots=True)
class TemplateCreated:
    id: str
    status: str | None
    category: str | None


class GraphManagement:
    """Calls that cost of the hourly management budget, not of the message throughput."""

    def __init__(self, graph: GraphClient) -> None:
        self._graph = graph

    async def number(self, phone_number_id: str, token: str, *, fields: Sequence[str] = NUMBER_FIELDS) -> NumberInfo:
        params = {"fields": ",".join(fields)}
        return _number((await self._graph.call("GET", graph_path(phone_number_id), token=token, params=params)).body)

    async def numbers(self, waba_id: str, token: str) -> list[NumberInfo]:
        path = graph_path(waba_id, "phone_numbers")
        return [_number(item) async for item in self._pages(path, token, {"fields": ",".join(NUMBER_FIELDS)})]

    async def templates(
        self, waba_id: str, token: str, *, filters: Mapping[str, str] | None = None
    ) -> list[TemplateInfo]:
        """All templates of the account, page after page. `filters`: `name`, `status`, `language`, `category`."""
        path = graph_path(waba_id, "message_templates")
        found = [_template(item) async for item in self._pages(path, token, dict(filters or {}))]
        return [template for template in found if template is not None]

    async def create_template(self, waba_id: str, token: str, definition: Mapping[str, Any]) -> TemplateCreated:
        path = graph_path(waba_id, "message_templates")
        body = (await self._graph.call("POST", path, token=token, json_body=definition)).body
        template_id = _text(body.get("id"))
        if template_id is None:
            raise GraphUnknown(detail="a template was created without an id")
        return TemplateCreated(template_id, _text(body.get("status")), _text(body.get("category")))

    async def edit_template(self, template_id: str, token: str, changes: Mapping[str, Any]) -> None:
        await self._graph.call("POST", graph_path(template_id), token=token, json_body=changes)

    async def delete_template(self, waba_id: str, token: str, name: str, *, template_id: str | None = None) -> None:
        """Every language of the name or, with `template_id`, that one."""
        params = {"name": name, **({"hsm_id": template_id} if template_id else {})}
        await self._graph.call("DELETE", graph_path(waba_id, "message_templates"), token=token, params=params)

    async def profile(self, phone_number_id: str, token: str, *, fields: Sequence[str] = ()) -> dict[str, Any]:
        """The business profile, with Meta's own keys (about, address, description, email, websites, vertical)."""
        path = graph_path(phone_number_id, "whatsapp_business_profile")
        params = {"fields": ",".join(fields)} if fields else None
        data = (await self._graph.call("GET", path, token=token, params=params)).body.get("data")
        return data[0] if isinstance(data, list) and data and isinstance(data[0], dict) else {}

    async def update_profile(self, phone_number_id: str, token: str, changes: Mapping[str, Any]) -> None:
        body = {"messaging_product": "whatsapp", **changes}
        await self._graph.call(
            "POST", graph_path(phone_number_id, "whatsapp_business_profile"), token=token, json_body=body
        )

    async def block(self, phone_number_id: str, token: str, users: Sequence[str], *, unblock: bool = False) -> None:
        """Block (or unblock) by phone number. Only users who wrote within 24 hours can be blocked."""
        body = {"messaging_product": "whatsapp", "block_users": [{"user": user} for user in users]}
        method = "DELETE" if unblock else "POST"
        await self._graph.call(method, graph_path(phone_number_id, "block_users"), token=token, json_body=body)

    async def subscribe(
        self, waba_id: str, token: str, *, callback_url: str | None = None, verify_token: str | None = None
    ) -> None:
        """Have the app of this token notified of this account; with both, at an address of its own."""
        body: dict[str, str] = {}
        if callback_url and verify_token:
            body = {"override_callback_uri": callback_url, "verify_token": verify_token}
        await self._graph.call("POST", graph_path(waba_id, "subscribed_apps"), token=token, json_body=body)

    async def _pages(self, path: str, token: str, params: dict[str, str]) -> AsyncIterator[dict[str, Any]]:
        """Follows the `after` cursor, not the `next` address: that one carries a token and may name another host."""
        after: str | None = None
        for _ in range(PAGES_MAX_COUNT):
            asked = {"limit": str(PAGE_LIMIT), **params, **({"after": after} if after else {})}
            body = (await self._graph.call("GET", path, token=token, params=asked)).body
            data, paging = body.get("data"), body.get("paging")
            for item in data if isinstance(data, list) else ():
                if isinstance(item, dict):
                    yield item
            cursors = paging.get("cursors") if isinstance(paging, dict) and paging.get("next") else None
            following = _text(cursors.get("after")) if isinstance(cursors, dict) else None
            if following is None or following == after:
                return
            after = following


def _number(body: dict[str, Any]) -> NumberInfo:
    throughput = body.get("throughput")
    return NumberInfo(
        id=_text(body.get("id")) or "",
        display_phone_number=_text(body.get("display_phone_number")),
        verified_name=_text(body.get("verified_name")),
        quality_rating=_text(body.get("quality_rating")),
        status=_text(body.get("status")),
        throughput_level=_text(throughput.get("level")) if isinstance(throughput, dict) else None,
        messaging_limit=_text(body.get("whatsapp_business_manager_messaging_limit")),
        raw=body,
    )


def _template(body: dict[str, Any]) -> TemplateInfo | None:
    name, language, components = _text(body.get("name")), _text(body.get("language")), body.get("components")
    if name is None or language is None:
        return None
    return TemplateInfo(
        id=_text(body.get("id")),
        name=name,
        language=language,
        status=_text(body.get("status")),
        category=_text(body.get("category")),
        components=[part for part in components if isinstance(part, dict)] if isinstance(components, list) else [],
        raw=body,
    )


def _text(value: Any) -> str | None:
    """Text, or a number as text: template ids come as either."""
    if isinstance(value, int) and not isinstance(value, bool):
        return str(value)
    return value if isinstance(value, str) and value else None
