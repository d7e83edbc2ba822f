"""``/v1/campaigns``: one template to many people.

Process: worker.
"""

import hashlib
from typing import Any

from sanic import Blueprint, HTTPResponse, Request

from blueprints.rendering import json_response, page_response
from blueprints.request_reading import (
    caller_of,
    cursor_of,
    idempotency_key,
    json_object,
    limit_of,
    needs,
    own_number,
    services_of,
    whole_number,
)
from blueprints.uploads import csv_chunks, is_csv, receive_body
from config.errors import RequestRefused
from services.campaigns import Campaign, CampaignStatus, parse_campaign, parse_changes, parse_people
from services.keys import Scope

bp = Blueprint("campaigns", url_prefix="/campaigns")

MAX_PREVIEW = 20


@bp.post("/")
@needs(Scope.CAMPAIGNS)
async def create_campaign(request: Request) -> HTTPResponse:
    """A new campaign with its list, if the body has one; with ``start`` it begins at once, or at ``send_at``."""
    services, caller = services_of(request), caller_of(request)
    order = parse_campaign(json_object(request), now=services.clock.now())
    number = await own_number(request, order.phone_number_id)
    campaign_id = await services.campaign_service.create(
        order,
        number=number.phone_number_id,
        numbers=caller.numbers,
        by=caller.key_id,
        idempotency=_idempotency(request),
    )
    campaign = await _own(request, campaign_id)
    return json_response(
        await _detail(request, campaign), status=201, headers={"location": f"/v1/campaigns/{campaign.id}"}
    )


@bp.get("/")
@needs(Scope.CAMPAIGNS)
async def list_campaigns(request: Request) -> HTTPResponse:
    """Campaigns, the newest first."""
    limit = limit_of(request)
    found = await services_of(request).campaigns.page(
        numbers=caller_of(request).numbers, before=cursor_of(request), limit=limit
    )
    return page_response(
        [campaign_json(campaign) for campaign in found], limit=limit, last=found[-1].order if found else None
    )


@bp.get("/<campaign_id:str>")
@needs(Scope.CAMPAIGNS)
async def get_campaign(request: Request, campaign_id: str) -> HTTPResponse:
    """One campaign with counts of its recipients and of what became of its messages."""
    return json_response(await _detail(request, await _own(request, campaign_id)))


@bp.patch("/<campaign_id:str>")
@needs(Scope.CAMPAIGNS)
async def change_campaign(request: Request, campaign_id: str) -> HTTPResponse:
    """Change name, rate or time while it does not run; template and category of a draft."""
    campaign = await _own(request, campaign_id)
    values = parse_changes(json_object(request), now=services_of(request).clock.now())
    await services_of(request).campaign_service.command(
        "change", campaign.id, by=caller_of(request).key_id, values=values
    )
    return json_response(await _detail(request, await _own(request, campaign_id)))


@bp.post("/<campaign_id:str>/recipients", stream=True)
@needs(Scope.CAMPAIGNS)
async def add_recipients(request: Request, campaign_id: str) -> HTTPResponse:
    """Put people on the list of a draft: a CSV file, read as it arrives, or ``{"recipients": […]}``."""
    campaign, service = await _own(request, campaign_id), services_of(request).campaign_service
    if is_csv(request):
        report = await service.add_csv(campaign, csv_chunks(request))
    else:
        await receive_body(request)
        report = await service.add(campaign, parse_people(json_object(request)))
    return json_response(
        {
            "lines": report.lines,
            "added": report.added,
            "duplicates": report.duplicates,
            "failed": report.failed,
            "errors": report.errors,
        }
    )


@bp.get("/<campaign_id:str>/recipients")
@needs(Scope.CAMPAIGNS)
async def list_recipients(request: Request, campaign_id: str) -> HTTPResponse:
    """Recipients in the order of the list, with what became of each."""
    campaign, limit = await _own(request, campaign_id), limit_of(request)
    found = await services_of(request).campaign_service.recipients(campaign, after=cursor_of(request) or 0, limit=limit)
    items = []
    for recipient, message in found:
        waiting = "canceled" if campaign.status is CampaignStatus.CANCELED else "waiting"
        status = message.get("status") or ("skipped" if recipient.skipped else waiting)
        items.append(
            {
                "to": recipient.key.partition(":")[2],
                "variables": recipient.variables,
                "status": status,
                "message_id": recipient.message_id if message else None,
                "wamid": message.get("wamid"),
                "reason": message.get("held_reason") if message else recipient.skipped,
                "error": message.get("error"),
                "updated_at": message.get("updated_at") or message.get("created_at"),
            }
        )
    return page_response(items, limit=limit, last=found[-1][0].order if found else None)


