"""Messages: accepted by workers, dispatched by the owner, moved forward by statuses.

Process: worker, whatsapp.
"""

from services.messages.accept import Acceptance, Accepted, Idempotency, IdempotencyConflict, OrderCheck
from services.messages.acceptance_policy import AcceptancePolicy, ConsentCheck, OptedOut, WindowClosed
from services.messages.commands import MessageCommands, WrongState
from services.messages.content import Content, as_marketing_message, parse_content
from services.messages.content_faults import ContentFault, ContentRefused
from services.messages.content_marks import ReadMark, is_read_mark, parse_read_mark
from services.messages.dispatch import Dispatcher
from services.messages.documents import MESSAGES, message_document, stamp_order
from services.messages.gate import Consents, EverybodyConsents, SendGate, contact_of
from services.messages.governor import Governor, Hold, Pace, QuietHours
from services.messages.lanes import Lanes
from services.messages.ledger import Ledger, Tracked
from services.messages.options import DispatchOptions
from services.messages.order import SendOrder, parse_order, parse_send_at
from services.messages.outcomes import error_data, message_fact
from services.messages.policy import is_window_open
from services.messages.preview import preview_text
from services.messages.projection import project_message
from services.messages.read_marks import ReadMarks
from services.messages.records import Direction, Message, OnUncertain, OnWindowClosed, Priority, TimelineEntry
from services.messages.repository import MessageFilter, MessageRepository, plain_key
from services.messages.silence import Answers
from services.messages.states import ACTIVE, MOVES, MessageStatus, may_move
from services.messages.statuses import next_status
from services.messages.wamids import client_wamid, message_id_of

__all__ = [
    "ACTIVE",
    "MESSAGES",
    "MOVES",
    "Acceptance",
    "AcceptancePolicy",
    "Accepted",
    "Answers",
    "ConsentCheck",
    "Consents",
    "Content",
    "ContentFault",
    "ContentRefused",
    "Direction",
    "DispatchOptions",
    "Dispatcher",
    "EverybodyConsents",
    "Governor",
    "Hold",
    "Idempotency",
    "IdempotencyConflict",
    "Lanes",
    "Ledger",
    "Message",
    "MessageCommands",
    "MessageFilter",
    "MessageRepository",
    "MessageStatus",
    "OnUncertain",
    "OnWindowClosed",
    "OptedOut",
    "OrderCheck",
    "Pace",
    "Priority",
    "QuietHours",
    "ReadMark",
    "ReadMarks",
    "SendGate",
    "SendOrder",
    "TimelineEntry",
    "Tracked",
    "WindowClosed",
    "WrongState",
    "as_marketing_message",
    "client_wamid",
    "contact_of",
    "error_data",
    "is_read_mark",
    "is_window_open",
    "may_move",
    "message_document",
    "message_fact",
    "message_id_of",
    "next_status",
    "parse_content",
    "parse_order",
    "parse_read_mark",
    "parse_send_at",
    "plain_key",
    "preview_text",
    "project_message",
    "stamp_order",
]
