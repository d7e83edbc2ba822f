"""What only the console calls: its session, the charts' samples, who works here, and the emulated phones.

Process: worker.
"""

import re
from datetime import datetime
from itertools import accumulate
from typing import Any, Final

from sanic import Blueprint, HTTPResponse, Request

from blueprints.rendering import json_response
from blueprints.request_reading import (
    SESSION_COOKIE,
    authenticated,
    caller_of,
    is_own_page,
    json_object,
    limit_of,
    needs,
    services_of,
    whole_number,
)
from config.errors import RequestRefused
from services.console import Session, SessionEnded
from services.events import event_json, may_read
from services.http_server.drain import why_not_ready
from services.http_server.forwarded import origin_of
from services.keys import Caller, NotAuthenticated, NotPermitted, Scope
from services.store import Event, last_seq

bp = Blueprint("console_api", url_prefix="/console")

PHONE_CALLS: Final = re.compile(r"(phones(/[^/]+(/messages)?)?|rules(/[^/]+)?|settings|sample\.[a-z0-9]+)")
"""What the console may ask of the sandbox. ``reset`` is not among it: it would forget what the database knows."""
MEDIA_ID: Final = re.compile(r"[0-9A-Za-z_-]{1,64}")


@bp.post("/session")
async def sign_in(request: Request) -> HTTPResponse:
    """Open a session with an API key that has the scope ``console``."""
    if not is_own_page(request):
        raise NotPermitted("Sign in from the console's own page.")
    key = json_object(request).get("key")
    if not isinstance(key, str) or not key.strip():
        raise NotAuthenticated("Give an API key.")
    session = await services_of(request).sessions.open(key.strip())
    return _with_cookie(request, session)


@bp.get("/session")
async def who_am_i(request: Request) -> HTTPResponse:
    """Who is signed in; nobody is no error here."""
    try:
        caller = await authenticated(request)
    except (NotAuthenticated, NotPermitted):
        return json_response({"signed_in": False, **_facts(request)})
    return json_response({**_who(caller), **_facts(request)})


@bp.post("/session/touch")
async def stay(request: Request) -> HTTPResponse:
    """Keep the session: its idle time starts again."""
    if not is_own_page(request):
        raise SessionEnded()
    return _with_cookie(request, await services_of(request).sessions.touch(request.cookies.get(SESSION_COOKIE) or ""))


@bp.delete("/session")
async def sign_out(request: Request) -> HTTPResponse:
    """End the session on every worker, and forget it in this browser; ``everywhere``: all sessions of its key."""
    await services_of(request).sessions.end(
        request.cookies.get(SESSION_COOKIE) or "", everywhere=request.args.get("everywhere") == "true"
    )
    answer = json_response({"signed_in": False})
    _set_cookie(request, answer, "", max_age=0)
    return answer


@bp.get("/agents")
@needs(Scope.CONSOLE)
async def list_agents(request: Request) -> HTTPResponse:
    """Names of the keys that may use the console: whom a conversation can be given to."""
    return json_response({"data": await services_of(request).keys.agents(caller_of(request))})


@bp.get("/history")
@needs(Scope.CLUSTER_READ)
async def get_history(request: Request) -> HTTPResponse:
    """Samples of the last minutes, oldest first."""
    minutes = whole_number(request, "minutes", 60, least=1, most=120)
    return json_response({"data": await services_of(request).samples.since(minutes)})


@bp.get("/health")
async def get_health(request: Request) -> HTTPResponse:
    """What ``/readyz`` says, as an answer that is no failure: the page shows it in words."""
    report = await services_of(request).readiness.check()
    reasons = why_not_ready(request.app.ctx.life.scoreboard)
    return json_response({"checks": {**report.checks, "cluster": "; ".join(reasons) or "ok"}})


@bp.get("/tails")
@needs(Scope.EVENTS_READ)
async def list_tails(request: Request) -> HTTPResponse:
    """Where the log of each number ends: from there on the page listens."""
    services, caller = services_of(request), caller_of(request)
    numbers = [one for one in await services.numbers.all() if caller.may_use(one.phone_number_id)]
    tails = [await last_seq(services.database, one.phone_number_id, floor=one.seq_floor) for one in numbers]
    data = [
        {"phone_number_id": number.phone_number_id, "last_seq": tail}
        for number, tail in zip(numbers, tails, strict=True)
    ]
    return json_response({"data": data})