@bp.get("/<campaign_id:str>/preview")
@needs(Scope.CAMPAIGNS)
async def preview_campaign(request: Request, campaign_id: str) -> HTTPResponse:
    """What the first recipients would get."""
    campaign = await _own(request, campaign_id)
    limit = whole_number(request, "limit", 3, least=1, most=MAX_PREVIEW)
    return json_response({"data": await services_of(request).campaign_service.preview(campaign, limit=limit)})


@bp.post("/<campaign_id:str>/dry-run")
@needs(Scope.CAMPAIGNS)
async def dry_run_campaign(request: Request, campaign_id: str) -> HTTPResponse:
    """Who would get it and who would not, counted; nothing is sent."""
    result = await services_of(request).campaign_service.dry_run(await _own(request, campaign_id))
    return json_response(
        {
            "looked_at": result.looked_at,
            "would_send": result.would_send,
            "skipped": result.skipped,
            "samples": result.samples,
            "is_complete": result.is_complete,
        }
    )


@bp.post("/<campaign_id:str>/start")
@needs(Scope.CAMPAIGNS)
async def start_campaign(request: Request, campaign_id: str) -> HTTPResponse:
    """Begin now, or at ``send_at``. The list is closed from here on."""
    return await _command(request, "start", campaign_id)


@bp.post("/<campaign_id:str>/pause")
@needs(Scope.CAMPAIGNS)
async def pause_campaign(request: Request, campaign_id: str) -> HTTPResponse:
    """Send nothing more until it is resumed."""
    return await _command(request, "pause", campaign_id)


@bp.post("/<campaign_id:str>/resume")
@needs(Scope.CAMPAIGNS)
async def resume_campaign(request: Request, campaign_id: str) -> HTTPResponse:
    """Send to the remaining recipients of a paused campaign."""
    return await _command(request, "resume", campaign_id)


@bp.post("/<campaign_id:str>/cancel")
@needs(Scope.CAMPAIGNS)
async def cancel_campaign(request: Request, campaign_id: str) -> HTTPResponse:
    """Never send what has not left."""
    return await _command(request, "cancel", campaign_id)


def campaign_json(campaign: Campaign) -> dict[str, Any]:
    """A campaign as lists show it. ``progress`` is what was written down last."""
    progress = campaign.progress
    return {
        "id": campaign.id,
        "phone_number_id": campaign.phone_number_id,
        "name": campaign.name,
        "status": campaign.status.value,
        "reason": campaign.reason,
        "category": campaign.category.value,
        "template": campaign.template,
        "audience": {"label": campaign.audience.label} if campaign.audience.label is not None else {"list": True},
        "rate_per_minute": campaign.rate_per_minute,
        "send_at": campaign.send_at,
        "progress": {
            "total": progress.total,
            "handed_over": progress.seen - progress.skipped,
            "skipped": progress.skipped,
        },
        "results": campaign.results,
        "created_at": campaign.created_at,
        "started_at": campaign.started_at,
        "finished_at": campaign.finished_at,
        "updated_at": campaign.updated_at,
    }


async def _detail(request: Request, campaign: Campaign) -> dict[str, Any]:
    """With fresh counts, as long as there is something to count."""
    body, repository = campaign_json(campaign), services_of(request).campaigns
    if campaign.progress.total is None:
        body["progress"]["total"] = await repository.count(campaign.id) if campaign.audience.label is None else None
    if campaign.started_at is not None:
        body["results"] = await repository.results(campaign.id) or campaign.results
    return body


async def _command(request: Request, kind: str, campaign_id: str) -> HTTPResponse:
    campaign = await _own(request, campaign_id)
    await services_of(request).campaign_service.command(kind, campaign.id, by=caller_of(request).key_id)
    return json_response(await _detail(request, await _own(request, campaign_id)))


async def _own(request: Request, campaign_id: str) -> Campaign:
    campaign = await services_of(request).campaigns.get(campaign_id)
    if campaign is None or not campaign.is_within(caller_of(request).numbers):
        raise RequestRefused("There is no such campaign.", code="not_found")
    return campaign


def _idempotency(request: Request) -> tuple[str, bytes] | None:
    key = idempotency_key(request)
    if key is None:
        return None
    return key, hashlib.sha256(request.body).digest()
