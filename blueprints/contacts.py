"""``/v1/contacts``: people, what is known of them, and what they agreed to.

Process: worker.
"""

from collections.abc import Mapping
from datetime import datetime
from typing import Any

from sanic import Blueprint, HTTPResponse, Request

from blueprints.rendering import json_response, page_response
from blueprints.request_reading import (
    caller_of,
    choice,
    cursor_of,
    json_object,
    limit_of,
    needs,
    optional_json_object,
    own_number,
    services_of,
    word,
)
from blueprints.uploads import csv_chunks, require_csv
from config.errors import RequestRefused
from services.contacts import (
    ConsentCategory,
    ConsentEntry,
    Contact,
    ContactFilter,
    parse_decision,
    parse_identity,
    parse_patch,
)
from services.keys import Scope

bp = Blueprint("contacts", url_prefix="/contacts")


@bp.get("/")
@needs(Scope.CONTACTS)
async def list_contacts(request: Request) -> HTTPResponse:
    """Contacts, the newest first; ``search`` finds words that begin so, and phone numbers."""
    limit = limit_of(request)
    found = await services_of(request).contacts.page(_filter(request, before=cursor_of(request)), limit=limit)
    return page_response(
        [contact_json(contact) for contact in found], limit=limit, last=found[-1].order if found else None
    )


@bp.post("/")
@needs(Scope.CONTACTS)
async def save_contact(request: Request) -> HTTPResponse:
    """Make a contact for ``to``, or change the one there is. 201 when it is new."""
    body = json_object(request)
    data = {"key": parse_identity(body.get("to")).key, **parse_patch(body)}
    result = await _submit(request, "contact.save", data, body)
    contact = await _get(request, result["contact_id"])
    headers = {"location": f"/v1/contacts/{contact.id}"}
    return json_response(contact_json(contact), status=201 if result["is_new"] else 200, headers=headers)


@bp.get("/export")
@needs(Scope.CONTACTS)
async def export_contacts(request: Request) -> HTTPResponse:
    """Every contact as CSV with its consent and what proves it; the same filters as the list."""
    services = services_of(request)
    wanted = _filter(request)
    headers = {"content-disposition": 'attachment; filename="contacts.csv"'}
    response = await request.respond(content_type="text/csv; charset=utf-8", headers=headers)
    async for piece in services.contact_transfer.export_csv(wanted):
        await response.send(piece)
    await response.eof()
    return None  # type: ignore[return-value]  # Sanic wants none: the answer has been sent already


@bp.post("/import", stream=True)
@needs(Scope.CONTACTS)
async def import_contacts(request: Request) -> HTTPResponse:
    """A CSV file, read as it arrives; the answer counts, and names the lines that were not taken."""
    require_csv(request)
    number, caller = await own_number(request, word(request, "from")), caller_of(request)
    report = await services_of(request).contact_transfer.import_csv(
        csv_chunks(request), number=number.phone_number_id, by=caller.key_id, numbers=caller.numbers
    )
    return json_response(
        {
            "lines": report.lines,
            "created": report.created,
            "updated": report.updated,
            "unchanged": report.unchanged,
            "consents": report.consents,
            "failed": report.failed,
            "errors": report.errors,
        }
    )


@bp.post("/opt-out")
@needs(Scope.CONTACTS)
async def opt_out_by_address(request: Request) -> HTTPResponse:
    """Write no more to ``to``, who may never have written to us."""
    return await _decide_by_address(request, "contact.opt_out")


@bp.post("/opt-in")
@needs(Scope.CONTACTS)
async def opt_in_by_address(request: Request) -> HTTPResponse:
    """The person behind ``to`` agreed to be written to."""
    return await _decide_by_address(request, "contact.opt_in")


@bp.get("/<contact_id:str>")
@needs(Scope.CONTACTS)
async def get_contact(request: Request, contact_id: str) -> HTTPResponse:
    """One contact with its consents and their history."""
    return json_response(contact_json(await _get(request, contact_id), has_history=True))