@bp.get("/latest-events")
@needs(Scope.EVENTS_READ)
async def list_latest_events(request: Request) -> HTTPResponse:
    """The newest events of every number that the caller may see, the newest first."""
    services, caller, limit = services_of(request), caller_of(request), limit_of(request)
    found: list[tuple[datetime, int, Event]] = []
    for number in await services.numbers.all():
        if caller.may_use(number.phone_number_id):
            last = await last_seq(services.database, number.phone_number_id, floor=number.seq_floor)
            page = await services.events.page(
                number.phone_number_id, after=max(0, last - limit), limit=limit, types=[], wait_s=0
            )
            # Numbers of different logs mean nothing to each other: moments sort those, ``seq`` sorts one log.
            moments = accumulate((event.at for event in page.events), max)
            found += [(at, event.seq, event) for at, event in zip(moments, page.events, strict=True)]
    found.sort(key=lambda one: one[:2], reverse=True)
    return json_response(
        {"data": [event_json(event) for _, _, event in found if may_read(event, caller.numbers)][:limit]}
    )


@bp.get("/sandbox/media/<media_id:str>")
@needs(Scope.CONSOLE)
async def get_phone_media(request: Request, media_id: str) -> HTTPResponse:
    """What the business uploaded, as the customer's phone shows it."""
    phones = services_of(request).phones
    if phones is None or MEDIA_ID.fullmatch(media_id) is None:
        raise RequestRefused("There is no such file.", code="not_found")
    answer = await phones.media(media_id, caller_of(request).numbers)
    if answer.status in (400, 404):  # Graph says 400 for what is not there
        raise RequestRefused("There is no such file.", code="not_found")
    headers = {"content-security-policy": "default-src 'none'; sandbox", "x-content-type-options": "nosniff"}
    return HTTPResponse(answer.body, status=answer.status, headers=headers, content_type=answer.content_type)


@bp.get("/sandbox/<path:path>", name="ask_phones")
@bp.post("/sandbox/<path:path>", name="use_phones")
@bp.put("/sandbox/<path:path>", name="script_phones")
@bp.delete("/sandbox/<path:path>", name="unscript_phones")
@needs(Scope.CONSOLE)
async def call_phones(request: Request, path: str) -> HTTPResponse:
    """One call of the sandbox's control API."""
    phones = services_of(request).phones
    if phones is None or PHONE_CALLS.fullmatch(path) is None:
        raise RequestRefused("There is no such call, or no sandbox here.", code="not_found")
    answer = await phones.control(
        request.method,
        path,
        query=request.query_string,
        body=request.body or None,
        numbers=caller_of(request).numbers,
    )
    return HTTPResponse(answer.body, status=answer.status, content_type=answer.content_type)


def _with_cookie(request: Request, session: Session) -> HTTPResponse:
    answer = json_response({**_who(session.caller), **_facts(request)})
    _set_cookie(request, answer, session.text)
    return answer


def _set_cookie(request: Request, answer: HTTPResponse, text: str, *, max_age: int | None = None) -> None:
    """Set the cookie, or delete it: browsers take a deletion only with the attributes that the cookie has."""
    answer.add_cookie(
        SESSION_COOKIE,
        text,
        path="/",
        secure=origin_of(request).is_secure,
        httponly=True,
        samesite="Strict",
        max_age=max_age,
    )


def _who(caller: Caller) -> dict[str, Any]:
    return {
        "signed_in": True,
        "key_id": caller.key_id,
        "name": caller.name,
        "scopes": sorted(scope.value for scope in caller.scopes),
        "numbers": sorted(caller.numbers),
    }


def _facts(request: Request) -> dict[str, Any]:
    settings = services_of(request).settings
    return {
        "locale": settings.locale,
        "whatsapp": settings.whatsapp,
        "is_production": settings.is_production,
        "idle_s": settings.console_idle_s,
    }
