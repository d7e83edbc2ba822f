"""The id that a drop-in client gets for a message before WhatsApp has given it one. Pure: nothing is looked up.

Process: worker, whatsapp.

A Cloud API client wants `messages[0].id` in the answer, and later statuses, replies and reactions must carry the same
text. WhatsApp's own wamid is known only after the send. So clients get ours, `wamid.` and our message id in base64,
which anybody can turn back without a look into the database. See docs/decisions/0004.
"""

import base64
import binascii

from config.ids import id_kind

PREFIX = "wamid."


def client_wamid(message_id: str) -> str:
    """The wamid that clients of the drop-in know an outbound message by: `msg_01J…` → `wamid.bXNnXzAxSi…`."""
    return PREFIX + base64.b64encode(message_id.encode("ascii")).decode("ascii")


def message_id_of(reference: str) -> str | None:
    """Our message id in something that a client uses to name a message: one of ours, or `client_wamid` of one.

    None for WhatsApp's own wamids and for anything else; that it has the form does not say that the message exists.
    """
    if id_kind(reference) == "msg":
        return reference
    if not reference.startswith(PREFIX):
        return None
    try:
        decoded = base64.b64decode(reference[len(PREFIX) :], validate=True).decode("ascii")
    except (binascii.Error, UnicodeDecodeError):
        return None
    return decoded if id_kind(decoded) == "msg" else None