@bp.patch("/<contact_id:str>")
@needs(Scope.CONTACTS)
async def change_contact(request: Request, contact_id: str) -> HTTPResponse:
    """Change name, labels, attributes. An attribute that is null goes away."""
    contact, body = await _get(request, contact_id), json_object(request)
    await _submit(request, "contact.save", {"contact_id": contact.id, **parse_patch(body)}, body)
    return json_response(contact_json(await _get(request, contact.id)))


@bp.post("/<contact_id:str>/opt-out")
@needs(Scope.CONTACTS)
async def opt_out(request: Request, contact_id: str) -> HTTPResponse:
    """Write no more to this contact: nothing, or no marketing."""
    return await _decide(request, "contact.opt_out", contact_id)


@bp.post("/<contact_id:str>/opt-in")
@needs(Scope.CONTACTS)
async def opt_in(request: Request, contact_id: str) -> HTTPResponse:
    """This contact agreed to be written to."""
    return await _decide(request, "contact.opt_in", contact_id)


def contact_json(contact: Contact, *, has_history: bool = False) -> dict[str, Any]:
    """A contact as lists and details show it."""
    body: dict[str, Any] = {
        "id": contact.id,
        "wa_id": contact.wa_id,
        "user_id": contact.user_id,
        "addresses": list(contact.keys),
        "name": contact.name,
        "profile_name": contact.profile_name,
        "username": contact.username,
        "labels": list(contact.labels),
        "attributes": contact.attributes,
        "phone_number_ids": list(contact.numbers),
        "opted_out": contact.opted_out.value if contact.opted_out else None,
        "consent": {category.value: _consent_json(contact.consent.get(category)) for category in ConsentCategory},
        "created_at": contact.created_at,
        "updated_at": contact.updated_at,
    }
    if has_history:
        body["consent_history"] = [_consent_json(entry) for entry in contact.history]
    return body


def _consent_json(entry: ConsentEntry | None) -> dict[str, Any] | None:
    if entry is None:
        return None
    return {
        "category": entry.category.value,
        "status": entry.status.value,
        "at": entry.at,
        "source": entry.source,
        "proof": entry.proof,
        **({"phone_number_ids": list(entry.numbers)} if entry.numbers else {}),
    }


async def _decide(request: Request, kind: str, contact_id: str) -> HTTPResponse:
    contact = await _get(request, contact_id)
    body = optional_json_object(request)
    await _submit(request, kind, {"contact_id": contact.id, **parse_decision(body, _now(request))}, body)
    return json_response(contact_json(await _get(request, contact.id)))


async def _decide_by_address(request: Request, kind: str) -> HTTPResponse:
    body = json_object(request)
    data = {"key": parse_identity(body.get("to")).key, **parse_decision(body, _now(request))}
    result = await _submit(request, kind, data, body)
    return json_response(contact_json(await _get(request, result["contact_id"])))


async def _submit(request: Request, kind: str, data: Mapping[str, Any], body: Mapping[str, Any]) -> dict[str, Any]:
    caller, asked = caller_of(request), body.get("from")
    # Without ``from`` the owner chooses a number that knows the contact.
    number = None if asked is None else (await own_number(request, str(asked))).phone_number_id
    place = {"number": number, "numbers": sorted(caller.numbers)}
    return await services_of(request).commands.submit(kind, {**data, **place}, by=caller.key_id)


def _filter(request: Request, *, before: int | None = None) -> ContactFilter:
    return ContactFilter(
        search=word(request, "search"),
        label=word(request, "label"),
        opted_out=choice(request, "opted_out", ConsentCategory),
        numbers=caller_of(request).numbers,
        before=before,
    )


async def _get(request: Request, contact_id: str) -> Contact:
    """A contact as the numbers of this caller know it; none of them knows it: there is none."""
    contact = await services_of(request).contacts.get(contact_id, caller_of(request).numbers)
    if contact is None:
        raise RequestRefused("There is no such contact.", code="not_found")
    return contact


def _now(request: Request) -> datetime:
    return services_of(request).clock.now()
