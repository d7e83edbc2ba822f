"""Where notifications go: subscriptions of an app, overrides of an account; and the handshake before either.

Process: sandbox.

Source: Meta, "Webhooks, create endpoint" and "Override" (2026-09-11): number before account before app.
"""

import secrets

import aiohttp

from services.sandbox.graph.call import SUCCESS, Answer, Call
from services.sandbox.graph.context import GraphContext
from services.sandbox.wire.faults import GraphFault, missing
from services.sandbox.wire.shapes import Json

HANDSHAKE_TIMEOUT_S = 10.0
VERIFICATION_FAILED = 2200
MOST_OF_AN_ANSWER_BYTES = 4096


async def verified(url: str, verify_token: str) -> None:
    """GET the url with a challenge; GraphFault 2200 unless it comes back with 200."""
    challenge = str(secrets.randbelow(9 * 10**9) + 10**9)
    query = {"hub.mode": "subscribe", "hub.challenge": challenge, "hub.verify_token": verify_token}
    timeout = aiohttp.ClientTimeout(total=HANDSHAKE_TIMEOUT_S)
    try:
        async with aiohttp.ClientSession(timeout=timeout) as session, session.get(url, params=query) as answer:
            text = (await answer.content.read(MOST_OF_AN_ANSWER_BYTES)).decode("utf-8", "replace")
            reason = f"HTTP Status Code = {answer.status}; HTTP Message = {answer.reason}"
            is_right = answer.status == 200 and text.strip() == challenge
    except (aiohttp.ClientError, TimeoutError, OSError, ValueError) as error:
        reason, is_right = f"{type(error).__name__}", False
    if not is_right:
        raise GraphFault(VERIFICATION_FAILED, title=f"Callback verification failed with the following errors: {reason}")


async def subscribe_account(context: GraphContext, call: Call) -> Answer:
    """`POST /{waba}/subscribed_apps`, with `override_callback_uri` or without."""
    account = _account_of(context, call)
    url = call.parameter("override_callback_uri") or ""
    if url:
        await verified(str(url), str(call.parameter("verify_token") or ""))
    context.world.accounts.put(call.node, {**account, "webhook_url": str(url), "is_unsubscribed": False})
    return Answer(SUCCESS)


async def unsubscribe_account(context: GraphContext, call: Call) -> Answer:
    """No notification leaves until it is subscribed again."""
    account = _account_of(context, call)
    context.world.accounts.put(call.node, {**account, "webhook_url": "", "is_unsubscribed": True})
    return Answer(SUCCESS)


async def subscribed_apps(context: GraphContext, call: Call) -> Answer:
    account = _account_of(context, call)
    if account.get("is_unsubscribed"):
        return Answer({"data": []})
    app: Json = {
        "whatsapp_business_api_data": {"id": "1", "link": f"{context.world.options.base_url}/", "name": "Sandbox"},
    }
    if account.get("webhook_url"):
        app["override_callback_uri"] = account["webhook_url"]
    return Answer({"data": [app]})


async def subscribe_app(context: GraphContext, call: Call) -> Answer:
    """`POST /{app}/subscriptions`: the callback of the app. Every number is a good app id."""
    url = call.parameter("callback_url")
    if not url:
        raise missing("callback_url")
    if call.parameter("object") not in (None, "whatsapp_business_account"):
        raise GraphFault(100, "Param object must be whatsapp_business_account.")
    await verified(str(url), str(call.parameter("verify_token") or ""))
    fields = call.parameter("fields") or "messages"
    names = fields if isinstance(fields, list) else str(fields).split(",")
    context.world.apps.put(call.node, {"id": call.node, "webhook_url": str(url), "fields": names})
    return Answer(SUCCESS)


async def app_subscriptions(context: GraphContext, call: Call) -> Answer:
    app = context.world.apps.get(call.node)
    if app is None:
        return Answer({"data": []})
    fields = [{"name": name, "version": context.world.options.api_version} for name in app["fields"]]
    entry = {
        "object": "whatsapp_business_account",
        "callback_url": app["webhook_url"],
        "active": True,
        "fields": fields,
    }
    return Answer({"data": [entry]})


async def unsubscribe_app(context: GraphContext, call: Call) -> Answer:
    context.world.apps.drop(call.node)
    return Answer(SUCCESS)


async def app_token(context: GraphContext, call: Call) -> Answer:
    """`GET /oauth/access_token`: the one token that the sandbox knows, in exchange for the app's secret."""
    if call.query.get("client_secret") not in (context.world.options.app_secret, None):
        raise GraphFault(1, title="Error validating client secret.", http=400)
    return Answer({"access_token": context.world.options.token, "token_type": "bearer"})


def _account_of(context: GraphContext, call: Call) -> Json:
    account = context.world.accounts.get(call.node)
    if account is None:
        raise call.no_such_object()
    return account
