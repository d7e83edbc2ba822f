"""Every Graph path: who may call, which rule applies, which handler answers, what the log keeps.

Process: sandbox.

Order of events: token → fault rules → handler → log on disk → answer (late, cut off or as it should be).
"""

import asyncio
import hmac
import logging
from dataclasses import replace

from aiohttp import web

from services.sandbox.graph.call import Answer, Call, read_call, token_of
from services.sandbox.graph.context import GraphContext
from services.sandbox.graph.media import get_bytes
from services.sandbox.graph.routes import OPEN_ROUTES, route_of
from services.sandbox.wire.codes import row_of
from services.sandbox.wire.faults import GraphFault
from services.sandbox.wire.shapes import answer_bytes
from services.sandbox.world.rules import NOTHING, Then

log = logging.getLogger("panal.sandbox")

THROTTLES = (4, 80007, 130429, 131056)
BROKEN_PROXY_PAGE = b"<!DOCTYPE html><html><body><h1>Sorry, something went wrong.</h1></body></html>"


class GraphApi:
    """The handler of all paths outside `/_sandbox`."""

    def __init__(self, context: GraphContext) -> None:
        self._context = context
        self._world = context.world

    async def bytes_of_media(self, request: web.Request) -> web.StreamResponse:
        """The bytes behind a media url, which carries its own proof; the setting `media_needs_token` wants both."""
        settings = self._world.settings.now
        if settings.media_needs_token and request.headers.get("Authorization") != f"Bearer {self._world.options.token}":
            return self._refuse(request, GraphFault(190))
        return await get_bytes(self._context, request)

    async def handle(self, request: web.Request) -> web.StreamResponse:
        """One call, whatever its path."""
        try:
            call = await read_call(request)
            self._authorise(call)
            verdict = NOTHING
            if len(self._world.rules):
                verdict = self._world.rules.decide(call.path, call.to, call.kind)
                call = replace(call, verdict=verdict)
            if verdict.delay_ms and (verdict.http_status or _is_prompt(verdict.error)):
                await asyncio.sleep(verdict.delay_ms / 1000)
            if verdict.http_status is not None:
                self._remember(call, verdict.http_status, None)
                return web.Response(status=verdict.http_status, body=BROKEN_PROXY_PAGE, content_type="text/html")
            if verdict.error is not None and _is_prompt(verdict.error):
                raise _asked_for(verdict.error)
            answer = await self._answer(call)
        except GraphFault as fault:
            return self._refuse(request, fault)
        except web.HTTPRequestEntityTooLarge:
            return self._refuse(request, GraphFault(100, "The body is too large.", http=413))
        except Exception:
            log.exception("a call broke the sandbox", extra={"action": "call.broken", "path": request.path})
            return self._refuse(request, GraphFault(131000))
        if isinstance(answer, web.StreamResponse):
            return answer
        if verdict.delay_ms:
            await asyncio.sleep(verdict.delay_ms / 1000)
        if verdict.drop_answer:
            return _cut_off(request)
        return self._json(answer)

    async def _answer(self, call: Call) -> Answer | web.StreamResponse:
        handler = OPEN_ROUTES.get((call.method, *call.segments)) or route_of(call.method, call.segments)
        if handler is None:
            raise call.no_such_object()
        answer = await handler(self._context, call)
        if call.method != "GET" and isinstance(answer, Answer) and answer.status == 200:
            self._world.calls.keep(
                call.method,
                call.path,
                at=self._world.now(),
                to=answer.to,
                kind=call.kind,
                wamid=answer.wamid,
                biz=answer.biz,
            )
        await self._world.settled()
        self._remember(call, 200, None)
        return answer

    def _authorise(self, call: Call) -> None:
        if (call.method, *call.segments) in OPEN_ROUTES:
            return
        token = token_of(call)
        if token is None:
            raise GraphFault(104)
        if token != self._world.options.token:
            raise GraphFault(190)
        self._check_proof(call, token)

    def _check_proof(self, call: Call, token: str) -> None:
        """A proof that is given must be right; the setting `require_proof` wants one.

        Source: Meta, "Secure Graph API calls" (developers.facebook.com/docs/graph-api/guides/secure-requests).
        """
        given = call.query.get("appsecret_proof")
        if given is None:
            if self._world.settings.now.require_proof:
                raise GraphFault(100, "API calls from the server require an appsecret_proof argument")
            return
        right = hmac.digest(self._world.options.app_secret.encode("utf-8"), token.encode("utf-8"), "sha256").hex()
        if not hmac.compare_digest(given.encode("utf-8"), right.encode("ascii")):
            raise GraphFault(100, "Invalid appsecret_proof provided in the API argument")

    def _refuse(self, request: web.Request, fault: GraphFault) -> web.Response:
        status = fault.http
        if fault.code in THROTTLES and status == row_of(fault.code).http:
            status = self._world.settings.now.throttle_http
        trace_id = self._world.new_trace_id()
        self._world.calls.recent.append(
            {"method": request.method, "path": request.path, "status": status, "code": fault.code, "text": str(fault)}
        )
        headers = {"x-fb-trace-id": trace_id}
        if fault.retry_after_s is not None:
            headers["Retry-After"] = str(fault.retry_after_s)
        if fault.code in THROTTLES:
            headers["X-Business-Use-Case-Usage"] = _usage(self._world.options.waba)
        body = answer_bytes(fault.envelope(trace_id))
        return web.Response(status=status, body=body, content_type="application/json", headers=headers)

    def _json(self, answer: Answer) -> web.Response:
        headers = {"facebook-api-version": self._world.options.api_version}
        body = answer_bytes(answer.value)
        return web.Response(status=answer.status, body=body, content_type="application/json", headers=headers)

    def _remember(self, call: Call, status: int, code: int | None) -> None:
        self._world.calls.recent.append({"method": call.method, "path": call.path, "status": status, "code": code})


def _is_prompt(rule: Then | None) -> bool:
    """Whether a rule's error belongs into the answer and not into a later status."""
    if rule is None or rule.error is None:
        return False
    return not rule.late if rule.late is not None else not row_of(rule.error).is_late


def _asked_for(rule: Then) -> GraphFault:
    code = rule.error if rule.error is not None else 1
    fault = GraphFault(code, rule.details, subcode=rule.subcode)
    fault.retry_after_s = rule.retry_after_s
    return fault


def _usage(waba_id: str) -> str:
    """How busy the account is, as Meta says it beside a throttle; the time is in minutes."""
    usage = {"type": "whatsapp", "call_count": 100, "total_cputime": 100, "total_time": 100}
    return answer_bytes({waba_id: [{**usage, "estimated_time_to_regain_access": 1}]}).decode("ascii")


def _cut_off(request: web.Request) -> web.Response:
    """Close the connection in the middle: the caller never learns that the call was accepted."""
    if request.transport is not None:
        request.transport.abort()
    return web.Response()
