"""``/v1/conversations``: list and search, one, its messages and notes, and what an agent changes.

Process: worker.
"""

from typing import Any

from sanic import Blueprint, HTTPResponse, Request

from blueprints.rendering import conversation_json, json_response, message_json, note_json, page_response
from blueprints.request_reading import caller_of, cursor_of, json_object, limit_of, needs, services_of, word
from config.errors import Fault, RequestRefused
from config.ids import new_id, new_order
from services.conversations import (
    Conversation,
    ConversationFilter,
    keys_of,
    pair_of,
    parse_conversation_change,
    parse_note,
)
from services.keys import Caller, Scope
from services.messages import MessageFilter

bp = Blueprint("conversations", url_prefix="/conversations")


@bp.get("/")
@needs(Scope.CONVERSATIONS)
async def list_conversations(request: Request) -> HTTPResponse:
    """Conversations, the one with the last message first."""
    services, caller, limit = services_of(request), caller_of(request), limit_of(request)
    status, faults = word(request, "status"), list[Fault]()
    if status not in (None, "open", "closed"):
        faults.append(Fault("status", "must be open or closed"))
    if word(request, "unread") not in (None, "true"):
        faults.append(Fault("unread", "must be true, or left out"))
    if faults:
        raise RequestRefused("A query parameter is not valid.", faults=faults)
    assignee = word(request, "assignee")
    wanted = ConversationFilter(
        phone_number_id=word(request, "phone_number_id"),
        numbers=caller.numbers,
        search=word(request, "q"),
        is_open=None if status is None else status == "open",
        is_unread=word(request, "unread") == "true",
        assignee=None if assignee == "none" else assignee,
        is_unassigned=assignee == "none",
        label=word(request, "label"),
        addresses=await _addresses(request, caller),
        before=cursor_of(request),
    )
    found = await services.conversations.page(wanted, limit=limit)
    return page_response(await _shown(request, found), limit=limit, last=found[-1].activity if found else None)


async def _addresses(request: Request, caller: Caller) -> tuple[tuple[str, ...], ...]:
    """Each address that is asked for, as it stands at any number of the caller."""
    wa_id, user_id = word(request, "wa_id"), word(request, "user_id")
    keys = keys_of(wa_id.removeprefix("+") if wa_id else None, user_id)
    if not keys:
        return ()
    numbers = [number.phone_number_id for number in await services_of(request).numbers.all()]
    own = [number for number in numbers if caller.may_use(number)]
    return tuple(tuple(pair_of(number, key) for number in own) for key in keys)


@bp.get("/<conversation_id:str>")
@needs(Scope.CONVERSATIONS)
async def get_conversation(request: Request, conversation_id: str) -> HTTPResponse:
    """One conversation."""
    [shown] = await _shown(request, [await _own(request, conversation_id)])
    return json_response(shown)


@bp.get("/<conversation_id:str>/messages")
@needs(Scope.CONVERSATIONS)
async def list_thread(request: Request, conversation_id: str) -> HTTPResponse:
    """The messages of a conversation, newest first."""
    conversation = await _own(request, conversation_id)
    limit = limit_of(request)
    wanted = MessageFilter(conversation_id=conversation.id, before=cursor_of(request))
    found = await services_of(request).messages.page(wanted, limit=limit)
    return page_response(
        [message_json(message) for message in found], limit=limit, last=found[-1].order if found else None
    )


@bp.patch("/<conversation_id:str>")
@needs(Scope.CONVERSATIONS)
async def update_conversation(request: Request, conversation_id: str) -> HTTPResponse:
    """Assign it, label it, close or open it."""
    conversation = await _own(request, conversation_id)
    changes = parse_conversation_change(json_object(request))
    result = await services_of(request).commands.submit(
        "conversation.update", {"conversation_id": conversation.id, **changes}, by=caller_of(request).key_id
    )
    return json_response(result)


@bp.get("/<conversation_id:str>/notes")
@needs(Scope.CONVERSATIONS)
async def list_notes(request: Request, conversation_id: str) -> HTTPResponse:
    """What agents wrote for each other, oldest first."""
    conversation = await _own(request, conversation_id)
    notes = await services_of(request).conversations.notes(conversation.id)
    return json_response({"data": [note_json(note) for note in notes], "next_cursor": None})


@bp.post("/<conversation_id:str>/notes")
@needs(Scope.CONVERSATIONS)
async def add_note(request: Request, conversation_id: str) -> HTTPResponse:
    """A note for colleagues: the customer never sees it."""
    conversation = await _own(request, conversation_id)
    note = parse_note(json_object(request))
    caller = caller_of(request)
    data = {
        "conversation_id": conversation.id,
        "note_id": new_id("note"),
        "order": new_order(),
        "text": note.text,
        "by_name": caller.name,
    }
    result = await services_of(request).commands.submit("conversation.note", data, by=caller.key_id)
    return json_response(result, status=201)


@bp.post("/<conversation_id:str>/read")
@needs(Scope.CONVERSATIONS)
async def read_conversation(request: Request, conversation_id: str) -> HTTPResponse:
    """Everything in it has been read by an agent."""
    conversation = await _own(request, conversation_id)
    result = await services_of(request).commands.submit(
        "conversation.read", {"conversation_id": conversation.id}, by=caller_of(request).key_id
    )
    return json_response(result)


async def _shown(request: Request, conversations: list[Conversation]) -> list[dict[str, Any]]:
    """Conversations with how far the last message of each came: one read for all that we wrote last in."""
    ours = [one.preview.message_id for one in conversations if one.preview and one.preview.direction == "out"]
    statuses = await services_of(request).messages.statuses(ours)
    return [
        conversation_json(one, statuses.get(one.preview.message_id) if one.preview else None) for one in conversations
    ]


async def _own(request: Request, conversation_id: str) -> Conversation:
    conversation = await services_of(request).conversations.get(conversation_id)
    if conversation is None or not caller_of(request).may_use(conversation.phone_number_id):
        raise RequestRefused("There is no such conversation.", code="not_found")
    return conversation
