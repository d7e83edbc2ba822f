"""``/v1/conversations``: list, one, its messages.

Process: worker.
"""

from sanic import Blueprint, HTTPResponse, Request

from blueprints.reading import caller_of, cursor_of, limit_of, needs, services_of, word
from blueprints.rendering import conversation_json, json_response, message_json, page_response
from config.errors import RequestRefused
from services.conversations import Conversation
from services.keys import Scope
from services.messages import MessageFilter

bp = Blueprint("conversations", url_prefix="/conversations")


@bp.get("/")
@needs(Scope.CONVERSATIONS)
async def list_conversations(request: Request) -> HTTPResponse:
    """Conversations, the one with the last message first."""
    services, caller, limit = services_of(request), caller_of(request), limit_of(request)
    number = word(request, "phone_number_id")
    if number is None and caller.numbers:
        number = min(caller.numbers)
    found = await services.conversations.page(phone_number_id=number, before=cursor_of(request), limit=limit)
    items = [conversation_json(one) for one in found if caller.may_use(one.phone_number_id)]
    return page_response(items, limit=limit, last=found[-1].activity if found else None)


@bp.get("/<conversation_id:str>")
@needs(Scope.CONVERSATIONS)
async def get_conversation(request: Request, conversation_id: str) -> HTTPResponse:
    """One conversation."""
    return json_response(conversation_json(await _own(request, conversation_id)))


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


@bp.post("/<conversation_id:str>/read")
@needs(Scope.CONVERSATIONS)
async def read_conversation(request: Request, conversation_id: str) -> HTTPResponse:
    """Everything in it has been read by an agent."""
    conversation = await _own(request, conversation_id)
    result = await services_of(request).commands.submit(
        "conversation.read", {"conversation_id": conversation.id}, by=caller_of(request).key_id
    )
    return json_response(result)


async def _own(request: Request, conversation_id: str) -> Conversation:
    conversation = await services_of(request).conversations.get(conversation_id)
    if conversation is None or not caller_of(request).may_use(conversation.phone_number_id):
        raise RequestRefused("There is no such conversation.", code="not_found")
    return conversation
