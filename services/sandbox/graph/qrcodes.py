"""`/{phone}/message_qrdls`: short links that open a conversation with a text already typed.

Process: sandbox.

Source: Meta, "QR codes and short links" (2025-12).
"""

from services.sandbox.graph.call import SUCCESS, Answer, Call
from services.sandbox.graph.context import GraphContext
from services.sandbox.graph.numbers import number_of
from services.sandbox.graph.paging import page_of
from services.sandbox.wire.faults import GraphFault, missing
from services.sandbox.wire.shapes import Json

KEPT = "message_qrdls"
TEXT_CHARS = 140


async def list_codes(context: GraphContext, call: Call) -> Answer:
    return Answer(page_of(call, list(number_of(context, call).get(KEPT, {}).values())))


async def post_code(context: GraphContext, call: Call) -> Answer:
    """A new one, or with `code` a new text for an old one."""
    number = number_of(context, call)
    text = call.parameter("prefilled_message")
    if not text:
        raise missing("prefilled_message")
    if len(str(text)) > TEXT_CHARS:
        raise GraphFault(100, f"Param prefilled_message must be at most {TEXT_CHARS} characters long.")
    code = (
        call.parameter("code") or context.world.ids.token("code", int(context.world.new_object_id("code")))[:14].upper()
    )
    known = number.get(KEPT, {})
    if not isinstance(code, str) or (call.parameter("code") and code not in known):
        raise GraphFault(100, f"There is no code {code}.")
    entry: Json = {
        "code": code,
        "prefilled_message": str(text),
        "deep_link_url": f"https://wa.me/message/{code}",
    }
    if call.parameter("generate_qr_image"):
        entry["qr_image_url"] = f"{context.world.options.base_url}/_sandbox/sample.png"
    context.world.numbers.put(call.node, {**number, KEPT: {**known, code: entry}})
    return Answer(entry)


async def get_code(context: GraphContext, call: Call) -> Answer:
    entry = number_of(context, call).get(KEPT, {}).get(call.segments[2])
    return Answer({"data": [entry] if entry else []})


async def delete_code(context: GraphContext, call: Call) -> Answer:
    number = number_of(context, call)
    rest = {code: entry for code, entry in number.get(KEPT, {}).items() if code != call.segments[2]}
    context.world.numbers.put(call.node, {**number, KEPT: rest})
    return Answer(SUCCESS)
