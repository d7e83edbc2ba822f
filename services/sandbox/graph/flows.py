"""Flows: create, list, read, publish, deprecate, delete. What is in them is kept, not run.

Process: sandbox.

Source: Meta, "Flows API" (2025-12).
"""

from datetime import UTC, datetime

from services.sandbox.graph.call import SUCCESS, Answer, Call
from services.sandbox.graph.context import GraphContext
from services.sandbox.graph.paging import fields_of, page_of
from services.sandbox.wire.faults import GraphFault, missing
from services.sandbox.wire.shapes import Json

STANDARD_FIELDS = ("id", "name", "status", "categories", "validation_errors", "updated_at")


async def list_flows(context: GraphContext, call: Call) -> Answer:
    _require_account(context, call)
    flows = [flow for _, flow in context.world.flows.items() if flow["waba"] == call.node]
    page = page_of(call, flows)
    page["data"] = [fields_of(call, flow, standard=STANDARD_FIELDS) for flow in page["data"]]
    return Answer(page)


async def create_flow(context: GraphContext, call: Call) -> Answer:
    _require_account(context, call)
    if not call.parameter("name"):
        raise missing("name")
    flow_id = context.world.new_object_id("flow")
    flow: Json = {
        "id": flow_id,
        "waba": call.node,
        "name": str(call.parameter("name")),
        "status": "PUBLISHED" if call.parameter("publish") in (True, "true") else "DRAFT",
        "categories": call.parameter("categories") or ["OTHER"],
        "validation_errors": [],
        "updated_at": datetime.fromtimestamp(context.world.now(), UTC).strftime("%Y-%m-%dT%H:%M:%S+0000"),
        "json_version": "6.0",
        "data_api_version": "3.0",
        "endpoint_uri": call.parameter("endpoint_uri"),
        "preview": {
            "preview_url": f"{context.world.options.base_url}/_sandbox",
            "expires_at": "2030-01-01T00:00:00+0000",
        },
    }
    context.world.flows.put(flow_id, flow)
    return Answer({"id": flow_id, "success": True, "validation_errors": []})


async def get_flow(context: GraphContext, call: Call) -> Answer:
    return Answer(fields_of(call, _flow_of(context, call), standard=STANDARD_FIELDS))


async def post_flow(context: GraphContext, call: Call) -> Answer:
    """Name, categories or endpoint."""
    flow = _flow_of(context, call)
    changes = {key: call.parameter(key) for key in ("name", "categories", "endpoint_uri")}
    context.world.flows.put(call.node, {**flow, **{key: value for key, value in changes.items() if value is not None}})
    return Answer(SUCCESS)


async def delete_flow(context: GraphContext, call: Call) -> Answer:
    if _flow_of(context, call)["status"] != "DRAFT":
        raise GraphFault(139004, "Only a draft can be deleted.", title="Flow can't be deleted")
    context.world.flows.drop(call.node)
    return Answer(SUCCESS)


async def post_assets(context: GraphContext, call: Call) -> Answer:
    """The flow's JSON, as multipart: read and let go."""
    _flow_of(context, call)
    await call.request.read()
    return Answer({"success": True, "validation_errors": []})


async def get_assets(context: GraphContext, call: Call) -> Answer:
    _flow_of(context, call)
    url = f"{context.world.options.base_url}/_sandbox"
    return Answer({"data": [{"name": "flow.json", "asset_type": "FLOW_JSON", "download_url": url}]})


async def publish(context: GraphContext, call: Call) -> Answer:
    return _move(context, call, needed="DRAFT", status="PUBLISHED")


async def deprecate(context: GraphContext, call: Call) -> Answer:
    return _move(context, call, needed="PUBLISHED", status="DEPRECATED")


def check_flow(context: GraphContext, interactive: Json) -> None:
    """GraphFault when a message names a flow of this account that cannot be sent so; unknown flows pass."""
    parameters = interactive["action"]["parameters"]
    flow = context.world.flows.get(str(parameters.get("flow_id")))
    if flow is None:
        return
    is_draft = parameters.get("mode") == "draft"
    if flow["status"] != ("DRAFT" if is_draft else "PUBLISHED"):
        raise GraphFault(131009, f"Flow {flow['id']} is {flow['status'].lower()} and cannot be sent in this mode.")


def _move(context: GraphContext, call: Call, *, needed: str, status: str) -> Answer:
    flow = _flow_of(context, call)
    if flow["status"] != needed:
        raise GraphFault(139002, f"The flow is {flow['status']}, not {needed}.", title="Flow can't be changed")
    context.world.flows.put(call.node, {**flow, "status": status})
    return Answer(SUCCESS)


def _flow_of(context: GraphContext, call: Call) -> Json:
    flow = context.world.flows.get(call.node)
    if flow is None:
        raise call.no_such_object()
    return flow


def _require_account(context: GraphContext, call: Call) -> None:
    if context.world.accounts.get(call.node) is None:
        raise call.no_such_object()
