"""Messages: accepted by workers, dispatched by the owner, moved forward by statuses.

Process: worker, whatsapp.
"""

from services.messages.accept import Acceptance, AcceptanceCheck, Accepted, Idempotency, IdempotencyConflict
from services.messages.acceptance_policy import AcceptancePolicy, ConsentCheck, OptedOut, WindowClosed
from services.messages.content.faults import ContentFault, ContentRefused
from services.messages.content.interactive import BY_TYPE
from services.messages.content.kinds import Contact, ContactCards
from services.messages.content.parse import KINDS, MODELS, Content, as_marketing_message, parse_content
from services.messages.content.read_mark import ReadMark, is_read_mark, parse_read_mark
from services.messages.documents import MESSAGES, message_document, stamp_order
from services.messages.events import error_data, message_fact
from services.messages.policy import fallback_payload, is_window_open, may_be_replaced, needs_window
from services.messages.preview import preview_text
from services.messages.projection import project_message
from services.messages.records import Direction, Hold, Message, OnUncertain, OnWindowClosed, Priority, TimelineEntry
from services.messages.repository import MessageFilter, MessageRepository, plain_key
from services.messages.requests import SendRequest, parse_send_at, parse_send_request
from services.messages.state import MessageState, Tracked
from services.messages.states import ACTIVE, MOVES, MessageStatus, WrongState, may_move, next_status
from services.messages.wamids import client_wamid, message_id_of

__all__ = [
    "ACTIVE",
    "BY_TYPE",
    "KINDS",
    "MESSAGES",
    "MODELS",
    "MOVES",
    "Acceptance",
    "AcceptanceCheck",
    "AcceptancePolicy",
    "Accepted",
    "ConsentCheck",
    "Contact",
    "ContactCards",
    "Content",
    "ContentFault",
    "ContentRefused",
    "Direction",
    "Hold",
    "Idempotency",
    "IdempotencyConflict",
    "Message",
    "MessageFilter",
    "MessageRepository",
    "MessageState",
    "MessageStatus",
    "OnUncertain",
    "OnWindowClosed",
    "OptedOut",
    "Priority",
    "ReadMark",
    "SendRequest",
    "TimelineEntry",
    "Tracked",
    "WindowClosed",
    "WrongState",
    "as_marketing_message",
    "client_wamid",
    "error_data",
    "fallback_payload",
    "is_read_mark",
    "is_window_open",
    "may_be_replaced",
    "may_move",
    "message_document",
    "message_fact",
    "message_id_of",
    "needs_window",
    "next_status",
    "parse_content",
    "parse_read_mark",
    "parse_send_at",
    "parse_send_request",
    "plain_key",
    "preview_text",
    "project_message",
    "stamp_order",
]
