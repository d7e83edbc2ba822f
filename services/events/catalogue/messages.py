"""What happens to messages and conversations, type by type. Data.

Process: worker.
"""

from typing import Any, Final

from services.events.catalogue.event_type import EventType, fields

_MESSAGE: Final = """
message_id                 text    our id of the message
conversation_id            text?   its conversation; null until it has one
to                         text    the recipient: a phone number, or a business-scoped user id
status                     text    the state after this event
~wamid                     text    WhatsApp's id of the message
~biz_opaque_callback_data  text    your own text from the request
~metadata                  object  your own object from the request
"""

_REPORTED: Final = """
~platform_at        moment  the time by WhatsApp's clock
~pricing            object  what Meta charges for it
~conversation       object  Meta's own conversation, when Meta names one
~recipient_user_id  text    the customer's business-scoped id
~evidence           text    the proof, when the call got no answer
"""
"""What a status of WhatsApp can contain beside the state."""

_ERROR: Final = "code, title, details and next_step: why, and what to do"

_EXAMPLE: Final[dict[str, Any]] = {
    "message_id": "msg_01KFM3Q4S8B6P2D7A9V5C1X0ZT",
    "conversation_id": "cnv_01KFM3Q4RZ6F5G1H8J2K4M7N9Q",
    "to": "16505551234",
}
_WAMID: Final = {"wamid": "wamid.HBgLMTY1MDU1NTEyMzQVAgARGBI4RkFFNDUxOTRGOThEQkI2MEIA"}


def _message(name: str, meaning: str, more: str = "", /, **example: Any) -> EventType:
    return EventType(f"message.{name}", meaning, fields(_MESSAGE + more), {**_EXAMPLE, **example})


MESSAGE_TYPES: Final = (
    _message(
        "scheduled",
        "Somebody changed the time of the send.",
        "send_at  moment  when it will leave\nby       text    the API key that changed it",
        status="scheduled",
        send_at="2026-01-03T09:00:00.000Z",
        by="key_01KFM3Q4QZ5F5G1H8J2K4M7N9R",
    ),
    _message(
        "queued",
        "It was accepted and waits to be sent.",
        """
        type     text    Meta's word: text, template, image …
        preview  text?   its first words; for a template its text with the variables
        """,
        status="queued",
        type="text",
        preview="Your order is on its way.",
    ),
    _message(
        "sending",
        "It is on its way to WhatsApp. The next event is sent, retried, held, failed or uncertain.",
        """
        attempt             whole  1 for the first try
        ~fallback_template  bool   the window is closed, so the fallback template leaves
        """,
        status="sending",
        attempt=1,
    ),
    _message(
        "sent",
        "WhatsApp accepted it. When WhatsApp's status came before the answer to the call, the event has its fields.",
        _REPORTED,
        status="sent",
        **_WAMID,
    ),
    _message(
        "delivered",
        "It is on the customer's phone.",
        _REPORTED,
        status="delivered",
        platform_at="2026-01-02T03:04:06.000Z",
        pricing={"billable": True, "pricing_model": "PMP", "type": "regular", "category": "utility"},
        **_WAMID,
    ),
    _message(
        "read",
        "The customer opened it.",
        _REPORTED,
        status="read",
        platform_at="2026-01-02T03:05:10.000Z",
        **_WAMID,
    ),
    _message(
        "played",
        "The customer played a voice note. Its status stays `read`.",
        """
        ~platform_at        moment  the time by WhatsApp's clock
        ~recipient_user_id  text    the customer's business-scoped id
        """,
        status="read",
        platform_at="2026-01-02T03:05:12.000Z",
        **_WAMID,
    ),
    _message(
        "retried",
        "Panal sends it again: after a temporary failure, or because somebody asked.",
        f"""
        reason     text    the code of the failure, or "requested"
        ~retry_at  moment  when Panal sends it again
        ~error     object  {_ERROR}
        ~by        text    the API key that asked
        """,
        status="queued",
        reason="connection_failed",
        retry_at="2026-01-02T03:04:07.250Z",
    ),
    _message(
        "held",
        "It waits for something: a window, a limit, a person.",
        f"""
        reason       text     what it waits for: window_closed, pair_limit, platform_130429 …
        ~held_until  moment?  when the hold ends, if that is known
        ~error       object   {_ERROR}
        """,
        status="held",
        reason="window_closed",
        held_until=None,
    ),
    _message(
        "uncertain",
        "Nobody knows whether it left, and no status proved it. Panal does not send it again by itself.",
        """
        reason    text    no_evidence
        waited_s  number  how long we waited for a status
        """,
        status="uncertain",
        reason="no_evidence",
        waited_s=15,
    ),
    _message(
        "failed",
        "Panal will not send it, or it did not arrive.",
        f"~error  object  {_ERROR}\n~platform_at  moment  the time by WhatsApp's clock",
        status="failed",
        error={
            "code": 131026,
            "title": "Message undeliverable",
            "details": "Message Undeliverable.",
            "next_step": "Check that the number is on WhatsApp, and ask for it to be reached another way.",
        },
        **_WAMID,
    ),
    _message(
        "expired",
        "Its `expires_at` passed before it could leave.",
        "reason  text  in words",
        status="expired",
        reason="expires_at has passed",
    ),
    _message(
        "canceled",
        "Somebody canceled it before it left.",
        """
        ~by      text  the API key that canceled it
        ~reason  text  campaign_canceled: with its campaign
        """,
        status="canceled",
        by="key_01KFM3Q4QZ5F5G1H8J2K4M7N9R",
    ),
    _message(
        "stuck",
        "It is in this state for too long. Panal does nothing about it: find out why.",
        """
        reason  text    the deadline that passed
        since   moment  when this state began
        """,
        status="sent",
        reason="not_delivered",
        since="2026-01-01T03:04:05.000Z",
        **_WAMID,
    ),
    EventType(
        "message.received",
        "The customer wrote. Answers, reactions and read marks refer to `wamid`.",
        fields(
            """
            message_id           text    our id of the message
            conversation_id      text    its conversation
            wamid                text?   WhatsApp's id of it
            from                 text?   the customer's phone number; null without one
            from_user_id         text?   the customer's business-scoped id
            ~group_id            text    the group of the message
            ~name                text?   the customer's profile name
            type                 text    Meta's word: text, image, reaction, button, interactive …
            content              object  Meta's message object, without from, id and timestamp
            context_wamid        text?   the message that this one answers
            ~context_message_id  text    the same, when you sent it
            ~target_wamid        text?   the message of a reaction, an edit or a deletion
            ~target_message_id   text    the same, when you sent it
            sent_at              moment  when the customer sent it, by WhatsApp's clock
            ~preview             text?   its first words
            ~media               object  the file, when Panal has it
            """
        ),
        {
            "message_id": "msg_01KFM3Q4T2C6P2D7A9V5C1X0ZV",
            "conversation_id": "cnv_01KFM3Q4RZ6F5G1H8J2K4M7N9Q",
            "wamid": "wamid.HBgLMTY1MDU1NTEyMzQVAgASGBRBNTE3QUZFQTNGNUJCRTlBM0Q4QgA=",
            "from": "16505551234",
            "from_user_id": "US.75580344576785092095",
            "name": "Sheena Nelson",
            "type": "text",
            "content": {"type": "text", "text": {"body": "Does it come in another colour?"}},
            "context_wamid": None,
            "sent_at": "2026-01-02T03:04:05.000Z",
            "preview": "Does it come in another colour?",
        },
    ),
)

