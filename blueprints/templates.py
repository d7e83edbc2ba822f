"""``/v1/templates``: the catalogue of the WhatsApp Business Account; create, edit and delete there.

Process: worker.
"""

from typing import Any, Final

from sanic import Blueprint, HTTPResponse, Request

from blueprints.rendering import json_response, page_response
from blueprints.request_reading import caller_of, cursor_of, json_object, limit_of, needs, services_of, word
from config.errors import Fault, RequestRefused
from services.keys import Scope
from services.numbers import Number
from services.templates import Template

bp = Blueprint("templates", url_prefix="/templates")

REQUIRED: Final = ("name", "language", "category", "components")
EDITABLE: Final = ("components", "category", "message_send_ttl_seconds", "parameter_format")


@bp.get("/")
@needs(Scope.TEMPLATES)
async def list_templates(request: Request) -> HTTPResponse:
    """Templates of an account, by name and language; filters by ``name``, ``language``, ``status``, ``category``."""
    services, limit, start = services_of(request), limit_of(request), cursor_of(request) or 0
    number = await services.template_account.number_of(word(request, "waba_id"), caller_of(request))
    wanted = {name: word(request, name, longest=512) for name in ("name", "language", "status", "category")}
    found = [one for one in await services.templates.of_account(number.waba_id) if _passes(one, wanted)]
    page = found[start : start + limit]
    return page_response([template_json(one) for one in page], limit=limit, last=start + limit)


@bp.post("/")
@needs(Scope.TEMPLATES)
async def create_template(request: Request) -> HTTPResponse:
    """Meta's own definition, and optionally ``waba_id``: 201 with what Meta made of it."""
    account, raw = services_of(request).template_account, json_object(request)
    number = await account.number_of(_text(raw.pop("waba_id", None)), caller_of(request))
    faults = [Fault(name, "is required") for name in REQUIRED if not raw.get(name)]
    if faults:
        raise RequestRefused("The template is not valid.", faults=faults)
    created = await account.create(number, raw, caller_of(request))
    body = {"id": created.id, "name": raw["name"], "language": raw["language"], "waba_id": number.waba_id}
    body |= {"status": created.status, "category": created.category or raw["category"]}
    return json_response(body, status=201, headers={"location": f"/v1/templates/{created.id}"})


@bp.get("/<template_id:str>")
@needs(Scope.TEMPLATES)
async def get_template(request: Request, template_id: str) -> HTTPResponse:
    """One template, with its components."""
    return json_response(template_json((await _own(request, template_id))[1]))


@bp.patch("/<template_id:str>")
@needs(Scope.TEMPLATES)
async def edit_template(request: Request, template_id: str) -> HTTPResponse:
    """Other components or another category: WhatsApp reviews it again."""
    number, template = await _own(request, template_id)
    raw = json_object(request)
    changes: dict[str, Any] = {name: raw[name] for name in EDITABLE if name in raw}
    if not changes or len(changes) != len(raw):
        raise RequestRefused(
            "This cannot be changed.",
            faults=[Fault(name, f"is not one of {', '.join(EDITABLE)}") for name in raw if name not in EDITABLE]
            or [Fault("", f"must have one of {', '.join(EDITABLE)}")],
        )
    await services_of(request).template_account.edit(number, template.id, changes, caller_of(request))
    return json_response(template_json((await _own(request, template_id))[1]))


@bp.delete("/<template_id:str>")
@needs(Scope.TEMPLATES)
async def delete_template(request: Request, template_id: str) -> HTTPResponse:
    """This language of the template."""
    number, template = await _own(request, template_id)
    await services_of(request).template_account.delete(number, template, caller_of(request))
    return json_response({"success": True})


@bp.post("/sync")
@needs(Scope.TEMPLATES)
async def sync_templates(request: Request) -> HTTPResponse:
    """Read the account again now."""
    number = await services_of(request).template_account.number_of(word(request, "waba_id"), caller_of(request))
    result = await services_of(request).commands.submit(
        "template.sync", {"waba_id": number.waba_id}, by=caller_of(request).key_id, runs_concurrently=True
    )
    return json_response(result)


async def _own(request: Request, template_id: str) -> tuple[Number, Template]:
    services = services_of(request)
    template, caller = await services.templates.get(template_id), caller_of(request)
    numbers = [one for one in await services.numbers.all() if caller.may_use(one.phone_number_id)]
    own = next((one for one in numbers if template is not None and one.waba_id == template.waba_id), None)
    if template is None or own is None:
        raise RequestRefused("There is no such template.", code="not_found")
    return own, template


def _passes(template: Template, wanted: dict[str, str | None]) -> bool:
    shown = {
        "name": template.name,
        "language": template.language,
        "status": template.status.value,
        "category": template.category or "",
    }
    return all(value is None or shown[name].lower() == value.lower() for name, value in wanted.items())


def _text(value: object) -> str | None:
    if value is None or isinstance(value, str):
        return value
    raise RequestRefused("The template is not valid.", faults=[Fault("waba_id", "must be a string")])


def template_json(template: Template) -> dict[str, Any]:
    """A template as the API shows it, in Meta's words."""
    return {
        "id": template.id,
        "waba_id": template.waba_id,
        "name": template.name,
        "language": template.language,
        "status": template.status.value,
        "category": template.category,
        "parameter_format": template.parameter_format,
        "components": template.components,
        "quality": template.quality,
        "rejected_reason": template.rejected_reason,
        "synced_at": template.synced_at,
    }
