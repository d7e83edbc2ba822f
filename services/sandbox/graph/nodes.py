"""`/{id}` alone: one id space, so the store that holds the id decides what it is.

Process: sandbox.
"""

from services.sandbox.graph import flows, media, numbers, templates, uploads
from services.sandbox.graph.call import RAW_PREFIX, Answer, Call
from services.sandbox.graph.context import GraphContext, Handler


def _kind_of(context: GraphContext, call: Call) -> str:
    world = context.world
    if call.node.startswith(RAW_PREFIX):
        return "upload"
    shelves = (
        ("number", world.numbers),
        ("account", world.accounts),
        ("media", world.media),
        ("template", world.templates),
        ("flow", world.flows),
    )
    return next((name for name, shelf in shelves if shelf.get(call.node) is not None), "nothing")


_HANDLERS: dict[tuple[str, str], Handler] = {
    ("GET", "number"): numbers.get_number,
    ("POST", "number"): numbers.post_number,
    ("GET", "account"): numbers.get_account,
    ("GET", "media"): media.get_media,
    ("DELETE", "media"): media.delete_media,
    ("GET", "template"): templates.get_template,
    ("POST", "template"): templates.edit_template,
    ("DELETE", "template"): templates.delete_template,
    ("GET", "flow"): flows.get_flow,
    ("POST", "flow"): flows.post_flow,
    ("DELETE", "flow"): flows.delete_flow,
    ("GET", "upload"): uploads.get_upload,
    ("POST", "upload"): uploads.post_upload,
}


async def handle_node(context: GraphContext, call: Call) -> Answer:
    """The handler of whatever has this id; 100/33 for what nobody has."""
    handler = _HANDLERS.get((call.method, _kind_of(context, call)))
    if handler is None:
        raise call.no_such_object()
    answer = await handler(context, call)
    if not isinstance(answer, Answer):
        raise TypeError("a node answers with JSON")
    return answer