_CONVERSATION: Final = {"conversation_id": "cnv_01KFM3Q4RZ6F5G1H8J2K4M7N9Q"}
_BY: Final = {"by": "key_01KFM3Q4QZ5F5G1H8J2K4M7N9R"}

_ADDRESSES: Final = """
            conversation_id  text   its id
            contact_keys     texts  every address: wa: and a phone number, user: and a business-scoped id
            wa_id            text?  the phone number in use
            user_id          text?  the business-scoped id in use
            ~moved_at        moment when the contact changed to them
"""
_LINKED: Final[dict[str, Any]] = {
    **_CONVERSATION,
    "contact_keys": ["user:US.75580344576785092095", "wa:16505551234"],
    "wa_id": "16505551234",
    "user_id": "US.75580344576785092095",
}

CONVERSATION_TYPES: Final = (
    EventType(
        "conversation.opened",
        "The first message between one of your numbers and a contact.",
        fields(
            """
            conversation_id  text   its id from now on
            contact_key      text   wa: and the phone number, or user: and the business-scoped id
            ~contact_keys    texts  every known address
            ~moved_at        moment when the contact changed to those in use, if known
            wa_id            text?  the contact's phone number
            user_id          text?  the contact's business-scoped id
            ~name            text?  the contact's name, if known
            ~group_id        text   the group, when it is a group's conversation
            """
        ),
        {
            **_CONVERSATION,
            "contact_key": "wa:16505551234",
            "wa_id": "16505551234",
            "user_id": "US.75580344576785092095",
            "name": "Sheena Nelson",
        },
    ),
    EventType(
        "conversation.linked",
        "The contact has other addresses now: WhatsApp named two together, or the contact changed its number.",
        fields(_ADDRESSES),
        _LINKED,
    ),
    EventType(
        "conversation.merged",
        "Two conversations are with one person: the other one becomes part of this one.",
        fields(
            _ADDRESSES
            + """
            merged_id           text     the other conversation; its id leads here
            unread_count        whole    how many unread messages it had
            labels              texts    its labels
            ~last_inbound_at    moment   when the customer last wrote in it
            ~last_outbound_at   moment   when we last wrote in it
            ~name               text     its contact's name
            ~assignee           text     its assignee
            ~status             text     open or closed; an open one opens this one
            ~preview            object   its last message: message (its id), direction, kind, text, at
            """
        ),
        {**_LINKED, "merged_id": "cnv_01KFM3Q4S00F5G1H8J2K4M7N9R", "unread_count": 2, "labels": ["vip"]},
    ),
    EventType(
        "conversation.read",
        "An agent read everything in it.",
        fields(
            """
            conversation_id  text  its id
            by               text  an API key or a session of the console
            ~wamid           text  the newest message marked as read at WhatsApp
            """
        ),
        {**_CONVERSATION, **_BY},
    ),
    EventType(
        "conversation.updated",
        "Somebody assigned, labelled, closed or opened it; the event has only the changed fields.",
        fields(
            """
            conversation_id  text   its id
            ~assignee        text?  its new assignee
            ~labels          texts  all its labels now
            ~status          text   open or closed
            by               text   who changed it
            """
        ),
        {**_CONVERSATION, "assignee": "ana", "labels": ["vip"], **_BY},
    ),
    EventType(
        "conversation.noted",
        "An agent wrote a note for colleagues. The customer does not see it.",
        fields(
            """
            conversation_id  text   its id
            note_id          text   the note
            text             text   its text
            ~by_name         text?  the name of its author
            by               text   who wrote it
            """
        ),
        {
            **_CONVERSATION,
            "note_id": "note_01KFM3Q4V0B6P2D7A9V5C1X0ZW",
            "text": "Wants the blue one.",
            "by_name": "Ana",
            **_BY,
        },
    ),
)
