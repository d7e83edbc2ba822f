"""`/{waba}/message_templates` and `/{template}`: list, create, edit, delete.

Process: sandbox.

Source: Meta, "Message templates" (2025-12). New templates are approved by `world.reviews`, at once unless told
otherwise.
"""

from services.sandbox.checks.template_creation import category_of, check_components, check_creation
from services.sandbox.graph.call import SUCCESS, Answer, Call
from services.sandbox.graph.context import GraphContext
from services.sandbox.graph.paging import fields_of, page_of
from services.sandbox.graph.templates_match import find_template
from services.sandbox.wire.faults import GraphFault, missing, unknown_object
from services.sandbox.wire.shapes import Json
from services.sandbox.world.world import World

TEMPLATES_MOST = 250
ALREADY_THERE = 2388024
TOO_MANY = 2388019
LOCKED = 2388039
REVIEWED_AT_S = 1_767_225_600
"""Of every quality score: one real client needs a date."""
_FILTERS = {"name": "name", "status": "status", "category": "category", "language": "language"}


async def list_templates(context: GraphContext, call: Call) -> Answer:
    """With filters, paging, and `summary` where it is asked for: a client that asked needs it."""
    world = context.world
    _require_account(world, call)
    mine = [_shown(one) for _, one in world.templates.items() if one["waba"] == call.node]
    found = [one for one in mine if _passes(one, call)]
    page = page_of(call, found)
    page["data"] = [fields_of(call, one) for one in page["data"]]
    if call.query.get("summary"):
        page["summary"] = {
            "total_count": len(found),
            "message_template_count": len(mine),
            "message_template_limit": TEMPLATES_MOST,
            "are_translations_complete": True,
        }
    return Answer(page)


async def create_template(context: GraphContext, call: Call) -> Answer:
    world = context.world
    _require_account(world, call)
    template = check_creation(call.body)
    if find_template(world, call.node, template["name"], template["language"]) is not None:
        raise GraphFault(
            100,
            f"There is already {template['language']} content for this template. You can create a new template.",
            subcode=ALREADY_THERE,
        )
    if len(world.templates) >= TEMPLATES_MOST:
        raise GraphFault(100, f"The account has {TEMPLATES_MOST} templates.", subcode=TOO_MANY)
    template_id = world.new_object_id("template")
    context.reviews.submit({"id": template_id, "waba": call.node, **template})
    return Answer({"id": template_id, "status": "PENDING", "category": template["category"]})


async def upsert_templates(context: GraphContext, call: Call) -> Answer:
    """`/{waba}/upsert_message_templates`: authentication templates in several languages at once."""
    _require_account(context.world, call)
    languages = call.body.get("languages")
    if not isinstance(languages, list) or not languages:
        raise missing("languages")
    answers = []
    for language in languages:
        wanted = check_creation({**call.body, "language": language})
        known = find_template(context.world, call.node, wanted["name"], str(language))
        template_id = known["id"] if known is not None else context.world.new_object_id("template")
        context.reviews.submit({"id": template_id, "waba": call.node, **wanted})
        answers.append({"id": template_id, "status": "APPROVED", "language": language})
    return Answer({"data": answers})


async def delete_templates(context: GraphContext, call: Call) -> Answer:
    """By name: every language of it; with `hsm_id`: this one alone."""
    world = context.world
    _require_account(world, call)
    name, one_id = call.parameter("name"), call.parameter("hsm_id")
    if not name and not one_id:
        raise missing("name")
    doomed = [
        thing_id
        for thing_id, one in world.templates.items()
        if one["waba"] == call.node and (not name or one["name"] == name) and (not one_id or thing_id == str(one_id))
    ]
    if not doomed:
        raise GraphFault(100, f"Message template {name or one_id} was not found.", subcode=2593002)
    for thing_id in doomed:
        world.templates.drop(thing_id)
    return Answer(SUCCESS)


async def get_template(context: GraphContext, call: Call) -> Answer:
    return Answer(fields_of(call, _shown(_template_of(context.world, call))))


async def edit_template(context: GraphContext, call: Call) -> Answer:
    """New components or category; it is reviewed again."""
    template = dict(_template_of(context.world, call))
    if template["status"] == "PENDING":
        raise GraphFault(100, "A template cannot be edited while it is in review.", subcode=LOCKED)
    if call.body.get("category"):
        template["category"] = category_of(call.body["category"])
    if call.body.get("components") is not None:
        template["components"] = check_components(call.body["components"], category=template["category"])
    context.reviews.submit(template)
    return Answer({**SUCCESS, "id": template["id"], "name": template["name"], "category": template["category"]})


async def delete_template(context: GraphContext, call: Call) -> Answer:
    context.world.templates.drop(_template_of(context.world, call)["id"])
    return Answer(SUCCESS)


async def get_template_of_account(context: GraphContext, call: Call) -> Answer:
    """`/{waba}/message_templates/{id}`: one client asks so; Meta has no such path."""
    template = context.world.templates.get(call.segments[2])
    if template is None or template["waba"] != call.node:
        raise unknown_object(call.segments[2], call.method)
    return Answer(fields_of(call, _shown(template)))


async def unpause_template(context: GraphContext, call: Call) -> Answer:
    template = _template_of(context.world, call)
    if template["status"] != "PAUSED":
        raise GraphFault(100, "The template is not paused.")
    context.reviews.decide(template["id"], "APPROVED")
    return Answer(SUCCESS)


def _require_account(world: World, call: Call) -> None:
    if world.accounts.get(call.node) is None:
        raise call.no_such_object()


def _template_of(world: World, call: Call) -> Json:
    template = world.templates.get(call.node)
    if template is None:
        raise call.no_such_object()
    return template


def _shown(template: Json) -> Json:
    """The keys that clients see, with what Meta adds to all."""
    hidden = ("waba", "decide_at")
    shown = {key: value for key, value in template.items() if key not in hidden}
    return {"quality_score": {"score": "UNKNOWN", "date": REVIEWED_AT_S}, "rejected_reason": "NONE", **shown}


def _passes(template: Json, call: Call) -> bool:
    for parameter, key in _FILTERS.items():
        wanted = call.query.get(parameter)
        if wanted and template[key].lower() not in [one.strip(' []"').lower() for one in wanted.split(",")]:
            return False
    text = (call.query.get("name_or_content") or call.query.get("content") or "").lower()
    return text in f"{template['name']} {template['components']}".lower()
