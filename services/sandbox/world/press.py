"""A person presses a button or chooses a row: the reply that Meta would notify for the message it belongs to.

Process: sandbox.
"""

from services.sandbox.wire.shapes import Json
from services.sandbox.world.messages import Message
from services.sandbox.world.world import World


def pressed(world: World, message: Json, received: Message | None, *, number: str | None = None) -> tuple[str, Json]:
    """`{"type": "press", "press": {"message_id": …, "id" or "title" or "index": …}}` → kind and content of the reply.

    The wamid of the pressed message is under `pressed_wamid`. A scripted reply may leave `message_id` out: it presses
    the message that it answers. `number`: only a message of this one can be pressed. ValueError says what is wrong.
    """
    press = message.get("press")
    wish: Json = press if isinstance(press, dict) else {}
    target = world.messages.get(str(wish["message_id"])) if wish.get("message_id") else received
    if target is None or (number is not None and target.number != number):
        raise ValueError("press.message_id: the wamid of a message with buttons")
    if target.type == "template":
        kind, content = _template_button(world, target, wish)
    elif target.type == "interactive":
        kind, content = _reply(target, wish)
    else:
        raise ValueError(f"press: a message of the type {target.type} has nothing to press")
    return kind, {"pressed_wamid": target.wamid, **content}


def _reply(target: Message, wish: Json) -> tuple[str, Json]:
    action = target.body["interactive"]["action"]
    if target.body["interactive"]["type"] == "button":
        reply = _chosen([one["reply"] for one in action["buttons"]], wish)
        content = {"type": "button_reply", "button_reply": {"id": reply["id"], "title": reply["title"]}}
    elif target.body["interactive"]["type"] == "list":
        row = _chosen([row for section in action["sections"] for row in section["rows"]], wish)
        shown = {key: row[key] for key in ("id", "title", "description") if row.get(key)}
        content = {"type": "list_reply", "list_reply": shown}
    else:
        raise ValueError("press: only buttons and lists; answer other kinds with type interactive")
    return "interactive", {"interactive": content}


def _template_button(world: World, target: Message, wish: Json) -> tuple[str, Json]:
    """A quick reply of a template: its payload if the send gave one, else its text."""
    sent = target.body["template"]
    texts = [
        button.get("text", "")
        for _, template in world.templates.items()
        if template["name"] == sent["name"] and template["language"] == sent["language"]["code"]
        for part in template.get("components") or []
        if str(part.get("type", "")).upper() == "BUTTONS"
        for button in part.get("buttons") or []
    ]
    payloads = {
        int(part["index"]): part["parameters"][0].get("payload")
        for part in sent.get("components") or []
        if str(part.get("type", "")).lower() == "button" and part.get("parameters")
    }
    buttons = [{"id": payloads.get(at) or text, "title": text} for at, text in enumerate(texts)]
    button = _chosen(buttons, wish)
    return "button", {"button": {"payload": button["id"], "text": button["title"]}}


def _chosen(choices: list[Json], wish: Json) -> Json:
    for key in ("id", "title"):
        if wish.get(key) is not None:
            found = [one for one in choices if one.get(key) == wish[key]]
            if found:
                return found[0]
            raise ValueError(f"press.{key}: there is none with {wish[key]!r}")
    index = int(wish.get("index") or 0)
    if not 0 <= index < len(choices):
        raise ValueError(f"press.index: there are {len(choices)} to press")
    return choices[index]
